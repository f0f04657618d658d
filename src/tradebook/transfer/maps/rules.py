"""What a map says of one column: where it comes from, and how it is read."""

from datetime import tzinfo
from typing import Any

import msgspec
from msgspec import structs

from tradebook.crud.kinds import EMAIL
from tradebook.resources.quantities import Decimal
from tradebook.text import composed
from tradebook.transfer.cells import CreatedAt
from tradebook.transfer.columns import Column
from tradebook.transfer.maps.dates import read_formats, read_zone
from tradebook.transfer.maps.options import shown
from tradebook.transfer.maps.pieces import Take, read_line, read_take
from tradebook.transfer.maps.sources import label_of
from tradebook.transfer.maps.words import Mistakes, Reader, one_of, stripped, texts, whole
from tradebook.transfer.rows import Value

Condition = tuple[str, frozenset[str]]
"""A heading, and the words one of which its cell must be."""


class Rule(msgspec.Struct, frozen=True):
    """What a map says of one column, but for its values and its default."""

    sources: tuple[str, ...] = ()
    """Headings, paths or templates; the first that is not empty counts."""
    nth: int | tuple[int, ...] | None = None
    """Which of several equal headings is meant, counted from 1; a number for each source, or one for all."""
    split: tuple[str, ...] = ()
    take: Take | None = None
    line: tuple[int, bool] | None = None
    """The number of a line, and whether all that follow it count too."""
    empty: frozenset[str] = frozenset()
    """Words that mean an empty cell."""
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    decimal: str | None = None
    date: tuple[str, ...] = ()
    zone: tzinfo | None = None

    @property
    def label(self) -> str:
        """What to call where it comes from."""
        return " or ".join(map(label_of, self.sources))

    @property
    def places(self) -> list[tuple[str, int | None]]:
        """Its sources, each with which of several equal headings it means."""
        numbers = self.nth if isinstance(self.nth, tuple) else [self.nth] * len(self.sources)
        return list(zip(self.sources, numbers, strict=False))

    @property
    def is_plain(self) -> bool:
        """Whether it is one cell as it stands."""
        return structs.replace(self, sources=(), nth=None) == Rule() and len(self.sources) == 1


def is_amount(column: Column) -> bool:
    """Tell whether a column holds amounts of money."""
    return isinstance(column.cell.kind, Decimal)


def is_date(column: Column) -> bool:
    """Tell whether a column holds times."""
    return isinstance(column.cell.kind, CreatedAt)


def is_email(column: Column) -> bool:
    """Tell whether a column holds e-mail addresses."""
    return column.cell.kind == EMAIL


def read_decimal(value: Any) -> str:
    """Take the sign between units and decimals."""
    return str(one_of(",", ".")(value))


def read_sources(value: Any) -> tuple[str, ...]:
    """Take a heading or template, or a list of them."""
    sources = texts(value)
    if not all(sources):
        raise ValueError("takes the name of a column or a template, in quotes, or a list of them")
    return sources


def _separators(value: Any) -> tuple[str, ...]:
    separators = texts(value)
    if not all(separators):
        raise ValueError('takes what separates the values, such as "," or [";", ","]')
    return separators


def _nth(value: Any) -> int | tuple[int, ...]:
    number = whole(1)
    return tuple(map(number, value)) if isinstance(value, list) else number(value)


def _conditions(value: Any) -> tuple[Condition, ...]:
    if not isinstance(value, dict) or not value:
        raise ValueError('takes a table of headings and what stands there, such as { Type = ["A", "B"] }')
    return tuple((heading, frozenset(stripped(words))) for heading, words in value.items())


_WORDS: dict[str, Reader] = {
    "from": read_sources,
    "nth": _nth,
    "split": _separators,
    "take": read_take,
    "line": read_line,
    "empty": stripped,
    "when": _conditions,
    "unless": _conditions,
}
_AMOUNT: dict[str, Reader] = {"decimal": read_decimal}
_DATE: dict[str, Reader] = {"date": read_formats, "zone": read_zone}


class Columns(msgspec.Struct):
    """What a map says of its columns, by their names."""

    rules: dict[str, Rule] = {}
    values: dict[str, dict[str, str | bool]] = {}
    defaults: dict[str, Value] = {}


