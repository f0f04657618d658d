"""The embedded engine: one SQLite file through apsw."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import apsw
import msgspec

from tradebook.ids import ClockOutOfRange, new_key
from tradebook.storage.accounts import FIRST_VALUES, NEW_ACCOUNT, NEW_REVISION, REVISION
from tradebook.storage.database import Commits, Duplicate, Figures, OutcomeUnknown, Row, Unavailable
from tradebook.storage.derived import Derived
from tradebook.storage.helping import Helper, helping
from tradebook.storage.index import ListIndex
from tradebook.storage.index_entries import making_entries
from tradebook.storage.index_versions import NO_VERSIONS, OTHER_VERSIONS, IndexVersions, read_versions
from tradebook.storage.schema import Prepared, declared_parts, metadata
from tradebook.storage.sqlite.connections import LOG_PAGES, LOG_PAGES_OF_MANY, Connections
from tradebook.storage.sqlite.dialect import DIALECT
from tradebook.storage.sqlite.gathering import Gathering
from tradebook.storage.sqlite.handles import SqliteInspector, SqliteReader, SqliteWriter
from tradebook.storage.sqlite.index import version_of
from tradebook.storage.sqlite.indexing import (
    PARTS_MERGED,
    PARTS_OF_IMPORT,
    PARTS_TIDIED,
    Indexing,
    entries_of_new,
    write_waiting,
)
from tradebook.storage.sqlite.inspection import file_faults, opened

_DUPLICATE = {
    apsw.SQLITE_CONSTRAINT_UNIQUE,
    apsw.SQLITE_CONSTRAINT_PRIMARYKEY,
    apsw.SQLITE_CONSTRAINT_ROWID,
}
_AWAY = (
    apsw.BusyError,
    apsw.LockedError,
    apsw.FullError,
    apsw.ReadOnlyError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.NotADBError,
    apsw.CorruptError,
    # Closed by another thread, when the service stops.
    apsw.ConnectionClosedError,
)

# By the names of the tables: a file has some for each account, too many to look through.
_PARTS = """
    SELECT own.value FROM json_each(:tables) AS own, pragma_table_info(own.value)
    UNION SELECT own.value || '.' || has.name FROM json_each(:tables) AS own,
        pragma_table_info(own.value) AS has
    UNION SELECT has.name FROM json_each(:tables) AS own, pragma_index_list(own.value) AS has
