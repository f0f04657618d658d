"""A plan done to the book: staged, switched on, and written in short steps; others wait for one step at most.

Up to the switch nothing has happened, and nobody sees anything. From the switch on the import goes through:
whoever opens the book finishes what a process has left that is gone (docs/decisions/0021).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

import msgspec

from tradebook.crud.records import Values
from tradebook.ids import new_key
from tradebook.storage.database import ROWS_AT_ONCE, Database, OutcomeUnknown, Reader, Unavailable, Writer
from tradebook.storage.transactions import reading, writing
from tradebook.transfer.imports import entries, stepping
from tradebook.transfer.imports.owners import at_work, lease_until, this_process
from tradebook.transfer.imports.plan import Plan, PlannedRow
from tradebook.transfer.imports.seen import changed_since
from tradebook.transfer.imports.spill import chunks_of
from tradebook.transfer.imports.staging import rows_of, stage, sweep
from tradebook.transfer.imports.stepping import Counts, CutShort, write_rows
from tradebook.transfer.imports.summary import Summary
from tradebook.transfer.imports.writing import Step, reserve_numbers
from tradebook.transfer.rows import Match

ROWS_IN_ONE_STEP = 100
"""Up to how many written rows an import is one transaction."""

NAMED_MAX = 20
"""How many of the rows that the book has overtaken are named."""

Progress = Callable[[int, int], None]


class Overtaken(Exception):
    """The book has changed where the plan would change it; `rows` are some of the rows that it is about."""

    def __init__(self, rows: Sequence[PlannedRow]) -> None:
        super().__init__("The book has changed since the plan was made.")
        self.rows = rows


class AlreadyThere(Exception):
    """The book knows this import already."""

    def __init__(self, state: str) -> None:
        super().__init__(f"This plan is {state} already.")
        self.state = state


def apply_plan(
    database: Database,
    account_id: int,
    plan: Plan,
    *,
    import_id: int | None = None,
    source: str | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Do what a plan says; returns its summary, with what came of it.

    Overtaken or AlreadyThere where nothing was done, CutShort where the rest will be done later.
    """
    key = import_id or new_key()
    few = list(islice(_written(plan), ROWS_IN_ONE_STEP + 1))
    if len(few) <= ROWS_IN_ONE_STEP:
        return writing(database, account_id, partial(_at_once, key=key, plan=plan, rows=few, source=source))
    with at_work(key):
        _stage(database, account_id, key, plan, source)
        stepping.finish(database, account_id, key, progress)
    entry = reading(database, account_id, partial(entries.find, key=key))
    return msgspec.json.decode(entry["summary"], type=Summary) if entry else plan.summary


def _written(rows: Iterable[PlannedRow]) -> Iterator[PlannedRow]:
    return (row for row in rows if row.record is not None)


def _at_once(
    writer: Writer, *, key: int, plan: Plan, rows: Sequence[PlannedRow], source: str | None
) -> Summary:
    _require_new(writer, key)
    if found := changed_since(writer, rows, plan.match):
        raise Overtaken(found)
    reserve_numbers(writer, plan.largest_number)
    counts, step = Counts(), Step(writer)
    write_rows(step, rows, counts, is_last=False)
    write_rows(step, [row for row in rows if row.waits], counts, is_last=True)
    summary = counts.told_in(plan.summary)
    entries.add(writer, key, "applied", total=len(rows), source=source, match=plan.match, summary=summary)
    return summary


def _stage(database: Database, account_id: int, key: int, plan: Plan, source: str | None) -> None:
    """Stage a plan and switch it on; nothing is left of it where that can't be."""

    def begin(writer: Writer) -> None:
        _require_new(writer, key)
        entries.add(
            writer, key, "planning", total=None, source=source, match=plan.match, summary=plan.summary
        )

    writing(database, account_id, begin)
    try:
        total = stage(database, account_id, key, _written(plan))
        _require_not_overtaken(database, account_id, plan, plan.match)
        switched = partial(_switch_own, key=key, total=total, largest_number=plan.largest_number)
        writing(database, account_id, switched)
    except OutcomeUnknown as error:
        # Perhaps it is on. Whoever opens the book next sees it.
        raise CutShort(source, 0, plan.summary.created + plan.summary.updated) from error
    except BaseException:
        # Where the database is away, whoever opens the book next sweeps.
        with suppress(Unavailable, entries.NotMine):
            withdraw(database, account_id, key)
        raise


def _require_new(reader: Reader, key: int) -> None:
    entry = entries.find(reader, key)
    if entry is not None:
        raise AlreadyThere(entries.STATES[entry["state"]])


def _require_not_overtaken(
    database: Database, account_id: int, rows: Iterable[PlannedRow], match: Match
) -> None:
    found: list[PlannedRow] = []
    for some in chunks_of(_written(rows), ROWS_AT_ONCE):
        found += reading(database, account_id, partial(changed_since, rows=some, match=match))
        if len(found) >= NAMED_MAX:
            break
    if found:
        raise Overtaken(found)


def keep_plan(database: Database, account_id: int, key: int, plan: Plan, *, ends_at: int) -> None:
    """Keep a plan, whose entry is there and is this process's, until it is applied or discarded."""
    total = stage(database, account_id, key, plan)

    def keep(writer: Writer) -> None:
        entry = entries.find(writer, key)
        if entry is None or entry["owner"] != this_process():
            raise entries.NotMine
        entries.change(
            writer,
            entry,
            state=entries.PLACES["planned"],
            rows=total,
            total=total,
            matched_by=msgspec.json.encode(plan.match).decode(),
            summary=msgspec.json.encode(plan.summary).decode(),
            counts=msgspec.json.encode(Counts(largest_number=plan.largest_number)).decode(),
            ends_at=ends_at,
            owner=None,
            lease_until=None,
        )

    writing(database, account_id, keep)


def overtaken(database: Database, account_id: int, entry: Values) -> list[PlannedRow]:
    """Return some rows of a plan that is kept, whose customer has changed since; a look at snapshots."""
    match = msgspec.json.decode(entry["matched_by"], type=Match)
    try:
        _require_not_overtaken(database, account_id, rows_of(database, account_id, entry["id"]), match)
    except Overtaken as error:
        return list(error.rows)
    return []


def switch_on(writer: Writer, entry: Values) -> None:
    """Have a plan that is kept go through from now on: whoever settles next writes it."""
    counts = msgspec.json.decode(entry["counts"], type=Counts)
    _switch(writer, entry, total=entry["total"], largest_number=counts.largest_number, owner=None)


def _switch_own(writer: Writer, *, key: int, total: int, largest_number: int) -> None:
    entry = entries.find(writer, key)
    if entry is None or entry["owner"] != this_process():
        raise entries.NotMine
    _switch(writer, entry, total=total, largest_number=largest_number, owner=this_process())


def _switch(writer: Writer, entry: Values, *, total: int, largest_number: int, owner: str | None) -> None:
    reserve_numbers(writer, largest_number)
    entries.change(
        writer,
        entry,
        state=entries.PLACES["applying"],
        rows=0,
        total=total,
        counts=msgspec.json.encode(Counts()).decode(),
        ends_at=None,
        owner=owner,
        lease_until=None if owner is None else lease_until(),
    )


def withdraw(database: Database, account_id: int, key: int) -> None:
    """Take back an import that was not switched on."""
    sweep(database, account_id, key)
    writing(database, account_id, partial(entries.remove, key=key))
