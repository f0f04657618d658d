"""Writes the rows of an import that is switched on, in short steps; each notes how far the import has come.

A step is one transaction. So a process may end at any moment: its last step is there or it is not, and the
next process goes on from there. A row that can't be written, whatever somebody else has done meanwhile, is
passed over and told: it must not keep the others from being written, nor commands from opening the book.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import monotonic, sleep

import msgspec
from msgspec import structs

from tradebook.crud.records import Values
from tradebook.resources.import_shapes import ImportDoubt
from tradebook.resources.imports import BlockKind
from tradebook.storage.database import MANY_ROWS, Database, OutcomeUnknown, Unavailable, Writer
from tradebook.storage.transactions import writing
from tradebook.text import fold_case
from tradebook.transfer.imports import entries
from tradebook.transfer.imports.pace import PART_ROWS, PART_ROWS_ALONE, Pace
from tradebook.transfer.imports.plan import PlannedRow
from tradebook.transfer.imports.seen import NO_PARENT
from tradebook.transfer.imports.staging import Block, block_at, drop
from tradebook.transfer.imports.summary import Made, Summary
from tradebook.transfer.imports.writing import Ahead, Step
from tradebook.transfer.rows import Match

Written = Callable[[int, int], None]
"""Is told how many rows are written, and of how many."""

WRITTEN_SHARE = 0.6
"""Of the time of a step: in the rest of it come the index and the commit."""

NO_ID = "its {} id is another customer's by now"

TOLD_MAX = 20
"""How many rows that were passed over are told by line."""

MADE_NOTED_MAX = 1_000
"""How many names that were made are noted from step to step; of more, those are told that were planned."""


class CutShort(Exception):
    """An import that goes through was cut: whoever opens the book next goes on with it."""

    def __init__(self, source: str | None, rows: int, total: int) -> None:
        super().__init__(f"The import was cut after {rows:,} of {total:,} rows.")
        self.source, self.rows, self.total = source, rows, total


class Counts(msgspec.Struct):
    """What came of the rows that were written."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    passed_over: list[tuple[int, str]] = []
    """Lines that could not be written, and why."""
    largest_number: int = 0
    """The largest number of the new customers, behind which automatic ones begin."""
    made: list[tuple[str, str]] = []
    """The names that were made, and not by somebody else meanwhile: of what kind, as they are compared."""

    def add(self, counts: Counter[str]) -> None:
        """Add what a step has done."""
        for name in ("created", "updated", "unchanged", "skipped"):
            setattr(self, name, getattr(self, name) + counts[name])

    def note_made(self, made: Sequence[tuple[str, str]]) -> None:
        """Take note of the names that a step has made."""
        self.made = [*self.made, *made][:MADE_NOTED_MAX]

    def pass_over(self, line: int, reason: str) -> None:
        """Take note of a row that can't be written any more, or not as a whole."""
        if len(self.passed_over) < TOLD_MAX:
            self.passed_over.append(
                (line, f"is not as it was planned, as the book has changed meanwhile: {reason}")
            )

    def told_in(self, summary: Summary) -> Summary:
        """Return the summary of a plan with what came of it."""
        warnings = [ImportDoubt(line, None, None, reason) for line, reason in self.passed_over]
        return structs.replace(
            summary,
            is_kept=True,
            created=self.created,
            updated=self.updated,
            unchanged=summary.unchanged + self.unchanged,
            skipped=summary.skipped + self.skipped,
            warnings=[*summary.warnings, *warnings],
            made=self._made_of(summary.made),
        )

    def _made_of(self, planned: dict[str, list[Made]]) -> dict[str, list[Made]]:
        if len(self.made) >= MADE_NOTED_MAX:
            return planned
        left = Counter(self.made)
        made: dict[str, list[Made]] = {}
        for kind, names in planned.items():
            for each in names:
                key = (kind, fold_case(each.name))
                if left[key]:
                    left[key] -= 1
                    made.setdefault(kind, []).append(each)
        return made


def write_rows(step: Step, rows: Sequence[PlannedRow], counts: Counts, *, is_last: bool) -> None:
    """Write rows, and count what came of them; `is_last` when all others are written."""
    # Who has waited for a parent was counted before, unless that was the first time.
    once = [row for row in rows if _is_written_once(row)] if is_last else rows
    step.write(once, is_last=is_last)
    counts.add(step.counts)
    if len(once) < len(rows):
        step.write([row for row in rows if not _is_written_once(row)], is_last=True)
    _tell(step, rows, counts)


def _write_ahead(step: Step, ahead: Ahead, counts: Counts) -> None:
    step.write_ahead(ahead)
    counts.add(step.counts)
    _tell(step, ahead.rows, counts)


