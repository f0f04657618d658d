"""Counts what the rows of a plan would do."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from tradebook.resources.customers import continues_from
from tradebook.resources.import_shapes import ImportCustomer, ImportDoubt, Outcome
from tradebook.transfer.imports.changes import cleared
from tradebook.transfer.imports.summary import LISTED_MAX, SkippedBy, Summary
from tradebook.transfer.rows import Problem, Skipping


class Counted(Protocol):
    """What is counted of a row."""

    line: int
    outcome: Outcome | None
    customer: ImportCustomer | None
    changes: dict[str, tuple[Any, Any]]
    problems: list[Problem]
    warnings: list[ImportDoubt]
    rule: int | None
    needs: list[int]


class Tally:
    """Counts rows, as they come."""

    def __init__(self) -> None:
        self._outcomes: Counter[Outcome] = Counter()
        self._rules: Counter[int] = Counter()
        self._cleared: Counter[str] = Counter()
        self._problems: list[Problem] = []
        self._warnings: list[ImportDoubt] = []
        self._problem_count = self._needs_yes = 0
        self.needed: dict[int, int] = {}
        """The line that first needs a name, by the name's key."""
        self.largest_number = 0

    def add(self, row: Counted) -> None:
        """Count the next row, or a problem of the file."""
        if row.problems:
            self._problem_count += len(row.problems)
            self._problems += row.problems[: LISTED_MAX - len(self._problems)]
        if row.warnings:
            self._note(row.warnings)
        if row.outcome is None:
            return
        self._outcomes[row.outcome] += 1
        if row.rule is not None:
            self._rules[row.rule] += 1
        for key in row.needs:
            self.needed.setdefault(key, row.line)
        if row.outcome == "updated":
            self._cleared.update(cleared(row.changes))
        elif row.outcome == "created":
            self._see_number(row.customer)

    def _see_number(self, customer: ImportCustomer | None) -> None:
        number = None if customer is None else customer.number
        if number is not None and continues_from(number):
            self.largest_number = max(self.largest_number, int(number))

    def warn(self, warnings: Iterable[ImportDoubt]) -> None:
        """Count what was found of rows late, in the order of the file."""
        for warning in warnings:
            self._note([warning])
        self._warnings.sort(key=lambda warning: warning.line)

    def _note(self, warnings: list[ImportDoubt]) -> None:
        self._needs_yes += sum(warning.needs_yes for warning in warnings)
        self._warnings += warnings[: LISTED_MAX - len(self._warnings)]

    @property
    def faulty(self) -> int:
        """How many rows have a problem."""
        return self._outcomes["problem"]

    def into(self, summary: Summary, skipping: Sequence[Skipping]) -> None:
        """Write what was counted into a summary."""
        outcomes = self._outcomes
        summary.rows = outcomes.total()
        summary.created, summary.updated = outcomes["created"], outcomes["updated"]
        summary.unchanged, summary.skipped = outcomes["unchanged"], outcomes["skipped"]
        summary.joined, summary.faulty = outcomes["joined"], outcomes["problem"]
        summary.problems, summary.problem_list = self._problem_count, self._problems
        summary.needs_yes, summary.warnings = self._needs_yes, self._warnings
        summary.cleared = dict(self._cleared)
        summary.skipped_by = [
            SkippedBy(skipping[rule].column, skipping[rule].is_, count)
            for rule, count in sorted(self._rules.items())
        ]
