"""`tradebook migrate`: a book brought to this version's schema."""

from typing import Annotated

import typer

from tradebook import migrations
from tradebook.book import open_database
from tradebook.cli.opening import settings_for
from tradebook.cli.options import DatabaseOption, JsonOption
from tradebook.cli.output import FAILED, WRONG_USAGE, fail, print_json, tell
from tradebook.storage.location import locate

app = typer.Typer()


@app.command()
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; tell what is missing, exit 1 if so.")
    ] = False,
    spread: Annotated[
        bool,
        typer.Option("--distribute", help="Then spread the tables over the machines of a Citus cluster."),
    ] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a book to this version's schema, or tell what is missing. Safe to run again."""
    settings = settings_for(database)
    location = locate(settings.database)
    if spread and (check or location.is_embedded):
        fail("--distribute is for a PostgreSQL database, and not together with --check.", WRONG_USAGE)
    if check and not location.exists():
        fail(f"There is no book at {location.shown}.")
    try:
        location.create()
        book = open_database(settings)
        version = book.schema_version()
        book.close()
        missing = migrations.pending(version)
        if not check:
            migrations.upgrade(settings.database)
        distributed = migrations.distribute(settings.database) if spread else []
    except migrations.NoCitus:
        fail(
            f"{location.shown} has no citus extension: nothing was distributed. On a Citus cluster, run "
            "CREATE EXTENSION citus in this database first."
        )
    except Exception as error:
        fail(f"{location.shown}: {error}")
    if as_json:
        told = {"schema": version if check else migrations.HEAD, "missing": missing}
        print_json({**told, "distributed": distributed} if spread else told)
    elif check:
        tell("\n".join(["Missing:", *missing]) if missing else f"Up to date, schema {version}.")
    else:
        tell(f"Schema {migrations.HEAD}; applied: {', '.join(missing) or 'nothing'}.")
        if spread:
            tell(f"Distributed by account: {', '.join(distributed) or 'nothing that was not before'}.")
    if check and missing:
        raise typer.Exit(FAILED)
