"""`tradebook migrate`: a book brought to this version's schema."""

from contextlib import closing
from typing import Annotated

import typer

from tradebook import migrations
from tradebook.book import open_database
from tradebook.cli.opening import require_book, settings_for
from tradebook.cli.options import DatabaseOption, JsonOption
from tradebook.cli.output import FAILED, WRONG_USAGE, fail, print_json, reason_of, tell
from tradebook.storage.database import NotDistributable, Unavailable
from tradebook.storage.location import locate

app = typer.Typer()

ROWS_TOLD = 100_000
"""After about how many indexed rows `migrate` tells how far it is."""


@app.command()
def migrate(
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; list what is missing. Exit code 1 if something is."),
    ] = False,
    spread: Annotated[
        bool,
        typer.Option("--distribute", help="Then spread the tables over the machines of a Citus cluster."),
    ] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a book's schema and indexes to this version, or tell what is missing. Safe to run again."""
    settings = settings_for(database)
    location = locate(settings.database)
    if spread and (check or location.is_embedded):
        fail("--distribute needs a PostgreSQL database, and does not work with --check.", WRONG_USAGE)
    if check:
        require_book(location)
    try:
        location.create()
        with closing(open_database(settings)) as book:
            version, missing = book.schema_version(), migrations.pending(book)
        # A file with thousands of accounts takes long to open: one that lacks nothing is opened once.
        is_done = check or (location.is_embedded and not missing)
        notices = [] if is_done else migrations.upgrade(settings.database, _RowsTold())
        distributed = migrations.distribute(settings.database) if spread else []
    except NotDistributable as error:
        fail(
            f"{location.shown}: {error} Nothing was distributed. On a Citus cluster, run CREATE EXTENSION "
            "citus in this database first."
        )
    except (Unavailable, migrations.NewerSchema, OSError) as error:
        fail(f"{location.shown}: {reason_of(error)}")
    for notice in notices:
        tell(notice)
    if as_json:
        told = {"schema": version if check else migrations.HEAD, "missing": missing}
        done = "" if check else f"The book has schema {migrations.HEAD}."
        print_json({**told, "distributed": distributed} if spread else told, done=done)
    elif check:
        tell("\n".join(["Missing:", *missing]) if missing else f"Up to date, schema {version}.")
    else:
        tell("\n".join(["Applied:", *missing] if missing else ["Nothing was missing."]))
        tell(f"The book has schema {migrations.HEAD}.")
        if spread:
            listed = ", ".join(distributed)
            tell(f"Distributed by account: {listed}." if listed else "All tables are distributed already.")
    if check and missing:
        raise typer.Exit(FAILED)


class _RowsTold:
    """Tells now and then how many rows were indexed."""

    def __init__(self) -> None:
        self._told = 0

    def __call__(self, done: int) -> None:
        if done >= self._told + ROWS_TOLD:
            self._told = done
            tell(f"Indexed {done:,} rows …")