def _tell(step: Step, rows: Sequence[PlannedRow], counts: Counts) -> None:
    """Tell what could not be written of some rows, and forget what came of them."""
    for row in rows:
        for problem in () if row.record is None else row.record.problems:
            counts.pass_over(row.line, problem.reason)
    for row, number in step.without_parent:
        counts.pass_over(row.line, f"{number} {NO_PARENT}")
    for line, system in step.without_id:
        counts.pass_over(line, NO_ID.format(system))
    step.counts.clear()
    step.without_parent.clear()
    step.without_id.clear()


def _is_written_once(row: PlannedRow) -> bool:
    """Tell whether a row that waits is written at the end alone: see `writing.Step`."""
    return row.outcome == "created" and row.record is not None and "number" not in row.record.own


def finish(database: Database, account_id: int, key: int, written: Written | None = None) -> None:
    """Write all that is left of an import that this process works at; CutShort where it can't go on."""
    work = _Work(database, account_id, key, written or (lambda *_: None))
    try:
        with database.helped(account_id):
            while not work.is_done:
                work.step()
    except entries.NotMine:
        # Somebody took this process for dead, and does the rest.
        return
    except BaseException as error:
        if work.is_done:
            # Only the index has not been brought in order.
            raise
        raise CutShort(work.source, work.rows, work.total) from error
    if work.total >= MANY_ROWS:
        database.tidy([account_id])


