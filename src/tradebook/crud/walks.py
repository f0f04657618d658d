"""Where the keys of a list come from."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tradebook.crud.resource import Asked, Walk
from tradebook.storage.database import Reader
from tradebook.storage.index import ListIndex
from tradebook.storage.schema import ACCOUNT, any_of, newest_of_each, prepare

MANY = 2_000
"""From this many entries on, a page's nested lists are read with a bound for each owner."""


def walk_of_index(index: ListIndex) -> Walk:
    """Walk a whole table, or what filters and words leave of it."""

    def walk(reader: Reader, asked: Asked) -> list[int]:
        span = asked.span
        return reader.keys(index, asked.query, descending=span.descending, **span.bounds)

    return walk


def walk_of_table(key_column: sa.Column[Any], *conditions: sa.ColumnElement[bool]) -> Walk:
    """Walk the rows of a table that meet some constant conditions."""
    statements = {
        descending: prepare(select_span(key_column, key_column, descending=descending).where(*conditions))
        for descending in (True, False)
    }

    def walk(reader: Reader, asked: Asked) -> list[int]:
        statement = statements[asked.span.descending]
        return [key for (key,) in reader.rows(statement, **asked.span.bounds)]

    return walk


def walk_of_constants(keys: Sequence[int]) -> Walk:
    """Walk what is the same for every account."""
    rising = sorted(keys)

    def walk(_reader: Reader, asked: Asked) -> list[int]:
        span = asked.span
        found = [key for key in rising if span.above <= key < span.below]
        return (found[::-1] if span.descending else found)[: span.limit]

    return walk


def walk_of_owned(
    owner_column: sa.Column[Any], key_column: sa.Column[Any], *conditions: sa.ColumnElement[bool]
) -> Walk:
    """Walk the rows that name one owner, such as the children of a parent, and meet some conditions."""
    statements = {
        descending: prepare(
            select_span(key_column, key_column, descending=descending).where(
                owner_column == sa.bindparam("owner"), *conditions
            )
        )
        for descending in (True, False)
    }

    def walk(reader: Reader, asked: Asked) -> list[int]:
        statement = statements[asked.span.descending]
        rows = reader.rows(statement, owner=asked.path_key, **asked.span.bounds)
        return [key for (key,) in rows]

    return walk


def select_span(key_column: sa.Column[Any], *columns: sa.Column[Any], descending: bool) -> sa.Select[Any]:
    """Select a table's rows between the keys `above` and `below`, at most `limit`, newest first or last."""
    return (
        sa.select(*columns)
        .where(
            key_column.table.c.account_id == ACCOUNT,
            key_column >= sa.bindparam("above"),
            key_column < sa.bindparam("below"),
        )
        .order_by(key_column.desc() if descending else key_column)
        .limit(sa.bindparam("limit", type_=sa.Integer))
    )


class NewestOfEach:
    """The newest keys of each of some owners, at most `count` of each, in one statement or two.

    Nearly always the owners have few, and a plain look-up reads them all. Where it would read very many, a
    second statement is bounded for each owner, so that one of them costs no more than another.
    """

    def __init__(self, owner_column: sa.Column[Any], key_column: sa.Column[Any], count: int) -> None:
        table = owner_column.table
        self._count = count
        self.plain = prepare(
            sa.select(owner_column, key_column)
            .where(table.c.account_id == ACCOUNT, any_of(owner_column, "ids"))
            .limit(MANY)
        )
        self.bounded = prepare(newest_of_each(owner_column, key_column, count))

    def load(self, reader: Reader, owners: Sequence[int]) -> dict[int, list[int]]:
        """Return each owner's keys, newest first; an owner without any has an empty list."""
        rows = reader.rows(self.plain, ids=owners)
        if len(rows) >= MANY:
            rows = reader.rows(self.bounded, ids=owners)
        listed: dict[int, list[int]] = {owner: [] for owner in owners}
        for owner, key in rows:
            listed[owner].append(key)
        for keys in listed.values():
            if len(keys) > 1:
                keys.sort(reverse=True)
                del keys[self._count :]
        return listed
