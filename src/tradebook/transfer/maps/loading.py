"""Reads a map from TOML; all mistakes in it are told at once.

[file]             how the file is read: encoding, separator, header, sheet, words for nothing, …
[match]            which customer a row is about
[[skip]]           which rows are left out
[columns]          ours = "theirs", a template such as "{firstName} {lastName}", or a table that says more
[lookup.COLUMN]    file, key, value, from: takes a value from another file
[[lookup]]         file, key, from, columns, missing, many: takes several
[values.COLUMN]    theirs = ours; what is not listed passes unchanged
[defaults]         ours = a constant, where the file has nothing
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tradebook.crud.kinds import did_you_mean
from tradebook.transfer.columns import (
    ADDRESSES,
    ATTACHED,
    COLUMNS,
    EXTERNAL_IDS,
    Column,
    column_named,
    unknown_column,
)
from tradebook.transfer.maps.fitted import Plan
from tradebook.transfer.maps.lookups import LookedUp, Lookup, attached_fields
from tradebook.transfer.maps.rules import Columns, read_default, read_rule, read_values
from tradebook.transfer.maps.sections import FORM_WORDS, read_options, tables
from tradebook.transfer.maps.taking import Cells
from tradebook.transfer.maps.words import Mistakes, Reader, nearest, one_of, table_of_words, text
from tradebook.transfer.rows import FileOptions

_SECTIONS = ("file", "match", "skip", "columns", "lookup", "values", "defaults")
_ONE: dict[str, Reader] = dict.fromkeys(("file", "key", "value", "from"), text)
_SEVERAL: dict[str, Reader] = {
    **dict.fromkeys(("file", "key", "from"), text),
    "columns": table_of_words,
    "missing": one_of("problem", "empty"),
    "many": one_of("problem", "first", "attach"),
    **FORM_WORDS,
}
_GROUPS = (*ADDRESSES, "address", "external_ids")


class MapError(ValueError):
    """The map can't be used; the text lists all mistakes in it."""


def read_map(found: str, folders: Sequence[Path], name: str) -> Plan:
    """Read a map from its text; MapError lists all mistakes, and calls the map by its name."""
    try:
        document = tomllib.loads(found)
    except RecursionError:
        raise MapError(f"{name} is not TOML: it is nested too deeply") from None
    except ValueError as error:
        raise MapError(f"{name} {_why_no_toml(found, error)}") from None
    loader = _Loader(folders)
    plan = loader.load(document)
    if loader.mistakes.found:
        raise MapError("\n".join(f"{name}: {mistake}" for mistake in loader.mistakes.told()))
    return plan


def _why_no_toml(found: str, error: ValueError) -> str:
    has_both = all(
        re.search(rf"^\s*{form}", found, re.MULTILINE) for form in (r"\[\[\s*lookup", r"\[\s*lookup\s*\.")
    )
    if has_both:
        return "has both [lookup.COLUMN] and [[lookup]], which TOML does not take: write all as [[lookup]]"
    if not isinstance(error, tomllib.TOMLDecodeError):
        return "is not TOML: it has a number of too many digits"
    return f"is not TOML: {error}"


