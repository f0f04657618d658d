"""The server engine: PostgreSQL through psycopg.

Settings end with their transaction. Statements stay in a session, with one plan for any account, only where
the session is the connection's own: so there may be a pooler in transaction mode.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors

from tradebook.ids import ClockOutOfRange, new_key
from tradebook.storage.accounts import FIRST_VALUES, NEW_ACCOUNT, NEW_REVISION
from tradebook.storage.database import (
    ANOTHER_PROGRAMS,
    Commits,
    Conflict,
    Duplicate,
    Figures,
    OutcomeUnknown,
    Row,
    Unavailable,
)
from tradebook.storage.derived import Derived
from tradebook.storage.helping import helping
from tradebook.storage.index import ListIndex
from tradebook.storage.index_entries import making_entries
from tradebook.storage.index_versions import (
    OTHER_VERSIONS,
    IndexVersions,
)
from tradebook.storage.postgres import parts
from tradebook.storage.postgres.beginning import AWAY, Beginning
from tradebook.storage.postgres.connections import KEPT_ELSEWHERE, Connections
from tradebook.storage.postgres.dialect import DIALECT
from tradebook.storage.postgres.handles import PostgresReader, PostgresWriter, entries_of
from tradebook.storage.postgres.index import version_of
from tradebook.storage.postgres.inspection import database_faults
from tradebook.storage.postgres.literals import Statement
from tradebook.storage.postgres.pieces import Learned, Pieces
from tradebook.storage.postgres.row_security import own_account, put_on
from tradebook.storage.postgres.sharing import Shared, Sharing
from tradebook.storage.postgres.stretches import Distances
from tradebook.storage.schema import Prepared, metadata

SERVER_TIMEOUT_SHARE = 0.85
"""The part of the time limit after which the server ends a statement, before the client gives up."""

STATISTICS_SECONDS_MAX = 3_600.0
"""How long to wait for it: it reads every row once."""

_READ = Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
_WRITE = Statement("BEGIN ISOLATION LEVEL READ COMMITTED")
_ACCOUNT = "SELECT revision, indexes FROM accounts WHERE account_id = %(account_id)s"
_NOT_COMMITTED = (
    psycopg.IntegrityError,
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.ReadOnlySqlTransaction,
)
"""The answers to a COMMIT after which nothing is done, for certain."""


class PostgresDatabase:
    """A book on a PostgreSQL server, or on a standby of one."""

    def __init__(self, conninfo: str, *, timeout_ms: int, indexes: Sequence[ListIndex]) -> None:
        self.indexes = IndexVersions(indexes, version_of)
        self._commits = Commits()
        self.derived = Derived()
        self._learned = Learned(Distances(), Pieces())
        self.timeout_ms = timeout_ms
        self._patience_seconds = timeout_ms / 1000
        self._server_timeout_ms = int(timeout_ms * SERVER_TIMEOUT_SHARE)
        self._connections = Connections(conninfo, patience_seconds=self._patience_seconds)
        self._sharing = Sharing(self._begin_shared, self._commit_shared, self._patience_seconds)
        self._helped = threading.local()

    @contextmanager
    def read(self, account_id: int) -> Iterator[PostgresReader]:
        """Open a snapshot of one account."""
        with self._reading(account_id) as transaction:
            yield PostgresReader(transaction, account_id, self.indexes, self.derived, self._learned)

    def hold(self, account_id: int) -> AbstractContextManager[PostgresReader]:
        """Open a snapshot that lasts: every one has a connection of its own while it is open."""
        return self.read(account_id)

    @contextmanager
    def write(self, account_id: int) -> Iterator[PostgresWriter]:
        """Open a transaction on one account; leaving it normally commits, an exception undoes it.

        The account's row is locked first, so the writers of one account take turns. Those of this process
        share a transaction where they come at once.
        """
        with (
            _translated(),
            self._sharing.turn(account_id) as shared,
            self._writer(shared.transaction, account_id, shared.account) as writer,
        ):
            writer.is_followed = shared.is_awaited
            writer.last_revision = None if shared.members else self._helped.__dict__.get("revision")
            yield writer
            # Not before: what begins the transaction is sent with the first question.
            self.indexes.require_own(writer.versions)
            shared.account = [writer.account]
        self._helped.revision = shared.revision if shared.members == 1 else None
        self._commits.note()

    @contextmanager
    def _write(self, account_id: int) -> Iterator[PostgresWriter]:
        """Open a transaction as `write` does, for one alone, and of whatever version the indexes are."""
        with (
            self._writing(*self._lock(account_id)) as (transaction, rows),
            self._writer(transaction, account_id, rows) as writer,
        ):
            yield writer
            _renew(writer)

    def _lock(self, account_id: int) -> tuple[Statement, ...]:
        return _WRITE, self._own(account_id), _account_of(account_id, f"{_ACCOUNT} FOR NO KEY UPDATE")

    @contextmanager
    def _writer(
        self, transaction: Beginning, account_id: int, account: list[Row]
    ) -> Iterator[PostgresWriter]:
        writer = PostgresWriter(transaction, account_id, self.indexes, self.derived, self._learned)
        writer.account = account[0] if account else writer.account
        writer.take_help(getattr(self._helped, "helper", None))
        yield writer
        writer.settle()

    def _begin_shared(self, account_id: int) -> Shared:
        return Shared(self._beginning(*self._lock(account_id)), account_id)

    def _commit_shared(self, shared: Shared) -> None:
        with _translated(), self._writer(shared.transaction, shared.account_id, shared.account) as writer:
            shared.transaction.begin_part()
            shared.revision = _renew(writer)
            _commit(shared.transaction)

    @contextmanager
    def helped(self, _: int) -> Iterator[None]:
        """Have a second process make the index entries of what this thread writes meanwhile."""
        with helping(making_entries(self.indexes.indexes, entries_of)) as helper:
            self._helped.helper = helper
            try:
                yield
            finally:
                self._helped.helper = None

    @contextmanager
    def create_account(self, account_id: int, **values: Any) -> Iterator[PostgresWriter]:
        """Add an account and open its first transaction."""
        with self._write(account_id) as writer:
            own = {**FIRST_VALUES, "revision": 0, "indexes": self.indexes.kept}
            writer.run(NEW_ACCOUNT, **own | values)
            yield writer

    def touch(self, account_id: int, statement: Prepared, **values: Any) -> None:
        """Change what no page shows, without a new revision and without waiting for its lock."""
        with self._writing(_WRITE, self._own(account_id)) as (transaction, _):
            sql, fixed = statement.text(DIALECT)
            transaction.connection.execute(sql, {**fixed, **values, "account_id": account_id}, binary=True)

    def revision(self, account_id: int) -> int | None:
        """Return the account's revision, in one round trip."""
        # One statement needs no transaction around it: the server makes one for all that comes at once.
        transaction = self._beginning(Statement(own_account(account_id)), Statement(_revision_of(account_id)))
        with _translated(), transaction.kept():
            (rows,) = transaction.begin()
            return rows[0][0] if rows else None

    def rows_of_all_accounts(self, statement: Prepared, **values: Any) -> list[Row]:
        """Read outside any account."""
        with self._reading(None) as transaction:
            sql, fixed = statement.text(DIALECT)
            return transaction.begin(Statement(sql, {**fixed, **values}))[1]

    def run_of_all_accounts(self, statement: Prepared, **values: Any) -> None:
        """Write outside any account, in a transaction of its own."""
        with self._writing(_WRITE, self._own(None)) as (transaction, _):
            sql, fixed = statement.text(DIALECT)
            transaction.connection.execute(sql, {**fixed, **values})

    def accounts_to_index(self) -> list[int]:
        """List the accounts of which an index was made from something else, or not to its end."""
        listed = self.rows_of_all_accounts(OTHER_VERSIONS, kept=self.indexes.kept)
        return [account_id for (account_id,) in listed]

    def remake_indexes(self, account_id: int) -> int:
        """Make the next rows of such an account anew, in one transaction; tells how many, 0 at the end."""
        with self._write(account_id) as writer:
            return self.indexes.remake_some(writer)

    def inspect(self, account_id: int) -> AbstractContextManager[PostgresReader]:
        """Open a snapshot of one account, to look for faults in it."""
        return self.read(account_id)

    def faults(self) -> Iterator[str]:
        """Name what is wrong with the database as a whole."""
        with self._reading(None) as transaction:
            transaction.begin()
            yield from database_faults(transaction.connection)

    def tidy(self, _: Sequence[int]) -> None:
        """Look at all rows anew, and take in what the index of everything has put off.

        Who does not own the tables gets a warning of the server, and nothing is done.
        """
        transaction = self._beginning(Statement("SELECT 1"))
        with suppress(Unavailable), _translated(), transaction.kept():
            transaction.begin()
            transaction.connection.patience_seconds = STATISTICS_SECONDS_MAX
            tables = ", ".join(map(str, metadata.sorted_tables))
            transaction.connection.execute(f"VACUUM (ANALYZE) {tables}")

    def gather(self, _: Callable[[], bool]) -> None:
        """Do nothing: who writes waits until what is shared is committed (`sharing`)."""

    def figures(self) -> Figures:
        """Tell what was counted, and how many connections there are."""
        idle, in_use = self._connections.numbers()
        return Figures(self._commits.number, self._commits.last_ms, idle, in_use)

    def schema_version(self) -> str | None:
        """Return the version of the database's schema; None if it has none yet."""
        asked = Statement("SELECT to_regclass('alembic_version'), to_regclass('accounts')")
        transaction = self._beginning(asked)
        with _translated(), transaction.kept():
            ((versions, accounts),) = transaction.begin()[0]
            if versions is None:
                return None
            found = transaction.connection.execute("SELECT version_num FROM alembic_version").fetchone()
            if found is not None and accounts is None:
                raise Unavailable(ANOTHER_PROGRAMS)
            return None if found is None else str(found[0])

    def missing_parts(self) -> list[str]:
        """Name what the declaration has and the database has not."""
        with self._reading(None) as transaction:
            transaction.begin()
            return parts.missing(transaction.connection, self.indexes.indexes)

    def why_not_written(self) -> str | None:
        """Say what keeps the database from being written; None where nothing is known of."""
        asked = Statement("SELECT current_setting('transaction_read_only')")
        with self._writing(_WRITE, asked) as (_, rows):
            return "takes no writes: it is read-only, or a standby." if rows[0][0] == "on" else None

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def _own(self, account_id: int | None) -> Statement:
        return put_on(account_id=account_id, timeout_ms=self._server_timeout_ms)

    def _beginning(self, *beginning: Statement) -> Beginning:
        return Beginning(self._connections, beginning, self._patience_seconds)

    @contextmanager
    def _reading(self, account_id: int | None) -> Iterator[Beginning]:
        """Prepare a transaction that reads, outside any account or, with the account's row, inside one."""
        of_account = [] if account_id is None else [_account_of(account_id)]
        transaction = self._beginning(_READ, self._own(account_id), *of_account)
        with _translated(), transaction.reading():
            yield transaction

    @contextmanager
    def _writing(self, *beginning: Statement) -> Iterator[tuple[Beginning, list[Row]]]:
        """Begin a transaction that writes; yields it and the rows of the last statement of its beginning."""
        transaction = self._beginning(*beginning)
        with _translated(), transaction.kept():
            (rows,) = transaction.begin()
            yield transaction, rows
            _commit(transaction)


