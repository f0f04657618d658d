"""Finds the engine of a database's URL."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import sqlalchemy as sa

from tradebook.storage.database import Database
from tradebook.storage.index import ListIndex
from tradebook.storage.sqlite import location as sqlite

POSTGRES_SCHEMES = ("postgresql://", "postgres://")


class UnknownDatabase(ValueError):
    """The database's URL names no engine that this version knows."""


class Location(Protocol):
    """Where a book is kept."""

    url: str
    """Finds the book from every folder. It may contain a password."""

    shown: str
    """Names the book in messages. It contains no password."""

    is_embedded: bool
    """Whether the book is a file, which Tradebook makes itself."""

    def exists(self) -> bool:
        """Tell whether the file exists; for a server, always yes."""

    def create(self) -> bool:
        """Make the file, if it does not exist, and tell whether; on a server, do nothing.

        FileNotFoundError where there was one, and it is gone.
        """

    def open(self, *, timeout_ms: int, indexes: Sequence[ListIndex]) -> Database:
        """Return a handle to the book. It opens files and connections when they are needed."""

    def migrating(self) -> AbstractContextManager[sa.Connection]:
        """Open the transaction in which the schema is changed; Unavailable where that can't be."""

    def finish_migration(self, connection: sa.Connection, indexes: Sequence[ListIndex]) -> None:
        """Make what the engine needs beside the declared tables; what is there already stays."""

    def distribute(self, connection: sa.Connection, indexes: Sequence[ListIndex]) -> list[str]:
        """Spread the tables over machines and tell which were not yet; NotDistributable where it can't be."""


def locate(url: str) -> Location:
    """Return the location that a URL names; UnknownDatabase if no engine has such URLs."""
    if url.startswith(sqlite.SCHEME) and url.removeprefix(sqlite.SCHEME) not in ("", ":memory:"):
        return sqlite.SqliteLocation(url)
    if url.startswith(POSTGRES_SCHEMES):
        # Late: psycopg takes as long to load as all else of a small command on a file.
        from tradebook.storage.postgres.location import PostgresLocation  # noqa: PLC0415

        try:
            return PostgresLocation(url)
        except ValueError as error:
            raise UnknownDatabase(f"The database's URL can't be read: {error}") from None
    if url.startswith("sqlite:"):
        raise UnknownDatabase(f"{url!r} names no file: write sqlite:///FILE, with three slashes or four.")
    scheme = url.partition("://")[0][:20]
    raise UnknownDatabase(
        f"{scheme!r} is not a database that this version knows; write sqlite:///FILE or "
        "postgresql://USER@HOST/DATABASE."
    )
