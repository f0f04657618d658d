"""Where an embedded book lies, and what its file needs when its schema is changed."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import sqlalchemy as sa

from tradebook.storage.database import NotDistributable, Unavailable
from tradebook.storage.index import ListIndex
from tradebook.storage.schema import metadata
from tradebook.storage.sqlite.connections import beside
from tradebook.storage.sqlite.engine import SqliteDatabase
from tradebook.storage.sqlite.statistics import fixed_statistics
from tradebook.storage.sqlite.turns import Turns

SCHEME = "sqlite:///"
_PATIENCE_SECONDS = 60
_AWAY = {
    apsw.SQLITE_BUSY,
    apsw.SQLITE_LOCKED,
    apsw.SQLITE_FULL,
    apsw.SQLITE_READONLY,
    apsw.SQLITE_IOERR,
    apsw.SQLITE_CANTOPEN,
    apsw.SQLITE_NOTADB,
    apsw.SQLITE_CORRUPT,
}


class SqliteLocation:
    """A file, by its URL."""

    is_embedded = True

    def __init__(self, url: str) -> None:
        self.path = Path(url.removeprefix(SCHEME)).resolve()
        # Processes find the file by it from wherever they stand.
        self.url = f"{SCHEME}{self.path}"
        self.shown = url

    def exists(self) -> bool:
        """Tell whether the file is there."""
        return self.path.exists()

    def create(self) -> bool:
        """Make the file, if there is none, and tell whether. Only its owner may read it, and its logs.

        FileNotFoundError where there was one: a book that is away is not begun anew.
        """
        if self.path.exists():
            return False
        left = [each.name for each in beside(self.path) if each.exists()]
        if left:
            raise FileNotFoundError(
                f"There was a book, and it is gone; {', '.join(left)} beside it is still there. Put the book "
                "back. To begin a new one, delete what is left of the old one."
            )
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        return True

    def open(self, *, timeout_ms: int, indexes: Sequence[ListIndex]) -> SqliteDatabase:
        """Return a handle to the book; the file is opened when it is needed."""
        return SqliteDatabase(self.path, timeout_ms=timeout_ms, indexes=indexes)

    @contextmanager
    def migrating(self) -> Iterator[sa.Connection]:
        """Open the transaction in which the schema is changed, as a whole or not at all, in its turn."""
        # From a URL in text, `?` and `%` in the file's name would be read as what they mean in one.
        url = sa.URL.create("sqlite", database=str(self.path))
        engine = sa.create_engine(url, connect_args={"timeout": _PATIENCE_SECONDS})
        sa.event.listen(engine, "connect", _leave_transactions_to_us)
        sa.event.listen(engine, "begin", _begin)
        turns = Turns(self.path)
        try:
            with turns.taken(_PATIENCE_SECONDS / 2), engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _AWAY:
                raise Unavailable(str(error.orig)) from error
            raise
        finally:
            turns.close()
            engine.dispose()

    def finish_migration(self, connection: sa.Connection, indexes: Sequence[ListIndex]) -> None:  # noqa: ARG002
        """Tell the planner the figures of all tables, so that no migration has to think of its own."""
        for statement in fixed_statistics(metadata.sorted_tables):
            connection.execute(sa.text(statement))

    def distribute(self, connection: sa.Connection, indexes: Sequence[ListIndex]) -> list[str]:  # noqa: ARG002
        """Refuse: a file lies on one machine."""
        raise NotDistributable("A file lies on one machine.")


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver would begin one with the first change of a row only, behind changes of the schema.
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
