"""A plan that was made in this process: its rows in temporary files, and what was found of them late."""

from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import structs

from tradebook.resources.import_shapes import ImportCustomer, ImportDoubt, Outcome
from tradebook.transfer.imports.made_names import MadeNames
from tradebook.transfer.imports.making import Foreseen
from tradebook.transfer.imports.plan import PlannedRow
from tradebook.transfer.imports.records import CheckedRow
from tradebook.transfer.imports.references import References
from tradebook.transfer.imports.spill import SortedSpill, Spill
from tradebook.transfer.imports.summary import Summary
from tradebook.transfer.imports.tally import Tally
from tradebook.transfer.maps.options import Options
from tradebook.transfer.rows import Problem, Recognised

Entry = TypeVar("Entry")


class KeptRow(msgspec.Struct, array_like=True):
    """A row of a plan as it is kept until all rows are read; without an outcome, a problem of the file."""

    line: int
    outcome: Outcome | None
    customer: ImportCustomer | None = None
    changes: dict[str, tuple[Any, Any]] = {}
    problems: list[Problem] = []
    warnings: list[ImportDoubt] = []
    record: CheckedRow | None = None
    seen: str | None = None
    rule: int | None = None
    """The rule by which it is left out."""
    needs: list[int] = []
    """The names that it needs and the account lacks, by their keys in `making`."""
    waits: bool = False
    further: int = 0
    """How many of the next rows are joined to it."""
    raw: Any = None

    def refuse(self, problem: Problem) -> None:
        """Turn it into a row with a problem; the first one of a cell counts."""
        if any(known.column == problem.column for known in self.problems):
            return
        self.problems = [*self.problems, structs.replace(problem, line=self.line)]
        self.outcome, self.record, self.waits = "problem", None, False
        self.changes, self.needs = {}, []


def goes_along(line: int) -> Problem:
    """Say what is wrong with a row of a customer of which another row has a problem."""
    return Problem(line, None, None, "The row goes with another one of its customer, which has a problem.")


class KeptPlan:
    """A plan in temporary files; see `plan.Plan`."""

    def __init__(self, options: Options, recognised: Recognised) -> None:
        self.match, self.keeps_empty = options.match, options.keeps_empty
        self.summary = Summary(recognised=recognised)
        self.largest_number = 0
        self.places = 0
        self.file_problem: Problem | None = None
        """The first of the file as a whole: then no row can be written, whatever it is."""
        self._skips = options.skips
        self._rows: Spill[KeptRow] = Spill(KeptRow)
        # By place or line, and in the order of coming.
        self._late: SortedSpill[tuple[int, int, Problem]] = SortedSpill(tuple[int, int, Problem])
        self._warnings: SortedSpill[tuple[int, int, ImportDoubt]] = SortedSpill(tuple[int, int, ImportDoubt])
        self._waiting: SortedSpill[int] = SortedSpill(int)
        self._has_warned_rows = False
        self._tally = Tally()

    def close(self) -> None:
        """Close the temporary files, which deletes them."""
        for spill in (self._rows, self._late, self._warnings, self._waiting):
            spill.close()

    def add(self, row: KeptRow) -> None:
        """Take the next row of the file."""
        self._rows.add(row)
        self._tally.add(row)
        self.places += 1

    def add_problem(self, problem: Problem) -> None:
        """Take a problem of the file, which is no row."""
        self.file_problem = self.file_problem or problem
        self.add(KeptRow(problem.line, None, problems=[problem]))

    def note_warnings(self, row: KeptRow, warnings: list[ImportDoubt]) -> None:
        """Give a row its warnings; those of other lines find theirs."""
        row.warnings = [warning for warning in warnings if warning.line == row.line]
        self._has_warned_rows |= bool(row.warnings)
        for warning in warnings:
            if warning.line != row.line:
                self.warn(warning)

    def refuse(self, place: int, problem: Problem) -> None:
        """Take a problem of a row that was taken before."""
        self._late.add((place, self._late.count, problem))

    def warn(self, warning: ImportDoubt) -> None:
        """Take a warning of a row that was taken before."""
        self._warnings.add((warning.line, self._warnings.count, warning))

    def wait(self, place: int) -> None:
        """Note that a row can be finished only when all others are written."""
        self._waiting.add(place)

    def sum_up(self, foreseen: Foreseen, references: References) -> None:
        """Finish the summary, when all rows are there and all late problems."""
        if not self._late.count and not self._tally.faulty:
            self._tally.warn(warning for _, _, warning in self._warnings)
        elif self._late.count or self._warnings.count:
            # Not all that is told of rows counts for those that are not taken in.
            self._tally = Tally()
            for row in self._kept():
                self._tally.add(row)
        self._tally.into(self.summary, self._skips)
        self.largest_number = self._tally.largest_number
        self.summary.made = MadeNames(references).of(foreseen, self._tally.needed)

    def __iter__(self) -> Iterator[PlannedRow]:
        """Yield every row of the file, in its order."""
        for row in self._kept():
            if row.outcome is not None:
                yield PlannedRow(
                    row.line,
                    row.outcome,
                    row.customer,
                    row.changes,
                    row.problems,
                    row.record,
                    row.seen,
                    row.waits,
                    row.raw if row.outcome == "problem" else None,
                )

    def problems(self) -> Iterator[Problem]:
        """Yield every problem, in the order of the file."""
        return (problem for row in self._kept() for problem in row.problems)

    def warnings(self) -> Iterator[ImportDoubt]:
        """Yield every warning, in the order of the file."""
        if not self._has_warned_rows and not self._tally.faulty:
            # All were found late, and all count: no row has to be read for them.
            return (warning for _, _, warning in self._warnings)
        return (warning for row in self._kept() for warning in row.warnings)

    def _kept(self) -> Iterator[KeptRow]:
        """Yield the rows, each with what was found late."""
        late, warnings = Beside(self._late), Beside(self._warnings)
        waiting = Beside((place, place, place) for place in self._waiting)
        further = 0
        for place, kept in enumerate(self._rows):
            # Of its own: the last rows are in memory, and are told more than once.
            row = copy(kept)
            if row.outcome is not None:
                row.waits = bool(waiting.of(place))
                for problem in late.of(place):
                    row.refuse(problem)
                found = warnings.of(row.line)
                if found:
                    row.warnings = [*row.warnings, *found]
                if row.outcome == "problem":
                    row.warnings = [warning for warning in row.warnings if not warning.needs_yes]
                if row.further:
                    further = row.further if row.outcome == "problem" else 0
                elif further:
                    further -= 1
                    if row.outcome == "joined":
                        row.refuse(goes_along(row.line))
            yield row


class Beside(Generic[Entry]):
    """Reads sorted entries side by side with the rows that they belong to."""

    def __init__(self, entries: Iterable[tuple[int, int, Entry]]) -> None:
        self._entries = iter(entries)
        self._next = next(self._entries, None)

    def of(self, place: int) -> list[Entry]:
        """Take the entries of a place, and of places before it that there are no rows at."""
        if self._next is None or self._next[0] > place:
            return []
        found = []
        while self._next is not None and self._next[0] <= place:
            found.append(self._next[2])
            self._next = next(self._entries, None)
        return found
