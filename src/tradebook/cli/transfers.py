"""The commands `export` and `copy`."""

from pathlib import Path
from typing import Annotated, cast

import typer

from tradebook.cli.opening import account_key, opened, settings_for
from tradebook.cli.options import AccountOption, DatabaseOption, JsonOption
from tradebook.cli.output import WRONG_USAGE, fail, print_json, reason_of, tell
from tradebook.cli.output_files import STANDARD, written
from tradebook.cli.progress import progress_of
from tradebook.storage.database import Duplicate, Unavailable
from tradebook.transfer.columns import Format
from tradebook.transfer.copying import ImportUnderWay, NotTheSame, TargetNotEmpty, copy_book
from tradebook.transfer.exports.run import export_customers
from tradebook.transfer.files.formats import ENDINGS, PACKED

export_app = typer.Typer(help="Write a list to a file.", no_args_is_help=True)
copy_app = typer.Typer()

FORMATS: dict[str, Format] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}


@export_app.command("customers")
def export_customers_command(
    account: AccountOption,
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="ndjson or csv. Default: by the output's ending, or ndjson."),
    ] = None,
    output: Annotated[
        str,
        typer.Option("-o", "--output", metavar="FILE", help="The file to write, or - for standard output."),
    ] = STANDARD,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="CSV without the byte order mark by which spreadsheets know UTF-8."),
    ] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write all customers in the columns that import takes. The file is complete, or the command fails."""
    chosen = _format_of(output, file_format)
    if plain and chosen != "csv":
        fail("--plain is for CSV: add --format csv, or leave it out.", WRONG_USAGE)
    with opened(database, moves_much=True) as book:
        key, _ = account_key(book, account)
        try:
            with written(output) as stream, progress_of("customers") as progress:
                summary = export_customers(
                    book, key, format=chosen, file=stream, plain=plain, progress=progress
                )
        except OSError as error:
            fail(f"{output}: {reason_of(error)}. Nothing was written.")
    if as_json and output != STANDARD:
        print_json(summary, done=f"{output} is written.")
    else:
        tell(str(summary))


@copy_app.command("copy")
def copy_command(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The URL of the book to copy.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The URL of an empty database to copy to.")],
    as_json: JsonOption = False,
) -> None:
    """Copy a whole book to another database, of the same or another engine. Ids, keys and cursors stay valid.

    Stop writing to the source first. The command reads every account again in the target and compares
    it. If anything differs, the command fails; then do not use the target.
    """
    for url in (source, target):
        settings_for(url)
    with (
        opened(source, moves_much=True) as book,
        opened(target, moves_much=True, fills=True) as copy,
        progress_of("rows") as progress,
    ):
        try:
            summary = copy_book(book, copy, progress=progress)
        except TargetNotEmpty:
            fail("The target is not empty: it has accounts, or has been served. Nothing was copied.")
        except ImportUnderWay:
            fail("An import is under way in the source. Nothing was copied: wait until it has ended.")
        except NotTheSame as error:
            fail(f"{error} Do not use the target: empty it and copy again.")
        except (Unavailable, Duplicate) as error:
            fail(f"The copy ended early: {error} Do not use the target: empty it and copy again.")
    if as_json:
        print_json(summary, done="The copy is made.")
    else:
        tell(str(summary))


def _format_of(file: str, given: str | None) -> Format:
    if given is not None:
        if given not in FORMATS.values():
            fail("--format is csv or ndjson.", WRONG_USAGE)
        return cast("Format", given)
    ending = Path(file).suffix.lower()
    if ending not in FORMATS and (ending in ENDINGS or ending == PACKED):
        fail(
            f"An export is CSV or NDJSON, and {file} is named like something else. Name it .csv or .ndjson, "
            "or add --format.",
            WRONG_USAGE,
        )
    return FORMATS.get(ending, "ndjson")
