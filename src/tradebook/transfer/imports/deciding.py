"""What rows make of customers: decided batch by batch, and the same whether it is written or only looked at.

What a row gives is taken, what it doesn't give stays. A column that is absent is not given. An empty CSV
cell, a JSON null and an empty text are given: they clear what can be null and leave alone what can't. A new
customer starts with `customers.fields.NEW`. An address whose ten columns are all there and all empty is taken
from the customer; a ship-to address that is taken, or never given, is the bill-to address.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.records import Values
from tradebook.ids import milliseconds_of
from tradebook.resources import customers
from tradebook.resources.customers import NEW, AddressChanges, price_groups_of
from tradebook.resources.customers import records as customer_records
from tradebook.resources.import_shapes import Outcome
from tradebook.resources.quantities import kept
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, any_of, prepare
from tradebook.text import fold_case, shortened
from tradebook.transfer.columns import CUSTOMER_CELLS, EXTERNAL_IDS
from tradebook.transfer.imports.records import CheckedRow
from tradebook.transfer.imports.references import References
from tradebook.transfer.imports.warnings import LEAVE_OUT, is_total

_PLAIN = frozenset(cell.name for cell in CUSTOMER_CELLS if cell.column and not cell.names)
"""The cells that hold what their columns hold."""
_REQUIRED = tuple(cell.name for cell in CUSTOMER_CELLS if cell.is_required)

_c = customers.customers.c
_ids = customers.external_ids
_NUMBERS = prepare(sa.select(_c.id, _c.number).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids")))


class Decision(msgspec.Struct):
    """What a row makes of its customer."""

    outcome: Outcome
    before: Values | None
    """The customer's row so far; None where it is new."""
    after: Values
    had_groups: set[int]
    groups: set[int] | None
    """The pricing groups that it is in from now on; None where they stay."""
    places: tuple[Values | None, Values | None]
    """Its bill-to and ship-to address from now on."""
    had_places: tuple[Values | None, Values | None] = (None, None)
    further: list[Values] = []
    """The addresses that are attached to it from now on, beside those that are."""
    parent: tuple[str | None, str | None] | None = None
    """The numbers of the parent so far and from now on, where it gets another one or none."""
    external_ids: dict[str, tuple[str | None, str | None]] = {}
    """The ids in other systems that change, so far and from now on, by the systems' names."""
    rep_name: str | None = None
    """The name that its sales rep gets, where that has another one."""

    @property
    def key(self) -> int:
        """The customer's key."""
        key: int = self.after["id"]
        return key


