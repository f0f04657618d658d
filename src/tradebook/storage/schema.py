"""Declares tables and statements in such a way that none can forget the account.

In every table of the book, `account_id` is the first column of the primary key, of unique constraints, of
foreign keys and of indexes. `prepare` refuses a statement that reads or writes such a table without fixing
it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ClauseElement
from sqlalchemy.sql.functions import GenericFunction

metadata = sa.MetaData()

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Text that is compared by its bytes on every engine, in any locale of the database."""

ACCOUNT: BindParameter[int] = sa.bindparam("account_id", type_=sa.BigInteger)
"""The account of the handle that runs the statement. Only the handle can give its value."""

_ACCOUNT_COLUMN = "account_id"


class StatementWithoutAccount(AssertionError):
    """A statement could touch rows of more than one account: a bug, found before it runs."""


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


def case_folded(of: str) -> sa.Column[str]:
    """Declare the column that keeps another one's text without its case, by which that is unique.

    Rows that agreed already when the column came are kept `apart` from the oldest of them.
    """
    return sa.Column(f"{of}_folded", TEXT, nullable=True, info={"case_folded": of})


def made_of(of: str, name: str, make: Callable[[str], str | None]) -> sa.Column[str]:
    """Declare a column that rows are found by, made of another one's text; null where nothing is left."""
    return sa.Column(name, TEXT, nullable=True, info={"made_of": (of, make)})


def found_by(table_name: str, column: str) -> sa.Index:
    """Declare the index by which rows are found by a column that is `made_of` another, the key last."""
    name = f"{table_name}_by_{column}"
    return sa.Index(name, _ACCOUNT_COLUMN, column, "id", info={"where": f"{column} IS NOT NULL"})


def apart(folded: str, text: str) -> str:
    """Write the folded text of a row that agrees with an older one: its line feed stands in no other text."""
    return f"{folded}\n{text}"


def moment(name: str) -> sa.Column[int]:
    """Declare a nullable time, in milliseconds since 1970."""
    return sa.Column(name, sa.BigInteger, nullable=True)


def flag(name: str) -> sa.Column[int]:
    """Declare a truth value, stored as 0 or 1 on every engine."""
    return sa.Column(name, sa.SmallInteger, nullable=False)


def choice(name: str, words: Any, *, nullable: bool = False) -> sa.Column[int]:
    """Declare one word of a `Literal`, kept as its place in it: append only, never reorder."""
    return sa.Column(name, sa.SmallInteger, nullable=nullable, info={"words": words_of(words)})


@lru_cache
def words_of(literal: Any) -> tuple[str, ...]:
    """List the words of a `Literal`."""
    words: tuple[str, ...] = get_args(literal)
    assert words, f"{literal} is no Literal"
    return words


def reference(name: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    """Declare a reference to a row of another table in the same account, with the index that deletes need."""
    return sa.Column(name, sa.BigInteger, nullable=nullable, info={"references": target})


def unique(table_name: str, *columns: str, where: str | None = None) -> sa.Index:
    """Declare columns unique within the account, among the rows for which `where` is true."""
    # As information: the migration makes the index. Given as `postgresql_where` it would have SQLAlchemy
    # load that dialect in every process, on whatever engine.
    name = f"{table_name}_unique_{'_'.join(columns)}"
    return sa.Index(name, _ACCOUNT_COLUMN, *columns, unique=True, info={"where": where})


def declared_parts() -> Iterator[str]:
    """Name every table, column and index that is declared."""
    for declared in metadata.sorted_tables:
        yield declared.name
        yield from (f"{declared.name}.{column.name}" for column in declared.columns)
        yield from sorted(str(index.name) for index in declared.indexes)


class any_of(GenericFunction[bool]):  # noqa: N801 - reads as the SQL it becomes
    """`column is one of a list`, the list being one bound value: one statement for any length.

    Each engine has its own words for it, and for `each_of`.
    """

    type = sa.Boolean()
    inherit_cache = True

    def __init__(self, column: sa.ColumnElement[Any], name: str) -> None:
        super().__init__(column, sa.bindparam(name))

    def self_group(self, against: Any = None) -> "any_of":  # noqa: ARG002 - SQLAlchemy's signature
        """Stay bare: SQLAlchemy writes `… = 1` behind a function of truth, and no index serves that."""
        return self


class each_of(GenericFunction[int]):  # noqa: N801 - as `any_of`
    """The entries of one bound list, of whole numbers unless it is of a type of text."""

    inherit_cache = True


class utf8(GenericFunction[bytes]):  # noqa: N801 - as `any_of`
    """Text as its bytes, which an answer is made of: a driver need not make a text of it first."""

    type = sa.LargeBinary()
    inherit_cache = True


def table_of_list(name: str, kind: sa.types.TypeEngine[Any] | None = None) -> sa.TableValuedAlias:
    """Make a table of one bound list, with the column `value`: what is asked for, one row for each.

    Its entries are whole numbers, or of another `kind`.
    """
    # Of whole numbers without a type: psycopg's dialect would cast the list to a single one.
    return each_of(sa.bindparam(name, type_=kind)).table_valued(sa.column("value", kind or sa.BigInteger()))


class newest_of_each(sa.Executable, ClauseElement):  # noqa: N801 - as `any_of`
    """The newest `count` keys of each of the owners `ids`, bounded for each: (owner, key).

    An engine that knows a better way writes `newest`, which is about one of the `owners`, in its own words.
    """

    inherit_cache = False

    def __init__(self, owner: sa.Column[Any], key: sa.Column[Any], count: int) -> None:
        kind = owner.type if isinstance(owner.type, sa.Text) else None
        self.owners, self.key = table_of_list("ids", kind), key
        inner = owner.table.alias("newest")
        self.newest = (
            sa.select(inner.c[key.name])
            .where(inner.c.account_id == ACCOUNT, inner.c[owner.name] == self.owners.c.value)
            .order_by(inner.c[key.name].desc())
            .limit(count)
            .correlate(self.owners)
        )
        joined = sa.and_(owner == self.owners.c.value, key.in_(self.newest))
        self.plain = (
            sa.select(self.owners.c.value, key)
            .select_from(self.owners.join(owner.table, joined))
            .where(owner.table.c.account_id == ACCOUNT)
        )

    def get_children(self, **_: Any) -> Iterable[ClauseElement]:
        """Show what is asked to who looks for the account in it."""
        return (self.plain,)


@compiles(newest_of_each)
def _newest_of_each(element: newest_of_each, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.plain, **options))


