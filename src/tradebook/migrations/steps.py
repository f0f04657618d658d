"""The steps of the schema, through Alembic."""

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from tradebook.storage.readiness import HEAD


def upgrade(connection: sa.Connection, tell: Callable[[str], None]) -> None:
    """Take the steps that are missing; `tell` is given what an operator should know."""
    command.upgrade(_config(connection, tell), HEAD)


def downgrade(connection: sa.Connection, schema: str) -> None:
    """Take the steps back to an earlier schema."""
    command.downgrade(_config(connection), schema)


def missing(current: str | None) -> list[str]:
    """List the steps that a schema is behind, oldest first, a sentence each."""
    script = ScriptDirectory.from_config(_config())
    steps = list(script.iterate_revisions(HEAD, current or "base"))
    return [f"{step.revision}: {step.doc}" for step in reversed(steps)]


def _config(connection: sa.Connection | None = None, tell: Callable[[str], None] = print) -> Config:
    config = Config(attributes={"connection": connection, "tell": tell})
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
