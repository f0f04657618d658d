"""What reads and writes one account of a file."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from operator import itemgetter
from typing import Any

import apsw
import msgspec
import sqlalchemy as sa

from tradebook.storage.accounts import REVISION
from tradebook.storage.database import Finished, IndexFault, Row
from tradebook.storage.derived import Derived, Values
from tradebook.storage.helping import Helper
from tradebook.storage.index import ListIndex, Query
from tradebook.storage.index_documents import Linked, rows_at_hand, rows_to_index
from tradebook.storage.index_versions import (
    KEEP_VERSIONS,
    NO_VERSIONS,
    VERSIONS,
    IndexVersions,
    Versions,
    read_versions,
    write_versions,
)
from tradebook.storage.schema import Prepared
from tradebook.storage.sqlite.connections import Connections
from tradebook.storage.sqlite.dialect import DIALECT
from tradebook.storage.sqlite.index import (
    index_name,
    keys_statement,
    more_statement,
    walk_statement,
    words_to_confirm,
)
from tradebook.storage.sqlite.indexing import Indexing, has_table
from tradebook.storage.sqlite.inspection import index_faults, strange_values
from tradebook.storage.sqlite.searching import Search

_NAMES = re.compile(r":(\w+)")

VERSIONS_SEEN_MAX = 1_000
"""Of how many accounts a thread remembers the versions of the indexes."""

VersionsSeen = dict[int, tuple[apsw.Connection, int, Versions]]
"""What indexes of accounts were made from, as a thread saw it by a connection in a state."""


@cache
def _values_of(sql: str) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return what lists a row's values in the order of a statement: by name, SQLite looks each one up."""
    return itemgetter(*dict.fromkeys(_NAMES.findall(sql)))


class SqliteReader:
    """Reads one account inside one transaction of a connection."""

    def __init__(
        self,
        connection: apsw.Connection,
        account_id: int,
        indexes: IndexVersions,
        derived: Derived,
        connections: Connections,
    ) -> None:
        self.account_id = account_id
        self._connection = connection
        self._indexes, self._derived, self._connections = indexes, derived, connections

    @property
    def revision(self) -> int:
        """A number of the account that every commit changes."""
        return int(self.rows(REVISION)[0][0])

    @cached_property
    def cache(self) -> Values:
        """Values derived from the account at this revision."""
        return self._derived.of(self.account_id, self.revision)

    def rows(self, statement: Prepared, **values: Any) -> list[Row]:
        """Run a statement and return all its rows."""
        sql, bound = self._bound(statement, values)
        return self._connection.execute(sql, bound).fetchall()

    def is_whole(self, name: str) -> bool:
        """Tell whether what is kept of all rows under a name is of this version of the program."""
        connection, version = self._connection, self._connection.data_version()
        known: VersionsSeen = self._connections.own.__dict__.setdefault("versions_seen", {})
        seen = known.get(self.account_id)
        if seen is None or seen[0] is not connection or seen[1] != version:
            if len(known) >= VERSIONS_SEEN_MAX:
                known.clear()
            seen = known[self.account_id] = (connection, version, self.versions)
        return self._indexes.is_whole(seen[2], name)

    def keys(
        self, index: ListIndex, query: Query, *, above: int, below: int, descending: bool, limit: int
    ) -> list[int]:
        """Return the keys that match, `above <= key < below`: newest first if `descending`, else oldest."""
        bounds = (above, below, limit)
        if not (query.conditions or query.words):
            return self._walk(index, (self.account_id, *bounds), descending=descending)
        self._indexes.require_whole(self.versions, index)
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

    def strange_values(self, table: sa.Table) -> Iterator[tuple[int, str]]:
        """Name values of another kind than their column: the second key of the row, and the column."""
        return strange_values(self._connection, self.account_id, table)


class SqliteWriter(SqliteReader):
    """Reads and writes one account inside one transaction."""

    helper: Helper | None = None
    follows = False
    """Whether no other connection has committed since the helped transaction of this thread before."""
    _told: tuple[Prepared, dict[str, Any], list[Row]] | None = None

    @cached_property
    def indexing(self) -> Indexing:
        """What writes the indexes of the account."""
        return Indexing(self._connection, self.account_id, self.helper)

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

    def tell(self, statement: Prepared, rows: list[Row], **values: Any) -> None:
        """Say what `rows` would answer to the next question, before anything else is changed."""
        self._told = statement, values, rows

    def rows(self, statement: Prepared, **values: Any) -> list[Row]:
        """Run a statement and return all its rows, unless they were told."""
        told, self._told = self._told, None
        if told is not None and told[:2] == (statement, values):
            return told[2]
        return super().rows(statement, **values)

    def is_awaited(self) -> bool:
        """Tell whether somebody has been waiting for the end of this transaction for some time."""
        return self._connections.is_awaited()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Mark a place in the transaction. An exception undoes everything since then, and is raised on."""
        assert self.helper is None, "what a helper makes comes at the end of the transaction"
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
        at_hand: Sequence[Linked] = (),
    ) -> None:
        """Bring the index up to date for these rows; those that no longer exist are removed from it."""
        self.cache.pop(f"{index.name} has more", None)
        self.indexing.write(index, rows_to_index(index, self.rows, list(keys), at_hand), keys)

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
