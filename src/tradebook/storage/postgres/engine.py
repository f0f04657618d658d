"""The server engine: PostgreSQL through psycopg.

Nothing is kept in a session: settings end with their transaction, and no statement stays prepared. So there
may be a pooler in transaction mode, and every statement is planned for its own account.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from time import monotonic
from typing import Any

import psycopg
from psycopg import errors

from tradebook.ids import ClockOutOfRange, new_key
from tradebook.storage.accounts import NEW_ACCOUNT, NEW_REVISION
from tradebook.storage.database import (
    Commits,
    Conflict,
    Duplicate,
    Figures,
    IndexFault,
    OutcomeUnknown,
    Row,
    Unavailable,
)
from tradebook.storage.derived import Derived, Values
from tradebook.storage.index import ListIndex, Query
from tradebook.storage.index_documents import Document, documents
from tradebook.storage.index_faults import compare_texts, steps, told
from tradebook.storage.index_versions import (
    KEEP_VERSIONS,
    NO_VERSIONS,
    OTHER_VERSIONS,
    IndexVersions,
    Versions,
    read_versions,
    write_versions,
)
from tradebook.storage.postgres import parts
from tradebook.storage.postgres.connections import Connection, Connections
from tradebook.storage.postgres.dialect import DIALECT, insert_of_lists
from tradebook.storage.postgres.index import TOO_MANY, questions, searchable, version_of
from tradebook.storage.postgres.inspection import database_faults
from tradebook.storage.postgres.row_security import APPLICATION, put_on
from tradebook.storage.schema import Prepared

SERVER_TIMEOUT_SHARE = 0.85
"""The part of the time limit after which the server ends a statement, before the client gives up."""

_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    # A standby that became a primary, or the reverse.
    errors.ReadOnlySqlTransaction,
    # What Citus says of a machine that is gone.
    errors.InternalError_,
)
_NOT_COMMITTED = (
    psycopg.IntegrityError,
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.ReadOnlySqlTransaction,
)
"""The answers to a COMMIT after which nothing is done, for certain."""


class PostgresReader:
    """Reads one account inside one transaction of a connection."""

    def __init__(
        self, database: "PostgresDatabase", connection: Connection, account_id: int, account: Row | None
    ) -> None:
        self.account_id = account_id
        self.revision, kept = account or (0, NO_VERSIONS)
        self.versions = read_versions(kept)
        self._database = database
        self._connection = connection

    @cached_property
    def cache(self) -> Values:
        """Values derived from the account at this revision."""
        return self._database.derived.of(self.account_id, self.revision)

    def rows(self, statement: Prepared, **values: Any) -> list[Row]:
        """Run a statement and return all its rows."""
        return self._execute(statement, values).fetchall()

    def is_whole(self, name: str) -> bool:
        """Tell whether what is kept of all rows under a name is of this version of the program."""
        return self._database.indexes.is_whole(self.versions, name)

    def keys(
        self, index: ListIndex, query: Query, *, above: int, below: int, descending: bool, limit: int
    ) -> list[int]:
        """Return the keys that match, `above <= key < below`: newest first if `descending`, else oldest."""
        if query.words:
            self._database.indexes.require_whole(self.versions, index)
        bounds = {"account_id": self.account_id, "above": above, "below": below, "limit": limit}
        found: list[int] = []
        for question in questions(index, query, self.account_id, descending=descending):
            cursor = self._connection.execute(question.sql, {**bounds, **question.values}, binary=True)
            found = [row[0] for row in cursor.fetchall()]
            if TOO_MANY not in found:
                break
        return found

    def index_faults(self, index: ListIndex) -> Iterator[IndexFault]:
        """Compare the searched text with the rows that it is made from; facets have indexes of the server."""

        def write(document: Document) -> str:
            return searchable(document, self.account_id)

        for step in steps(self, index):
            yield from told(index, compare_texts(step, write))

    def _execute(self, statement: Prepared, values: Mapping[str, Any]) -> psycopg.Cursor[Row]:
        sql, fixed = statement.text(DIALECT)
        bound = {**fixed, **values, "account_id": self.account_id}
        return self._connection.execute(sql, bound, binary=True)


class PostgresWriter(PostgresReader):
    """Reads and writes one account inside one transaction."""

    @cached_property
    def cache(self) -> Values:
        """Values derived inside this transaction; nobody else may see them before the commit."""
        return Values()

    def run(self, statement: Prepared, **values: Any) -> int:
        """Run a statement that changes rows and return how many."""
        return self._execute(statement, values).rowcount

    def insert(self, statement: Prepared, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run an insert for every row."""
        listed = list(rows)
        if not listed:
            return
        at_once = insert_of_lists(statement)
        if at_once is None and len(listed) == 1:
            # A pipeline of one costs half as much again.
            self._execute(statement, listed[0])
        elif at_once is None:
            sql, fixed = statement.text(DIALECT)
            own = {"account_id": self.account_id}
            with self._connection.cursor() as cursor:
                cursor.executemany(sql, [{**fixed, **row, **own} for row in listed])
        else:
            # A list for each column: one statement to parse and plan, not a thousand.
            sql, columns = at_once
            lists: dict[str, Any] = {name: [row.get(name) for row in listed] for name in columns}
            self._connection.execute(sql, {**lists, "account_id": self.account_id})

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Mark a place in the transaction. An exception undoes everything since then, and is raised on."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if not self._connection.closed:
                self._connection.execute("ROLLBACK TO SAVEPOINT part")
            raise
        self._connection.execute("RELEASE SAVEPOINT part")

    def empty_index(self, index: ListIndex) -> None:
        """Do nothing: the tables' own indexes serve every account, and a text replaces that of before."""

    def keep_versions(self, versions: Versions) -> None:
        """Write down what the account's indexes are made from."""
        self.run(KEEP_VERSIONS, kept=write_versions(versions))
        self.versions = versions

    def reindex(
        self, index: ListIndex, keys: Sequence[int], known: Mapping[int, Mapping[str, Any]] | None = None
    ) -> None:
        """Bring the index up to date for these rows; those that no longer exist are removed from it."""
        found = documents(index, self.rows, list(keys), known)
        table, key = index.folded.name, index.folded_key
        texts = [searchable(document, self.account_id) for document in found.values()]
        self._connection.execute(
            f"INSERT INTO {table} (account_id, {key}, folded) SELECT %(account_id)s::bigint, given.*"
            f" FROM unnest(%(keys)s::bigint[], %(texts)s::text[]) AS given ({key}, folded)"
            f" ON CONFLICT (account_id, {key}) DO UPDATE SET folded = excluded.folded"
            f" WHERE {table}.folded <> excluded.folded",
            {"account_id": self.account_id, "keys": list(found), "texts": texts},
        )
        gone = [key for key in keys if key not in found]
        if gone:
            self._connection.execute(
                f"DELETE FROM {table} WHERE account_id = %s AND {key} = ANY (%s::bigint[])",
                (self.account_id, gone),
            )


