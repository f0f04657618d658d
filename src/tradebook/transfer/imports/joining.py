"""Rows that follow one another and are one customer: each further one brings an attached address."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from tradebook.transfer.columns import ATTACHED
from tradebook.transfer.imports.matching import match_value
from tradebook.transfer.rows import Match, Problem, Row

FURTHER_MAX = 1_000
"""How many further rows of one customer are joined; what follows is a row with a number given twice."""

BROUGHT = frozenset((*ATTACHED, "addresses"))
"""The columns that each row of a customer has for itself."""


class Joined(msgspec.Struct):
    """The row of a customer, and the further rows that are the same customer."""

    row: Row
    further: list[Row]
    """They hold nothing but the addresses that they bring."""


def join(rows: Iterable[Row | Problem], match: Match) -> Iterator[Joined | Problem]:
    """Put rows of one customer together: they have one match value, and say nothing else of it."""
    head: Joined | None = None
    for row in rows:
        if isinstance(row, Row) and head is not None and _is_further(head, row, match):
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


def _is_further(head: Joined, row: Row, match: Match) -> bool:
    if row.skipped is not None or head.row.skipped is not None or len(head.further) >= FURTHER_MAX:
        return False
    found = match_value(head.row, match)
    if found is None or match_value(row, match) != found:
        return False
    return all(
        is_empty(value) or column in BROUGHT or column == found[0] or value == head.row.values.get(column)
        for column, value in row.values.items()
    )


def is_empty(value: Any) -> bool:
    """Tell whether a cell says nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def _cut(row: Row) -> Row:
    brought = {column: value for column, value in row.values.items() if column in BROUGHT}
    return Row(row.line, brought, row.problems, refused=row.refused, defaulted=row.defaulted, raw=row.raw)
