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
from tradebook.cli import output_files
from tradebook.cli.drafting import draft_command, maps_command, tell_ready_map
from tradebook.cli.opening import account_key, opened
from tradebook.cli.options import AccountOption, DatabaseOption, JsonOption
from tradebook.cli.output import FAILED, WRONG_USAGE, end_untaken, fail, json_of, print_json, reason_of, tell
from tradebook.cli.output_files import STANDARD
from tradebook.cli.plans import apply_command, apply_or_fail, keep, show_command, told_of_passed_over
from tradebook.cli.progress import rows_read, rows_written
from tradebook.cli.summaries import tell_findings, tell_summary
from tradebook.storage.database import Database
from tradebook.text import counted, encodable
from tradebook.transfer.files.formats import FileFormat, format_of
from tradebook.transfer.files.rejects import rejects_writer
from tradebook.transfer.files.rows import FileReader, read_file
from tradebook.transfer.imports.planned import KeptPlan
from tradebook.transfer.imports.planning import Progress, plan_customers
from tradebook.transfer.imports.summary import LISTED_MAX
from tradebook.transfer.maps.column_map import ColumnMap, MapError
from tradebook.transfer.maps.options import Options, WrongOption
from tradebook.transfer.maps.ready_maps import load_named

import_app = typer.Typer(help="Import a list from a file.", no_args_is_help=True)
import_app.command("draft")(draft_command)
import_app.command("maps")(maps_command)
import_app.command("show")(show_command)
import_app.command("apply")(apply_command)

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
    rejects: option.RejectsOption = None,
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
    # Each row makes thousands of objects, and none in a circle: what is loaded need not be looked through.
    gc.freeze()
    if file_format is not None and file_format not in FORMATS:
        fail(f"--format is one of {', '.join(FORMATS)}.", WRONG_USAGE)
    _refuse_one_file_for_two(file=file, map=map_name, rejects=rejects, plan=plan_file)
    column_map = _map(map_name, file)
    options = _options(
        column_map, encoding=encoding, match=match, only=only, keep_empty=keep_empty, sheet=sheet
    )
    if file_format == "tsv" and options.file.separator is None:
        options = structs.replace(options, file=structs.replace(options.file, separator="\t"))
    how = _How(dry_run=dry_run, yes=yes, plan_file=plan_file, rejects=rejects, as_json=as_json)
    with _input(file) as stream, opened(database, moves_much=True) as book:
        key, _ = account_key(book, account)
        chosen = format_of(file) if file_format is None else FORMATS[file_format]
        reader = read_file(stream, chosen, column_map, options.file)
        with rows_read(stream) as progress:
            plan = _plan(
                *(book, key, reader, column_map, options),
                progress=progress,
                keeps_raw=rejects is not None,
                tells_new=plan_file is not None,
            )
        with contextlib.closing(plan):
            source = None if file == STANDARD else encodable(Path(file).name)
            is_good = _Import(how, book, key, account, source, plan, reader).carry_out()
    if not is_good:
        if column_map is None:
            tell_ready_map(reader.headings)
        raise typer.Exit(FAILED)


class _How(msgspec.Struct, frozen=True):
    """What is to become of a plan."""

    dry_run: bool
    yes: bool
    plan_file: Path | None
    rejects: Path | None
    as_json: bool


