"""Where the keys of a list come from."""

from typing import Any

import sqlalchemy as sa

from tradebook.crud.resource import Walk
from tradebook.ids import KEY_MAX
from tradebook.storage.database import Reader
from tradebook.storage.index import Index, Query
from tradebook.storage.schema import ACCOUNT, Prepared, any_of, prepare


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
    """Select rows of a table between the keys `above` and `below`, at most `limit`, in list order or against it."""
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

    The inner select is bounded for each owner, so one owner with very many rows costs no more than
    another.
    """
    table = owner_column.table
    outer = table.alias("outer_rows")
    inner = table.alias("inner_rows")
    newest = (
        sa.select(inner.c[key_column.name])
        .where(
            inner.c.account_id == ACCOUNT,
            inner.c[owner_column.name] == outer.c[owner_column.name],
            inner.c[key_column.name] < KEY_MAX,
        )
        .order_by(inner.c[key_column.name].desc())
        .limit(count)
        .correlate(outer)
    )
    return prepare(
        sa.select(outer.c[owner_column.name], outer.c[key_column.name])
        .where(
            outer.c.account_id == ACCOUNT,
            any_of(outer.c[owner_column.name], "ids"),
            outer.c[key_column.name].in_(newest),
        )
        .order_by(outer.c[owner_column.name], outer.c[key_column.name].desc())
    )