def _renew(writer: PostgresWriter) -> int:
    """Give the account a new revision. It only rises, so that a standby can be compared with it."""
    revision = max(writer.revision + 1, new_key())
    writer.run(NEW_REVISION, new_revision=revision)
    return revision


def _revision_of(account_id: int) -> str:
    return f"SELECT revision FROM accounts WHERE account_id = {account_id:d}"


def _account_of(account_id: int, sql: str = _ACCOUNT) -> Statement:
    return Statement(sql, {"account_id": account_id}, is_kept=True)


def _commit(transaction: Beginning) -> None:
    """Do what was left for later and commit, in one round trip."""
    try:
        transaction.ask(Statement("COMMIT"))
    except _NOT_COMMITTED:
        raise
    except psycopg.Error as error:
        if transaction.has_failed:
            # Something before the commit has, so the server has not come to it.
            raise
        # Also where the connection is still there: a server that ends, or whose own connection to another
        # machine was cut, says so of what may be done.
        raise OutcomeUnknown(f"The commit was cut: {error}") from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except errors.UniqueViolation as error:
        raise Duplicate(str(error)) from error
    except (errors.SerializationFailure, errors.DeadlockDetected, *KEPT_ELSEWHERE) as error:
        raise Conflict(str(error)) from error
    except (*AWAY, ClockOutOfRange) as error:
        raise Unavailable(str(error)) from error