class _Import:
    """A file that was looked at, on its way into the book."""

    def __init__(
        self,
        how: _How,
        book: Database,
        key: int,
        account: str,
        source: str | None,
        plan: KeptPlan,
        reader: FileReader,
    ) -> None:
        self._how, self._book, self._key, self._account = how, book, key, account
        self._source, self._plan, self._reader = source, plan, reader

    def carry_out(self) -> bool:
        """Tell what was found, and do what is wanted of it; returns whether all went well."""
        how, plan = self._how, self._plan
        tell_findings(plan)
        # What is wrong with the file as a whole can't be taken out of it.
        has_problems = plan.file_problem if how.rejects else plan.summary.problems
        may_be_done = not has_problems and (how.yes or not plan.summary.needs_yes)
        is_only_told = how.dry_run or how.plan_file is not None
        if how.rejects is not None:
            self._write_rejects(how.rejects)
        if how.plan_file is not None and not has_problems:
            keep(how.plan_file, plan, self._account, self._source)
            tell(f"The plan is in {how.plan_file}. tradebook import apply {how.plan_file} does it.")
        if may_be_done and not is_only_told:
            with rows_written() as written:
                summary = apply_or_fail(self._book, self._key, plan, source=self._source, written=written)
            told_of_passed_over(plan.summary, summary)
            plan.summary = summary
        if how.as_json:
            is_done = may_be_done and not is_only_told
            _print_whole(plan, done="The rows are written." if is_done else "")
        elif has_problems:
            rows, problems = counted(plan.summary.rows, "row"), counted(plan.summary.problems, "problem")
            tell(f"{rows} read, {problems}: nothing was written.")
        else:
            self._tell_ending(may_be_done=may_be_done, is_only_told=is_only_told)
        return not has_problems and (may_be_done or is_only_told)

    def _write_rejects(self, path: Path) -> None:
        """Write the rows that are not taken in, before the others are: no row is nowhere."""
        try:
            with output_files.written(str(path)) as stream, rejects_writer(self._reader, stream) as rejects:
                for row in self._plan:
                    if row.outcome == "problem":
                        rejects.add(row.raw, row.problems)
        except OSError as error:
            fail(f"{path}: {reason_of(error)}. Nothing was changed.")
        if self._plan.summary.faulty:
            are = "is" if self._plan.summary.faulty == 1 else "are"
            tell(f"{counted(self._plan.summary.faulty, 'row')} with a problem {are} in {path}.")

    def _tell_ending(self, *, may_be_done: bool, is_only_told: bool) -> None:
        tell_summary(self._plan.summary)
        if is_only_told:
            tell("This was a dry run: nothing was written.")
        if not may_be_done:
            without = "would be written" if is_only_told else "was written"
            tell(f"Nothing {without}: look at the warnings, and say --yes if all of this is meant.")


def _refuse_one_file_for_two(**named: str | Path | None) -> None:
    """Refuse to write over what is read: the rows that were good would stand nowhere."""
    seen: dict[Path, str] = {}
    for name, given in named.items():
        if given is None or str(given) == STANDARD:
            continue
        path = Path(given).resolve()
        if path in seen:
            what = "the file that comes in" if seen[path] == "file" else f"--{seen[path]}"
            fail(f"--{name} is {what} too: name another file.", WRONG_USAGE)
        seen[path] = name


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
        fail(f"--{error.name.replace('_', '-')} {error}", WRONG_USAGE)


@contextlib.contextmanager
def _input(file: str) -> Iterator[BinaryIO]:
    if file == STANDARD:
        yield sys.stdin.buffer
        return
    path = Path(file)
    if not path.exists():
        fail(f"{file}: there is no such file.")
    try:
        stream = path.open("rb")
    except OSError as error:
        fail(f"{file}: {reason_of(error)}.")
    with stream:
        yield stream


def _plan(
    book: Database,
    key: int,
    rows: FileReader,
    column_map: ColumnMap | None,
    options: Options,
    *,
    progress: Progress | None,
    keeps_raw: bool,
    tells_new: bool,
) -> KeptPlan:
    with book.read(key) as reader:
        return plan_customers(
            reader,
            rows,
            options,
            theirs={} if column_map is None else column_map.theirs,
            recognised=rows.recognised,
            keeps_raw=keeps_raw,
            tells_new=tells_new,
            progress=progress,
        )


def _print_whole(plan: KeptPlan, *, done: str) -> None:
    """Print the summary with all problems and warnings, however many there are."""
    summary = plan.summary
    if summary.problems <= LISTED_MAX and len(summary.warnings) < LISTED_MAX:
        print_json(summary, done=done)
        return
    try:
        _write_all(plan)
    except OSError as error:
        end_untaken(error, done)


def _write_all(plan: KeptPlan) -> None:
    summary = plan.summary
    # Both lists are empty in this, and come before any word of the file.
    bare = json_of(structs.replace(summary, problem_list=[], warnings=[]))
    head, middle, rest = bare.split("[]", 2)
    out = sys.stdout.buffer
    for before, listed in ((head, plan.problems()), (middle, plan.warnings())):
        out.write(f"{before}[".encode())
        for place, each in enumerate(listed):
            out.write(f"{',' if place else ''}{json_of(each)}".encode())
        out.write(b"]")
    out.write(f"{rest}\n".encode())
    out.flush()
