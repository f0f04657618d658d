"""The columns of import and export, each once, in their order."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from tradebook.crud.table_fields import Cell
from tradebook.resources import addresses, customers
from tradebook.transfer.cells import CREATED_AT, reader_of

Format = Literal["csv", "ndjson"]
Part = Literal["own", "bill_to", "ship_to"]
ADDRESSES: tuple[Part, ...] = ("bill_to", "ship_to")
ADDRESS_CELLS = tuple(cell for field in addresses.FIELDS for cell in field.cells)
CUSTOMER_CELLS = (*(cell for field in customers.FIELDS for cell in field.cells), CREATED_AT)


class Column(NamedTuple):
    """A column of a file, and which part of a row it is of."""

    part: Part
    name: str
    """Its name inside the part."""
    can_be_null: bool
    read: Callable[[Any], Any]
    cell: Cell


def _columns() -> Iterator[tuple[str, Column]]:
    for cell in CUSTOMER_CELLS:
        yield cell.name, Column("own", cell.name, cell.can_be_null, reader_of(cell), cell)
    for part in ADDRESSES:
        for cell in ADDRESS_CELLS:
            yield f"{part}.{cell.name}", Column(part, cell.name, cell.can_be_null, reader_of(cell), cell)


COLUMNS = dict(_columns())
LIST_COLUMNS = tuple(name for name, column in COLUMNS.items() if column.cell.is_list)