class _Work:
    """One import on its way."""

    def __init__(self, database: Database, account_id: int, key: int, written: Written) -> None:
        self._database, self._account_id, self._key = database, account_id, key
        self._written = written
        self._pace = Pace()
        self._one_by_one = 0
        """How many rows are to be written one by one, because together they could not be."""
        self._blocks: list[tuple[BlockKind, Block]] = []
        """The block that is written, and the next one, where it was read already."""
        self._ahead: list[Ahead] = []
        """What the step before has decided for this one."""
        self._coming: list[Ahead] = []
        """What this step has decided for the next one, once it is committed."""
        self._is_under_way = False
        self.source: str | None = None
        self.rows = self.total = 0
        self.is_done = False
        self._is_at_end = False
        """Whether the step that is under way ends the import, if it is committed."""
        self._was_in_doubt = False
        self._keeps_rows = False
        """Whether somebody may still read what each row does: then its block stays until the plan's end."""
        self._begun = 0.0
        self._is_awaited = False

    def step(self) -> None:
        """Write the next rows."""
        count = 1 if self._one_by_one else self._pace.rows
        sleep(self._pace.rest_seconds)
        started = monotonic()
        try:
            written = writing(self._database, self._account_id, partial(self._write, count=count))
        except OutcomeUnknown:
            # It is done or it is not: the entry says it to the next step. Once: a disk may go on failing.
            if self._was_in_doubt:
                raise
            self._was_in_doubt = True
            return
        except (Unavailable, entries.NotMine):
            raise
        except Exception as error:  # noqa: BLE001 - one row must not keep all others out
            if count > 1:
                self._one_by_one = count
                return
            writing(self._database, self._account_id, partial(self._pass_over, error=error))
            written = 1
        self.is_done, self._was_in_doubt = self._is_at_end, False
        self._ahead, self._is_under_way = self._coming, False
        if self._one_by_one:
            self._one_by_one -= written
        else:
            waited, took = self._begun - started, monotonic() - self._begun
            self._pace.note(written, waited, took, is_awaited=self._is_awaited)
        self._written(min(self.rows, self.total), self.total)

    def _write(self, writer: Writer, *, count: int) -> int:
        """Write up to so many rows, as far as the time goes and nobody waits; tells how many."""
        self._begun, self._is_awaited, self._is_at_end = monotonic(), False, False
        ahead = self._take_ahead(writer)
        entry = entries.mine(writer, self._key)
        counts = msgspec.json.decode(entry["counts"], type=Counts)
        step = Step(writer, msgspec.json.decode(entry["matched_by"], type=Match))
        self.source, self.rows, self.total = entry["source"], entry["rows"], entry["total"]
        self._keeps_rows = entry["ends_at"] is not None
        written, wanted = 0, self._rows_of_step(ahead, count)
        while written < wanted and not (written and self._has_to_end(writer)):
            rows, is_last = self._next(writer, min(wanted - written, PART_ROWS))
            if not rows:
                step.end()
                counts.note_made(step.made)
                self._end(writer, entry, counts)
                return written
            if ahead:
                rows = ahead[0].rows
                _write_ahead(step, ahead.pop(0), counts)
            else:
                write_rows(step, rows, counts, is_last=is_last)
            self._pass(writer, len(rows))
            written += len(rows)
        self._coming = ahead or self._look_ahead(writer, step, count)
        # Now this may wait for the helper, which has something to do then.
        step.end()
        counts.note_made(step.made)
        self._note(writer, counts)
        return written

    def _take_ahead(self, writer: Writer) -> list[Ahead]:
        """Take what was decided ahead, if nobody else has written since; otherwise begin anew."""
        ahead, self._ahead, self._coming = self._ahead, [], []
        was_undone, self._is_under_way = self._is_under_way, True
        if ahead and writer.follows:
            for each in ahead:
                each.batch.take_finished(writer)
            return ahead
        writer.forget_ahead()
        if ahead or was_undone:
            # Rows that were decided already have what was wrong with them then.
            self._blocks.clear()
        return []

    def _rows_of_step(self, ahead: Sequence[Ahead], count: int) -> int:
        """Tell how many rows to write: what was decided ahead, where nobody else writes, and nothing more.

        Of more the helper would have nothing ready, and it would have to make that before it goes on.
        """
        is_alone = ahead and not self._pace.rest_seconds
        return sum(len(each.rows) for each in ahead) if is_alone else count

    def _look_ahead(self, writer: Writer, step: Step, count: int) -> list[Ahead]:
        """Decide the next rows already, for the helper to have something to do while these are committed."""
        is_alone = not self._is_awaited and not self._pace.rest_seconds
        return step.look_ahead(self._coming_parts(writer, count)) if is_alone and count > 1 else []

    def _coming_parts(self, writer: Writer, count: int) -> Iterator[Sequence[PlannedRow]]:
        place, end = self.rows, min(self.rows + count, self.total)
        while place < end and not writer.is_awaited():
            rows, _ = self._next(writer, min(end - place, PART_ROWS_ALONE), place)
            yield rows
            place += len(rows)

    def _has_to_end(self, writer: Writer) -> bool:
        self._is_awaited = writer.is_awaited()
        return self._is_awaited or monotonic() - self._begun > self._pace.aim_seconds * WRITTEN_SHARE

    def _pass_over(self, writer: Writer, *, error: Exception) -> None:
        self._is_at_end = False
        entry = entries.mine(writer, self._key)
        counts = msgspec.json.decode(entry["counts"], type=Counts)
        self.rows, self._keeps_rows = entry["rows"], entry["ends_at"] is not None
        (row,), is_last = self._next(writer, 1)
        counts.pass_over(row.line, f"{type(error).__name__}: {error}")
        counts.skipped += not is_last or _is_written_once(row)
        self._pass(writer, 1)
        self._note(writer, counts)

    def _next(
        self, writer: Writer, count: int, place: int | None = None
    ) -> tuple[Sequence[PlannedRow], bool]:
        """Return the next rows, and whether they are those that wait for their parents; none at the end."""
        place = self.rows if place is None else place
        is_last = place >= self.total
        kind: BlockKind = "parents" if is_last else "rows"
        block = self._block(writer, kind, place - self.total if is_last else place)
        if block is None:
            assert is_last, "the rows of an import are there until they are written"
            return [], True
        first = (place - self.total if is_last else place) - block.place
        return block.rows[first : first + count], is_last

    def _block(self, writer: Writer, kind: BlockKind, place: int) -> Block | None:
        for known, block in self._blocks:
            if known == kind and block.has(place):
                return block
        found = block_at(writer, key=self._key, kind=kind, place=place)
        if found is not None:
            self._blocks = [*self._blocks[-1:], (kind, found)]
        return found

    def _pass(self, writer: Writer, count: int) -> None:
        """Go on behind rows that are written; a block that nobody will read any more is taken away."""
        kind: BlockKind = "parents" if self.rows >= self.total else "rows"
        before = self.rows - self.total if kind == "parents" else self.rows
        block = self._block(writer, kind, before)
        assert block is not None
        self.rows += count
        if before + count >= block.end and not self._keeps_rows:
            drop(writer, self._key, kind, block.place)

    def _note(self, writer: Writer, counts: Counts) -> None:
        told = msgspec.json.encode(counts).decode()
        entries.go_on(writer, self._key, rows=self.rows, counts=told)

    def _end(self, writer: Writer, entry: Values, counts: Counts) -> None:
        summary = counts.told_in(msgspec.json.decode(entry["summary"], type=Summary))
        entries.change(
            writer,
            entry,
            state=entries.PLACES["applied"],
            rows=self.total,
            counts=msgspec.json.encode(counts).decode(),
            summary=msgspec.json.encode(summary).decode(),
            owner=None,
            lease_until=None,
        )
        self._is_at_end = True
