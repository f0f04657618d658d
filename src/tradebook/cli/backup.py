"""`tradebook backup`: a copy of an embedded book."""

from pathlib import Path
from typing import Annotated

import typer

from tradebook.cli.opening import require_book, settings_for
from tradebook.cli.options import DatabaseOption, JsonOption
from tradebook.cli.output import WRONG_USAGE, fail, print_json, reason_of, tell
from tradebook.storage.database import Unavailable
from tradebook.storage.location import locate
from tradebook.storage.sqlite.backup import NotWhole, back_up
from tradebook.storage.sqlite.location import SqliteLocation

app = typer.Typer()


@app.command()
def backup(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="TARGET", help="The file to make. Nothing may have this name yet.", show_default=False
        ),
    ],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the book to a new file while it is in use, and verify the copy.

    The copy is one consistent state of the book, readable by its owner alone. It gets its name when it is
    complete and on the disk. A book of another version of Tradebook is copied too.
    """
    settings = settings_for(database)
    location = locate(settings.database)
    if not isinstance(location, SqliteLocation):
        fail(
            f"{location.shown} is on a server: back it up with pg_dump or with base backups. "
            "See docs/operating.md.",
            WRONG_USAGE,
        )
    require_book(location)
    try:
        made = back_up(location.path, target, timeout_ms=settings.database_timeout_ms)
    except FileExistsError as error:
        # What has the name itself may be anything, the book too: nobody is told to delete that.
        has_the_name = Path(error.filename) == target.parent.resolve() / target.name
        delete = "" if has_the_name else ", or delete it if nothing uses it"
        fail(f"{error.filename} exists already. Choose another name{delete}.")
    except NotWhole as error:
        fail(f"The copy was thrown away. {error} Run tradebook check.")
    except (Unavailable, OSError) as error:
        fail(f"There is no backup: {target}: {reason_of(error)}.")
    if as_json:
        print_json(made, done=f"The copy is made: {made.target}.")
    else:
        tell(f"{made.target} has {made.bytes:,} bytes, schema {made.schema}, verified.")
