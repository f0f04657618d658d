"""How tables and statements are declared, so that none can forget the account.

Every table of the book has `account_id` in front: of its primary key, its unique constraints, its
foreign keys and its indexes. `prepare` refuses a statement that reads or writes such a table
without fixing it.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg as postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter
from sqlalchemy.sql.functions import GenericFunction

metadata = sa.MetaData()

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text that is compared by its bytes on every engine, whatever the locale of the database is."""

ACCOUNT: BindParameter[int] = sa.bindparam("account_id", type_=sa.BigInteger)
"""The account of the handle that runs the statement; the handle alone gives its value."""

_ACCOUNT_COLUMN = "account_id"


class StatementWithoutAccount(AssertionError):
    """A statement would touch rows of more than one account: a fault of ours, found before it runs."""


def table(name: str, *columns: sa.schema.SchemaItem, key: Sequence[str] = ("id",)) -> sa.Table:
    """Declare a table of the book: adds the account, the key, `updated_at`, and what references need.

    A link table names the columns of its key; it has no `id` and no `updated_at` of its own.
    """
    front: list[sa.schema.SchemaItem] = [_big(_ACCOUNT_COLUMN)]
    back: list[sa.schema.SchemaItem] = [sa.PrimaryKeyConstraint(_ACCOUNT_COLUMN, *key)]
    if key == ("id",):
        front.append(_big("id"))
        back.append(_big("updated_at"))
    back.append(sa.ForeignKeyConstraint([_ACCOUNT_COLUMN], ["accounts.account_id"]))
    for column in columns:
        if isinstance(column, sa.Column) and "references" in column.info:
            target = column.info["references"]
            back.append(
                sa.ForeignKeyConstraint(
                    [_ACCOUNT_COLUMN, column.name],
                    [f"{target}.{_ACCOUNT_COLUMN}", f"{target}.id"],
                    name=f"{name}_{column.name}_fkey",
                )
            )
            if column.name != key[0]:
                last = [part for part in key if part != column.name]
                back.append(sa.Index(f"{name}_by_{column.name}", _ACCOUNT_COLUMN, column.name, *last))
    return sa.Table(name, metadata, *front, *columns, *back, sqlite_with_rowid=False)


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """Declare a column of text, compared by its bytes on every engine."""
    return sa.Column(name, TEXT, nullable=nullable)


def moment(name: str) -> sa.Column[int]:
    """Declare a nullable time, in milliseconds since 1970."""
    return sa.Column(name, sa.BigInteger, nullable=True)


def flag(name: str) -> sa.Column[int]:
    """Declare a truth value, kept as 0 or 1 on every engine."""
    return sa.Column(name, sa.SmallInteger, nullable=False)


def choice(name: str, words: Any, *, nullable: bool = False) -> sa.Column[int]:
    """Declare one word of a `Literal`, kept as its place in it: append only, never reorder."""
    return sa.Column(name, sa.SmallInteger, nullable=nullable, info={"words": words_of(words)})


def words_of(literal: Any) -> tuple[str, ...]:
    """List the words of a `Literal`."""
    words: tuple[str, ...] = get_args(literal)
    assert words, f"{literal} is no Literal"
    return words


def reference(name: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    """Declare the key of a row of another table, inside the same account, with the index deletes need."""
    return sa.Column(name, sa.BigInteger, nullable=nullable, info={"references": target})


def unique(table_name: str, *columns: str, where: str | None = None) -> sa.Index:
    """Declare columns unique within the account, among the rows for which `where` holds."""
    condition = sa.text(where) if where else None
    return sa.Index(
        f"{table_name}_unique_{'_'.join(columns)}",
        _ACCOUNT_COLUMN,
        *columns,
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )


class any_of(GenericFunction[bool]):  # noqa: N801 - reads as the SQL it becomes
    """`column is one of a list`, the list being one bound value: one statement for any length."""

    type = sa.Boolean()
    inherit_cache = True

    def __init__(self, column: sa.ColumnElement[Any], name: str) -> None:
        super().__init__(column, sa.bindparam(name))

    def self_group(self, against: Any = None) -> "any_of":  # noqa: ARG002 - SQLAlchemy's signature
        """Stay bare: SQLAlchemy writes `… = 1` behind a function of truth, and no index serves that."""
        return self


@compiles(any_of, "sqlite")
def _any_of_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(any_of, "postgresql")
def _any_of_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY (CAST({values} AS {_list_type(element.clauses.clauses[0].type)}[]))"


def _list_type(kind: Any) -> str:
    return "TEXT" if isinstance(kind, sa.Text) else "BIGINT"


class _each(GenericFunction[int]):  # noqa: N801 - as `any_of`
    """The entries of one bound list of whole numbers."""

    inherit_cache = True


@compiles(_each, "sqlite")
def _each_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses.clauses[0], **options)})"


@compiles(_each, "postgresql")
def _each_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    values = compiler.process(element.clauses.clauses[0], **options)
    return f"(SELECT unnest(CAST({values} AS BIGINT[])) AS value)"


def table_of_list(name: str) -> sa.TableValuedAlias:
    """Make a table of one bound list, with the column `value`: what is asked for, one row for each."""
    return _each(sa.bindparam(name)).table_valued(sa.column("value", sa.BigInteger))


