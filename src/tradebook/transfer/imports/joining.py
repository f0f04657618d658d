"""Rows that follow one another and are one customer: each further one may bring an attached address."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from tradebook.transfer.columns import ADDRESSES, ATTACHED, FURTHER_MAX
from tradebook.transfer.imports.matching import match_value
from tradebook.transfer.rows import Match, Problem, Row

BROUGHT = frozenset((*ATTACHED, "addresses"))
"""The columns that each row of a customer has for itself."""
PARTS = tuple(f"{part}." for part in ADDRESSES)
"""What the columns of the customer's own two addresses begin with."""


Meant = tuple[str, Any] | None


class Joined(msgspec.Struct):
    """The row of a customer, and the further rows that are the same customer."""

    row: Row
    further: list[Row]
    """They hold nothing but the addresses that they bring."""


def join(rows: Iterable[Row | Problem], match: Match) -> Iterator[Joined | Problem]:
    """Put rows of one customer together: they have one match value, and differ in their addresses alone.

    The bill-to and the ship-to address may stand in different rows.
    """
    head: Joined | None = None
    meant: Meant = None
    for row in rows:
        before, meant = meant, match_value(row, match) if isinstance(row, Row) else None
        # Nearly every row has another value than the one before, and nothing else is looked at.
        is_same = meant is not None and meant == before
        if is_same and isinstance(row, Row) and head is not None and _is_further(head, row, meant):
            _take_own(head, row)
            head.further.append(_cut(row))
            continue
        if head is not None:
            yield head
        if isinstance(row, Problem):
            head = None
            yield row
        else:
            head = Joined(row, [])
    if head is not None:
        yield head


def _is_further(head: Joined, row: Row, meant: Meant) -> bool:
    if row.skipped is not None or head.row.skipped is not None or len(head.further) >= FURTHER_MAX:
        return False
    own = _own(head, row)
    decided = None if meant is None else meant[0]
    return all(
        is_empty(value)
        or column in BROUGHT
        or column in own
        or value == head.row.values.get(column)
        or column == decided != "number"
        for column, value in row.values.items()
    )


def _own(head: Joined, row: Row) -> set[str]:
    """Return the columns of an address of the customer's own that the rows before lack as a whole."""
    lacking = [
        part
        for part in PARTS
        if not any(column.startswith(part) and _fills(head.row, column) for column in head.row.values)
    ]
    return {column for column in row.values if column.startswith(tuple(lacking))}


def _take_own(head: Joined, row: Row) -> None:
    own = _own(head, row)
    if any(_fills(row, column) for column in own):
        head.row.values.update((column, row.values[column]) for column in own)
        head.row.defaulted = (head.row.defaulted - own) | (row.defaulted & own)


def _fills(row: Row, column: str) -> bool:
    return bool(row.values[column]) and not is_empty(row.values[column]) and column not in row.defaulted


def is_empty(value: Any) -> bool:
    """Tell whether a cell says nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def _cut(row: Row) -> Row:
    brought = {column: value for column, value in row.values.items() if column in BROUGHT}
    return Row(row.line, brought, row.problems, refused=row.refused, defaulted=row.defaulted, raw=row.raw)
