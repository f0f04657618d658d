"""The embedded engine: one SQLite file through apsw."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache, cached_property
from operator import itemgetter
from pathlib import Path
from time import monotonic
from typing import Any

import apsw
import msgspec

from tradebook.ids import ClockOutOfRange, new_key
from tradebook.storage.accounts import FIRST_VALUES, NEW_ACCOUNT, NEW_REVISION, REVISION
from tradebook.storage.database import Commits, Duplicate, Figures, Finished, IndexFault, Row, Unavailable
from tradebook.storage.derived import Derived, Values
from tradebook.storage.helping import Helper, helping
from tradebook.storage.index import ListIndex, Query
from tradebook.storage.index_documents import Known, Linked, rows_at_hand, rows_to_index
from tradebook.storage.index_entries import making_entries
from tradebook.storage.index_versions import (
    KEEP_VERSIONS,
    NO_VERSIONS,
    OTHER_VERSIONS,
    VERSIONS,
    IndexVersions,
    Versions,
    read_versions,
    write_versions,
)
from tradebook.storage.schema import Prepared, declared_parts, metadata
from tradebook.storage.sqlite.connections import LOG_PAGES, LOG_PAGES_OF_MANY, Connections
from tradebook.storage.sqlite.dialect import DIALECT
from tradebook.storage.sqlite.index import (
    index_name,
    keys_statement,
    more_statement,
    version_of,
    walk_statement,
    words_to_confirm,
)
from tradebook.storage.sqlite.indexing import (
    PARTS_MERGED,
    PARTS_OF_IMPORT,
    PARTS_TIDIED,
    Indexing,
    entries_of_new,
    has_table,
)
from tradebook.storage.sqlite.inspection import file_faults, index_faults, opened
from tradebook.storage.sqlite.searching import Search

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


_NAMES = re.compile(r":(\w+)")

VERSIONS_SEEN_MAX = 1_000
"""Of how many accounts a thread remembers the versions of the indexes."""

# By the names of the tables: a file has some for each account, too many to look through.
_PARTS = """
    SELECT own.value FROM json_each(:tables) AS own, pragma_table_info(own.value)
    UNION SELECT own.value || '.' || has.name FROM json_each(:tables) AS own,
        pragma_table_info(own.value) AS has
    UNION SELECT has.name FROM json_each(:tables) AS own, pragma_index_list(own.value) AS has
"""


@cache
def _values_of(sql: str) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return what lists a row's values in the order of a statement: by name, SQLite looks each one up."""
    return itemgetter(*dict.fromkeys(_NAMES.findall(sql)))