class Prepared:
    """A statement that was checked for its account, and its text for each engine, made once.

    Where PostgreSQL wants to be asked in another way, `postgresql` is the same question in its words.
    """

    def __init__(
        self, statement: sa.Executable, *, of_all_accounts: bool, postgresql: sa.Executable | None = None
    ) -> None:
        own = statement if postgresql is None else postgresql
        self._statements = {"sqlite": statement, "postgresql": own}
        if not of_all_accounts:
            for spelling in self._statements.values():
                _require_account(spelling)

    @cached_property
    def sqlite(self) -> tuple[str, dict[str, Any]]:
        """The text in SQLite's words and the values that are part of the statement itself."""
        text, values = self._compiled(sqlite.dialect(paramstyle="named"))
        return text, {name: value for name, value in values.items() if value is not None}

    @cached_property
    def postgresql(self) -> tuple[str, dict[str, Any]]:
        """The text in psycopg's words and the values that are part of the statement itself."""
        return self._compiled(postgresql.dialect())  # type: ignore[no-untyped-call]

    @cached_property
    def postgresql_rows(self) -> tuple[str, list[str]] | None:
        """An insert of many rows as one statement, which takes a list for each of these columns.

        None where the statement is no plain insert.
        """
        statement = self._statements["postgresql"]
        if not isinstance(statement, sa.Insert):
            return None
        columns = [column for column in statement.table.c if column.name != _ACCOUNT_COLUMN]
        names = [column.name for column in columns]
        lists = ", ".join(f"%({column.name})s::{_list_type(column.type)}[]" for column in columns)
        return (
            f"INSERT INTO {statement.table.name} ({_ACCOUNT_COLUMN}, {', '.join(names)})"
            f" SELECT %({_ACCOUNT_COLUMN})s::bigint, given.*"
            f" FROM unnest({lists}) AS given ({', '.join(names)})"
        ), names

    def _compiled(self, dialect: sa.Dialect) -> tuple[str, dict[str, Any]]:
        statement: Any = self._statements[dialect.name]
        compiled = statement.compile(dialect=dialect)
        return str(compiled), compiled.params


def prepare(statement: sa.Executable) -> Prepared:
    """Make a statement ready to run; StatementWithoutAccount unless every table's account is fixed."""
    return Prepared(statement, of_all_accounts=False)


def prepare_newest_of_each(owner: sa.Column[Any], key: sa.Column[Any], count: int) -> Prepared:
    """Ask for the newest `count` keys of each of the owners `ids`, bounded for each: (owner, key)."""
    table = owner.table
    owners = table_of_list("ids")
    inner = table.alias("newest")
    newest = (
        sa.select(inner.c[key.name])
        .where(inner.c.account_id == ACCOUNT, inner.c[owner.name] == owners.c.value)
        .order_by(inner.c[key.name].desc())
        .limit(count)
        .correlate(owners)
    )
    joined = sa.and_(owner == owners.c.value, key.in_(newest))
    lateral = newest.lateral("of_owner")
    return Prepared(
        sa.select(owners.c.value, key)
        .select_from(owners.join(table, joined))
        .where(table.c.account_id == ACCOUNT),
        of_all_accounts=False,
        # SQLite has no LATERAL, and PostgreSQL would read the newest again for every row of an owner.
        postgresql=sa.select(owners.c.value, lateral.c[key.name]).select_from(
            owners.join(lateral, sa.true())
        ),
    )


def prepare_of_all_accounts(statement: sa.Executable) -> Prepared:
    """Make a statement ready that may see every account: for keys, accounts and the deployment only."""
    return Prepared(statement, of_all_accounts=True)


def _require_account(statement: sa.Executable) -> None:
    elements = list(visitors.iterate(statement))  # type: ignore[arg-type]
    fixed = set(_fixed_accounts(elements))
    for found in _tables(statement, elements):
        if found not in fixed:
            raise StatementWithoutAccount(f"{found} is used without its account in: {statement}")


def _tables(statement: Any, elements: Iterable[Any]) -> Iterator[Any]:
    """List tables and aliases that the statement touches; an alias stands for its own use of the table."""
    aliased = {id(element.element) for element in elements if isinstance(element, sa.sql.Alias)}
    for element in elements:
        is_alias = isinstance(element, sa.sql.Alias) and isinstance(element.element, sa.Table)
        is_table = isinstance(element, sa.Table) and id(element) not in aliased
        if not (is_alias or is_table) or _ACCOUNT_COLUMN not in element.c:
            continue
        if not (is_table and _is_insert_into(statement, element)):
            yield element


def _is_insert_into(statement: Any, found: sa.Table) -> bool:
    """Tell whether the table is the one inserted into: its account is the writing handle's own."""
    return isinstance(statement, sa.sql.Insert) and statement.table is found


def _fixed_accounts(elements: Iterable[Any]) -> Iterator[Any]:
    for element in elements:
        if not (isinstance(element, BinaryExpression) and element.operator is sa.sql.operators.eq):
            continue
        left, right = element.left, element.right
        is_account = isinstance(right, BindParameter) and right.key == ACCOUNT.key
        if is_account and getattr(left, "name", None) == _ACCOUNT_COLUMN:
            yield left.table
