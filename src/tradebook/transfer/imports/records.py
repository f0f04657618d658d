"""A row of a file, checked cell by cell: what it gives of a customer, and what is wrong with it."""

from typing import Any

import msgspec

from tradebook.resources.customers import has_value
from tradebook.text import shortened
from tradebook.transfer.columns import PARTS, column_named
from tradebook.transfer.rows import VALUE_SHOWN_MAX, Problem, Row


class CheckedRow(msgspec.Struct):
    """One row of a file, checked. A part holds only what the row gives; None clears."""

    line: int
    own: dict[str, Any]
    bill_to: dict[str, Any]
    ship_to: dict[str, Any]
    address: dict[str, Any]
    """An attached address."""
    external_ids: dict[str, Any]
    """Ids in other systems, by the names of these."""
    key: int = 0
    """The key that a new customer gets; 0 where its `created_at` decides."""
    has_automatic_number: bool = False
    problems: list[Problem] = []
    refused: list[str] = []

    def refuse(self, column: str, value: Any, reason: str) -> None:
        """Note that this row can't be taken in."""
        self.refused.append(column)
        self.problems.append(problem(self.line, column, value, reason))

    def says(self, part: str) -> bool:
        """Tell whether any cell of an address has a value."""
        return has_value(getattr(self, part))

    def require(self, column: str, reason: str) -> None:
        """Note that a column is missing, unless what it holds was refused already."""
        if column not in self.refused:
            self.refuse(column, None, reason)


def problem(line: int, column: str, value: Any, reason: str) -> Problem:
    """Describe what is wrong with a cell."""
    return Problem(line, column, _shown(value), reason)


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return shortened(text, VALUE_SHOWN_MAX)


def check_row(row: Row) -> CheckedRow:
    """Check every cell of a row; what is wrong is in the record's problems, what is right in its parts."""
    parts: dict[str, dict[str, Any]] = {name: {} for name in PARTS}
    record = CheckedRow(
        row.line, parts["own"], parts["bill_to"], parts["ship_to"], parts["address"], parts["external_ids"]
    )
    record.problems.extend(row.problems)
    record.refused.extend(problem.column for problem in row.problems if problem.column)
    for column, value in row.values.items():
        found = column_named(column)
        assert found is not None, "files and maps refuse others"
        part, name, can_be_null, read, _ = found
        try:
            checked = None if value is None or value == "" else read(value)
        except ValueError as error:
            if not isinstance(value, str) or value.strip():
                record.refuse(column, value, str(error))
                continue
            checked = None
        # In an address also what can't be null: all of it empty means that there is none.
        if checked is None or checked == "":
            if can_be_null or part != "own":
                parts[part][name] = None
        else:
            parts[part][name] = checked
    return record
