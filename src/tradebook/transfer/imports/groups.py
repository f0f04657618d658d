"""The rows of one customer: the first, checked, with the addresses of those that were joined to it."""

from tradebook.transfer.imports.joining import Joined
from tradebook.transfer.imports.records import CheckedRow, check_row
from tradebook.transfer.rows import Problem, Row


class Further:
    """A row that brings its customer another address."""

    def __init__(self, row: Row, record: CheckedRow) -> None:
        self.row, self.line, self.raw = row, row.line, row.raw
        self.problems: list[Problem] = record.problems


class Group:
    """A row, and the further ones that are the same customer; one with a problem brings nothing."""

    def __init__(self, joined: Joined, *, keeps_empty: bool) -> None:
        self.row = joined.row
        self.record = check_row(joined.row, keeps_empty=keeps_empty)
        self.further: list[Further] = []
        for row in joined.further:
            record = check_row(row, keeps_empty=keeps_empty)
            if not record.problems:
                self.record.addresses += record.addresses
            self.further.append(Further(row, record))
