"""What a file that was uploaded is planned by, and what is looked at before its plan is applied."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from msgspec import structs

from tradebook.crud.change import Change
from tradebook.crud.uploads import Uploaded
from tradebook.errors import ParameterInvalid, ResourceConflict
from tradebook.resources import import_routes
from tradebook.resources.import_routes import KeptOptions
from tradebook.storage.database import Database, Reader
from tradebook.storage.transactions import reading
from tradebook.text import shortened
from tradebook.transfer.files.formats import FileFormat
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.imports import entries
from tradebook.transfer.imports.applying import NAMED_MAX, overtaken, switch_on
from tradebook.transfer.imports.plan import PlannedRow
from tradebook.transfer.imports.planned import KeptPlan
from tradebook.transfer.imports.planning import plan_customers
from tradebook.transfer.imports.summary import LISTED_MAX, Summary
from tradebook.transfer.maps.column_map import ColumnMap, MapError, load_map_text
from tradebook.transfer.maps.options import Options
from tradebook.transfer.maps.ready_maps import load_ready
from tradebook.transfer.rows import FileOptions, Match


def check(given: Mapping[str, Any], uploaded: Uploaded) -> None:
    """Refuse a map that can't be read, or that there is none of: ParameterInvalid."""
    name, text = given.get("map"), uploaded.text
    if name is not None and text is not None:
        raise ParameterInvalid("map is given twice: as a parameter, and as a part of the form.", param="map")
    try:
        _map_of(name, text)
    except MapError as error:
        raise ParameterInvalid(str(error), param="map") from None


def plan_of(reader: Reader, path: Path, options: KeptOptions, progress: Callable[[int], None]) -> KeptPlan:
    """Plan a file against a snapshot; MapError where its map can't be taken any more."""
    column_map = _map_of(None if options.own_map is not None else options.map, options.own_map)
    said = Options() if column_map is None else column_map.options
    with path.open("rb") as file:
        file_format = cast("FileFormat", options.format)
        rows = read_file(file, file_format, column_map, _file_options(options, said.file))
        plan = plan_customers(
            reader,
            rows,
            structs.replace(
                said,
                match=_match(options, said.match),
                keeps_empty=options.keep_empty or said.keeps_empty,
            ),
            theirs={} if column_map is None else column_map.theirs,
            recognised=rows.recognised,
            progress=progress,
        )
    plan.summary.recognised.notes += _what_is_cut(plan.summary)
    return plan


def _what_is_cut(summary: Summary) -> Iterator[str]:
    """Say of lists that are not complete that they aren't."""
    listed = len(summary.problem_list)
    if summary.problems > listed:
        yield (
            f"problem_list has the first {listed:,} of {summary.problems:,} problems; "
            "the rows, with outcome[]=problem, have all of them."
        )
    if len(summary.warnings) >= LISTED_MAX:
        yield f"warnings has the first {LISTED_MAX:,}; there may be more."


def _map_of(name: str | None, text: str | None) -> ColumnMap | None:
    if text is not None:
        return load_map_text(text, ())
    return None if name is None else load_ready(name)


def _file_options(options: KeptOptions, file: FileOptions) -> FileOptions:
    """Take what is asked for, else what the map says, else what the sender has said."""
    encoding = options.encoding or file.encoding or options.charset
    return structs.replace(file, encoding=encoding, sheet=options.sheet or file.sheet)


def _match(options: KeptOptions, match: Match) -> Match:
    return Match(match.by if options.match is None else tuple(options.match), options.only or match.write)


def require_not_overtaken(database: Database, account_id: int, path_keys: Sequence[Any]) -> None:
    """Refuse to apply a plan whose customers have changed since: ResourceConflict names them.

    It reads as much as the plan is long, on snapshots, so that nobody waits for it.
    """
    entry = reading(database, account_id, partial(entries.find, key=path_keys[-1]))
    if entry is None or entries.STATES[entry["state"]] != "planned":
        # The act says so.
        return
    found = overtaken(database, account_id, entry)
    if found:
        named = "; ".join(map(_named, found[:NAMED_MAX]))
        more = " …" if len(found) > NAMED_MAX else ""
        raise ResourceConflict(
            f"The book has changed since this was planned: {named}{more}. Upload the file again.",
            param="id",
        )


def _named(row: PlannedRow) -> str:
    customer = row.customer
    called = "" if customer is None else customer.number or customer.name or ""
    return f"line {row.line}, customer {shortened(called)}, {_overtaken_by(row)}"


def _overtaken_by(row: PlannedRow) -> str:
    problems = [] if row.record is None else row.record.problems
    if problems:
        return f"can't be written any more: {', '.join(each.without_line() for each in problems)}"
    return "is there by now" if row.outcome == "created" else "has changed"


def apply(change: Change) -> int:
    """Have a plan go through from now on; who serves the book writes its rows."""
    import_routes.require_applicable(change)
    switch_on(change.writer, change.row)
    return change.id
