"""A plan: what an import would do, row by row, and what it was decided by. It writes nothing."""

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from tradebook.ids import decode_id
from tradebook.resources.customers import ID_PREFIX
from tradebook.resources.import_shapes import ImportCustomer, ImportDoubt, Outcome
from tradebook.transfer.imports.records import CheckedRow
from tradebook.transfer.imports.summary import Summary
from tradebook.transfer.rows import Match, Problem


class PlannedRow(msgspec.Struct):
    """What one row of the file would do."""

    line: int
    outcome: Outcome
    customer: ImportCustomer | None = None
    changes: dict[str, tuple[Any, Any]] = {}
    """Old and new by our columns, in the words of an export."""
    problems: list[Problem] = []
    record: CheckedRow | None = None
    """What is to be written; None where nothing is, also where the customer is so already."""
    seen: str | None = None
    """The version of the customer and its addresses: see `seen.changed_since`."""
    waits: bool = False
    """Whether its parent can be set only when all other rows are written: see `writing.Step`."""
    raw: Any = None
    """The row as the file has it, where it has a problem."""


def key_of(row: PlannedRow) -> int:
    """Return the key of the customer that a row changes."""
    assert row.customer is not None
    key = decode_id(ID_PREFIX, row.customer.id or "")
    assert key is not None
    return key


class Plan(Protocol):
    """What an import would do. It can be read any number of times until it is closed."""

    match: Match
    keeps_empty: bool
    summary: Summary
    largest_number: int
    """The largest number of a new customer that automatic numbers continue after: see `reserve_numbers`."""

    def __iter__(self) -> Iterator[PlannedRow]:
        """Yield every row of the file, in its order."""

    def problems(self) -> Iterator[Problem]:
        """Yield every problem, in the order of the file; the summary lists the first of them."""

    def warnings(self) -> Iterator[ImportDoubt]:
        """Yield every warning, in the order of the file."""

    def close(self) -> None:
        """Let go of the temporary files."""
