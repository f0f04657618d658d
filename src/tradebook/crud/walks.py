"""Walks: the functions that yield the keys of a list."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from tradebook.crud.listing import NESTED_MAX
from tradebook.crud.records import Values
from tradebook.crud.resource import Asked, Walk
from tradebook.storage.database import Reader
from tradebook.storage.index import ListIndex
from tradebook.storage.schema import ACCOUNT, any_of, newest_of_each, prepare

MANY = 2_000
"""If the nested lists of a page have this many entries, they are read with a limit for each owner."""
_OF_EACH = NESTED_MAX + 1


def walk_of_index(index: ListIndex) -> Walk:
    """Walk the rows of a table that match the filters and words; all rows without any."""

    def walk(reader: Reader, asked: Asked) -> list[int]:
        span = asked.span
        return reader.keys(index, asked.query, descending=span.descending, **span.bounds)

    return walk


def _nothing(_asked: Asked) -> Values:
    return {}


def walk_of_table(
    key_column: sa.Column[Any],
    *conditions: sa.ColumnElement[bool],
    values: Callable[[Asked], Values] = _nothing,
) -> Walk:
    """Walk the rows of a table that meet some conditions; `values` says what is bound in them."""
    statements = {
        descending: prepare(select_span(key_column, key_column, descending=descending).where(*conditions))
        for descending in (True, False)
    }

    def walk(reader: Reader, asked: Asked) -> list[int]:
        statement = statements[asked.span.descending]
        return [key for (key,) in reader.rows(statement, **values(asked), **asked.span.bounds)]

    return walk


def walk_of_owned(
    owner_column: sa.Column[Any], key_column: sa.Column[Any], *conditions: sa.ColumnElement[bool]
) -> Walk:
    """Walk the rows that name one owner, such as the children of a parent, and meet some conditions."""
    return walk_of_table(
        key_column,
        owner_column == sa.bindparam("owner"),
        *conditions,
        values=lambda asked: {"owner": asked.path_key},
    )


def in_span(key_column: sa.Column[Any]) -> tuple[sa.ColumnElement[bool], ...]:
    """Write that a key is between `above` and `below`."""
    return key_column >= sa.bindparam("above"), key_column < sa.bindparam("below")


def select_span(
    key_column: sa.Column[Any], *columns: sa.ColumnElement[Any], descending: bool
) -> sa.Select[Any]:
    """Select a table's rows between the keys `above` and `below`, at most `limit`, newest first or last."""
    return (
        sa.select(*columns)
        .where(
            key_column.table.c.account_id == ACCOUNT,
            *in_span(key_column),
        )
        .order_by(key_column.desc() if descending else key_column)
        .limit(sa.bindparam("limit", type_=sa.Integer))
    )


class NewestOfEach:
    """The newest keys of each of some owners, in one or two statements.

    Of each owner there is at most one key more than a nested list shows.

    Nearly always the owners have few keys, and one plain look-up reads them all. If there are very many, a
    second statement with a limit for each owner reads them, so that an owner with many does not cost more.
    """

    def __init__(self, owner_column: sa.Column[Any], key_column: sa.Column[Any]) -> None:
        table = owner_column.table
        self.plain = prepare(
            sa.select(owner_column, key_column)
            .where(table.c.account_id == ACCOUNT, any_of(owner_column, "ids"))
            .limit(MANY)
        )
        self.of_span = prepare(
            sa.select(owner_column, key_column)
            .where(
                table.c.account_id == ACCOUNT,
                owner_column.between(sa.bindparam("first"), sa.bindparam("last")),
            )
            .limit(MANY)
        )
        self.bounded = prepare(newest_of_each(owner_column, key_column, _OF_EACH))

    def load(self, reader: Reader, owners: Sequence[int], *, are_all: bool = False) -> dict[int, list[int]]:
        """Return the keys of each owner, newest first; an owner without keys has an empty list.

        `are_all` tells that nobody else between the first and the last of the owners has any: then they are
        read in one go, not owner by owner.
        """
        if are_all and owners:
            rows = reader.rows(self.of_span, first=min(owners), last=max(owners))
        else:
            rows = reader.rows(self.plain, ids=list(owners))
        if len(rows) >= MANY:
            rows = reader.rows(self.bounded, ids=list(owners))
        listed: dict[int, list[int]] = {owner: [] for owner in owners}
        for owner, key in rows:
            listed[owner].append(key)
        for keys in listed.values():
            if len(keys) > 1:
                keys.sort(reverse=True)
                del keys[_OF_EACH:]
        return listed