"""


class SqliteDatabase:
    """A book in one file: a read connection and a write connection for each thread."""

    def __init__(self, path: Path, *, timeout_ms: int, indexes: Sequence[ListIndex]) -> None:
        self.path = path
        self.derived = Derived()
        self.timeout_ms = timeout_ms
        self.indexes = IndexVersions(indexes, version_of)
        self._commits = Commits()
        self._connections = Connections(path, timeout_ms=timeout_ms)
        self._own = self._connections.own
        self._gatherings = threading.local()
        self._of_file = (self.indexes, self.derived, self._connections)

    @contextmanager
    def read(self, account_id: int) -> Iterator[SqliteReader]:
        """Open a snapshot of one account."""
        with _translated():
            connection = self._connections.reading()
            connection.execute("BEGIN")
            try:
                yield SqliteReader(connection, account_id, *self._of_file)
            finally:
                connection.execute("COMMIT")
            self._connections.require_unchanged()

    @contextmanager
    def hold(self, account_id: int) -> Iterator[SqliteReader]:
        """Open a snapshot that lasts, on a connection of its own."""
        with _translated(), self._connections.apart() as connection:
            connection.execute("BEGIN")
            yield SqliteReader(connection, account_id, *self._of_file)

    @contextmanager
    def write(self, account_id: int) -> Iterator[SqliteWriter]:
        """Open a transaction on one account. Leaving it normally commits it, an exception undoes it."""
        with self._write(account_id) as writer:
            self.indexes.require_own(writer.versions)
            yield writer
        self._commits.note()
        if self.helper is not None:
            self._own.steps += 1
            if self._own.steps % PARTS_OF_IMPORT == 0:
                self._merge([account_id], PARTS_MERGED)

    @contextmanager
    def _write(self, account_id: int) -> Iterator[SqliteWriter]:
        with self._transaction() as connection:
            writer = SqliteWriter(connection, account_id, *self._of_file)
            # First, as it tells the versions in the same step.
            kept = writer.rows(NEW_REVISION, new_revision=new_key())
            writer.versions = read_versions(kept[0][0] if kept else NO_VERSIONS)
            if self.helper is not None:
                writer.helper, writer.follows = self.helper, self._follows(connection)
            yield writer
            writer.indexing.end()

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        gathering: Gathering = self._gatherings.__dict__.get("own") or self._gathering(lambda: False)
        with _translated(), gathering.part() as connection:
            yield connection

    def gather(self, goes_on: Callable[[], bool]) -> Gathering:
        """Have the transactions of this thread share a commit, as long as there is a next one."""
        gathering = self._gatherings.own = self._gathering(goes_on)
        return gathering

    def _gathering(self, goes_on: Callable[[], bool]) -> Gathering:
        return Gathering(self._connections.begin, self._commit, goes_on)

    def _commit(self, connection: apsw.Connection) -> None:
        write_waiting(connection)
        self._connections.require_named()
        try:
            connection.execute("COMMIT")
        except apsw.IOError as error:
            if getattr(error, "extendedresult", None) == apsw.SQLITE_IOERR_FSYNC:
                # It is in the log, and only the next change takes it away: who is killed before finds it.
                raise OutcomeUnknown(f"The commit may be on the disk or not: {error}") from error
            raise

    @property
    def helper(self) -> Helper | None:
        """The helper of this thread."""
        return self._own.__dict__.get("helper")

    def _follows(self, connection: apsw.Connection) -> bool:
        # Commits of other connections change it, those of its own don't.
        own, version = self._own.__dict__, (connection, connection.execute("PRAGMA data_version").get)
        before, own["version"] = own.get("version"), version
        return bool(version == before)

    @contextmanager
    def helped(self, account_id: int) -> Iterator[None]:
        """Have a second process make the entries of indexes that this thread writes meanwhile."""
        with helping(making_entries(self.indexes.indexes, entries_of_new)) as helper:
            self._own.helper, self._own.steps = helper, 0
            self._connections.keep_log(LOG_PAGES_OF_MANY)
            try:
                yield
                self._merge([account_id], PARTS_MERGED)
            finally:
                self._connections.keep_log(LOG_PAGES)
                self._own.helper = self._own.version = None

    @contextmanager
    def create_account(self, account_id: int, **values: Any) -> Iterator[SqliteWriter]:
        """Add an account and open its first transaction."""
        with self._write(account_id) as writer:
            own = {**FIRST_VALUES, "revision": new_key(), "indexes": self.indexes.kept}
            writer.run(NEW_ACCOUNT, **own | values)
            yield writer

    def touch(self, account_id: int, statement: Prepared, **values: Any) -> None:
        """Change what no page shows, without a new revision and without waiting for another writer."""
        with _translated():
            sql, fixed = statement.text(DIALECT)
            self._connections.touching().execute(sql, {**fixed, **values, "account_id": account_id})

    def revision(self, account_id: int) -> int | None:
        """Return the account's revision; reads only if a transaction was committed since the last look."""
        own, connections = self._own, self._connections
        try:
            # Every request runs this, so everything that is rarely needed is in `_read_revision`.
            if own.age != connections.age or monotonic() >= connections.follow_at:
                return self._read_revision(account_id)
            version = own.looking.execute("PRAGMA data_version").get
        except (AttributeError, *_AWAY):
            return self._read_revision(account_id)
        if version == own.data_version and account_id in own.revisions:
            return int(own.revisions[account_id])
        return self._read_revision(account_id)

    def _read_revision(self, account_id: int) -> int | None:
        with _translated():
            connection = self._connections.reading()
            version = connection.execute("PRAGMA data_version").get
            if version != self._own.data_version:
                self._own.revisions.clear()
                self._own.data_version = version
            sql, _ = REVISION.text(DIALECT)
            found = connection.execute(sql, {"account_id": account_id}).get
            if found is not None:
                self._own.revisions[account_id] = found
            return None if found is None else int(found)

    def rows_of_all_accounts(self, statement: Prepared, **values: Any) -> list[Row]:
        """Read outside any account."""
        with _translated():
            sql, fixed = statement.text(DIALECT)
            return self._connections.reading().execute(sql, {**fixed, **values}).fetchall()

    def run_of_all_accounts(self, statement: Prepared, **values: Any) -> None:
        """Write outside any account, in a transaction of its own."""
        with self._transaction() as connection:
            sql, fixed = statement.text(DIALECT)
            connection.execute(sql, {**fixed, **values})

    def accounts_to_index(self) -> list[int]:
        """List the accounts of which an index was made from something else, or not to its end."""
        listed = self.rows_of_all_accounts(OTHER_VERSIONS, kept=self.indexes.kept)
        return [account_id for (account_id,) in listed]

    def remake_indexes(self, account_id: int) -> int:
        """Make the next rows of such an account anew, in one transaction; tells how many, 0 at the end."""
        with self._write(account_id) as writer:
            count = self.indexes.remake_some(writer)
        if not count:
            self.tidy([account_id])
        return count

    @contextmanager
    def inspect(self, account_id: int) -> Iterator[SqliteInspector]:
        """Open a snapshot of one account, to look for faults in it."""
        with _translated(), closing(opened(self.path, timeout_ms=self.timeout_ms)) as connection:
            connection.execute("BEGIN")
            yield SqliteInspector(connection, account_id, *self._of_file)

    def faults(self) -> Iterator[str]:
        """Name what is wrong with the file as a whole."""
        with _translated(), closing(opened(self.path, timeout_ms=self.timeout_ms)) as connection:
            yield from file_faults(connection, self.indexes.indexes)

    def tidy(self, account_ids: Sequence[int]) -> None:
        """Have FTS5 merge parts of indexes, a bit in each transaction: each part costs every search a look.

        Statistics need nothing, the planner has fixed figures.
        """
        self._merge(account_ids, PARTS_TIDIED)

    def _merge(self, account_ids: Sequence[int], parts: int) -> None:
        for account_id in account_ids:
            for index in self.indexes.indexes:
                with suppress(Unavailable):
                    while self._merge_some(account_id, index, parts):
                        pass

    def _merge_some(self, account_id: int, index: ListIndex, parts: int) -> bool:
        with self._transaction() as connection:
            return Indexing(connection, account_id).merge_some(index, parts)

    def figures(self) -> Figures:
        """Tell what was counted."""
        return Figures(self._commits.number, self._commits.last_ms)

    def schema_version(self) -> str | None:
        """Return the version of the file's schema; None if it has none yet."""
        with _translated():
            connection = self._connections.reading()
            if not connection.table_exists("main", "alembic_version"):
                return None
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return None if found is None else str(found[0])

    def missing_parts(self) -> list[str]:
        """Name the tables, columns and indexes that the declaration has and the file has not."""
        with _translated():
            tables = msgspec.json.encode([str(table.name) for table in metadata.sorted_tables]).decode()
            found = {name for (name,) in self._connections.reading().execute(_PARTS, {"tables": tables})}
            return [name for name in declared_parts() if name not in found]

    def why_not_written(self) -> str | None:
        """Say what keeps the file from being written; None where nothing does."""
        return self._connections.why_not_written()

    def close(self) -> None:
        """Close the connections of all threads; with the last one, SQLite writes the log into the file."""
        self._connections.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (*_AWAY, ClockOutOfRange) as error:
        raise Unavailable(str(error)) from error
    except apsw.ConstraintError as error:
        if getattr(error, "extendedresult", None) in _DUPLICATE:
            raise Duplicate(str(error)) from error
        raise