class Batch(ABC):
    """Some rows, and what the book has of their customers. Whoever looks or writes says how keys are made."""

    def __init__(
        self,
        reader: Reader,
        references: References,
        records: Sequence[CheckedRow],
        known: Sequence[Values | None],
    ) -> None:
        self._reader, self._references = reader, references
        self.addresses = AddressChanges(reader)
        self._number_of: dict[int, str] = {}
        self._meant: dict[str, Values] = {}
        self.groups_of: dict[int, set[int]] = {}
        self.ids_of: dict[int, dict[str, str]] = {}
        """The ids in other systems of the customers whose rows give some."""
        listed = [values for values in known if values is not None]
        if listed:
            self._read_related(listed)
            self.addresses.load_attached(
                values["id"]
                for record, values in zip(records, known, strict=True)
                if values is not None and record.addresses
            )
            self.ids_of = _ids.of(
                reader,
                [
                    values["id"]
                    for record, values in zip(records, known, strict=True)
                    if values is not None and record.external_ids
                ],
            )

    def _read_related(self, listed: list[Values]) -> None:
        parents = {values["parent_id"] for values in listed if values["parent_id"] is not None}
        self._number_of.update(self._reader.rows(_NUMBERS, ids=list(parents)) if parents else ())
        self.addresses.load(
            values[column] for values in listed for column in ("bill_to_address_id", "ship_to_address_id")
        )
        self.groups_of = price_groups_of(self._reader, [values["id"] for values in listed])

    @abstractmethod
    def key_of_new(self, record: CheckedRow) -> int:
        """Return the key of a new customer."""

    @abstractmethod
    def take_parent(self, decision: Decision, wanted: str | None) -> None:
        """Give a customer another parent than it has, or none."""

    def decide(
        self, record: CheckedRow, known: Values | None, *, keeps_number: bool = True
    ) -> Decision | None:
        """Decide what a row makes of the customer that it means; None where that can't be, as it then says.

        With `keeps_number` the number is what the row means the customer by, and is no other in capitals.
        """
        self.addresses.mark()
        decision = self._create(record) if known is None else self._change(record, known, keeps_number)
        if decision is None:
            self.addresses.take_back()
            return None
        if "parent_number" in record.own:
            wanted = record.own["parent_number"]
            if not self._has_parent(known, wanted):
                decision.parent = (self._parent_of(known), wanted)
                if known is not None:
                    decision.outcome = "updated"
                self.take_parent(decision, wanted)
        decision.rep_name = self._references.new_name_of(record, decision.after["sales_rep_id"])
        return decision

    def _create(self, record: CheckedRow) -> Decision | None:
        for name in _REQUIRED:
            if name not in record.own and not record.is_undecided:
                record.require(name, f"is missing: a new customer needs a {name}{_hint_of_total(record)}")
        after = {**NEW, **_plain(record)}
        after.update(self._references.columns(record, NEW))
        groups = self._references.price_groups(record)
        ids = self._ids_of(record, {})
        after.update(kept("credit_limit", after["credit_limit"], after["credit_limit_currency"]))
        bill, ship = self.addresses.of_new(record, record.own.get("name"))
        if record.problems:
            return None
        key = self.key_of_new(record)
        after.update(id=key, bill_to_address_id=bill, ship_to_address_id=ship)
        self.addresses.attach(key, (), (bill, ship))
        further = self._attach(record, after)
        return Decision(
            "created",
            None,
            after,
            set(),
            set(groups or ()),
            self._places(after),
            further=further,
            external_ids=ids,
        )

    def _change(self, record: CheckedRow, known: Values, keeps_number: bool) -> Decision | None:  # noqa: FBT001
        key: int = known["id"]
        record.leave_to(known)
        after = {**known, **_plain(record)}
        if keeps_number or fold_case(after["number"]) == fold_case(known["number"]):
            after["number"] = known["number"]
        else:
            self._check_number(record, known)
        after.update(self._references.columns(record, known))
        groups = self._references.price_groups(record)
        ids = self._ids_of(record, self.ids_of.get(key, {}))
        after.update(kept("credit_limit", after["credit_limit"], after["credit_limit_currency"]))
        created_at = record.own.get("created_at")
        if created_at is not None and created_at != milliseconds_of(key):
            reason = f"can't change: the customer was created at {format_ms(milliseconds_of(key))}"
            record.refuse("created_at", format_ms(created_at), reason)
        had_places = self._places(known)
        bill, ship = self.addresses.of_changed(record, record.own.get("name", known["name"]), known)
        if record.problems:
            return None
        after.update(bill_to_address_id=bill, ship_to_address_id=ship)
        old = (known["bill_to_address_id"], known["ship_to_address_id"])
        addresses_change = self.addresses.attach(key, old, (bill, ship))
        further = self._attach(record, after)
        had = self.groups_of[key]
        wanted = None if groups is None or set(groups) == had else set(groups)
        is_same = after == known and not addresses_change and wanted is None and not further and not ids
        outcome: Outcome = "unchanged" if is_same else "updated"
        return Decision(
            outcome, known, after, had, wanted, self._places(after), had_places, further, external_ids=ids
        )

    def _ids_of(self, record: CheckedRow, had: Mapping[str, str]) -> dict[str, tuple[str | None, str | None]]:
        """Return the ids in other systems that a row changes; more than a customer takes are refused."""
        if not record.external_ids:
            return {}
        if len(_ids.merged(had, record.external_ids)) > _ids.OF_CUSTOMER_MAX:
            reason = f"would be one id too many: a customer has at most {_ids.OF_CUSTOMER_MAX}"
            record.refuse(f"{EXTERNAL_IDS}{next(reversed(record.external_ids))}", None, reason)
        return {
            name: (had.get(name), value)
            for name, value in record.external_ids.items()
            if had.get(name) != value
        }

    def _attach(self, record: CheckedRow, after: Values) -> list[Values]:
        """Attach the row's further addresses; return those that the customer does not have yet."""
        if not record.addresses:
            return []
        serving = (after["bill_to_address_id"], after["ship_to_address_id"])
        return self.addresses.attach_further(after["id"], serving, record.addresses, after["name"])

    def _check_number(self, record: CheckedRow, known: Values) -> None:
        """Refuse the number of another customer."""
        number = record.own.get("number")
        if number is None or number == known["number"] or "number" in record.refused:
            return
        other = customer_records.find_by(self._reader, "number", [number]).get(number)
        if other is not None and other["id"] != known["id"]:
            record.refuse("number", number, f"is the number of another customer, {shortened(other['name'])}")

    def _places(self, row: Values) -> tuple[Values | None, Values | None]:
        rows = self.addresses.rows
        bill, ship = row["bill_to_address_id"], row["ship_to_address_id"]
        return rows.get(bill), rows.get(ship)

    def _parent_of(self, known: Values | None) -> str | None:
        parent = None if known is None else known["parent_id"]
        return None if parent is None else self._number_of[parent]

    def _has_parent(self, known: Values | None, wanted: str | None) -> bool:
        """Tell whether a customer has the parent of this number now; none for None."""
        number = self._parent_of(known)
        if number is None or wanted is None:
            return number is None and wanted is None
        if number == wanted or fold_case(number) != fold_case(wanted):
            return number == wanted
        assert known is not None
        if wanted not in self._meant:
            self._meant |= customer_records.find_by(self._reader, "number", [wanted])
        return bool(self._meant[wanted]["id"] == known["parent_id"])


def _hint_of_total(record: CheckedRow) -> str:
    """Say of a row that is the sum below a list how it is left out."""
    known_by = (record.own.get("number"), *record.external_ids.values())
    total = next((text for text in known_by if text is not None and is_total(text)), None)
    return "" if total is None else f". {shortened(total)} looks like the sum of a list: {LEAVE_OUT}"


def _plain(record: CheckedRow) -> dict[str, Any]:
    return {name: value for name, value in record.own.items() if name in _PLAIN}
