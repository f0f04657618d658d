"""Writes the FTS5 tables of an account inside a transaction.

An account has the table of an index once there is something in it: each is six tables for SQLite, and whoever
opens the file reads the names of all of them.

FTS5 makes a part of what it has gathered at every savepoint, and at every statement that checks a reference.
So the entries of few rows wait for the commit, in a table of the connection's own, from which a savepoint
takes them back like all else: changes that share a commit make one part together. What a transaction has
written is found when it is committed.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import apsw

from tradebook.storage.helping import Helper
from tradebook.storage.index import ListIndex
from tradebook.storage.index_documents import RowsToIndex, documents_of
from tradebook.storage.index_entries import Entries
from tradebook.storage.sqlite.index import TOKENIZER, index_name, quoted, tokens

MERGED_ROWS_MAX = 100
"""Up to how many rows of a transaction FTS5 merges as it writes."""

PAGES_MERGED = 150
"""How many pages it merges at the end of a larger one. Steps of an import come one after the other: what they
left unmerged one of them would merge all at once, for most of a second."""

PAGES_TIDIED = 500
"""How many pages it merges at once after many rows: some twenty milliseconds, in which no other writes."""

PARTS_TIDIED = 2
"""From how many parts of one size on it then merges them."""

WORDS_KEPT = 10_000
"""Of how many words of one transaction the pieces are remembered: about those of a step of an import."""

PARTS_MERGED, PARTS_AT_ONCE = 4, 16
"""How many parts of an index, of one size, FTS5 merges into one, a bit with each transaction; and how many
one of these merges as a whole. They are its own defaults."""

NEVER = 1_999
"""As many parts as FTS5 can have: while an import goes on, nobody merges all of them at once."""

PARTS_OF_IMPORT = 256
"""After how many steps, each a part, an import merges them; and at its end, so nearly all are merged once."""

HASH_BYTES = 8 << 20
"""How much FTS5 gathers of a transaction before it makes a part of it: of its own 1 MB, a step made three."""

_MAKE_WAITING = """
    CREATE TEMP TABLE waiting (name TEXT, place INTEGER, tokens TEXT, PRIMARY KEY (name, place)) WITHOUT ROWID
