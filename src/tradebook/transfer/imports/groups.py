"""The rows of one customer: the first, checked, with the addresses of those that were joined to it."""

from collections.abc import Iterator

from tradebook.transfer.imports.checked import Checked
from tradebook.transfer.imports.joining import Joined
from tradebook.transfer.imports.planned import goes_along
from tradebook.transfer.rows import Problem, Row


class Further:
    """A row that brings its customer another address."""

    def __init__(self, row: Row, checked: Checked) -> None:
        self.row, self.line, self.raw = row, row.line, row.raw
        self.odd = checked.odd
        self.problems: list[Problem] = checked.record.problems
        self.addresses = checked.record.addresses


class Group:
    """A row, and the further ones that are the same customer.

    A problem of one is a problem of all. A further row says nothing but its address: mended and brought in
    alone, it would clear what the first one says.
    """

    def __init__(self, joined: Joined, checked: Iterator[Checked]) -> None:
        """Take what each of the rows was found to be from `checked`."""
        self.row = joined.row
        first = next(checked)
        self.record, self.odd = first.record, first.odd
        self.further: list[Further] = []
        for row in joined.further:
            further = Further(row, next(checked))
            self.record.addresses += further.addresses
            self.further.append(further)
        if not self.record.problems and any(further.problems for further in self.further):
            self.record.problems.append(goes_along(self.record.line))
