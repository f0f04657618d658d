"""How a command comes to its book: the settings, the database, the account."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

import msgspec

from tradebook.book import open_database
from tradebook.cli.output import WRONG_USAGE, fail, reason_of, tell
from tradebook.clock import now_ms
from tradebook.ids import ClockOutOfRange
from tradebook.resources import accounts
from tradebook.settings import DATABASE_VARIABLE, Settings, load_settings, unknown_variables
from tradebook.storage import readiness
from tradebook.storage.accounts import IMPORTS_DUE
from tradebook.storage.database import Database, Unavailable
from tradebook.storage.location import Location, UnknownDatabase, locate

PATIENCE_MS = 60_000


def settings_for(database: str | None) -> Settings:
    """Return the settings of the environment; the option of the command line wins over its variable."""
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
def opened(
    database: str | None, *, moves_much: bool = False, makes: bool = False, fills: bool = False
) -> Iterator[Database]:
    """Open the book for a command; one that `makes` a book makes its file where there is none.

    Others refuse: a name that was misspelt would be a new, empty book. On a server the schema is for
    `migrate`, but a command that `fills` an empty database makes it there too. One that `moves_much` waits
    longer for a busy database, and for other writers.
    """
    settings = settings_for(database)
    if moves_much:
        patience = max(settings.database_timeout_ms, PATIENCE_MS)
        settings = msgspec.structs.replace(settings, database_timeout_ms=patience)
    location = locate(settings.database)
    makes = makes or fills
    if not makes:
        require_book(location)
    try:
        with closing(open_database(settings)) as book:
            if makes and location.create():
                tell(f"Made a new, empty book: {location.shown}.")
            if (fills or (makes and location.is_embedded)) and book.schema_version() is None:
                # Late: nearly every book is there already, and Alembic takes long to load.
                from tradebook import migrations  # noqa: PLC0415

                book.close()
                migrations.upgrade(settings.database)
            elif reason := readiness.why_not(book):
                fail(f"{location.shown} {reason}")
            _settle(book)
            yield book
    except (UnknownDatabase, Unavailable, ClockOutOfRange, OSError) as error:
        fail(f"{location.shown}: {reason_of(error)}")


def require_book(location: Location) -> None:
    """End the command where there is no file of this name."""
    if not location.exists():
        fail(f"There is no book at {location.shown}. tradebook accounts create NAME makes one.")


def _settle(book: Database) -> None:
    """Finish the imports that were cut; where that can't be now, another command does it."""
    if not book.rows_of_all_accounts(IMPORTS_DUE, now=now_ms()):
        return
    # Late: hardly ever is there any, and all of the imports would be loaded for it.
    from tradebook.transfer.imports import settling  # noqa: PLC0415

    begun: set[str | None] = set()

    def tell_once(source: str | None, rows: int, total: int) -> None:
        if source not in begun:
            begun.add(source)
            there = f"{rows:,} of {total:,} rows are there"
            tell(f"Finishing the import of {source or 'a file'}, which was cut: {there} …")

    try:
        settling.settle(book, tell_once)
    except (Unavailable, settling.CutShort) as error:
        tell(f"Warning: an import that was cut could not be finished now: {error}")


def account_key(book: Database, account: str) -> tuple[int, str]:
    """Return key and environment of the account that the option names; end the command if there is none."""
    try:
        return accounts.find_account(book, account)
    except accounts.NoSuchAccount:
        fail(f"This book has no account {account}. tradebook accounts list shows all.")
