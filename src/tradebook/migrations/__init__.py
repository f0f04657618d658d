"""Brings a database to the schema of this version, through Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from tradebook.storage.location import locate

HEAD = "0002"
"""The schema that this version of the program works with."""


def upgrade(url: str) -> None:
    """Bring the database to HEAD; what is there already is left as it is."""
    engine = locate(url).migrating()
    try:
        with engine.begin() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, HEAD)
    finally:
        engine.dispose()


def pending(current: str | None) -> list[str]:
    """List what a database at this revision still needs, oldest first, one sentence each."""
    script = ScriptDirectory.from_config(_config())
    steps = list(script.iterate_revisions(HEAD, current or "base"))
    return [f"{step.revision}: {step.doc}" for step in reversed(steps)]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
