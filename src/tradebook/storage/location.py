"""Finds the engine of a database's URL."""

from collections.abc import Sequence
from typing import Protocol

import sqlalchemy as sa

from tradebook.storage.database import Database
from tradebook.storage.index import ListIndex
from tradebook.storage.postgres import engine as postgres
from tradebook.storage.sqlite import engine as sqlite


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

    def create(self) -> None:
        """Make the file, if it does not exist; on a server, do nothing."""

    def open(self, *, timeout_ms: int, indexes: Sequence[ListIndex]) -> Database:
        """Return a handle to the book. It opens files and connections when they are needed."""

    def migrating(self) -> sa.Engine:
        """Return the SQLAlchemy engine that Alembic works with."""


def locate(url: str) -> Location:
    """Return the location that a URL names; UnknownDatabase if no engine has such URLs."""
    if url.startswith(sqlite.SCHEME) and url != sqlite.SCHEME:
        return sqlite.SqliteLocation(url)
    if url.startswith(postgres.SCHEMES):
        try:
            return postgres.PostgresLocation(url)
        except ValueError as error:
            raise UnknownDatabase(f"The database's URL can't be read: {error}") from None
    scheme = url.partition("://")[0][:20]
    raise UnknownDatabase(
        f"{scheme!r} is not a database that this version knows; write sqlite:///FILE or "
        "postgresql://USER@HOST/DATABASE."
    )
