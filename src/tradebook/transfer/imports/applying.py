"""A plan done to the book: staged, switched on, and written in short steps; others wait for one step at most.

Up to the switch nothing has happened, and nobody sees anything. From the switch on the import goes through:
whoever opens the book finishes what a process has left that is gone (docs/decisions/0021).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

import msgspec
from msgspec import structs

from tradebook.crud.records import Values
from tradebook.ids import new_key
from tradebook.resources.imports import State
from tradebook.storage.database import ROWS_AT_ONCE, Database, OutcomeUnknown, Reader, Unavailable, Writer
from tradebook.storage.transactions import reading, writing
from tradebook.transfer.imports import entries, stepping
from tradebook.transfer.imports.owners import at_work, lease_until, this_process
from tradebook.transfer.imports.plan import Plan, PlannedRow
from tradebook.transfer.imports.seen import changed_since
from tradebook.transfer.imports.spill import chunks_of
from tradebook.transfer.imports.staging import rows_of, stage, sweep
from tradebook.transfer.imports.stepping import Counts, CutShort, Written, write_rows
from tradebook.transfer.imports.summary import Summary
from tradebook.transfer.imports.writing import Step, reserve_numbers
from tradebook.transfer.rows import Match

ROWS_IN_ONE_STEP = 100
"""Up to how many changed rows an import is one transaction."""

NAMED_MAX = 20
"""How many of the rows that the book has overtaken are named."""


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
    exactly_as: int | None = None,
    source: str | None = None,
    written: Written | None = None,
) -> Summary:
    """Do what a plan says; returns its summary, with what came of it.

    `exactly_as` is the number of a plan that somebody has looked at: it is applied once, and as it is or not
    at all. Otherwise what others have done since it was made counts as done before.
    Overtaken or AlreadyThere where nothing was done, CutShort where the rest will be done later.
    """
    few = list(islice(_changes(plan), ROWS_IN_ONE_STEP + 1))
    if not few and exactly_as is None:
        return structs.replace(plan.summary, is_kept=True)
    apply = _Applying(database, account_id, plan, exactly_as, source)
    if len(few) <= ROWS_IN_ONE_STEP:
        return writing(database, account_id, partial(apply.at_once, rows=few))
    with at_work(apply.key):
        apply.stage()
        stepping.finish(database, account_id, apply.key, written)
    entry = reading(database, account_id, partial(entries.find, key=apply.key))
    return msgspec.json.decode(entry["summary"], type=Summary) if entry else plan.summary


def _changes(rows: Iterable[PlannedRow]) -> Iterator[PlannedRow]:
    return (row for row in rows if row.record is not None)


class _Applying:
    """A plan on its way to the switch."""

    def __init__(
        self, database: Database, account_id: int, plan: Plan, exactly_as: int | None, source: str | None
    ) -> None:
        self._database, self._account_id, self._plan = database, account_id, plan
        self._is_exact = exactly_as is not None
        self._source = source
        self.key = exactly_as or new_key()

    def at_once(self, writer: Writer, *, rows: Sequence[PlannedRow]) -> Summary:
        """Write all of it in one transaction."""
        plan = self._plan
        self._require_new(writer)
        if self._is_exact and (found := changed_since(writer, rows, plan.match)):
            raise Overtaken(found)
        reserve_numbers(writer, plan.largest_number)
        counts, step = Counts(), Step(writer, plan.match)
        write_rows(step, rows, counts, is_last=False)
        write_rows(step, [row for row in rows if row.waits], counts, is_last=True)
        step.end()
        counts.note_made(step.made)
        if self._is_exact and counts.passed_over:
            raise Overtaken([row for row in rows if row.record is not None and row.record.problems])
        summary = counts.told_in(plan.summary)
        self._note(writer, "applied", len(rows), summary)
        return summary

    def stage(self) -> None:
        """Stage it and switch it on; nothing is left of it where that can't be."""
        database, account_id = self._database, self._account_id
        writing(database, account_id, self._begin)
        try:
            total = stage(database, account_id, self.key, _changes(self._plan))
            if self._is_exact:
                _require_not_overtaken(database, account_id, self._plan, self._plan.match)
            writing(database, account_id, partial(self._switch, total=total))
        except OutcomeUnknown as error:
            # Perhaps it is on. Whoever opens the book next sees it.
            summary = self._plan.summary
            raise CutShort(self._source, 0, summary.created + summary.updated) from error
        except BaseException:
            # Where the database is away, whoever opens the book next sweeps.
            with suppress(Unavailable, entries.NotMine):
                withdraw(database, account_id, self.key)
            raise

    def _begin(self, writer: Writer) -> None:
        self._require_new(writer)
        self._note(writer, "planning", None, self._plan.summary)

    def _note(self, writer: Writer, state: State, total: int | None, summary: Summary) -> None:
        source, match = self._source, self._plan.match
        entries.add(writer, self.key, state, total=total, source=source, match=match, summary=summary)

    def _switch(self, writer: Writer, *, total: int) -> None:
        entry = entries.find(writer, self.key)
        if entry is None or entry["owner"] != this_process():
            raise entries.NotMine
        largest = self._plan.largest_number
        _switch(writer, entry, total=total, largest_number=largest, owner=this_process())

    def _require_new(self, reader: Reader) -> None:
        entry = entries.find(reader, self.key)
        if entry is not None:
            raise AlreadyThere(entries.STATES[entry["state"]])


def _require_not_overtaken(
    database: Database, account_id: int, rows: Iterable[PlannedRow], match: Match
) -> None:
    found: list[PlannedRow] = []
    for some in chunks_of(_changes(rows), ROWS_AT_ONCE):
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


def _switch(writer: Writer, entry: Values, *, total: int, largest_number: int, owner: str | None) -> None:
    reserve_numbers(writer, largest_number)
    entries.change(
        writer,
        entry,
        state=entries.PLACES["applying"],
        rows=0,
        total=total,
        counts=msgspec.json.encode(Counts()).decode(),
        owner=owner,
        lease_until=None if owner is None else lease_until(),
    )


def withdraw(database: Database, account_id: int, key: int) -> None:
    """Take back an import that was not switched on."""
    sweep(database, account_id, key)
    writing(database, account_id, partial(entries.remove, key=key))
