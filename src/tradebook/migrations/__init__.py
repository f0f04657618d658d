"""Brings a database to the schema of this version, through Alembic, and its indexes to its declarations."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from tradebook.ids import encode_id
from tradebook.migrations.indexing import Progress, remake_indexes
from tradebook.resources import INDEXES
from tradebook.resources.accounts import ID_PREFIX
from tradebook.storage.database import Database
from tradebook.storage.location import locate
from tradebook.storage.readiness import HEAD

__all__ = ["HEAD", "NewerSchema", "distribute", "pending", "upgrade"]

ACCOUNTS_NAMED = 3
"""How many accounts are named where more are meant."""


class NewerSchema(Exception):
    """The book was made by a newer version of the program, whose schema this one does not know."""


def upgrade(url: str, progress: Progress | None = None) -> list[str]:
    """Bring the book to this version; what is there already stays. Returns what an operator should know."""
    location = locate(url)
    notices: list[str] = []
    with location.migrating() as connection:
        config = _config()
        config.attributes.update(connection=connection, tell=notices.append)
        command.upgrade(config, HEAD)
        location.finish_migration(connection, INDEXES)
    remake_indexes(url, progress)
    return notices


def distribute(url: str) -> list[str]:
    """Spread a migrated book's tables over the machines of a cluster; returns which weren't yet."""
    location = locate(url)
    with location.migrating() as connection:
        return location.distribute(connection, INDEXES)


def pending(book: Database) -> list[str]:
    """List what a book still needs, a sentence each; NewerSchema where this version knows too little."""
    current = book.schema_version()
    if current is not None and current > HEAD:
        raise NewerSchema(f"It has schema {current}; this version of Tradebook works with {HEAD}.")
    script = ScriptDirectory.from_config(_config())
    steps = list(script.iterate_revisions(HEAD, current or "base"))
    missing = [f"{step.revision}: {step.doc}" for step in reversed(steps)]
    return missing or _indexes_to_make(book)


def _indexes_to_make(book: Database) -> list[str]:
    waiting = [encode_id(ID_PREFIX, key) for key in book.accounts_to_index()]
    if not waiting:
        return []
    named = ", ".join(waiting[:ACCOUNTS_NAMED]) + (", …" if len(waiting) > ACCOUNTS_NAMED else "")
    return [f"Index: {len(waiting)} of the accounts have one of another version, or unfinished ({named})."]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
