"""Copy: a whole book from one database to another, on any engines, verified at the end.

Rows are copied unchanged, with their keys, so ids, API keys and cursors stay valid. Only the search index
is made again, because each engine has its own. Accounts are copied one after another, each from one
snapshot and in one transaction. Then the account is read again in the target, and compared by count and
digest.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.ids import encode_id
from tradebook.resources import INDEXES
from tradebook.resources.accounts import ID_PREFIX
from tradebook.storage.accounts import IMPORTS_DUE, accounts, deployment
from tradebook.storage.database import MANY_ROWS, ROWS_AT_ONCE, Database, Reader, Row, Writer
from tradebook.storage.schema import ACCOUNT, Prepared, metadata, prepare, prepare_of_all_accounts
from tradebook.text import counted

Progress = Callable[[int], None]

_INDEX_OF = {index.table: index for index in INDEXES}
_MADE_ANEW = {index.folded for index in INDEXES} | {
    index.finished.kept for index in INDEXES if index.finished
}
_OF_ACCOUNT = tuple(
    accounts.c[name] for name in ("name", "environment", "last_customer_number", "imports_due")
)
_ACCOUNTS = prepare_of_all_accounts(sa.select(accounts.c.account_id).order_by(accounts.c.account_id))
_ACCOUNT = prepare(sa.select(*_OF_ACCOUNT).where(accounts.c.account_id == ACCOUNT))
_DEPLOYMENT = prepare_of_all_accounts(sa.select(deployment).order_by(deployment.c.name))
_NEW_DEPLOYMENT = prepare_of_all_accounts(sa.insert(deployment))


class TargetNotEmpty(Exception):
    """The target has accounts, or has been served before: a copy would mix two books."""


class ImportUnderWay(Exception):
    """An import is being planned or written in the source, so its accounts change."""


class NotTheSame(Exception):
    """The target differs from the source: a bug, or somebody writes to one of them."""


class _Content(msgspec.Struct, frozen=True):
    """The number of an account's rows, and a digest of all of them."""

    rows: int
    digest: str


class CopySummary(msgspec.Struct, kw_only=True):
    """What was copied: the digest of every account, the same on both sides."""

    rows: int = 0
    accounts: dict[str, _Content] = {}

    def __str__(self) -> str:
        """Write the summary as a line for a person."""
        copied = f"{counted(len(self.accounts), 'account')} with {counted(self.rows, 'row')} copied"
        return f"{copied}, each read again and compared."


class _Table:
    """A table of the book, and the statements that read and write its rows of one account, in key order."""

    def __init__(self, table: sa.Table) -> None:
        self.table = table
        self.columns = [column for column in table.c if column.name != "account_id"]
        self.key = [column for column in table.primary_key.columns if column.name != "account_id"]
        self.insert = prepare(sa.insert(table))
        own = [column for column in self.columns if column.info.get("references") == table.name]
        # Rows that refer to a row of the same table come after all rows that don't.
        parts = [[own[0].is_(None)], [own[0].is_not(None)]] if own else [[]]
        self.pages = [self._page(part) for part in parts]

    def _page(self, conditions: Sequence[sa.ColumnElement[bool]]) -> Prepared:
        after = [sa.bindparam(f"after_{column.name}", type_=column.type) for column in self.key]
        behind = self.key[0] > after[0] if len(self.key) == 1 else sa.tuple_(*self.key) > sa.tuple_(*after)
        return prepare(
            sa.select(*self.columns)
            .where(self.table.c.account_id == ACCOUNT, behind, *conditions)
            .order_by(*self.key)
            .limit(ROWS_AT_ONCE)
        )

    def rows(self, reader: Reader) -> Iterator[list[Row]]:
        """Yield all rows of the account, a thousand or so at a time."""
        places = [self.columns.index(column) for column in self.key]
        for page in self.pages:
            after = {f"after_{column.name}": -1 for column in self.key}
            while rows := reader.rows(page, **after):
                yield rows
                after = {
                    f"after_{column.name}": rows[-1][place]
                    for column, place in zip(self.key, places, strict=True)
                }

    def named(self, row: Row) -> Mapping[str, Any]:
        """Give a row's values the names of their columns."""
        return dict(zip([column.name for column in self.columns], row, strict=True))


_TABLES = [
    _Table(table)
    for table in metadata.sorted_tables
    if table not in {accounts, deployment} and table not in _MADE_ANEW
]


def copy_book(source: Database, target: Database, *, progress: Progress | None = None) -> CopySummary:
    """Copy everything; NotTheSame if the comparison fails.

    TargetNotEmpty and ImportUnderWay before anything is written.

    `progress` is called now and then with the number of rows copied.
    """
    if target.rows_of_all_accounts(_ACCOUNTS) or target.rows_of_all_accounts(_DEPLOYMENT):
        raise TargetNotEmpty
    if source.rows_of_all_accounts(IMPORTS_DUE, now=now_ms()):
        raise ImportUnderWay
    summary = CopySummary()
    listed = source.rows_of_all_accounts(_ACCOUNTS)
    for (account_id,) in listed:
        with source.read(account_id) as reader:
            content, revision = _copy_account(reader, target, summary, progress), reader.revision
        name = encode_id(ID_PREFIX, account_id)
        with target.read(account_id) as copied:
            found = _content(copied)
        if found != content:
            raise NotTheSame(f"{name} has {content.rows:,} rows, its copy {found.rows:,}, or others.")
        if source.revision(account_id) != revision:
            raise NotTheSame(f"{name} was written to while it was copied.")
        summary.accounts[name] = content
    for name, value in source.rows_of_all_accounts(_DEPLOYMENT):
        target.run_of_all_accounts(_NEW_DEPLOYMENT, name=name, value=value)
    if source.rows_of_all_accounts(_ACCOUNTS) != listed:
        raise NotTheSame("An account was created while the others were copied.")
    if summary.rows >= MANY_ROWS:
        target.tidy([account_id for (account_id,) in listed])
    return summary


def _copy_account(
    reader: Reader, target: Database, summary: CopySummary, progress: Progress | None
) -> _Content:
    digest = _Digest()
    (own,) = reader.rows(_ACCOUNT)
    digest.add([own])
    values = dict(zip([column.name for column in _OF_ACCOUNT], own, strict=True))
    with target.create_account(reader.account_id, **values) as writer:
        for table in _TABLES:
            for rows in table.rows(reader):
                digest.add(rows)
                writer.insert(table.insert, [table.named(row) for row in rows])
                summary.rows += len(rows)
                if progress is not None:
                    progress(summary.rows)
        _reindex(reader, writer)
    return digest.content()


def _reindex(reader: Reader, writer: Writer) -> None:
    for table in _TABLES:
        if table.table in _INDEX_OF:
            index, place = _INDEX_OF[table.table], table.columns.index(table.key[0])
            for rows in table.rows(reader):
                keys = [row[place] for row in rows]
                writer.reindex(index, keys)
                if index.finished is not None:
                    index.finished.make_anew(writer, keys)


def _content(reader: Reader) -> _Content:
    digest = _Digest()
    digest.add(reader.rows(_ACCOUNT))
    for table in _TABLES:
        for rows in table.rows(reader):
            digest.add(rows)
    return digest.content()


class _Digest:
    """A digest of rows, which depends on their order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._rows = 0

    def add(self, rows: list[Row]) -> None:
        self._rows += len(rows)
        self._hash.update(msgspec.msgpack.encode(rows))

    def content(self) -> _Content:
        return _Content(self._rows, self._hash.hexdigest())
