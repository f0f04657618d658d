"""The command line's root, and the commands that run and look after a book."""

import os
import sys
from typing import Annotated

import msgspec
import typer

import tradebook
from tradebook import migrations
from tradebook.app import open_database
from tradebook.cli import access, demo, transfers
from tradebook.cli.opening import (
    FAILED,
    REPLICAS_VARIABLE,
    WRONG_USAGE,
    DatabaseOption,
    JsonOption,
    fail,
    opened,
    print_json,
    settings_for,
    tell,
)
from tradebook.cli.serving import PortTaken, serve_forever
from tradebook.resources import ALL
from tradebook.storage.database import NotDistributable, Unavailable
from tradebook.storage.location import locate
from tradebook.web.openapi import openapi_document

app = typer.Typer(
    name="tradebook",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.add_typer(access.accounts_app, name="accounts")
app.add_typer(access.keys_app, name="keys")
app.add_typer(transfers.import_app, name="import")
app.add_typer(transfers.export_app, name="export")
app.command("copy")(transfers.copy_command)

ROWS_TOLD = 100_000
"""After about how many indexed rows `migrate` tells how far it is."""

PortOption = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]


@app.callback(invoke_without_command=True)
def root(
    database: DatabaseOption = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Keep the customer book of a B2B seller, and serve it as one HTTP API.

    Start with `tradebook demo`. Exit codes: 0 success, 1 the work failed, 2 wrong usage.
    """
    if version:
        print(tradebook.__version__)
        raise typer.Exit
    if database is not None:
        settings_for(database)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: PortOption = 8000,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Worker processes.")] = 1,
    replica: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="A streaming standby of a PostgreSQL database, to read from; may be repeated. "
            "Default: $TRADEBOOK_REPLICAS, separated by spaces.",
            show_default=False,
        ),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Serve the book over HTTP until it is stopped; a new embedded book is made first."""
    if replica:
        os.environ[REPLICAS_VARIABLE] = " ".join(replica)
    with opened(database):
        pass
    try:
        serve_forever(host, port, workers, lambda: tell(f"Tradebook listens on http://{host}:{port}"))
    except PortTaken as error:
        fail(str(error))


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
    """Bring a book's schema and indexes to this version, or tell what is missing. Safe to run again."""
    settings = settings_for(database)
    location = locate(settings.database)
    if spread and (check or location.is_embedded):
        fail("--distribute is for a PostgreSQL database, and not together with --check.", WRONG_USAGE)
    if check and not location.exists():
        fail(f"There is no book at {location.shown}.")
    try:
        location.create()
        book = open_database(settings)
        version, missing = book.schema_version(), migrations.pending(book)
        book.close()
        notices = [] if check else migrations.upgrade(settings.database, _RowsTold())
        distributed = migrations.distribute(settings.database) if spread else []
    except NotDistributable as error:
        fail(
            f"{location.shown}: {error} Nothing was distributed. On a Citus cluster, run CREATE EXTENSION "
            "citus in this database first."
        )
    except (Unavailable, migrations.NewerSchema, OSError) as error:
        fail(f"{location.shown}: {error}")
    for notice in notices:
        tell(notice)
    if as_json:
        told = {"schema": version if check else migrations.HEAD, "missing": missing}
        print_json({**told, "distributed": distributed} if spread else told)
    elif check:
        tell("\n".join(["Missing:", *missing]) if missing else f"Up to date, schema {version}.")
    else:
        tell("\n".join(["Applied:", *missing] if missing else ["Nothing was missing."]))
        tell(f"The book has schema {migrations.HEAD}.")
        if spread:
            tell(f"Distributed by account: {', '.join(distributed) or 'nothing that was not before'}.")
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


@app.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document, the same as the server's /openapi.json."""
    document = msgspec.json.encode(openapi_document(ALL))
    sys.stdout.buffer.write(msgspec.json.format(document, indent=2) + b"\n")


def main() -> None:
    """Run the command line."""
    app()
