"""Writes the FTS5 tables of an account inside a transaction.

An account has the table of an index once there is something in it: each is six tables for SQLite, and whoever
opens the file reads the names of all of them.
"""

from collections.abc import Mapping, Sequence

import apsw

from tradebook.storage.index import ListIndex
from tradebook.storage.index_documents import Document
from tradebook.storage.sqlite.index import TOKENIZER, index_name, quoted, tokens

MERGED_ROWS_MAX = 100
"""Up to how many rows of a transaction FTS5 merges as it writes."""

PAGES_MERGED = 150
"""How many pages it merges at the end of a larger one. Steps of an import come one after the other: what they
left unmerged one of them would merge all at once, for most of a second."""

WORDS_KEPT = 10_000
"""Of how many words of one transaction the pieces are remembered: about those of a step of an import."""

PARTS_MERGED = 4
"""How many parts of an index, of one size, FTS5 merges into one; its own default."""


class Indexing:
    """Writes the indexes of one account in one transaction, which `end` is called at the end of."""

    def __init__(self, connection: apsw.Connection, account_id: int) -> None:
        self._connection = connection
        self._account_id = account_id
        self._rows = 0
        self._pieces: dict[str, frozenset[str]] = {}
        self._unmerged: list[ListIndex] = []

    def write(self, index: ListIndex, found: Mapping[int, Document], keys: Sequence[int]) -> None:
        """Bring the index up to date for these rows; those of which nothing was found are removed from it."""
        folded, key_name = index.folded.name, index.folded_key
        gone = [key for key in keys if key not in found]
        self._connection.executemany(
            f"INSERT OR REPLACE INTO {folded} (account_id, {key_name}, folded) VALUES (?, ?, ?)",
            ((self._account_id, key, document.folded) for key, document in found.items()),
        )
        self._connection.executemany(
            f"DELETE FROM {folded} WHERE account_id = ? AND {key_name} = ?",
            ((self._account_id, key) for key in gone),
        )
        name = self._name(index)
        if found:
            self._make(name)
        elif not has_table(self._connection, name):
            return
        self._merge_later(index, len(keys))
        if len(self._pieces) > WORDS_KEPT:
            self._pieces.clear()
        self._connection.executemany(
            f"INSERT OR REPLACE INTO {name} (rowid, tokens) VALUES (?, ?)",
            ((key, tokens(document, self._pieces)) for key, document in found.items()),
        )
        self._connection.executemany(f"DELETE FROM {name} WHERE rowid = ?", ((key,) for key in gone))

    def empty(self, index: ListIndex) -> None:
        """Throw the account's own table of the index away."""
        self._connection.execute(f"DROP TABLE IF EXISTS {self._name(index)}")
        self._unmerged = [each for each in self._unmerged if each is not index]

    def _make(self, name: str) -> None:
        """Make the account's own table of an index, unless it is there."""
        if not has_table(self._connection, name):
            self._connection.execute(
                f"CREATE VIRTUAL TABLE {name} USING fts5("
                f"tokens, content='', contentless_delete=1, detail=none, tokenize={quoted(TOKENIZER)})"
            )

    def end(self) -> None:
        """Leave the indexes to later transactions as these expect them."""
        for index in self._unmerged:
            # A savepoint may have taken the table back.
            name = self._name(index)
            if has_table(self._connection, name):
                self._merge_at(index, PARTS_MERGED)
                self._connection.execute(
                    f"INSERT INTO {name} ({name}, rank) VALUES ('merge', {PAGES_MERGED})"
                )

    def _merge_later(self, index: ListIndex, rows: int) -> None:
        """Keep FTS5 from merging, from the row on that makes this a large transaction.

        The entries of a large transaction are merged many times over: for an address that 1,000 customers
        are to have, this was nine tenths of the time. Later transactions make up for it, a bit each, and so
        does FTS5 in between, where the parts become many.
        """
        self._rows += rows
        if self._rows > MERGED_ROWS_MAX and index not in self._unmerged:
            self._unmerged.append(index)
            self._merge_at(index, 0)

    def _merge_at(self, index: ListIndex, parts: int) -> None:
        name = self._name(index)
        self._connection.execute(f"INSERT INTO {name} ({name}, rank) VALUES ('automerge', {parts})")

    def _name(self, index: ListIndex) -> str:
        return index_name(index, self._account_id)


def has_table(connection: apsw.Connection, name: str) -> bool:
    """Tell whether an account has its own table of an index."""
    return connection.table_exists("main", name)
