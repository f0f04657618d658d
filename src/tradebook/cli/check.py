"""`tradebook check`: whether a book is whole, and a sentence for each fault."""

from contextlib import closing
from itertools import chain
from typing import Annotated

import msgspec
import typer

from tradebook.book import open_database
from tradebook.checking import Fault, faults_of_account, faults_of_book
from tradebook.cli.opening import PATIENCE_MS, account_key, require_book, settings_for
from tradebook.cli.options import DatabaseOption, JsonOption
from tradebook.cli.output import FAILED, fail, print_json, print_result, reason_of, tell
from tradebook.resources import accounts
from tradebook.storage import readiness
from tradebook.storage.database import Unavailable
from tradebook.storage.location import locate
from tradebook.text import counted

FAULTS_SHOWN = 1_000
"""How many faults are shown; the others are counted."""

app = typer.Typer()


@app.command()
def check(
    account: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Look at this account's rows alone, and not at the database as a whole.",
            show_default=False,
        ),
    ] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for faults in the book: damage, broken references, and what no longer agrees with its rows.

    It changes nothing. Exit code 1 if something is wrong; then each fault is a line. An account is read in
    one snapshot, so check a backup rather than a large book that is being written to.
    """
    settings = settings_for(database)
    location = locate(settings.database)
    require_book(location)
    patience = max(settings.database_timeout_ms, PATIENCE_MS)
    # Standbys are copies of the primary: what is to be looked at is that.
    settings = msgspec.structs.replace(settings, replicas="", database_timeout_ms=patience)
    shown: list[Fault] = []
    count = 0
    try:
        with closing(open_database(settings)) as book:
            if reason := readiness.why_not(book):
                fail(f"{location.shown} {reason}")
            chosen = accounts.account_keys(book) if account is None else [account_key(book, account)[0]]
            of_book = faults_of_book(book) if account is None else iter(())
            found = chain(of_book, *(faults_of_account(book, key) for key in chosen))
            for fault in found:
                count += 1
                if count <= FAULTS_SHOWN:
                    shown.append(fault)
                    if not as_json:
                        print_result(str(fault))
    except (Unavailable, OSError, UnicodeDecodeError) as error:
        # The last one where the list of accounts can't be read.
        fail(f"{location.shown}: {reason_of(error)}")
    looked_at = counted(len(chosen), "account")
    if as_json:
        print_json({"accounts": len(chosen), "faults": count, "shown": shown})
    elif count:
        tell(f"{counted(count, 'fault')} in {looked_at}; shown: {len(shown):,}.")
    else:
        tell(f"Nothing is wrong with {looked_at}.")
    if count:
        raise typer.Exit(FAILED)
