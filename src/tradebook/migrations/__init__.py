"""Brings a database to the schema of this version, through Alembic."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from tradebook.migrations.indexing import fill_indexes
from tradebook.resources import INDEXES
from tradebook.storage.location import locate
from tradebook.storage.postgres import row_security
from tradebook.storage.postgres.index import searched_view
from tradebook.storage.schema import metadata
from tradebook.storage.sqlite.statistics import fixed_statistics

HEAD = "0003"
"""The schema that this version of the program works with."""

SEARCHED = tuple((index.folded.name, searched_view(index)) for index in INDEXES)
"""The tables of searched text, and the views through which PostgreSQL searches them."""

_HAS_CITUS = "SELECT true FROM pg_extension WHERE extname = 'citus'"
_SPREAD = "SELECT logicalrelid::regclass::text FROM pg_dist_partition"


def upgrade(url: str) -> None:
    """Bring the database to HEAD. Running it again changes nothing."""
    location = locate(url)
    engine = location.migrating()
    try:
        with engine.begin() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, HEAD)
            if location.is_embedded:
                # After every upgrade, so that no migration has to remember its tables.
                for statement in fixed_statistics(metadata.sorted_tables):
                    connection.execute(sa.text(statement))
    finally:
        engine.dispose()
    fill_indexes(url)


class NoCitus(Exception):
    """The database has no citus extension, so its tables can't be spread over machines."""


def distribute(url: str) -> list[str]:
    """Spread a migrated book's tables over the machines of a Citus cluster, by account; returns their names.

    Tables that are spread already stay as they are. Row-level security is removed: see
    `row_security.take_down`.
    """
    engine = locate(url).migrating()
    try:
        with engine.begin() as connection:
            if not connection.execute(sa.text(_HAS_CITUS)).scalar():
                raise NoCitus
            spread = {name for (name,) in connection.execute(sa.text(_SPREAD))}
            own = [table.name for table in metadata.sorted_tables if "account_id" in table.c]
            waiting = [name for name in own if name not in spread]
            for statement in row_security.take_down(own, SEARCHED):
                connection.execute(sa.text(statement))
            if "deployment" not in spread:
                connection.execute(sa.text("SELECT create_reference_table('deployment')"))
            # A table comes after the tables that it refers to.
            for name in waiting:
                beside = "" if name == own[0] else f", colocate_with => '{own[0]}'"
                connection.execute(
                    sa.text(f"SELECT create_distributed_table('{name}', 'account_id'{beside})")
                )
        return waiting
    finally:
        engine.dispose()


def pending(current: str | None) -> list[str]:
    """List the steps that a database at this version still needs: a sentence for each, oldest first."""
    script = ScriptDirectory.from_config(_config())
    steps = list(script.iterate_revisions(HEAD, current or "base"))
    return [f"{step.revision}: {step.doc}" for step in reversed(steps)]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
