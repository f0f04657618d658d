"""The commands `import`, `export` and `copy`."""

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tradebook.cli.drafting import draft_command, maps_command
from tradebook.cli.import_report import summary_lines
from tradebook.cli.opening import account_key, opened, settings_for
from tradebook.cli.options import AccountOption, DatabaseOption, JsonOption
from tradebook.cli.output import FAILED, WRONG_USAGE, fail, print_json, tell
from tradebook.cli.plans import apply_command, show_command
from tradebook.storage.database import Duplicate, Unavailable
from tradebook.storage.location import locate
from tradebook.transfer.columns import Format
from tradebook.transfer.copying import NotTheSame, TargetNotEmpty, copy_book
from tradebook.transfer.exports.run import export_customers
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.imports.run import import_customers
from tradebook.transfer.maps.column_map import MapError
from tradebook.transfer.maps.ready_maps import load_named

import_app = typer.Typer(help="Import a list from a file.", no_args_is_help=True)
export_app = typer.Typer(help="Write a list to a file.", no_args_is_help=True)
copy_app = typer.Typer()
import_app.command("draft")(draft_command)
import_app.command("maps")(maps_command)
import_app.command("show")(show_command)
import_app.command("apply")(apply_command)

FORMATS: dict[str, Format] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
STANDARD = "-"
COLLECT_AFTER = 200_000
"""How many objects more there are before Python looks for those that only refer to each other."""


@import_app.command("customers")
def import_customers_command(
    file: Annotated[str, typer.Argument(help="A .csv or .ndjson file, or - for standard input.")],
    account: AccountOption,
    map_name: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="MAP",
            help="Translates another system's file: a MAP.toml, or a map that ships, such as shopify.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Do the whole import and report every problem, but keep nothing."),
    ] = False,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format", help="csv or ndjson. Default: by the file's ending; needed for standard input."
        ),
    ] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import customers: the whole file or nothing. A row with a known number changes that customer."""
    _collect_rarely()
    chosen = _format_of(file, file_format)
    folder = Path.cwd() if file == STANDARD else Path(file).resolve().parent
    with _input(file) as stream, opened(database, moves_much=True) as book:
        key, _ = account_key(book, account)
        try:
            column_map = None if map_name is None else load_named(map_name, folder)
            reader = read_file(stream, chosen, column_map)
            theirs = {} if column_map is None else column_map.theirs
        except MapError as error:
            fail(str(error))
        with _progress("customers") as progress:
            summary = import_customers(
                book,
                key,
                reader,
                dry_run=dry_run,
                report=lambda problem: tell(str(problem.renamed(theirs))),
                progress=progress,
            )
    for line in reader.recognised.lines():
        tell(line)
    if as_json:
        print_json(summary)
    else:
        tell("\n".join(summary_lines(summary, is_dry=dry_run)))
    if summary.problems or not (summary.is_kept or dry_run):
        raise typer.Exit(FAILED)


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
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write all customers in the columns that import takes. The file is complete, or the command fails."""
    chosen = _format_of(output, file_format, default="ndjson")
    with opened(database, moves_much=True) as book:
        key, _ = account_key(book, account)
        try:
            with _output(output) as stream, _progress("customers") as progress:
                summary = export_customers(book, key, format=chosen, file=stream, progress=progress)
        except OSError as error:
            fail(f"{output}: {error}")
    if as_json and output != STANDARD:
        print_json(summary)
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
    if not locate(source).exists():
        fail(f"There is no book at {source}.")
    with (
        opened(source, moves_much=True) as book,
        opened(target, moves_much=True, fills=True) as copy,
        _progress("rows") as progress,
    ):
        try:
            summary = copy_book(book, copy, progress=progress)
        except TargetNotEmpty:
            fail("The target is not empty: it has accounts, or has been served. Nothing was copied.")
        except NotTheSame as error:
            fail(f"{error} Do not use the target: empty it and copy again.")
        except (Unavailable, Duplicate) as error:
            fail(f"The copy ended early: {error} Do not use the target: empty it and copy again.")
    if as_json:
        print_json(summary)
    else:
        tell(str(summary))


def _collect_rarely() -> None:
    """Spare Python a search among what stays: each row makes thousands of objects, and none in a circle."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def _format_of(file: str, given: str | None, default: Format | None = None) -> Format:
    if given is not None:
        if given not in FORMATS.values():
            fail("--format is csv or ndjson.", WRONG_USAGE)
        return cast("Format", given)
    found = FORMATS.get(Path(file).suffix.lower(), default)
    if found is None:
        fail("Name the format with --format csv or --format ndjson.", WRONG_USAGE)
    return found


@contextlib.contextmanager
def _input(file: str) -> Iterator[BinaryIO]:
    if file == STANDARD:
        yield sys.stdin.buffer
        return
    path = Path(file)
    if not path.is_file():
        fail(f"{file}: there is no such file.")
    with path.open("rb") as stream:
        yield stream


@contextlib.contextmanager
def _output(file: str) -> Iterator[BinaryIO]:
    """Open the output. A file gets its name only when it is complete, and is its owner's alone."""
    if file == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if _is_device(Path(file)):
        # It is written to directly: a finished file can't take its place.
        with Path(file).open("wb") as stream:
            yield stream
        return
    partial = Path(f"{file}.part")
    # What an export left behind that was killed; or a link, which goes, and not what it points to.
    partial.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(partial, flags, 0o600), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _is_device(path: Path) -> bool:
    """Tell whether it is a device or a named pipe. No link is followed, but those of the system."""
    if path.is_symlink() and Path("/dev") not in path.absolute().parents:
        return False
    return path.exists() and not path.is_file()


@contextlib.contextmanager
def _progress(unit: str) -> Iterator[Callable[[int], None] | None]:
    """Show a progress bar on a terminal, and nothing in a pipe."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn(unit), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(unit, total=None)
        yield lambda done: bar.update(task, completed=done)
