"""What the commands share: the database option, opening a book, failing, printing."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from tradebook import migrations
from tradebook.app import open_database
from tradebook.resources import accounts
from tradebook.settings import Settings, load_settings, unknown_variables
from tradebook.storage.database import Database, Unavailable
from tradebook.storage.location import UnknownDatabase, locate

FAILED, WRONG_USAGE = 1, 2
PATIENCE_MS = 60_000
DATABASE_VARIABLE, REPLICAS_VARIABLE = "TRADEBOOK_DATABASE", "TRADEBOOK_REPLICAS"

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="The book: sqlite:///FILE or postgresql://… Default: $TRADEBOOK_DATABASE, else sqlite:///tradebook.db.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON for programs.")]
AccountOption = Annotated[
    str, typer.Option("--account", metavar="ID", help="The account's id, such as ac_….")
]


def tell(message: str) -> None:
    """Print a message for people on standard error; standard output is for results."""
    print(message, file=sys.stderr)


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End the command: 1 where the work failed, 2 where it was called wrongly."""
    tell(f"Error: {message}")
    raise typer.Exit(code)


def print_json(result: Any) -> None:
    """Print a result for programs, one line."""
    print(msgspec.json.encode(result).decode())


def settings_for(database: str | None) -> Settings:
    """Return the settings of the environment, the option of the command line before it."""
    if database is not None:
        os.environ[DATABASE_VARIABLE] = database
    for name in unknown_variables():
        tell(f"Warning: there is no setting {name}; it is ignored.")
    try:
        settings = load_settings()
        location = locate(settings.database)
        for url in settings.replicas.split():
            if location.is_embedded or locate(url).is_embedded:
                fail("Only a PostgreSQL database can have replicas.", WRONG_USAGE)
    except ValueError as error:
        fail(str(error), WRONG_USAGE)
    return settings


@contextmanager
def opened(database: str | None, *, moves_much: bool = False, fills: bool = False) -> Iterator[Database]:
    """Open the book for a command. A new embedded book is made; any other one is left to `migrate`.

    A command that `moves_much` has patience with a database that works hard, and with other writers. One
    that `fills` an empty database brings it to this version's schema by itself.
    """
    settings = settings_for(database)
    if moves_much:
        patience = max(settings.database_timeout_ms, PATIENCE_MS)
        settings = msgspec.structs.replace(settings, database_timeout_ms=patience)
    location = locate(settings.database)
    try:
        with closing(open_database(settings)) as book:
            location.create()
            version = book.schema_version()
            if version is None and (location.is_embedded or fills):
                book.close()
                migrations.upgrade(settings.database)
            elif version != migrations.HEAD:
                has = "no schema yet" if version is None else f"schema {version}"
                fail(
                    f"{location.shown} has {has}, this program works with {migrations.HEAD}. "
                    "Run tradebook migrate."
                )
            yield book
    except (UnknownDatabase, Unavailable, OSError) as error:
        fail(f"{location.shown}: {error}")


def account_key(book: Database, account: str) -> tuple[int, str]:
    """Return key and environment of the account that the option names."""
    try:
        return accounts.find_account(book, account)
    except accounts.NoSuchAccount:
        fail(f"This book has no account {account}. tradebook accounts list shows all.")
