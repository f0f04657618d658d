"""The words of PostgreSQL, and of psycopg, for what the declared statements say."""

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.ext.compiler import compiles

from tradebook.storage.schema import ACCOUNT, Prepared, any_of, each_of, newest_of_each, utf8

DIALECT: sa.Dialect = psycopg.dialect()  # type: ignore[no-untyped-call]


@compiles(any_of, "postgresql")
def _any_of(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY (CAST({values} AS {list_type(element.clauses.clauses[0].type)}[]))"


@compiles(each_of, "postgresql")
def _each_of(element: Any, compiler: Any, **options: Any) -> str:
    listed = element.clauses.clauses[0]
    values = compiler.process(listed, **options)
    return f"(SELECT unnest(CAST({values} AS {list_type(listed.type)}[])) AS value)"


@compiles(utf8, "postgresql")
def _utf8(element: Any, compiler: Any, **options: Any) -> str:
    # A kind of text that nothing else here has, and that is read as the bytes that it comes as: `Utf8`. As
    # `bytea` it would come in hexadecimal digits, which took half as long again as all of a page.
    return f"CAST({compiler.process(element.clauses.clauses[0], **options)} AS bpchar)"


@compiles(newest_of_each, "postgresql")
def _newest_of_each(element: newest_of_each, compiler: Any, **options: Any) -> str:
    # In the plain words, PostgreSQL would read the newest again for every row of an owner.
    owners, lateral = element.owners, element.newest.lateral("of_owner")
    found = sa.select(owners.c.value, lateral.c[element.key.name])
    return str(compiler.process(found.select_from(owners.join(lateral, sa.true())), **options))


def is_plain_insert(statement: Prepared) -> bool:
    """Tell whether the functions below can write a statement for any number of rows."""
    return isinstance(statement.statement, sa.Insert)


@cache
def insert_of_rows(statement: Prepared, count: int) -> tuple[str, list[dict[str, str]]]:
    """Write an insert for so many rows.

    Returns the text, and for each row by what name it takes which column.
    """
    table = statement.statement.table
    names = [column.name for column in table.c if column.name != ACCOUNT.key]
    places = [{f"{name}_{number}": name for name in names} for number in range(count)]
    rows = [f"(%({ACCOUNT.key})s, {', '.join(f'%({place})s' for place in row)})" for row in places]
    into = f"{table.name} ({ACCOUNT.key}, {', '.join(names)})"
    return f"INSERT INTO {into} VALUES {', '.join(rows)}", places


@cache
def insert_of_lists(statement: Prepared) -> tuple[str, list[str]]:
    """Write an insert of many rows as one statement, which takes a list for each of these columns."""
    insert = statement.statement
    columns = [column for column in insert.table.c if column.name != ACCOUNT.key]
    names = [column.name for column in columns]
    lists = ", ".join(f"%({column.name})s::{list_type(column.type)}[]" for column in columns)
    return (
        f"INSERT INTO {insert.table.name} ({ACCOUNT.key}, {', '.join(names)})"
        f" SELECT %({ACCOUNT.key})s::bigint, given.*"
        f" FROM unnest({lists}) AS given ({', '.join(names)})"
    ), names


def list_type(kind: Any) -> str:
    """Name the type of a list's entries."""
    if isinstance(kind, sa.LargeBinary):
        return "BYTEA"
    return "TEXT" if isinstance(kind, sa.Text) else "BIGINT"
