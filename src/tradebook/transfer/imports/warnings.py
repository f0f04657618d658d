"""What looks wrong in the values of a file, and is no problem."""

from collections.abc import Container, Iterator

from tradebook.text import shortened
from tradebook.transfer.imports.summary import RowWarning
from tradebook.transfer.rows import VALUE_SHOWN_MAX, Row


class Warnings:
    """Looks at the rows that are taken in; `settle` has what the whole file shows."""

    def see(self, row: Row, changed: Container[str] | None) -> list[RowWarning]:  # noqa: ARG002 - the values are looked at next
        """Look at a row's values: those of the columns that it changes; all of them, for a new customer.

        An attached address is in the column `addresses`.
        """
        return []

    def new_group(self, line: int, column: str, name: str) -> RowWarning | None:
        """Look at the name of a group that the import makes."""
        if "," not in name:
            return None
        reason = (
            "is a new group with a comma in its name: several groups are separated by ; "
            'or by what the map says (price_groups = { from = …, split = "," })'
        )
        return RowWarning(line, column, shortened(name, VALUE_SHOWN_MAX), reason)

    def settle(self) -> Iterator[RowWarning]:
        """Tell what shows at the end of the file only."""
        yield from ()