"""
_WAIT = "INSERT OR REPLACE INTO temp.waiting VALUES (?, -?, ?)"

Entry = tuple[int, str, str]
"""The key of a row, its folded text, and its tokens."""


class Indexing:
    """Writes the indexes of one account in one transaction, which `end` is called at the end of.

    What a helper makes is written there, and what is few at the commit, by `write_waiting`.
    """

    def __init__(self, connection: apsw.Connection, account_id: int, helper: Helper | None = None) -> None:
        self._connection = connection
        self._account_id = account_id
        self.entries = None if helper is None else Entries(account_id, helper)
        """What a helper makes; None without one."""
        self._rows = 0
        self._pieces: dict[str, set[str]] = {}
        self._unmerged: list[ListIndex] = []

    def write(self, index: ListIndex, rows: RowsToIndex, keys: Sequence[int]) -> None:
        """Bring the index up to date for these rows; those of which nothing was found are removed from it."""
        found = {row[0] for row in rows[0]}
        self._remove(index, [key for key in keys if key not in found])
        if found and (self.entries is None or not self.entries.ask(index, rows)):
            if len(self._pieces) > WORDS_KEPT:
                self._pieces.clear()
            self._write([*self._taken(), (index, entries_of(index, rows, self._pieces))])

    def ahead(self, index: ListIndex, rows: RowsToIndex) -> bool:
        """Have entries made for the next transaction, if a helper can."""
        return self.entries is not None and self.entries.ask_ahead(index, rows)

    def take_up(self, index: ListIndex) -> None:
        """Take up the next entries that were made ahead."""
        assert self.entries is not None
        self.entries.expect(index)

    def forget(self) -> None:
        """Drop what was made ahead."""
        if self.entries is not None:
            self.entries.forget()

    def settle(self) -> None:
        """Write what a helper has made, before somebody deletes entries."""
        self._write(self._taken())

    def _taken(self) -> Sequence[tuple[ListIndex, Sequence[Entry]]]:
        return () if self.entries is None else self.entries.take()

    def _remove(self, index: ListIndex, keys: Sequence[int]) -> None:
        if not keys:
            return
        self.settle()
        self._connection.executemany(
            f"DELETE FROM {index.folded.name} WHERE account_id = ? AND {index.folded_key} = ?",
            ((self._account_id, key) for key in keys),
        )
        name = self._name(index)
        self._let_wait_no_more(name, keys)
        if has_table(self._connection, name):
            self._rows += len(keys)
            self._merge_later(index)
            self._connection.executemany(
                f"DELETE FROM {name} WHERE rowid = -?", ((key,) for key in sorted(keys, reverse=True))
            )

    def _write(self, made: Sequence[tuple[ListIndex, Sequence[Entry]]]) -> None:
        # The texts first, whose references are checked: see the class.
        for index, entries in made:
            self._connection.executemany(
                f"INSERT OR REPLACE INTO {index.folded.name} (account_id, {index.folded_key}, folded)"
                " VALUES (?, ?, ?)",
                [(self._account_id, key, folded) for key, folded, _ in entries],
            )
        whole: dict[ListIndex, list[tuple[int, str]]] = {}
        for index, entries in made:
            whole.setdefault(index, []).extend((key, tokens) for key, _, tokens in entries)
        for index, rows in whole.items():
            name = self._name(index)
            self._rows += len(rows)
            if self._rows <= MERGED_ROWS_MAX:
                if not has_table(self._connection, "waiting", "temp"):
                    self._connection.execute(_MAKE_WAITING)
                self._connection.executemany(_WAIT, ((name, *row) for row in rows))
                continue
            make_table(self._connection, name)
            self._merge_later(index)
            self._let_wait_no_more(name, [key for key, _ in rows])
            # FTS5 makes a part of what it has gathered where a row comes before the last one. Of two entries
            # of a row, the later one stays the later one.
            rows.sort(key=itemgetter(0), reverse=True)
            self._connection.executemany(
                f"INSERT OR REPLACE INTO {name} (rowid, tokens) VALUES (-?, ?)", rows
            )

    def _let_wait_no_more(self, name: str, keys: Sequence[int]) -> None:
        """Drop entries that wait, of rows that are gone or written now."""
        if has_table(self._connection, "waiting", "temp"):
            self._connection.executemany(
                "DELETE FROM temp.waiting WHERE name = ? AND place = -?", [(name, key) for key in keys]
            )

    def empty(self, index: ListIndex) -> None:
        """Throw the account's own table of the index away."""
        self.settle()
        if has_table(self._connection, "waiting", "temp"):
            self._connection.execute("DELETE FROM temp.waiting WHERE name = ?", (self._name(index),))
        self._connection.execute(f"DROP TABLE IF EXISTS {self._name(index)}")
        self._unmerged = [each for each in self._unmerged if each is not index]

    def end(self) -> None:
        """Write what is still to come, and leave the indexes to later transactions as these expect them."""
        self.settle()
        for index in self._unmerged:
            # A savepoint may have taken the table back.
            name = self._name(index)
            if has_table(self._connection, name):
                self._configure(name, "automerge", PARTS_MERGED)
                if self.entries is None:
                    self._configure(name, "merge", PAGES_MERGED)

    def merge_some(self, index: ListIndex, parts: int) -> bool:
        """Merge parts of an index, where one size has so many; tells whether there may be more to merge.

        Where there is not, small transactions merge as ever.
        """
        name = self._name(index)
        if not has_table(self._connection, name):
            return False
        self._configure(name, "usermerge", parts)
        before = self._connection.total_changes()
        self._configure(name, "merge", PAGES_TIDIED)
        # FTS5 says it this way: whoever asks it has changed one row already.
        has_merged = self._connection.total_changes() - before > 1
        self._configure(name, "usermerge", PARTS_MERGED)
        if not has_merged:
            self._configure(name, "crisismerge", PARTS_AT_ONCE)
        return has_merged

    def _merge_later(self, index: ListIndex) -> None:
        """Keep FTS5 from merging, from the row on that makes this a large transaction.

        The entries of a large transaction are merged many times over: for an address that 1,000 customers
        are to have, this was nine tenths of the time. Later transactions make up for it, a bit each, and so
        does FTS5 in between, where the parts become many. An import makes up for it at its end.
        """
        if self._rows > MERGED_ROWS_MAX and index not in self._unmerged:
            self._unmerged.append(index)
            self._configure(self._name(index), "automerge", 0)
            if self.entries is not None:
                # For whoever else writes until its end, too.
                self._configure(self._name(index), "crisismerge", NEVER)
                self._configure(self._name(index), "hashsize", HASH_BYTES)

    def _configure(self, name: str, option: str, value: int) -> None:
        """Tell a table of FTS5 how it merges, or to merge so many pages now."""
        self._connection.execute(f"INSERT INTO {name} ({name}, rank) VALUES ('{option}', {value})")

    def _name(self, index: ListIndex) -> str:
        return index_name(index, self._account_id)


def write_waiting(connection: apsw.Connection) -> None:
    """Write the entries that wait for the commit, of all who have a part in the transaction."""
    if not has_table(connection, "waiting", "temp"):
        return
    # Not by one statement for all: that would keep pages to be taken back.
    rows = connection.execute("SELECT name, place, tokens FROM temp.waiting ORDER BY name, place").fetchall()
    for name, waiting in groupby(rows, itemgetter(0)):
        make_table(connection, name)
        connection.executemany(
            f"INSERT OR REPLACE INTO {name} (rowid, tokens) VALUES (?, ?)", [row[1:] for row in waiting]
        )
    if rows:
        connection.execute("DELETE FROM temp.waiting")


def make_table(connection: apsw.Connection, name: str) -> None:
    """Make an account's own table of an index, unless it is there."""
    if not has_table(connection, name):
        connection.execute(
            f"CREATE VIRTUAL TABLE {name} USING fts5("
            f"tokens, content='', contentless_delete=1, detail=none, tokenize={quoted(TOKENIZER)})"
        )


def has_table(connection: apsw.Connection, name: str, database: str = "main") -> bool:
    """Tell whether an account has its own table of an index."""
    return connection.table_exists(database, name)


def entries_of(index: ListIndex, rows: RowsToIndex, pieces: dict[str, set[str]] | None = None) -> list[Entry]:
    """Make the entries of rows; see `tokens` for `pieces`."""
    found = documents_of(index, rows)
    return [(key, document.folded, tokens(document, pieces)) for key, document in found.items()]


def entries_of_new(index: ListIndex, _account_id: int, rows: RowsToIndex) -> list[Entry]:
    """Make the entries of rows that an import brings, whose texts are their own."""
    return entries_of(index, rows)
