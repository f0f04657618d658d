"""The columns of import and export, each once, in their order."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

from tradebook.crud.kinds import LINE
from tradebook.crud.table_fields import Cell
from tradebook.resources import addresses, customers
from tradebook.text import shortened, shown
from tradebook.transfer.cells import CREATED_AT, reader_of

Format = Literal["csv", "ndjson"]
Part = Literal["own", "bill_to", "ship_to", "address", "external_ids"]
PARTS: tuple[Part, ...] = get_args(Part)
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
        yield from _of_address(part)


def _of_address(part: Part) -> Iterator[tuple[str, Column]]:
    for cell in ADDRESS_CELLS:
        yield f"{part}.{cell.name}", Column(part, cell.name, cell.can_be_null, reader_of(cell), cell)


COLUMNS = dict(_columns())
ATTACHED = dict(_of_address("address"))
"""The columns of one attached address."""
FURTHER_MAX = 1_000
"""How many further rows of one customer are joined; what follows is a row with a number given twice."""
LIST_COLUMNS = tuple(name for name, column in COLUMNS.items() if column.cell.is_list)
_NAME_LOOKED_AT = 80
_NAMES_SHOWN = 10
DRAFTED = "`tradebook import draft FILE` drafts a map that says"
SYSTEM_NAME = (
    f"what follows external_ids. has up to {customers.external_ids.NAME_LENGTH_MAX} letters, digits, blanks "
    "and _ . : -, and begins with a letter or a digit"
)
EXTERNAL_IDS = "external_ids."
"""What the columns of ids in other systems begin with; the name of the system follows."""


@lru_cache(maxsize=1_000)
def column_named(name: str) -> Column | None:
    """Return the column of a name, `external_ids.NAME` too; None if there is none."""
    if name.startswith(EXTERNAL_IDS) and len(name) > len(EXTERNAL_IDS):
        try:
            system = customers.external_ids.check_name(name.removeprefix(EXTERNAL_IDS))
        except ValueError:
            return None
        cell = Cell(name, LINE, f"The customer's id in {shortened(system)}.")
        return Column("external_ids", system, cell.can_be_null, reader_of(cell), cell)
    return COLUMNS.get(name) or ATTACHED.get(name)


@lru_cache(maxsize=1_000)
def unknown_column(name: str) -> str:
    """Say that there is no such column, and suggest the nearest one."""
    if name.startswith(EXTERNAL_IDS):
        return f"There is no such column: {SYSTEM_NAME}."
    near = _nearest(name)
    hint = f"Did you mean {near}?" if near else f"{DRAFTED} what it becomes."
    return f"There is no such column. {hint}"


def unknown_columns(names: Sequence[str]) -> str:
    """Say that there are no such columns, all in one: whoever has another system's file has many of them."""
    near = {name: _nearest(name) for name in names[:_NAMES_SHOWN]}
    listed = ", ".join(
        f"{shown(name)} (did you mean {it}?)" if it else shown(name) for name, it in near.items()
    )
    more = f" and {len(names) - len(near)} more" if len(names) > len(near) else ""
    return f"There are no such columns: {listed}{more}. {DRAFTED} what they become."


def _nearest(name: str) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - only for a file that is wrong

    # Whatever its case: NAME is nothing like name otherwise.
    looked_at = name[:_NAME_LOOKED_AT].strip().casefold()
    near = next(iter(get_close_matches(looked_at, [*COLUMNS, *ATTACHED], n=1)), None)
    # Both addresses are as near, and who has one column "Country" bills there.
    return near.replace("ship_to.", "bill_to.") if near and "ship" not in looked_at else near
