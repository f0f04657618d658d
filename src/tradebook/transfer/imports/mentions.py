"""What rows of one file have in common: one number or e-mail twice, and numbers that look alike.

It shows only when all rows are read. Until then it is in temporary files.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from tradebook.crud.records import Values
from tradebook.resources import customers
from tradebook.resources.import_shapes import ImportDoubt, ImportResembled
from tradebook.text import fold_case, shortened
from tradebook.transfer.columns import EXTERNAL_IDS
from tradebook.transfer.imports.records import CheckedRow, problem
from tradebook.transfer.imports.resemblance import difference
from tradebook.transfer.imports.spill import SortedSpill
from tradebook.transfer.rows import Problem

ALIKE_MAX = 100
"""How many numbers that look alike are compared with each other."""

_CUSTOMER = "customer"


class _Mention(NamedTuple):
    """Something by which a row of the file could be taken for another one."""

    column: str
    plain: str
    """What is left of a number that looks like it; of the others what is compared."""
    folded: str
    line: int
    place: int
    text: str
    by: str
    """The column that decided which customer the row is about."""
    is_new: bool
    """Whether the row makes a customer, or gives it this number."""


class Late(NamedTuple):
    """What is wrong with a row, or looks so, and shows only when all rows are read."""

    place: int
    found: Problem | ImportDoubt


class Mentions:
    """Notes row by row what could meet in another row; `settle` tells where it did."""

    def __init__(self, by: Sequence[str]) -> None:
        self._by = by
        self._spill: SortedSpill[_Mention] = SortedSpill(_Mention)

    def close(self) -> None:
        """Close the temporary file, which deletes it."""
        self._spill.close()

    def note(
        self,
        record: CheckedRow,
        known: Values | None,
        by: str | None,
        *,
        is_new: bool,
        number_is_told: bool = False,
    ) -> None:
        """Note a row, the customer that it is about, and by which column that was found.

        `number_is_told` says that its number looks like one of the book: that it looks like another one of
        the file is not told too.
        """
        where, decided = (record.line, record.place), by or ""
        number = record.own.get("number")
        if number is not None:
            is_same = known is not None and fold_case(number) == fold_case(known["number"])
            # Customers of old books may agree in this: the book keeps them apart.
            folded = known["number_folded"] if known is not None and is_same else fold_case(number)
            plain = customers.likeness.plainest(number)
            is_another = not (is_same or number_is_told)
            self._spill.add(_Mention("number", plain, folded, *where, number, decided, is_another))
        for column in ("email", "phone"):
            text = record.own.get(column)
            if text is not None and (column in self._by or (is_new and column == "email")):
                value = customers.recognising.folded_by("email" if column == "email" else "phone", text)
                if value is not None:
                    self._spill.add(_Mention(column, value, value, *where, text, decided, is_new))
        for name, value in record.external_ids.items():
            if value is not None:
                column = f"{EXTERNAL_IDS}{name}"
                self._spill.add(_Mention(column, value, value, *where, value, decided, is_new))
        if known is not None and len(self._by) > 1:
            key = str(known["id"])
            self._spill.add(_Mention(_CUSTOMER, key, key, *where, known["number"], decided, is_new=False))

    def settle(self) -> Iterator[Late]:
        """Tell what several rows have that only one may have, and what looks so."""
        for (column, _), group in groupby(self._spill, key=lambda mention: mention[:2]):
            if column == "number":
                yield from self._numbers(group)
            elif column == _CUSTOMER:
                yield from _customers(group)
            else:
                yield from _values(column, group)

    def _numbers(self, group: Iterable[_Mention]) -> Iterator[Late]:
        """Tell of numbers that are there twice, and of those that look alike."""
        alike: list[_Mention] = []
        first: _Mention | None = None
        for mention in group:
            if first is not None and mention.folded == first.folded:
                yield _twice(mention, first, mention.column)
                continue
            first = mention
            if len(alike) < ALIKE_MAX:
                alike.append(first)
        if len(alike) > 1:
            yield from _alike(sorted(alike, key=lambda mention: mention.place))


def _alike(listed: Sequence[_Mention]) -> Iterator[Late]:
    first = listed[0]
    for mention in listed[1:]:
        # Of two that the book has already there is nothing to tell, and one in the book is told of by itself.
        if mention.is_new and first.is_new:
            reason = (
                f"looks like {first.text} in line {first.line}, from which it differs by "
                f"{difference(mention.text, first.text)}: they would be two customers"
            )
            customer = ImportResembled(None, first.text)
            warning = ImportDoubt(mention.line, "number", mention.text, reason, customer, needs_yes=True)
            yield Late(mention.place, warning)


def _customers(group: Iterable[_Mention]) -> Iterator[Late]:
    """Tell of rows that mean one customer by different columns; by one column it is told already."""
    first, *others = _firsts_by_column(group)
    for mention in others:
        reason = f"is about customer {mention.text}, and so is line {first.line}"
        yield Late(mention.place, problem(mention.line, mention.by, None, reason))


def _firsts_by_column(group: Iterable[_Mention]) -> list[_Mention]:
    first: dict[str, _Mention] = {}
    for mention in group:
        first.setdefault(mention.by, mention)
    return list(first.values())


def _values(column: str, group: Iterable[_Mention]) -> Iterator[Late]:
    first: _Mention | None = None
    decider: _Mention | None = None
    for mention in group:
        decides = column.startswith(EXTERNAL_IDS) or column == mention.by
        if first is None:
            first = mention
        elif decides or decider is not None:
            yield _twice(mention, decider or first, column)
        elif mention.is_new and first.is_new:
            reason = f"is the {word_of(column)} of line {first.line} too, which is another new customer"
            yield Late(mention.place, ImportDoubt(mention.line, column, mention.text, reason))
        if decides and decider is None:
            decider = mention


def _twice(mention: _Mention, first: _Mention, column: str) -> Late:
    reason = f"is the {word_of(column)} of line {first.line} already"
    return Late(mention.place, problem(mention.line, column, mention.text, reason))


def word_of(column: str) -> str:
    """Say what a column of the match is."""
    if column.startswith(EXTERNAL_IDS):
        return f"{shortened(column.removeprefix(EXTERNAL_IDS))} id"
    return "e-mail" if column == "email" else column
