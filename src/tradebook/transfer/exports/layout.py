"""What a file has beyond the columns of every export: only where the account has any of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tradebook.resources import customers
from tradebook.storage.database import Reader
from tradebook.transfer.columns import ADDRESS_CELLS, ATTACHED, COLUMNS, EXTERNAL_IDS, FURTHER_MAX

Cells = Sequence[Any]

NO_ADDRESS: Cells = (None,) * len(ADDRESS_CELLS)
ATTACHED_MAX = FURTHER_MAX + 1
"""How many addresses of one customer a CSV file can bring back: the first in its own row."""

_NUMBER = list(COLUMNS).index("number")
_WIDTH = len(COLUMNS)

_Address = msgspec.defstruct("_Address", [(cell.name, Any) for cell in ADDRESS_CELLS], gc=False)
_Line = msgspec.defstruct(
    "_Line",
    [
        *((column.replace(".", "_"), Any) for column in COLUMNS),
        ("external_ids", Any, msgspec.UNSET),
        ("addresses", Any, msgspec.UNSET),
    ],
    rename={column.replace(".", "_"): column for column in COLUMNS},
    gc=False,
)


class Layout(msgspec.Struct, frozen=True):
    """Which systems have ids of customers of the account, and whether addresses are attached to any."""

    systems: tuple[str, ...]
    has_attached: bool

    @property
    def columns(self) -> list[str]:
        """The headings of a CSV file."""
        attached = ATTACHED if self.has_attached else ()
        return [*COLUMNS, *(f"{EXTERNAL_IDS}{name}" for name in self.systems), *attached]

    def ids_of(self, reader: Reader, keys: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
        """Read the ids of some customers; nothing where the account has none."""
        return customers.external_ids.of(reader, keys) if self.systems else {}

    def attached_to(self, reader: Reader, keys: Sequence[int]) -> list[customers.Pair]:
        """Read what is attached to some customers; nothing where the account has none."""
        return customers.attached_to(reader, keys) if self.has_attached else []

    def csv_rows(self, page: "Page") -> list[Cells]:
        """Write customers as rows; each further address is one of its own, which names the customer."""
        if not self.systems and not self.has_attached:
            return page.own
        rows: list[Cells] = []
        for key, own in zip(page.keys, page.own, strict=True):
            ids = page.external_ids.get(key, {})
            head = [*own, *(ids.get(name) for name in self.systems)]
            if not self.has_attached:
                rows.append(head)
                continue
            first, *further = page.attached.get(key, [NO_ADDRESS])[:ATTACHED_MAX]
            rows.append([*head, *first])
            name = [None] * len(head)
            name[_NUMBER] = own[_NUMBER]
            rows += [[*name, *cells] for cells in further]
        return rows


class Page(msgspec.Struct, frozen=True):
    """The cells of some customers, and what else they have, by key."""

    keys: Sequence[int]
    own: list[Cells]
    external_ids: Mapping[int, Mapping[str, str]]
    attached: Mapping[int, Sequence[Cells]]

    def lines(self) -> list[msgspec.Struct]:
        """Write customers as objects; what one of them doesn't have is left out."""
        if not self.external_ids and not self.attached:
            return [_Line(*cells) for cells in self.own]
        unset = msgspec.UNSET
        return [
            _Line(
                *cells,
                self.external_ids.get(key) or unset,
                [_Address(*each) for each in self.attached[key]] if key in self.attached else unset,
            )
            for key, cells in zip(self.keys, self.own, strict=True)
        ]


def layout_of(reader: Reader) -> Layout:
    """Find out what the account has."""
    return Layout(tuple(customers.external_ids.systems(reader)), customers.has_attached(reader))
