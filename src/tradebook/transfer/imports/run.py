"""Import: a file's rows into the book, all of them or none.

What a row gives is written, what it doesn't give stays. A column that is absent is not given. An empty CSV
cell, a JSON null and an empty text are given: they clear what can be null and leave alone what can't. A new
customer starts with `customers.fields.NEW`. An address whose ten columns are all there and say no place is
taken from the customer; a ship-to address that is taken, or never given, is the bill-to address.

Everything happens in one transaction, so other writers of an embedded book wait until it ends.
"""

from collections.abc import Callable, Iterable

import msgspec

from tradebook.resources.customers import INDEX, Numbering
from tradebook.storage.database import MANY_ROWS, ROWS_AT_ONCE, Database, Writer
from tradebook.transfer.imports.batches import Batches
from tradebook.transfer.imports.parents import Families
from tradebook.transfer.imports.records import CheckedRow, check_row
from tradebook.transfer.imports.references import References
from tradebook.transfer.imports.row_keys import RowKeys
from tradebook.transfer.imports.spill import SortedSpill, Spill, chunks_of
from tradebook.transfer.rows import Problem, Row

Report = Callable[[Problem], None]
Progress = Callable[[int], None]


class ImportSummary(msgspec.Struct, kw_only=True):
    """What an import did, or would have done."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    problems: int = 0
    made: dict[str, int] = {}
    """How many groups, terms, carriers, service levels and sales reps were made, by kind."""
    is_kept: bool = False
    """Whether it was written: false after a dry run, and if there was any problem."""

    def __str__(self) -> str:
        """Write the summary as lines for a person."""
        read = f"{self.rows:,} rows read"
        if self.problems:
            return f"{read}, {self.problems:,} problems: nothing was written."
        counts = f"{self.created:,} created, {self.updated:,} updated, {self.unchanged:,} unchanged"
        lines = [f"{read}: customers {counts}."]
        if self.made:
            listed = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in self.made.items())
            lines.append(f"Made on the way: {listed}.")
        if not self.is_kept:
            lines.append("This was a dry run: nothing was written.")
        return "\n".join(lines)


class _Undone(Exception):
    """Ends the transaction so that nothing of it is kept."""


def import_customers(
    database: Database,
    account_id: int,
    rows: Iterable[Row | Problem],
    *,
    dry_run: bool,
    report: Report,
    progress: Progress | None = None,
) -> ImportSummary:
    """Import rows. Every problem is reported; if there is one, nothing is written.

    `progress` is called now and then with the number of rows read.
    """
    summary = ImportSummary()
    try:
        with database.write(account_id) as writer:
            run = _Run(writer, summary, report, progress or (lambda _: None))
            try:
                run.take(rows)
            finally:
                run.close()
            _keep_unless(dry_run or bool(summary.problems))
    except _Undone:
        return summary
    summary.is_kept = True
    if summary.created + summary.updated >= MANY_ROWS:
        database.gather_statistics()
    return summary


def _keep_unless(is_unwanted: bool) -> None:  # noqa: FBT001 - reads as a sentence
    if is_unwanted:
        raise _Undone


class _Run:
    """One import, inside its transaction."""

    def __init__(self, writer: Writer, summary: ImportSummary, report: Report, progress: Progress) -> None:
        self._summary, self._report_to, self._progress = summary, report, progress
        self._writer = writer
        self._keys = RowKeys(writer)
        self._numbering = Numbering(writer)
        self._references = References(writer)
        self._families = Families(writer, self._report)
        self._touched: SortedSpill[int] = SortedSpill(int)
        self._batches = Batches(
            writer, self._keys, self._references, self._numbering, self._families, self._touched
        )
        # Customers without a number wait, because a later row of the file may have the next number.
        self._unnumbered: Spill[CheckedRow] = Spill(CheckedRow)

    def close(self) -> None:
        """Let go of the temporary files."""
        self._families.close()
        self._unnumbered.close()
        self._touched.close()

    def take(self, rows: Iterable[Row | Problem]) -> None:
        """Read, check and write everything."""
        for chunk in chunks_of(rows, ROWS_AT_ONCE):
            self._take_chunk(chunk)
            self._progress(self._summary.rows)
        for records in self._unnumbered.chunks():
            for record, number in zip(records, self._numbering.next(len(records)), strict=True):
                record.own["number"] = number
                record.has_automatic_number = True
            self._write(records)
        self._families.settle(self._numbering.is_automatic)
        if not self._summary.problems:
            self._numbering.save()
            self._touched.extend(self._families.set_flags())
            # Last, and in the order of keys: an index is slow to write anywhere but at its end.
            for keys in chunks_of(self._touched.distinct(), ROWS_AT_ONCE):
                self._writer.reindex(INDEX, keys)
        counts = self._batches.counts
        self._summary.created = counts["created"]
        self._summary.updated = counts["updated"]
        self._summary.unchanged = counts["unchanged"]
        self._summary.made = dict(self._references.made)

    def _take_chunk(self, chunk: list[Row | Problem]) -> None:
        records = []
        for item in chunk:
            if isinstance(item, Problem):
                self._report(item)
                continue
            self._summary.rows += 1
            if item.problems and not item.values:
                for problem in item.problems:
                    self._report(problem)
                continue
            record = check_row(item)
            if "created_at" not in record.own:
                record.key = self._keys.now()
            if "number" in record.own:
                records.append(record)
            else:
                self._unnumbered.add(record)
        if records:
            self._write(records)

    def _write(self, records: list[CheckedRow]) -> None:
        self._batches.write(records)
        for record in records:
            for problem in record.problems:
                self._report(problem)

    def _report(self, problem: Problem) -> None:
        self._summary.problems += 1
        self._report_to(problem)