def read_rule(
    name: str, column: Column, value: Any, where: str, mistakes: Mistakes, columns: Columns
) -> None:
    """Read what a map says of a column: a heading, a template, or a table that says more.

    Its values and its default go to those of the other sections.
    """
    if isinstance(value, str) and value:
        columns.rules[name] = Rule((value,))
        return
    if not isinstance(value, dict):
        mistakes.note(where, "takes the name of a column or a template, in quotes, or a table")
        return
    table = dict(value)
    read_values(name, column, table.pop("values", None), f"{where} values", mistakes, columns)
    read_default(name, column, table.pop("default", None), f"{where} default", mistakes, columns)
    _note_misplaced(column, table, where, mistakes)
    words = mistakes.table(
        where, table, _WORDS | _AMOUNT | _DATE, [*_WORDS, *_AMOUNT, *_DATE, "values", "default"]
    )
    sources, empty = words.pop("from", ()), frozenset(words.pop("empty", ()))
    rule = Rule(sources=sources, empty=empty, **words)
    for mistake in _against_each_other(column, rule, "from" in table, "default" in value):
        mistakes.note(where, mistake)
    columns.rules[name] = rule


def _note_misplaced(column: Column, table: dict[str, Any], where: str, mistakes: Mistakes) -> None:
    misplaced = [(word, "credit_limit") for word in _AMOUNT if not is_amount(column)]
    misplaced += [(word, "created_at") for word in _DATE if not is_date(column)]
    for word, meant in misplaced:
        if word in table:
            del table[word]
            mistakes.note(f"{where} {word}", f"is for {meant} and no other column")


def _against_each_other(column: Column, rule: Rule, has_source: bool, has_default: bool) -> list[str]:  # noqa: FBT001
    """Say which words of one column can't be meant together."""
    found = []
    if not has_source and not has_default:
        found.append('needs from: the name of a column or a template, such as from = "Company"')
    if rule.split and rule.take is None and not column.cell.is_list:
        found.append('split makes several values of one: say which counts, such as take = "first"')
    if rule.line and (rule.split or rule.take is not None):
        found.append("line does not go with split and take")
    if isinstance(rule.nth, int) and rule.nth > 1 and len(rule.sources) > 1:
        found.append("nth goes with one heading; of several, say it for each, such as nth = [1, 2]")
    if isinstance(rule.nth, tuple) and len(rule.nth) != len(rule.sources):
        found.append("nth has a number for each heading of from, or one for all")
    return found


def read_values(
    name: str, column: Column, value: Any, where: str, mistakes: Mistakes, columns: Columns
) -> None:
    """Read which of their values are which of ours."""
    if value is None:
        return
    if not isinstance(value, dict) or not all(isinstance(ours, str | bool) for ours in value.values()):
        mistakes.note(where, "takes a table of theirs = ours, in quotes")
        return
    if name in columns.values:
        mistakes.note(where, f"is there twice: in [values] {name} and in [columns] {name}")
        return
    for ours in dict.fromkeys(value.values()):
        _check_ours(column, ours, where, mistakes)
    columns.values[name] = {composed(theirs.strip()): ours for theirs, ours in value.items()}


def read_default(
    name: str, column: Column, value: Any, where: str, mistakes: Mistakes, columns: Columns
) -> None:
    """Read the constant that a column has where the file has nothing."""
    if value is None:
        return
    if name in columns.defaults:
        mistakes.note(where, f"is there twice: in [defaults] {name} and in [columns] {name}")
        return
    constant = mistakes.read(where, lambda given: _constant(column, given), value)
    if constant is not None:
        _check_ours(column, constant, where, mistakes)
        columns.defaults[name] = constant


def _constant(column: Column, value: Any) -> Value:
    if column.cell.is_list and isinstance(value, list):
        return [str(_constant_text(entry)) for entry in value]
    return value if isinstance(value, bool) else _constant_text(value)


def _constant_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("takes text, a whole number or true and false; write decimals in quotes")
    constant = str(value)
    if "{" in constant or "}" in constant:
        raise ValueError(f"{shown(constant)} has braces, and a default is a constant: columns belong in from")
    return constant


def _check_ours(column: Column, value: Value, where: str, mistakes: Mistakes) -> None:
    """See whether a column takes what the map gives it, whatever a file has."""
    if value == "" or mistakes.are_enough:
        return
    try:
        column.read(value)
    except ValueError as reason:
        mistakes.note(where, f"{shown(value)} {reason}")
