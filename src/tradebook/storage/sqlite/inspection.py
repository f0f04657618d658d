"""Finds what is wrong with an embedded book's file, and with the tokens that FTS5 holds of each row."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
import sqlalchemy as sa

from tradebook.storage.database import FaultKind, IndexFault, Reader
from tradebook.storage.index import ListIndex
from tradebook.storage.index_documents import Document
from tradebook.storage.index_faults import Step, compare_texts, steps, told
from tradebook.storage.index_versions import keys_to_index
from tradebook.storage.sqlite.connections import name_to_look_into
from tradebook.storage.sqlite.index import index_name, quoted, tokens
from tradebook.storage.sqlite.indexing import has_table

CACHE_KIBIBYTES = 32_768
TOKENS_SOUGHT = 1_000
"""Of how many tokens that too many rows hold these rows are sought: one is enough to find a row by."""


def opened(path: Path, *, timeout_ms: int) -> apsw.Connection:
    """Open the file to look for faults in it. Nothing writes to it; there may be temporary tables."""
    connection = apsw.Connection(
        name_to_look_into(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI
    )
    connection.set_busy_timeout(timeout_ms)
    connection.pragma("trusted_schema", 0)
    connection.pragma("cache_size", -CACHE_KIBIBYTES)
    return connection


def file_faults(connection: apsw.Connection, indexes: Iterable[ListIndex]) -> Iterator[str]:
    """Name what is wrong with the file as a whole."""
    for (text,) in connection.execute("PRAGMA integrity_check"):
        # Several may come together, below a heading.
        for line in text.splitlines():
            if line != "ok" and not line.startswith("***"):
                yield f"SQLite finds a fault in the file: {line}"
    # All other references are looked at with the rows, and then the rows are named.
    referring = connection.execute("PRAGMA foreign_key_check")
    strays = Counter(table for table, _, parent, _ in referring if parent == "accounts")
    for table, count in strays.items():
        yield f"Rows of {table} belong to an account that is not there: {count:,}."
    accounts = [key for (key,) in connection.execute("SELECT account_id FROM accounts")]
    own = {index_name(index, account) for index in indexes for account in accounts}
    virtual = connection.execute("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
    for (name,) in virtual:
        if name not in own:
            yield f"The index {name} belongs to an account that is not there."


def index_faults(connection: apsw.Connection, reader: Reader, index: ListIndex) -> Iterator[IndexFault]:
    """Name the rows of which the index holds too little, too much, or something else.

    The connection gets temporary tables, so it may not be a read-only one.
    """
    name = index_name(index, reader.account_id)
    if not has_table(connection, name):
        if reader.rows(keys_to_index(index), after=-1):
            yield IndexFault(index, None, "missing")
        return
    held = _Tokens(connection, name)
    named: set[int] = set()
    for step in steps(reader, index):
        found = {**held.compare(step), **compare_texts(step, lambda document: document.folded)}
        named |= found.keys()
        yield from told(index, found)
    surplus = held.held_by_too_many()
    for step in steps(reader, index) if surplus else ():
        found = {key: kind for key, kind in held.seek(step, surplus).items() if key not in named}
        yield from told(index, found)


def strange_values(
    connection: apsw.Connection, account_id: int, table: sa.Table
) -> Iterator[tuple[int, str]]:
    """Name values of another kind than their column: SQLite keeps whatever it is given."""
    connection.create_scalar_function("is_text", _is_text, 1, deterministic=True)
    key = table.primary_key.columns.values()[1].name
    for column in table.c:
        kind, name = _KINDS[type(column.type)], column.name
        kinds = f"'{kind}', 'null'" if column.nullable else f"'{kind}'"
        is_strange = f"typeof({name}) NOT IN ({kinds})"
        if kind == "text":
            is_strange += f" OR NOT is_text(CAST({name} AS BLOB))"
        rows = connection.execute(
            f"SELECT CAST({key} AS INTEGER) FROM {table.name} WHERE account_id = ? AND ({is_strange})",
            (account_id,),
        )
        yield from ((found, name) for (found,) in rows)


_KINDS: dict[type[Any], str] = {
    sa.Text: "text",
    sa.BigInteger: "integer",
    sa.SmallInteger: "integer",
    sa.LargeBinary: "blob",
}


def _is_text(*values: Any) -> bool:
    with suppress(UnicodeDecodeError):
        return all((value or b"").decode() is not None for value in values)
    return False


class _Tokens:
    """The tokens of an account's index. FTS5 tells which rows hold a token, not which tokens a row holds.

    So each token of some rows is asked for, and must be held by exactly those. How many rows are to hold it
    is counted in a temporary table. If in the end some token is held by more rows, these are sought.
    """

    def __init__(self, connection: apsw.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._expected, self._vocabulary = f"temp.expected_{name}", f"temp.vocabulary_{name}"
        connection.execute(
            f"CREATE TABLE {self._expected} (token TEXT PRIMARY KEY, held INTEGER NOT NULL) WITHOUT ROWID"
        )
        connection.execute(f"CREATE VIRTUAL TABLE {self._vocabulary} USING fts5vocab(main, {name}, row)")

    def compare(self, step: Step) -> dict[int, FaultKind]:
        """Compare the tokens of some rows."""
        wanted = _rows_by_token(step.documents)
        self._connection.executemany(
            f"INSERT INTO {self._expected} VALUES (?, ?)"
            " ON CONFLICT DO UPDATE SET held = held + excluded.held",
            ((token, len(keys)) for token, keys in wanted.items()),
        )
        indexed = {
            key
            for (key,) in self._connection.execute(
                f"SELECT -id FROM {self._name}_docsize WHERE id < -? AND id >= -?", (step.after, step.last)
            )
        }
        found: dict[int, FaultKind] = dict.fromkeys(step.documents.keys() - indexed, "missing")
        found |= dict.fromkeys(indexed - step.documents.keys(), "left over")
        for token, keys in wanted.items():
            for key in self._rows_with(token, step) ^ keys:
                found.setdefault(key, "stale")
        return found

    def held_by_too_many(self) -> list[str]:
        """Name tokens that not as many rows hold as are to."""
        return [
            token
            for (token,) in self._connection.execute(
                f"SELECT term FROM {self._vocabulary} LEFT JOIN {self._expected} ON token = term"
                " WHERE doc IS NOT held ORDER BY term LIMIT ?",
                (TOKENS_SOUGHT,),
            )
        ]

    def seek(self, step: Step, surplus: Iterable[str]) -> dict[int, FaultKind]:
        """Name the rows that hold one of these tokens and are not to."""
        wanted = _rows_by_token(step.documents)
        return {
            key: "stale"
            for token in surplus
            for key in self._rows_with(token, step) - wanted.get(token, set())
        }

    def _rows_with(self, token: str, step: Step) -> set[int]:
        rows = self._connection.execute(
            f"SELECT -rowid FROM {self._name} WHERE {self._name} MATCH ? AND rowid < -? AND rowid >= -?",
            (quoted(token), step.after, step.last),
        )
        return {key for (key,) in rows}


def _rows_by_token(found: Mapping[int, Document]) -> dict[str, set[int]]:
    rows: defaultdict[str, set[int]] = defaultdict(set)
    for key, document in found.items():
        for token in tokens(document).split(" "):
            rows[token].add(key)
    return rows
