"""Which customer a row is about."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tradebook.crud.records import Values
from tradebook.resources.customers import records as customer_records
from tradebook.storage.database import Reader
from tradebook.text import fold_case
from tradebook.transfer.imports.records import CheckedRow
from tradebook.transfer.imports.summary import RowWarning
from tradebook.transfer.rows import Match, Problem, Row


class Matched(NamedTuple):
    """What was found for one row."""

    known: Values | None = None
    """The row of the customer in the book; None where there is none: a new one."""
    by: str | None = None
    """The column that decided; None where the row has none of them."""
    warnings: Sequence[RowWarning] = ()
    """Whom a new customer resembles. They count if the row is taken in."""


class Matcher:
    """Finds the customers of all rows of a file, a thousand at a time.

    What is wrong goes to the record's problems. What two rows have in common shows only at the end of the
    file: `settle` tells it, and `close` lets go of the temporary files.
    """

    def __init__(self, reader: Reader, match: Match) -> None:
        self._reader, self._match = reader, match

    def match(self, records: Sequence[CheckedRow]) -> list[Matched]:
        """Find the customer of each record: joined ones come in one record."""
        numbers = {record.own["number"] for record in records if record.own.get("number")}
        known = customer_records.find_by(self._reader, "number", numbers)
        return [Matched(known.get(record.own.get("number", "")), "number") for record in records]

    def settle(self) -> Iterator[Problem | RowWarning]:
        """Tell what rows of the file have in common that they mustn't, and the warnings of that kind."""
        yield from ()

    def close(self) -> None:
        """Let go of the temporary files."""


def match_value(row: Row, match: Match) -> tuple[str, Any] | None:
    """Return the first column of the match that a row has, and its value as it is compared."""
    for column in match.by:
        value = row.values.get(column)
        if isinstance(value, str) and value.strip():
            return column, fold_case(value.strip())
    return None
