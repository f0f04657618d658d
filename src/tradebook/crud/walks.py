"""Where the keys of a list come from."""

from typing import Any

import sqlalchemy as sa

from tradebook.crud.resource import Walk
from tradebook.storage.database import Reader
from tradebook.storage.index import Index, Query
from tradebook.storage.schema import ACCOUNT, JoinInOrder, Prepared, listed, prepare


def walk_of_index(index: Index) -> Walk:
    """Walk a whole table, or what filters and words leave of it."""

    def walk(
        reader: Reader,
        owner: int | None,
        query: Query,
        *,
        above: int,
        below: int,
        descending: bool,
        limit: int,
    ) -> list[int]:
        return reader.keys(index, query, above=above, below=below, descending=descending, limit=limit)

    return walk


def walk_of_owned(owner_column: sa.Column[Any], key_column: sa.Column[Any]) -> Walk:
    """Walk the rows that name one owner, such as the children of a parent."""
    statements = {
        descending: prepare(
            select_span(key_column, key_column, descending=descending).where(
                owner_column == sa.bindparam("owner")
            )
        )
        for descending in (True, False)
    }

    def walk(
        reader: Reader,
        owner: int | None,
        query: Query,
        *,
        above: int,
        below: int,
        descending: bool,
        limit: int,
    ) -> list[int]:
        values = {"owner": owner, "above": above, "below": below, "limit": limit}
        return [key for (key,) in reader.rows(statements[descending], **values)]

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


def newest_of_each(owner_column: sa.Column[Any], key_column: sa.Column[Any], count: int) -> Prepared:
    """Prepare one statement for the newest keys of each owner in the list `ids`: (owner, key) rows.

    The inner select is bounded for each owner, so one with very many rows costs no more than another.
    """
    table = owner_column.table
    owners = listed("ids")
    inner = table.alias("newest")
    newest = (
        sa.select(inner.c[key_column.name])
        .where(inner.c.account_id == ACCOUNT, inner.c[owner_column.name] == owners.c.value)
        .order_by(inner.c[key_column.name].desc())
        .limit(count)
        .correlate(owners)
    )
    return prepare(
        sa.select(owners.c.value, key_column)
        .select_from(
            JoinInOrder(owners, table, sa.and_(owner_column == owners.c.value, key_column.in_(newest)))
        )
        .where(table.c.account_id == ACCOUNT)
        .order_by(key_column.desc())
    )
