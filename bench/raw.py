"""The bare drivers, which the floors are measured with: one spelling of statements for both."""

from collections.abc import Sequence
from typing import Any

import apsw
import psycopg

from tradebook.storage.location import locate


class RawPostgres:
    """psycopg with the places for values spelled as SQLite does."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> psycopg.Cursor:
        """Run a statement."""
        return self.connection.execute(sql.replace("?", "%s"), values, binary=True)

    def close(self) -> None:
        """End the connection."""
        self.connection.close()


def raw_connection(url: str) -> apsw.Connection | RawPostgres:
    """Open a book without the product."""
    location = locate(url)
    if not location.is_embedded:
        return RawPostgres(url)
    connection = apsw.Connection(str(location.path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.pragma("mmap_size", 1 << 36)
    return connection