class SqliteReader:
    """Reads one account inside one transaction of a connection."""

    def __init__(self, database: "SqliteDatabase", connection: apsw.Connection, account_id: int) -> None:
        self.account_id = account_id
        self._database = database
        self._connection = connection

    @property
    def revision(self) -> int:
        """A number of the account that every commit changes."""
        return int(self.rows(REVISION)[0][0])

    @cached_property
    def cache(self) -> Values:
        """Values derived from the account at this revision."""
        return self._database.derived.of(self.account_id, self.revision)

    def rows(self, statement: Prepared, **values: Any) -> list[Row]:
        """Run a statement and return all its rows."""
        sql, bound = self._bound(statement, values)
        return self._connection.execute(sql, bound).fetchall()

    def is_whole(self, name: str) -> bool:
        """Tell whether what is kept of all rows under a name is of this version of the program."""
        connection, known = self._connection, self._database.versions_seen
        version = connection.data_version()
        seen = known.get(self.account_id)
        if seen is None or seen[0] is not connection or seen[1] != version:
            if len(known) >= VERSIONS_SEEN_MAX:
                known.clear()
            seen = known[self.account_id] = (connection, version, self.versions)
        return self._database.indexes.is_whole(seen[2], name)

    def keys(
        self, index: ListIndex, query: Query, *, above: int, below: int, descending: bool, limit: int
    ) -> list[int]:
        """Return the keys that match, `above <= key < below`: newest first if `descending`, else oldest."""
        bounds = (above, below, limit)
        if not (query.conditions or query.words):
            return self._walk(index, (self.account_id, *bounds), descending=descending)
        self._database.indexes.require_whole(self.versions, index)
        if not has_table(self._connection, index_name(index, self.account_id)):
            return []
        has_more = bool(query.words) and self._has_more(index)
        if words_to_confirm(query, has_more=has_more):
            search = Search(
                self._connection, index, query, self.account_id, descending=descending, has_more=has_more
            )
            return search.keys(above=above, below=below, limit=limit)
        sql, values = keys_statement(index, query, self.account_id, descending=descending)
        return [key for (key,) in self._connection.execute(sql, (*values, *bounds))]

    def foresee(self, *_: Any, **__: Any) -> None:
        """Do nothing: each question costs the same, however many come at once."""

    def expect(self, _: Prepared) -> None:
        """Do nothing, as `foresee`."""

    def _walk(self, index: ListIndex, values: tuple[int, ...], *, descending: bool) -> list[int]:
        """Return the keys of all rows of a part of the list, from the table that a page is read from."""
        columns = [index.table.c.id] if index.finished is None else [index.finished.key, index.table.c.id]
        for column in columns:
            sql = walk_statement(column, descending=descending)
            keys = [key for (key,) in self._connection.execute(sql, values)]
            if index.finished is None or self.is_whole(index.finished.name):
                break
        return keys

    def _has_more(self, index: ListIndex) -> bool:
        """Tell whether any row has more text than its entry in the index."""
        known = self.cache
        name = f"{index.name} has more"
        if name not in known:
            known[name] = self._connection.execute(more_statement(index, self.account_id)).get is not None
        return bool(known[name])

    @cached_property
    def versions(self) -> Versions:
        """What the account's indexes were made from."""
        sql, _ = VERSIONS.text(DIALECT)
        kept = self._connection.execute(sql, {"account_id": self.account_id}).get
        return read_versions(kept or NO_VERSIONS)

    def _bound(self, statement: Prepared, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        sql, fixed = statement.text(DIALECT)
        bound = {**fixed, **values}
        for name, value in values.items():
            if isinstance(value, (list, tuple)):
                bound[name] = msgspec.json.encode(value).decode()
        bound["account_id"] = self.account_id
        return sql, bound


class SqliteInspector(SqliteReader):
    """Reads one account, and what FTS5 holds of it."""

    def index_faults(self, index: ListIndex) -> Iterator[IndexFault]:
        """Compare an index with the rows that it is made from, both ways."""
        return index_faults(self._connection, self, index)


class SqliteWriter(SqliteReader):
    """Reads and writes one account inside one transaction."""

    @cached_property
    def indexing(self) -> Indexing:
        """What writes the indexes of the account."""
        return Indexing(self._connection, self.account_id, self._database.helper)

    @cached_property
    def cache(self) -> Values:
        """Values derived inside this transaction; nobody else may see them before the commit."""
        return Values()

    def run(self, statement: Prepared, **values: Any) -> None:
        """Run a statement that changes rows."""
        sql, bound = self._bound(statement, values)
        self._connection.execute(sql, bound)

    def changed(self, statement: Prepared, **values: Any) -> int:
        """Run a statement that changes rows and return how many."""
        self.run(statement, **values)
        return self._connection.changes()

    def insert(self, statement: Prepared, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run an insert for every row."""
        sql, fixed = statement.text(DIALECT)
        own = {**fixed, "account_id": self.account_id}
        listed = _values_of(sql)
        self._connection.executemany(sql, (listed({**row, **own}) for row in rows))

    def is_awaited(self) -> bool:
        """Tell whether somebody has been waiting for the end of this transaction for some time."""
        return self._database.is_awaited()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Mark a place in the transaction. An exception undoes everything since then, and is raised on."""
        assert self._database.helper is None, "what a helper makes comes at the end of the transaction"
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            # A full disk has already undone the whole transaction.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO part")
            raise
        finally:
            if self._connection.in_transaction:
                self._connection.execute("RELEASE part")

    def reindex(
        self,
        index: ListIndex,
        keys: Sequence[int],
        known: Known | None = None,
        linked: Linked | None = None,
    ) -> None:
        """Bring the index up to date for these rows; those that no longer exist are removed from it."""
        self.cache.pop(f"{index.name} has more", None)
        self.indexing.write(index, rows_to_index(index, self.rows, list(keys), known, linked), keys)

    @property
    def follows(self) -> bool:
        """Whether no other connection has committed since the last transaction of this thread."""
        return self._database.follows

    def index_ahead(self, index: ListIndex, at_hand: Sequence[Linked]) -> bool:
        """Have a helper make the entries of rows that the next transaction adds."""
        return self.indexing.ahead(index, rows_at_hand(index, at_hand))

    def take_indexed(self, index: ListIndex) -> None:
        """Take up entries that were made ahead."""
        self.cache.pop(f"{index.name} has more", None)
        self.indexing.take_up(index)

    def finish_ahead(self, name: str, rows: Sequence[Row]) -> bool:
        """Have a helper make the finished JSON of rows that the next transaction adds."""
        entries = self.indexing.entries
        return entries is not None and entries.finish_ahead(name, rows)

    def take_finished(self) -> list[Finished]:
        """Return finished JSON that was made ahead."""
        assert self.indexing.entries is not None
        return self.indexing.entries.finished()

    def forget_ahead(self) -> None:
        """Drop entries that were made ahead."""
        self.indexing.forget()

    def empty_index(self, index: ListIndex) -> None:
        """Throw the account's own table of the index away; the next row makes it again."""
        self.indexing.empty(index)

    def keep_versions(self, versions: Versions) -> None:
        """Write down what the account's indexes are made from."""
        self.run(KEEP_VERSIONS, kept=write_versions(versions))
        self.versions = versions


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

    @property
    def versions_seen(self) -> dict[int, tuple[apsw.Connection, int, Versions]]:
        """What indexes of accounts were made from, as this thread saw it by a connection in a state."""
        own = self._own.__dict__
        seen: dict[int, tuple[apsw.Connection, int, Versions]] = own.get("versions_seen") or own.setdefault(
            "versions_seen", {}
        )
        return seen

    @contextmanager
    def read(self, account_id: int) -> Iterator[SqliteReader]:
        """Open a snapshot of one account."""
        with _translated():
            connection = self._connections.reading()
            connection.execute("BEGIN")
            try:
                yield SqliteReader(self, connection, account_id)
            finally:
                connection.execute("COMMIT")
            self._connections.require_unchanged()

    @contextmanager
    def hold(self, account_id: int) -> Iterator[SqliteReader]:
        """Open a snapshot that lasts, on a connection of its own."""
        with _translated(), self._connections.apart() as connection:
            connection.execute("BEGIN")
            yield SqliteReader(self, connection, account_id)

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
            writer = SqliteWriter(self, connection, account_id)
            # First, as it tells the versions in the same step.
            kept = writer.rows(NEW_REVISION, new_revision=new_key())
            writer.versions = read_versions(kept[0][0] if kept else NO_VERSIONS)
            if self.helper is not None:
                self._note_version(connection)
            yield writer
            writer.indexing.end()

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        with _translated():
            connection = self._connections.begin()
            try:
                yield connection
                self._connections.require_named()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def is_awaited(self) -> bool:
        """Tell whether a writer has drawn a number for its turn."""
        return self._connections.is_awaited()

    @property
    def helper(self) -> Helper | None:
        """The helper of this thread."""
        return self._own.__dict__.get("helper")

    @property
    def follows(self) -> bool:
        """Whether no other connection has committed since the helped transaction of this thread before."""
        own = self._own.__dict__
        return bool(own.get("version") == own.get("version_before"))

    def _note_version(self, connection: apsw.Connection) -> None:
        # Commits of other connections change it, those of its own don't.
        own = self._own.__dict__
        own["version_before"] = own.get("version")
        own["version"] = (connection, connection.execute("PRAGMA data_version").get)

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
            yield SqliteInspector(self, connection, account_id)

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
