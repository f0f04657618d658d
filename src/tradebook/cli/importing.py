"""The command `import customers`: a file looked at, told, and brought in."""

import contextlib
import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import typer
from msgspec import structs

from tradebook.cli import import_options as option
from tradebook.cli.drafting import draft_command, maps_command
from tradebook.cli.opening import account_key, opened
from tradebook.cli.options import AccountOption, DatabaseOption, JsonOption
from tradebook.cli.output import FAILED, WRONG_USAGE, fail, print_json, tell
from tradebook.cli.plans import apply_command, apply_or_fail, keep, show_command
from tradebook.cli.progress import ImportProgress, progress_of_import
from tradebook.cli.summaries import tell_findings, tell_summary
from tradebook.storage.database import Database
from tradebook.transfer.files.formats import FileFormat, format_of
from tradebook.transfer.files.rows import FileReader, read_file
from tradebook.transfer.imports.planned import KeptPlan
from tradebook.transfer.imports.planning import plan_customers
from tradebook.transfer.imports.run import may_be_kept
from tradebook.transfer.imports.summary import LISTED_MAX
from tradebook.transfer.maps.column_map import ColumnMap, MapError
from tradebook.transfer.maps.options import Options, WrongOption
from tradebook.transfer.maps.ready_maps import load_named

import_app = typer.Typer(help="Import a list from a file.", no_args_is_help=True)
import_app.command("draft")(draft_command)
import_app.command("maps")(maps_command)
import_app.command("show")(show_command)
import_app.command("apply")(apply_command)

STANDARD = "-"
COLLECT_AFTER = 200_000
"""How many objects more there are before Python looks for those that only refer to each other."""

FORMATS: dict[str, FileFormat] = {
    "csv": "csv",
    "tsv": "csv",
    "ndjson": "ndjson",
    "json": "json",
    "xlsx": "workbook",
    "ods": "workbook",
}


@import_app.command("customers")
def import_customers_command(
    file: option.FileArgument,
    account: AccountOption,
    map_name: option.MapOption = None,
    dry_run: option.DryRunOption = False,
    plan_file: option.PlanOption = None,
    yes: option.YesOption = False,
    match: option.MatchOption = None,
    only: option.OnlyOption = None,
    keep_empty: option.KeepEmptyOption = False,
    encoding: option.EncodingOption = None,
    sheet: option.SheetOption = None,
    file_format: option.FormatOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import customers: the whole file or nothing. A row with a known number changes that customer."""
    _collect_rarely()
    if file_format is not None and file_format not in FORMATS:
        fail(f"--format is one of {', '.join(FORMATS)}.", WRONG_USAGE)
    column_map = _map(map_name, file)
    options = _options(
        column_map, encoding=encoding, match=match, only=only, keep_empty=keep_empty, sheet=sheet
    )
    if file_format == "tsv" and options.file.separator is None:
        options = structs.replace(options, file=structs.replace(options.file, separator="\t"))
    with _input(file) as stream, opened(database, moves_much=True) as book:
        key, _ = account_key(book, account)
        source = None if file == STANDARD else Path(file).name
        chosen = format_of(file) if file_format is None else FORMATS[file_format]
        reader = read_file(stream, chosen, column_map, options.file)
        with progress_of_import(stream) as progress:
            plan = _plan(book, key, reader, column_map, options, progress)
            with contextlib.closing(plan):
                tell_findings(plan)
                is_wanted = may_be_kept(plan.summary, yes=yes)
                is_only_told = dry_run or plan_file is not None
                if plan_file is not None and not plan.summary.problems:
                    keep(plan_file, plan, account, source)
                    tell(f"The plan is in {plan_file}. tradebook import apply does it.")
                if is_wanted and not is_only_told:
                    written = None if progress is None else progress.written
                    plan.summary = apply_or_fail(book, key, plan, source=source, written=written)
                _tell_ending(plan, is_only_told=is_only_told, as_json=as_json, is_wanted=is_wanted)
    if plan.summary.problems or not (is_wanted or is_only_told):
        raise typer.Exit(FAILED)


def _collect_rarely() -> None:
    """Spare Python a search among what stays: each row makes thousands of objects, and none in a circle."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def _map(name: str | None, file: str) -> ColumnMap | None:
    folder = Path.cwd() if file == STANDARD else Path(file).resolve().parent
    try:
        return None if name is None else load_named(name, folder)
    except MapError as error:
        fail(str(error))


def _options(column_map: ColumnMap | None, **given: str | bool | None) -> Options:
    options = Options() if column_map is None else column_map.options
    try:
        return options.with_options(**given)  # type: ignore[arg-type]
    except WrongOption as error:
        fail(f"--{error.name.replace('_', '-')} {error}.", WRONG_USAGE)


@contextlib.contextmanager
def _input(file: str) -> Iterator[BinaryIO]:
    if file == STANDARD:
        yield sys.stdin.buffer
        return
    path = Path(file)
    if not path.is_file():
        fail(f"{file}: there is no such file.")
    try:
        with path.open("rb") as stream:
            yield stream
    except PermissionError as error:
        fail(f"{file}: {error.strerror}.")


def _plan(
    book: Database,
    key: int,
    rows: FileReader,
    column_map: ColumnMap | None,
    options: Options,
    progress: ImportProgress | None,
) -> KeptPlan:
    with book.read(key) as reader:
        return plan_customers(
            reader,
            rows,
            match=options.match,
            keeps_empty=options.keeps_empty,
            theirs={} if column_map is None else column_map.theirs,
            skipping=options.skips,
            recognised=rows.recognised,
            progress=None if progress is None else progress.read,
        )


def _tell_ending(plan: KeptPlan, *, is_only_told: bool, as_json: bool, is_wanted: bool) -> None:
    summary = plan.summary
    if as_json:
        _print_whole(plan)
        return
    if summary.problems and not is_wanted:
        tell(f"{summary.rows:,} rows read, {summary.problems:,} problems: nothing was written.")
        return
    tell_summary(summary)
    if is_only_told:
        tell("This was a dry run: nothing was written.")
    if not is_wanted:
        without = "would be written" if is_only_told else "was written"
        tell(f"Nothing {without}: look at the warnings, and say --yes if all of this is meant.")


def _print_whole(plan: KeptPlan) -> None:
    """Print the summary with all problems and warnings, however many there are."""
    summary = plan.summary
    if summary.problems <= LISTED_MAX and len(summary.warnings) < LISTED_MAX:
        print_json(summary)
        return
    # Both lists are empty in this, and come before any word of the file.
    bare = msgspec.json.encode(structs.replace(summary, problem_list=[], warnings=[]))
    head, middle, rest = bare.split(b"[]", 2)
    out = sys.stdout.buffer
    for before, listed in ((head, plan.problems()), (middle, plan.warnings())):
        out.write(before + b"[")
        for place, each in enumerate(listed):
            out.write((b"," if place else b"") + msgspec.json.encode(each))
        out.write(b"]")
    out.write(rest + b"\n")
    out.flush()
