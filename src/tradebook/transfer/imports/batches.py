"""A batch of checked records written to the book: new customers, and changes to those it has."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from tradebook.clock import format_ms, now_ms
from tradebook.crud.records import BeforeAfter, Values
from tradebook.ids import milliseconds_of
from tradebook.resources.customers import (
    NEW,
    AddressChanges,
    Numbering,
    add_customers,
    change_customers,
    customers,
    price_groups_of,
)
from tradebook.resources.customers import records as customer_records
from tradebook.resources.quantities import kept
from tradebook.storage.database import Writer
from tradebook.storage.schema import ACCOUNT, any_of, prepare
from tradebook.text import fold_case
from tradebook.transfer.columns import CUSTOMER_CELLS
from tradebook.transfer.imports.parents import NOT_WRITTEN, Families
from tradebook.transfer.imports.records import CheckedRow
from tradebook.transfer.imports.references import References
from tradebook.transfer.imports.row_keys import RowKeys
from tradebook.transfer.imports.spill import SortedSpill

_PLAIN = frozenset(cell.name for cell in CUSTOMER_CELLS if cell.column and not cell.names)
"""The cells that hold what their columns hold."""
_REQUIRED = tuple(cell.name for cell in CUSTOMER_CELLS if cell.is_required)

_c = customers.c
_NUMBERS = prepare(sa.select(_c.id, _c.number).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids")))


class Batches:
    """Writes batch after batch, and remembers in `touched` which customers to index.

    `counts` tells how many customers were created, updated, unchanged.
    """

    def __init__(
        self,
        writer: Writer,
        keys: RowKeys,
        references: References,
        numbering: Numbering,
        families: Families,
        touched: SortedSpill[int],
    ) -> None:
        self._writer, self._keys = writer, keys
        self._references, self._numbering, self._families = references, numbering, families
        self.touched = touched
        self.counts: Counter[str] = Counter()

    def write(self, records: Sequence[CheckedRow]) -> None:
        """Write the correct ones of these records, which all have a number; the others get their problems."""
        batch = _Batch(self._writer, self._keys, records)
        for record in records:
            self._decide(batch, record)
        self.touched.extend(batch.write())

    def _decide(self, batch: "_Batch", record: CheckedRow) -> None:
        number = record.own["number"]
        known = batch.known.get(number)
        name = fold_case(number) if known is None else known["number_folded"]
        if name in batch.decided:
            # The number occurs twice, which is reported at the end with both lines.
            key = NOT_WRITTEN
        elif known is None:
            key = self._create(batch, record)
        else:
            key = self._change(batch, record, known)
        batch.decided.add(name)
        if not record.has_automatic_number:
            self._families.has_number(record, name, key)
        wanted = record.own.get("parent_number")
        if wanted is not None and (known is None or not batch.has_parent(known, wanted)):
            self._families.wants_parent(record, wanted, key)

    def _create(self, batch: "_Batch", record: CheckedRow) -> int:
        for name in _REQUIRED:
            if name not in record.own:
                record.require(name, f"is missing: a new customer needs a {name}")
        values = {**NEW, **_plain(record)}
        values.update(self._references.columns(record, NEW))
        groups = self._references.price_groups(record)
        values.update(kept("credit_limit", values["credit_limit"], values["credit_limit_currency"]))
        bill, ship = batch.addresses.of_new(record, record.own.get("name"))
        if record.problems:
            return NOT_WRITTEN
        key = record.key or self._keys.created_at(record.own["created_at"])
        now = now_ms()
        values.update(id=key, bill_to_address_id=bill, ship_to_address_id=ship, updated_at=now)
        batch.addresses.attach(key, (), (bill, ship))
        batch.created.append(values)
        batch.new_groups[key] = groups or ()
        if not record.has_automatic_number:
            self._numbering.saw(values["number"])
        self.counts["created"] += 1
        return key

    def _change(self, batch: "_Batch", record: CheckedRow, known: Values) -> int:
        key: int = known["id"]
        # The number is what the row means the customer by, and is no other in capitals.
        values = {**known, **_plain(record), "number": known["number"]}
        values.update(self._references.columns(record, known))
        groups = self._references.price_groups(record)
        values.update(kept("credit_limit", values["credit_limit"], values["credit_limit_currency"]))
        name = record.own.get("name", known["name"])
        bill, ship = batch.addresses.of_changed(record, name, known)
        created_at = record.own.get("created_at")
        if created_at is not None and created_at != milliseconds_of(key):
            reason = f"can't change: the customer was created at {format_ms(milliseconds_of(key))}"
            record.refuse("created_at", format_ms(created_at), reason)
        if record.problems:
            return NOT_WRITTEN
        values.update(bill_to_address_id=bill, ship_to_address_id=ship)
        parent_changes = self._leave_parent(batch, record, known, values)
        old = (known["bill_to_address_id"], known["ship_to_address_id"])
        addresses_change = batch.addresses.attach(key, old, (bill, ship))
        groups_change = groups is not None and batch.change_groups(key, set(groups))
        if values != known or addresses_change or groups_change or parent_changes:
            batch.changed.append((known, values))
            self.counts["updated"] += 1
        else:
            self.counts["unchanged"] += 1
        return key

    def _leave_parent(self, batch: "_Batch", record: CheckedRow, known: Values, values: Values) -> bool:
        """Remove a customer from the parent that its row no longer names; True if it names another one."""
        if "parent_number" not in record.own:
            return False
        wanted = record.own["parent_number"]
        changes = not batch.has_parent(known, wanted)
        if changes and known["parent_id"] is not None:
            values["parent_id"] = None
            self._families.left_parent(known["parent_id"])
        return changes


class _Batch:
    """What the book has of a batch's customers, and what is to be written for them."""

    def __init__(self, writer: Writer, keys: RowKeys, records: Sequence[CheckedRow]) -> None:
        self._writer = writer
        numbers = [record.own["number"] for record in records if not record.has_automatic_number]
        self.known = customer_records.find_by(writer, "number", numbers)
        """The customers of numbers, as the rows write them."""
        self.decided: set[str] = set()
        self.created: list[Values] = []
        self.changed: list[BeforeAfter] = []
        self.new_groups: dict[int, Collection[int]] = {}
        self._changed_groups: dict[int, Collection[int]] = {}
        self._number_of: dict[int, str] = {}
        self._meant: dict[str, Values] = {}
        self._groups_of: dict[int, set[int]] = {}
        self.addresses = AddressChanges(writer)
        self._read_related(list(self.known.values()))
        keys.look_up(
            record.own["created_at"]
            for record in records
            if not record.key and "created_at" in record.own and record.own["number"] not in self.known
        )

    def _read_related(self, listed: list[Values]) -> None:
        if not listed:
            return
        parents = {values["parent_id"] for values in listed if values["parent_id"] is not None}
        self._number_of.update(self._writer.rows(_NUMBERS, ids=list(parents)) if parents else ())
        self.addresses.load(
            values[column] for values in listed for column in ("bill_to_address_id", "ship_to_address_id")
        )
        self._groups_of = price_groups_of(self._writer, [values["id"] for values in listed])

    def has_parent(self, known: Mapping[str, Any], wanted: str | None) -> bool:
        """Tell whether a known customer has the parent of this number now; none for None."""
        parent = known["parent_id"]
        if parent is None or wanted is None:
            return parent is None and wanted is None
        number = self._number_of[parent]
        if number == wanted or fold_case(number) != fold_case(wanted):
            return number == wanted
        if wanted not in self._meant:
            self._meant |= customer_records.find_by(self._writer, "number", [wanted])
        return bool(self._meant[wanted]["id"] == parent)

    def change_groups(self, customer: int, wanted: set[int]) -> bool:
        """Put a known customer into exactly these pricing groups; True if that changes anything."""
        self._changed_groups[customer] = wanted
        return wanted != self._groups_of[customer]

    def write(self) -> list[int]:
        """Write everything, in the order in which rows refer to each other; return the customers to index."""
        places = self.addresses.rows
        self.addresses.write_new(self._writer)
        add_customers(self._writer, self.created, price_groups=self.new_groups, places=places)
        change_customers(
            self._writer,
            self.changed,
            price_groups=self._changed_groups,
            had_groups=self._groups_of,
            places=places,
        )
        self.addresses.write_changed(self._writer)
        return [row["id"] for row in (*self.created, *(after for _, after in self.changed))]


def _plain(record: CheckedRow) -> Values:
    return {name: value for name, value in record.own.items() if name in _PLAIN}
