"""Brings a database to the schema of this version, and its indexes to its declarations.

Alembic is imported by what works with the steps: most commands only look at the number of the schema.
"""

from contextlib import closing

import sqlalchemy as sa

from tradebook.ids import encode_id
from tradebook.migrations.indexing import TIMEOUT_MS, Progress, remake_indexes
from tradebook.resources import INDEXES
from tradebook.resources.accounts import ID_PREFIX
from tradebook.storage.database import ANOTHER_PROGRAMS, Database, Unavailable
from tradebook.storage.location import locate
from tradebook.storage.readiness import HEAD, some_of
from tradebook.storage.schema import metadata

__all__ = ["HEAD", "NewerSchema", "distribute", "pending", "upgrade"]


VERSION_TABLE = "alembic_version"


class NewerSchema(Exception):
    """The book was made by a newer version of the program, whose schema this one does not know."""


def upgrade(url: str, progress: Progress | None = None) -> list[str]:
    """Bring the book to this version; what is there already stays. Returns what an operator should know."""
    from tradebook.migrations import steps  # noqa: PLC0415

    location = locate(url)
    notices: list[str] = []
    with location.migrating() as connection:
        _require_no_other(connection)
        steps.upgrade(connection, notices.append)
        location.finish_migration(connection, INDEXES)
    remake_indexes(url, progress)
    return notices


def _require_no_other(connection: sa.Connection) -> None:
    """Unavailable where tables of another program have our names: they would be taken for ours."""
    found = set(sa.inspect(connection).get_table_names())
    ours = found & {*metadata.tables, VERSION_TABLE}
    # A book whose every step was taken back keeps the empty table of versions.
    versions = sa.text(f"SELECT count(*) FROM {VERSION_TABLE}")
    is_empty = ours == {VERSION_TABLE} and not connection.scalar(versions)
    if not ours or is_empty or found >= {"accounts", VERSION_TABLE}:
        return
    raise Unavailable(ANOTHER_PROGRAMS)


def distribute(url: str) -> list[str]:
    """Spread a migrated book's tables over the machines of a cluster; returns which weren't yet."""
    location = locate(url)
    with location.migrating() as connection:
        spread = location.distribute(connection, INDEXES)
    if spread:
        # The other machines know nothing yet of the rows that came to them.
        with closing(location.open(timeout_ms=TIMEOUT_MS, indexes=INDEXES)) as database:
            database.tidy(())
    return spread


def pending(book: Database) -> list[str]:
    """List what a book still needs, a sentence each; NewerSchema where this version knows too little."""
    from tradebook.migrations import steps  # noqa: PLC0415

    current = book.schema_version()
    if current is not None and current > HEAD:
        raise NewerSchema(f"It has schema {current}; this version of Tradebook works with {HEAD}.")
    return steps.missing(current) or _parts_to_make(book) or _indexes_to_make(book)


def _parts_to_make(book: Database) -> list[str]:
    lacking = book.missing_parts()
    return [f"Schema {HEAD} is not there as a whole: {some_of(lacking)}."] if lacking else []


def _indexes_to_make(book: Database) -> list[str]:
    waiting = [encode_id(ID_PREFIX, key) for key in book.accounts_to_index()]
    if not waiting:
        return []
    named = some_of(waiting)
    return [f"Index: {len(waiting)} of the accounts have one of another version, or unfinished ({named})."]