class _Loader:
    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self.mistakes = Mistakes()

    def load(self, document: dict[str, Any]) -> Plan:
        for name in document:
            if name not in _SECTIONS and not self.mistakes.are_enough:
                self.mistakes.unknown(f"[{name}]", "section", name, _SECTIONS)
        options, cells = read_options(document, self.mistakes)
        columns = Columns()
        for name, column, value in self._each("values", document.get("values", {})):
            read_values(name, column, value, f"[values] {name}", self.mistakes, columns)
        for name, column, value in self._each("defaults", document.get("defaults", {})):
            read_default(name, column, value, f"[defaults] {name}", self.mistakes, columns)
        self._rules("[columns]", document.get("columns", {}), columns)
        lookups = list(self._lookups(document.get("lookup", {}), columns, cells))
        _empty_ones_last(columns)
        is_by_name = not document.get("columns")
        if "match" in document and not is_by_name and not self.mistakes.found:
            self._check_match(options.match.by, columns, lookups)
        return Plan(columns, lookups, options, cells, _theirs(columns, lookups), is_by_name)

    def _rules(self, section: str, table: Any, columns: Columns) -> None:
        for name, column, value in self._each(section, table):
            read_rule(name, column, value, f"{section} {name}", self.mistakes, columns)

    def _each(self, section: str, table: Any) -> Iterator[tuple[str, Column, Any]]:
        if not isinstance(table, dict):
            self.mistakes.note(section, "must be a table")
            return
        seen = set()
        for name, value in _joined(table):
            if self.mistakes.are_enough:
                return
            column = column_named(name)
            if column is None:
                self.mistakes.note(f"{section} {name}", _no_column(name))
            elif name in seen:
                self.mistakes.note(
                    f"{section} {name}", "is there twice, with a dot and in a section of its own"
                )
            else:
                seen.add(name)
                yield name, column, value

    def _lookups(self, found: Any, columns: Columns, cells: Cells) -> Iterator[LookedUp]:
        if isinstance(found, list):
            for table in tables("lookup", found, self.mistakes):
                yield from self._looked_up(self._of_several(table, columns), cells)
        elif isinstance(found, dict) and "file" in found:
            self.mistakes.note(
                "[lookup]", "is written [lookup.COLUMN] for one column, [[lookup]] for several"
            )
        else:
            for name, column, value in self._each("[lookup]", found):
                yield from self._looked_up(self._of_one(name, column, value), cells)

    def _of_one(self, name: str, column: Column, value: Any) -> Lookup | None:
        where, rules = f"[lookup] {name}", Columns()
        if not isinstance(value, dict) or set(value) != set(_ONE):
            near = [word for word in value if word not in _ONE] if isinstance(value, dict) else []
            hint = did_you_mean(near[0], list(_ONE)) if near else ""
            self.mistakes.note(where, f"takes exactly {', '.join(_ONE)}{hint}")
            return None
        words = self.mistakes.table(where, value, _ONE)
        if len(words) < len(_ONE):
            return None
        read_rule(name, column, words["value"], where, self.mistakes, rules)
        return Lookup(where, words["file"], words["from"], words["key"], rules.rules, many="mistake")

    def _of_several(self, table: dict[str, Any], columns: Columns) -> Lookup | None:
        where, before = "[[lookup]]", len(self.mistakes.found)
        missing = [word for word in ("file", "key", "from", "columns") if word not in table]
        if missing:
            self.mistakes.note(where, f"needs {' and '.join(missing)}")
        words = self.mistakes.table(where, table, _SEVERAL)
        inner = Columns({}, columns.values, columns.defaults)
        self._rules(where, words.pop("columns", {}), inner)
        if words.get("many") == "attach" and not attached_fields(inner.rules):
            self.mistakes.note(
                where, 'many = "attach" needs columns of an address, such as "bill_to.locality"'
            )
        if len(self.mistakes.found) > before:
            return None
        options = FileOptions(**{word: words.pop(word) for word in FORM_WORDS if word in words})
        return Lookup(
            where,
            words.pop("file"),
            words.pop("from"),
            words.pop("key"),
            inner.rules,
            **words,
            options=options,
        )

    def _looked_up(self, lookup: Lookup | None, cells: Cells) -> Iterator[LookedUp]:
        if lookup is None:
            return
        try:
            yield LookedUp(lookup, self._find(lookup.file), cells)
        except (ValueError, OSError) as error:
            self.mistakes.note(lookup.where, error)

    def _find(self, name: str) -> Path:
        if not self._folders:
            raise ValueError(f"{name} can't be read: a map that is sent has no files beside it")
        for folder in self._folders:
            if (folder / name).is_file():
                return folder / name
        raise ValueError(f"there is no file {name}, neither beside the map nor beside the data")

    def _check_match(self, by: Sequence[str], columns: Columns, lookups: Sequence[LookedUp]) -> None:
        """See that the map fills one of the columns that it says to match by."""
        filled = {*columns.rules, *columns.defaults, *(name for each in lookups for name in each.columns)}
        if not filled.intersection(by):
            self.mistakes.note("[match]", f"matches by {' or '.join(by)}, which [columns] does not give")


def _empty_ones_last(columns: Columns) -> None:
    """Make what `[values]` has for an empty cell the default, which it comes before."""
    for name, values in columns.values.items():
        ours = values.pop("", "")
        if ours != "":
            columns.defaults[name] = ours


def _theirs(columns: Columns, lookups: Sequence[LookedUp]) -> dict[str, str]:
    named = {name: rule.label for name, rule in columns.rules.items() if rule.sources}
    named |= {name: each.lookup.called(name) for each in lookups for name in each.columns}
    return {ours: theirs for ours, theirs in named.items() if ours != theirs}


def _no_column(name: str) -> str:
    if name.startswith(EXTERNAL_IDS):
        return unknown_column(name)
    if name == "addresses":
        fields = 'one attached address is given by its fields, such as "address.locality"'
        return f"There is no such column: {fields}."
    groups = [group for group in _GROUPS if group != name]
    near = nearest(name, [*COLUMNS, *ATTACHED, f"{EXTERNAL_IDS}NAME", *groups])
    hint = f"Did you mean {near}?" if near else "The reference lists all that there are."
    return f"There is no such column. {hint}"


def _joined(table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Join `bill_to.name` again, which TOML split at its dot: both spellings mean the same column."""
    for name, value in table.items():
        if isinstance(value, dict) and name in _GROUPS:
            yield from ((f"{name}.{inner}", entry) for inner, entry in value.items())
        else:
            yield name, value