class Prepared:
    """A statement that was checked for its account, and its text for each engine, made once."""

    def __init__(self, statement: sa.Executable, *, of_all_accounts: bool) -> None:
        if not of_all_accounts:
            _require_account(statement)
        self.statement: Any = statement
        self._texts: dict[str, tuple[str, dict[str, Any]]] = {}

    @cached_property
    def depends_on_values(self) -> bool:
        """Tell whether it can be run in several ways, of which another one is best for other values.

        That is where rows of several tables are put together until there are enough of them.
        """
        asked = self.statement
        if not isinstance(asked, sa.Select):
            return False
        tables = {table for each in asked.get_final_froms() for table in _tables_in(each)}
        return asked._limit_clause is not None and len(tables) > 1  # noqa: SLF001 - there is no public way

    def text(self, dialect: sa.Dialect) -> tuple[str, dict[str, Any]]:
        """Return the text in an engine's words, and the values that are part of the statement itself."""
        text = self._texts.get(dialect.name)
        if text is None:
            compiled = self.statement.compile(dialect=dialect)
            fixed = {name: value for name, value in compiled.params.items() if value is not None}
            text = self._texts[dialect.name] = (str(compiled), fixed)
        return text


def _tables_in(source: sa.FromClause) -> Iterator[sa.FromClause]:
    if isinstance(source, sa.Join):
        yield from _tables_in(source.left)
        yield from _tables_in(source.right)
    else:
        yield source


def prepare(statement: sa.Executable) -> Prepared:
    """Prepare a statement; StatementWithoutAccount unless it fixes the account of every table."""
    return Prepared(statement, of_all_accounts=False)


def prepare_of_all_accounts(statement: sa.Executable) -> Prepared:
    """Prepare a statement that may see every account: only for keys, accounts and the deployment."""
    return Prepared(statement, of_all_accounts=True)


def _require_account(statement: sa.Executable) -> None:
    elements = list(visitors.iterate(statement))  # type: ignore[arg-type]
    fixed = set(_fixed_accounts(elements))
    for found in _tables(statement, elements):
        if found not in fixed:
            raise StatementWithoutAccount(f"{found} is used without its account in: {statement}")


def _tables(statement: Any, elements: Iterable[Any]) -> Iterator[Any]:
    """List the tables and aliases that the statement touches; each alias needs its own account."""
    aliased = {id(element.element) for element in elements if isinstance(element, sa.sql.Alias)}
    for element in elements:
        is_alias = isinstance(element, sa.sql.Alias) and isinstance(element.element, sa.Table)
        is_table = isinstance(element, sa.Table) and id(element) not in aliased
        if not (is_alias or is_table) or _ACCOUNT_COLUMN not in element.c:
            continue
        if not (is_table and _is_insert_into(statement, element)):
            yield element


def _is_insert_into(statement: Any, found: sa.Table) -> bool:
    """Tell whether the table is the one inserted into: the writing handle gives its account."""
    return isinstance(statement, sa.sql.Insert) and statement.table is found


def _fixed_accounts(elements: Iterable[Any]) -> Iterator[Any]:
    for element in elements:
        if not (isinstance(element, BinaryExpression) and element.operator is sa.sql.operators.eq):
            continue
        left, right = element.left, element.right
        is_account = isinstance(right, BindParameter) and right.key == ACCOUNT.key
        if is_account and getattr(left, "name", None) == _ACCOUNT_COLUMN:
            yield left.table
