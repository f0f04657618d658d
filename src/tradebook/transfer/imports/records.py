"""A row of a file, checked cell by cell: what it gives of a customer, and what is wrong with it."""

from typing import Any

import msgspec

from tradebook.text import shortened
from tradebook.transfer.columns import PARTS, column_named
from tradebook.transfer.rows import VALUE_SHOWN_MAX, Problem, Row

PLACE = ("street_line_1", "street_line_2", "locality", "state", "postal_code", "country")
"""What makes an address: a name, a phone or an e-mail alone don't."""


class CheckedRow(msgspec.Struct, array_like=True):
    """One row of a file, checked. A part holds only what the row gives; None clears."""

    line: int
    own: dict[str, Any]
    bill_to: dict[str, Any]
    ship_to: dict[str, Any]
    address: dict[str, Any]
    """An attached address."""
    external_ids: dict[str, Any]
    """Ids in other systems, by the names of these."""
    problems: list[Problem] = []
    refused: list[str] = []

    def refuse(self, column: str, value: Any, reason: str) -> None:
        """Note that this row can't be taken in."""
        self.refused.append(column)
        self.problems.append(problem(self.line, column, value, reason))

    def says(self, part: str) -> bool:
        """Tell whether an address has a place."""
        given = getattr(self, part)
        return any(given.get(name) is not None for name in PLACE) if given else False

    def require(self, column: str, reason: str) -> None:
        """Note that a column is missing, unless what it holds was refused already."""
        if column not in self.refused:
            self.refuse(column, None, reason)


def problem(line: int, column: str, value: Any, reason: str) -> Problem:
    """Describe what is wrong with a cell."""
    return Problem(line, column, shown(value), reason)


def shown(value: Any) -> str:
    """Write a value into a message, whatever it is: cut short, and without half characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "; ".join(map(shown, value[:VALUE_SHOWN_MAX])) if isinstance(value, list) else str(value)
    text = shortened(text, VALUE_SHOWN_MAX)
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def check_row(row: Row, *, keeps_empty: bool = False) -> CheckedRow:
    """Check every cell of a row; what is wrong is in the record's problems, what is right in its parts.

    `keeps_empty` has an empty cell say nothing, where it would clear.
    """
    parts: dict[str, dict[str, Any]] = {name: {} for name in PARTS}
    record = CheckedRow(row.line, *parts.values(), problems=[*row.problems])
    record.refused += [problem.column for problem in row.problems if problem.column]
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
        if checked is None or checked == "":
            # In an address also what can't be null: all of it empty means that there is none.
            if (can_be_null or part != "own") and not keeps_empty:
                parts[part][name] = None
        elif checked == [] and keeps_empty:
            continue
        else:
            parts[part][name] = checked
    return record