class PostgresDatabase:
    """A book on a PostgreSQL server, or on a standby of one."""

    def __init__(self, conninfo: str, *, timeout_ms: int, indexes: Sequence[ListIndex]) -> None:
        self.indexes = IndexVersions(indexes, version_of)
        self._commits = Commits()
        self.derived = Derived()
        self.timeout_ms = timeout_ms
        self._patience_seconds = timeout_ms / 1000
        self._server_timeout_ms = int(timeout_ms * SERVER_TIMEOUT_SHARE)
        self._connections = Connections(conninfo, patience_seconds=self._patience_seconds)

    @contextmanager
    def read(self, account_id: int) -> Iterator[PostgresReader]:
        """Open a snapshot of one account."""
        with self._transaction(f"{_READ}; {self._own(account_id)}; {_account_of(account_id)}") as begun:
            connection, rows = begun
            yield PostgresReader(self, connection, account_id, rows[0] if rows else None)

    @contextmanager
    def write(self, account_id: int) -> Iterator[PostgresWriter]:
        """Open a transaction on one account; leaving it normally commits, an exception undoes it.

        The account's row is locked first, so the writers of one account take turns.
        """
        with self._write(account_id) as writer:
            self.indexes.require_own(writer.versions)
            yield writer
        self._commits.note()

    @contextmanager
    def _write(self, account_id: int) -> Iterator[PostgresWriter]:
        lock = f"{_account_of(account_id)} FOR NO KEY UPDATE"
        with self._transaction(f"{_WRITE}; {self._own(account_id)}; {lock}") as (connection, rows):
            writer = PostgresWriter(self, connection, account_id, rows[0] if rows else None)
            yield writer
            # It only rises, so that a standby can be compared with it.
            writer.run(NEW_REVISION, new_revision=max(writer.revision + 1, new_key()))

    @contextmanager
    def create_account(self, account_id: int, **values: Any) -> Iterator[PostgresWriter]:
        """Add an account and open its first transaction."""
        with self._write(account_id) as writer:
            row = {"revision": 0, "last_customer_number": 0, "indexes": self.indexes.kept, **values}
            writer.run(NEW_ACCOUNT, **row)
            yield writer

    def touch(self, account_id: int, statement: Prepared, **values: Any) -> None:
        """Change what no page shows, without a new revision and without waiting for its lock."""
        with self._transaction(f"{_WRITE}; {self._own(account_id)}") as (connection, _):
            sql, fixed = statement.text(DIALECT)
            connection.execute(sql, {**fixed, **values, "account_id": account_id}, binary=True)

    def revision(self, account_id: int) -> int | None:
        """Return the account's revision, in one round trip."""
        with self._transaction(f"{_READ}; {self._own(account_id)}; {_revision_of(account_id)}") as (_, rows):
            return rows[0][0] if rows else None

    def rows_of_all_accounts(self, statement: Prepared, **values: Any) -> list[Row]:
        """Read outside any account."""
        with self._transaction(f"{_READ}; {self._own(None)}") as (connection, _):
            sql, fixed = statement.text(DIALECT)
            return connection.execute(sql, {**fixed, **values}, binary=True).fetchall()

    def run_of_all_accounts(self, statement: Prepared, **values: Any) -> None:
        """Write outside any account, in a transaction of its own."""
        with self._transaction(f"{_WRITE}; {self._own(None)}") as (connection, _):
            sql, fixed = statement.text(DIALECT)
            connection.execute(sql, {**fixed, **values})

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
        with self._transaction(f"{_READ}; {self._own(None)}") as (connection, _):
            yield from database_faults(connection)

    def figures(self) -> Figures:
        """Tell what was counted, and how many connections there are."""
        idle, in_use = self._connections.numbers()
        return Figures(self._commits.number, self._commits.last_ms, idle, in_use)

    def schema_version(self) -> str | None:
        """Return the version of the database's schema; None if it has none yet."""
        with _translated(), self._connection("SELECT to_regclass('alembic_version')") as (connection, rows):
            if rows[0][0] is None:
                return None
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return None if found is None else str(found[0])

    def missing_parts(self) -> list[str]:
        """Name what the declaration has and the database has not."""
        with self._transaction(f"{_READ}; {self._own(None)}") as (connection, _):
            return parts.missing(connection, self.indexes.indexes)

    def why_not_written(self) -> str | None:
        """Say what keeps the database from being written; None where nothing is known of."""
        asked = "SELECT current_setting('transaction_read_only')"
        with self._transaction(f"{_WRITE}; {asked}") as (_, rows):
            return "takes no writes: it is read-only, or a standby." if rows[0][0] == "on" else None

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def _own(self, account_id: int | None) -> str:
        return put_on(account_id=account_id, timeout_ms=self._server_timeout_ms)

    @contextmanager
    def _transaction(self, beginning: str) -> Iterator[tuple[Connection, list[Row]]]:
        """Begin a transaction in one round trip; yields its connection and the rows of the last statement."""
        with _translated(), self._connection(beginning) as (connection, rows):
            yield connection, rows
            if beginning.startswith(_READ):
                connection.commit()
            else:
                _commit(connection)

    @contextmanager
    def _connection(self, first: str) -> Iterator[tuple[Connection, list[Row]]]:
        """Take a connection, and run the first statements on it."""
        end = monotonic() + self._patience_seconds
        while True:
            connection = self._connections.take(end)
            try:
                try:
                    # What is left of the time: it may have been spent on the way to the connection.
                    connection.patience_seconds = max(0.001, end - monotonic())
                    rows = _last_rows(connection.execute(first))
                    connection.patience_seconds = self._patience_seconds
                except AWAY:
                    # The connection was cut while it was idle. Nothing has been done yet, so try another one.
                    if connection.closed and monotonic() < end:
                        continue
                    raise
                except errors.InsufficientPrivilege as error:
                    raise Unavailable(f"{error} (GRANT {APPLICATION} TO this user)") from error
                yield connection, rows
                return
            finally:
                if not connection.closed:
                    with suppress(psycopg.Error):
                        connection.rollback()
                self._connections.give_back(connection)


def _revision_of(account_id: int) -> str:
    return f"SELECT revision FROM accounts WHERE account_id = {account_id:d}"


def _account_of(account_id: int) -> str:
    return f"SELECT revision, indexes FROM accounts WHERE account_id = {account_id:d}"


def _last_rows(cursor: psycopg.Cursor[Row]) -> list[Row]:
    while cursor.nextset():
        pass
    return cursor.fetchall() if cursor.description else []


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except _NOT_COMMITTED:
        raise
    except psycopg.Error as error:
        # Also where the connection is still there: a server that ends, or whose own connection to another
        # machine was cut, says so of what may be done.
        raise OutcomeUnknown(f"The commit was cut: {error}") from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except errors.UniqueViolation as error:
        raise Duplicate(str(error)) from error
    except (errors.SerializationFailure, errors.DeadlockDetected) as error:
        raise Conflict(str(error)) from error
    except (*AWAY, ClockOutOfRange) as error:
        raise Unavailable(str(error)) from error
