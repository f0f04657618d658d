"""Plans on the command line: written, shown, and applied."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import structs

import tradebook
from tradebook.cli import output_files
from tradebook.cli.opening import account_key, opened
from tradebook.cli.options import DatabaseOption, JsonOption, UnusedDatabaseOption
from tradebook.cli.output import FAILED, fail, print_json, reason_of, tell
from tradebook.cli.summaries import tell_findings, tell_summary, tell_warnings
from tradebook.clock import format_ms, now_ms
from tradebook.ids import new_key
from tradebook.storage.database import Database, OutcomeUnknown, Unavailable
from tradebook.text import shortened
from tradebook.transfer.imports.applying import AlreadyThere, Overtaken, apply_plan
from tradebook.transfer.imports.plan import Plan, PlannedRow
from tradebook.transfer.imports.plan_file import FilePlan, Head, NoPlan, opened_plan, write_plan
from tradebook.transfer.imports.stepping import CutShort, Written
from tradebook.transfer.imports.summary import Summary
from tradebook.transfer.rows import Problem

PlanArgument = Annotated[
    Path, typer.Argument(metavar="PLAN", help="A plan, as import customers --plan writes it.")
]
GOES_ON = (
    "The rest follows by itself: the next tradebook command on this book finishes it, and so does a "
    "running tradebook serve, within two seconds."
)
_NAMED_MAX = 20
_VALUE_SHOWN_MAX = 60


def keep(path: Path, plan: Plan, account: str, source: str | None) -> None:
    """Write a plan to a file; end the command where that can't be."""
    head = Head(
        account=account,
        import_id=new_key(),
        source=source,
        made_at=format_ms(now_ms()),
        made_by=tradebook.__version__,
        match=plan.match,
        keeps_empty=plan.keeps_empty,
        largest_number=plan.largest_number,
        summary=plan.summary,
    )
    try:
        with output_files.written(str(path)) as stream:
            write_plan(stream, plan, head)
    except OSError as error:
        fail(f"{path}: {reason_of(error)}. There is no plan, and nothing was changed.")


def apply_or_fail(
    book: Database,
    key: int,
    plan: Plan,
    *,
    exactly_as: int | None = None,
    source: str | None = None,
    written: Written | None = None,
) -> Summary:
    """Apply a plan; end the command where it can't be, and say what is the case. Overtaken is for others."""
    try:
        return apply_plan(book, key, plan, exactly_as=exactly_as, source=source, written=written)
    except AlreadyThere as error:
        fail(f"This plan is {error.state} already: nothing was changed. Make a new one from the file.")
    except CutShort as error:
        fail(f"{_why(error.__cause__)}{error} {GOES_ON}")
    except KeyboardInterrupt:
        fail("Stopped: nothing was imported.")
    except OutcomeUnknown as error:
        fail(f"{error} Perhaps the import is done, perhaps it is not at all: look with --dry-run.")
    except Unavailable as error:
        fail(f"{error}: nothing was imported.")


def _why(cause: BaseException | None) -> str:
    if isinstance(cause, KeyboardInterrupt):
        return "Stopped. "
    return f"{str(cause).rstrip('.')}. " if cause is not None else ""


def _refused(summary: Summary, rows: Sequence[PlannedRow]) -> Summary:
    """Return the summary of a plan that the book has overtaken: what is the matter is a problem of a line."""
    problems = [Problem(row.line, None, None, f"{_named(row)} {_overtaken_by(row)}") for row in rows]
    return structs.replace(summary, problems=len(problems), problem_list=problems)


def tell_overtaken(rows: Sequence[PlannedRow]) -> None:
    """Name the customers by which the book has overtaken a plan."""
    for row in rows[:_NAMED_MAX]:
        tell(f"line {row.line}: {_named(row)} {_overtaken_by(row)}")
    if len(rows) > _NAMED_MAX:
        tell("… and others.")


def _overtaken_by(row: PlannedRow) -> str:
    problems = [] if row.record is None else row.record.problems
    if problems:
        return f"can't be written any more: {'; '.join(each.without_line() for each in problems)}"
    return "is there by now" if row.outcome == "created" else "has changed since, or is gone"


def told_of_passed_over(planned: Summary, summary: Summary) -> bool:
    """Tell of rows that could not be written, as the book had changed; returns whether there are."""
    passed_over = summary.warnings[len(planned.warnings) :]
    tell_warnings(passed_over)
    return bool(passed_over)


def _named(row: PlannedRow) -> str:
    customer = row.customer
    words = [] if customer is None else [customer.number, customer.name]
    return f"customer {' '.join(_shown(word) for word in words if word)}".strip()


def show_command(
    plan: PlanArgument,
    rows: Annotated[bool, typer.Option("--rows", help="Tell each row, not only the summary.")] = False,
    _database: UnusedDatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a plan would do. With --rows and --json, each row is a line of JSON."""
    with _opened(plan) as found:
        if rows:
            for row in found:
                _show_row(row, as_json=as_json)
        if as_json and not rows:
            print_json(found.summary)
        elif not as_json:
            tell_findings(found)
            tell_summary(found.summary, print)


def _show_row(row: PlannedRow, *, as_json: bool) -> None:
    if as_json:
        told = ("line", "outcome", "customer", "changes", "problems")
        print_json({name: getattr(row, name) for name in told})
        return
    changes = "; ".join(f"{name} {_shown(old)} → {_shown(new)}" for name, (old, new) in row.changes.items())
    words = [f"line {row.line}", row.outcome, "" if row.customer is None else _named(row), changes]
    print("  ".join(filter(None, [*words, *(str(problem) for problem in row.problems)])))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for letter in shortened(text, _VALUE_SHOWN_MAX)
    )


def apply_command(
    plan: PlanArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Go on in spite of warnings.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Do exactly what a plan says, or nothing: where the book has overtaken it, the customers are named."""
    with _opened(plan) as found, opened(database, moves_much=True) as book:
        key, _ = account_key(book, found.head.account)
        if found.summary.needs_yes and not yes:
            tell_findings(found)
            if as_json:
                print_json(found.summary)
            fail("Nothing was changed: see the warnings, and say --yes if all of this is meant.")
        try:
            summary = apply_or_fail(
                book, key, found, source=found.head.source, exactly_as=found.head.import_id
            )
        except Overtaken as error:
            tell_overtaken(error.rows)
            if as_json:
                print_json(_refused(found.summary, error.rows))
            fail("The book has changed since this plan was made: nothing was changed. Make a new plan.")
    is_whole = not told_of_passed_over(found.summary, summary)
    if as_json:
        print_json(summary, done="The plan is carried out.")
    else:
        tell_summary(summary)
    if not is_whole:
        raise typer.Exit(FAILED)


@contextmanager
def _opened(path: Path) -> Iterator[FilePlan]:
    try:
        with opened_plan(path) as plan:
            yield plan
    except NoPlan as error:
        fail(f"{path} {error}")
    except OSError as error:
        fail(f"{path}: {reason_of(error)}.")
