"""What is said of customers' addresses field by field: new ones, changed ones, and which customers use them.

A row of an import says it, and a request that names its customer by the number. An address may be used by
several customers, and each row speaks only for its own one. So if others use the address too, it stays as it
is, and the row's customer gets a new one. No address is deleted: nobody can tell whether an import made it,
or somebody who still wants it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from tradebook.crud import table_fields
from tradebook.crud.records import Values, differ
from tradebook.resources.addresses import FIELDS, agree, new_row, records
from tradebook.resources.customers.addresses import (
    COPIED,
    Pair,
    copy_places,
    customer_addresses,
    link,
    links_of,
)
from tradebook.storage.database import Finished, Reader, Writer
from tradebook.storage.schema import ACCOUNT, any_of, prepare

ADDRESS_FIELDS = tuple(field.name for field in FIELDS)
_DEFAULTS: Values = table_fields.new_row(FIELDS)
_NO_COUNTRY = "is missing: an address needs a country"
_NEVER_NULL = frozenset(field.name for field in FIELDS if not field.can_be_null)

_links = customer_addresses.c
_USERS = prepare(
    sa.select(_links.address_id, _links.customer_id, _links.is_attached).where(
        _links.account_id == ACCOUNT, any_of(_links.address_id, "ids")
    )
)


class Given(Protocol):
    """What is said of one customer's addresses. A part holds only what is given; None clears."""

    bill_to: Values
    ship_to: Values

    def says(self, part: str) -> bool:
        """Tell whether anything is said of an address: null in a body is, an empty cell of a file is not."""

    def require(self, column: str, reason: str) -> None:
        """Take note of what is missing."""


class AddressChanges:
    """The addresses of one batch of customers: decided row by row, written all together.

    Deciding only reads. Of a batch that is written, the new ones come before the customers that refer to
    them, what is attached and changed after these.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.rows: dict[int, Values] = {}
        """The addresses that the batch's customers have and get, as they are to be."""
        self._users: dict[int, set[int]] = defaultdict(set)
        self._attached: dict[int, set[int]] = defaultdict(set)
        self._added: list[Values] = []
        self._before: dict[int, Values] = {}
        self._added_at_mark = 0
        self._at_mark: dict[int, Values] = {}
        self._further: list[Pair] = []
        self._is_indexed = self._is_finished_ahead = False
        self._finished: Sequence[Finished] | None = None

    def mark(self) -> None:
        """Begin to decide for the next customer."""
        self._added_at_mark = len(self._added)
        self._at_mark = {}

    def take_back(self) -> None:
        """Forget what was decided since `mark`, before it was attached: something else is wrong there."""
        for row in self._added[self._added_at_mark :]:
            del self.rows[row["id"]]
        del self._added[self._added_at_mark :]
        for key, row in self._at_mark.items():
            if self._before[key] is row:
                del self._before[key]
            self.rows[key] = row

    def load(self, keys: Iterable[int | None]) -> None:
        """Read the addresses of the batch's customers, and which other customers use them."""
        ids = {key for key in keys if key is not None}
        if ids:
            self.rows.update(records.find_all(self._reader, ids))
            for key, customer, is_attached in self._reader.rows(_USERS, ids=sorted(ids)):
                self._users[key].add(customer)
                if is_attached:
                    self._attached[customer].add(key)

    def load_attached(self, customers: Iterable[int]) -> None:
        """Read what else is attached to customers of whom further addresses are given."""
        keys = list(customers)
        links = links_of(self._reader, keys) if keys else {}
        attached = [pair for pair, is_attached in links.items() if is_attached]
        for customer, address in attached:
            self._attached[customer].add(address)
        self.rows.update(
            records.find_all(self._reader, {address for _, address in attached} - set(self.rows))
        )

    def of_new(self, given: Given, name: str | None) -> tuple[int | None, int | None]:
        """Return the bill-to and ship-to address of a new customer. Default: one address for both."""
        bill = self._add_given(given, "bill_to", name)
        ship = self._add_given(given, "ship_to", name, bill)
        return bill, bill if ship is None else ship

    def of_changed(
        self, given: Given, name: str | None, customer: Mapping[str, Any]
    ) -> tuple[int | None, int | None]:
        """Return the addresses that a customer has afterwards; fields that are not given stay.

        A new address without a name of its own gets that of the customer, `name`.
        """
        old_bill, old_ship = customer["bill_to_address_id"], customer["ship_to_address_id"]
        before = self.rows.get(old_ship, {})
        bill = self._change(given, "bill_to", old_bill, customer["id"], name)
        if not given.says("ship_to"):
            is_emptied = _is_emptied(given.ship_to)
            if is_emptied and self._are_alike(bill, old_ship):
                # An export leaves a ship-to empty that agrees with the bill-to: these two stay as they are.
                return bill, old_ship
            if old_bill == old_ship or is_emptied:
                return bill, bill
        elif old_bill == old_ship and old_ship is not None and bill is not None:
            values = _merged(before, given.ship_to)
            return bill, self._add(values, bill)
        return bill, self._change(given, "ship_to", old_ship, customer["id"], name, bill)

    def _are_alike(self, one: int | None, other: int | None) -> bool:
        if one is None or other is None or one == other:
            return False
        return agree(self.rows[one], self.rows[other])

    def _change(
        self,
        given: Given,
        part: str,
        key: int | None,
        customer: int,
        name: str | None,
        other: int | None = None,
    ) -> int | None:
        fields = getattr(given, part)
        if key is None:
            return self._add_given(given, part, name, other)
        if _is_emptied(fields):
            return None
        values = _merged(self.rows[key], fields)
        if values == self.rows[key]:
            return key
        if self._users[key] - {customer}:
            return self._add(values, other)
        self._at_mark.setdefault(key, self.rows[key])
        self._before.setdefault(key, self.rows[key])
        self.rows[key] = values
        return key

    def _add_given(self, given: Given, part: str, name: str | None, other: int | None = None) -> int | None:
        fields = getattr(given, part)
        if not given.says(part):
            return None
        if fields.get("country") is None:
            given.require(f"{part}.country", _NO_COUNTRY)
            return None
        values = {**_DEFAULTS, **fields}
        if values["name"] is None:
            values["name"] = name
        if values["name"] is None:
            # Neither has a name, and that of the customer is reported: nothing of the row is written.
            return None
        if values["type"] is None:
            values["type"] = _DEFAULTS["type"]
        return self._add(values, other)

    def _add(self, values: Values, other: int | None) -> int:
        """Make a new address, unless it agrees with the customer's other one: then that serves as both."""
        if other is not None and agree(values, self.rows[other]):
            return other
        row = new_row({name: values[name] for name in ADDRESS_FIELDS})
        key: int = row["id"]
        self.rows[key] = row
        self._added.append(row)
        return key

    def attach(self, customer: int, before: Iterable[int | None], after: Iterable[int | None]) -> bool:
        """Take note of whom the addresses serve from now on; True where that, or they, change."""
        old, new = set(before) - {None}, set(after) - {None}
        for address in new - old:
            assert address is not None
            self._users[address].add(customer)
        # Attached addresses stay attached.
        for address in old - new - self._attached[customer]:
            assert address is not None
            self._users[address].discard(customer)
        return old != new or any(address in self._before for address in old)

    def attach_further(
        self, customer: int, serving: Iterable[int | None], given: Iterable[Values], name: str
    ) -> list[Values]:
        """Attach further addresses to a customer, which its row gives; returns those that it gets that way.

        One that agrees with an address that the customer has is that one: bill-to and ship-to, as they are to
        be (`serving`), or attached. What is attached already stays, given or not. Without a name an address
        gets that of the customer, `name`. Each needs a country.
        """
        known = [key for key in (*serving, *self._attached[customer]) if key is not None]
        added: list[Values] = []
        for fields in given:
            values = {**_DEFAULTS, **{field: value for field, value in fields.items() if value is not None}}
            # Without a name of its own it is the one that agrees in all else: the customer's name may change.
            is_named = values["name"] is not None
            values["name"] = values["name"] or name
            if not any(_is_one(values, self.rows[key], is_named=is_named) for key in known):
                key = self._add(values, None)
                known.append(key)
                self._attached[customer].add(key)
                self._users[key].add(customer)
                self._further.append((customer, key))
                added.append(self.rows[key])
        return added

    def index_ahead(self, writer: Writer) -> None:
        """Have the entries of the new ones made, if that can be, before the next transaction writes them."""
        self._is_indexed = records.index_ahead(writer, self._added)

    def finish_ahead(self, writer: Writer) -> None:
        """Have the JSON of the new ones made, if that can be, before the next transaction writes them."""
        self._is_finished_ahead = records.finish_ahead(writer, self._added)

    def take_finished(self, writer: Writer) -> None:
        """Take up what was made ahead."""
        if self._is_finished_ahead:
            self._finished = writer.take_finished()

    def places_of(self, customers: Iterable[Values]) -> dict[int, list[Values]]:
        """Return the addresses under which new customers are found, in their order."""
        found = {row["id"]: {row["bill_to_address_id"], row["ship_to_address_id"]} for row in customers}
        for customer, address in self._further:
            found[customer].add(address)
        return {key: [self.rows[each] for each in sorted(places - {None})] for key, places in found.items()}

    def write_new(self, writer: Writer) -> None:
        """Write the new addresses, before the customers that refer to them."""
        records.insert(writer, self._added, is_indexed=self._is_indexed, finished=self._finished)

    def write_attached(self, writer: Writer) -> None:
        """Attach the further ones to their customers, which are there by then."""
        link(writer, self._further, known={}, places=self.rows, is_attached=True)

    def write_changed(self, writer: Writer) -> None:
        """Write those that are other than before, for the customers that are found under them too."""
        changes = [(before, self.rows[key]) for key, before in self._before.items()]
        records.write(writer, changes)
        copy_places(writer, {row["id"]: row for before, row in changes if differ(before, row, COPIED)})


def _is_one(values: Values, known: Values, *, is_named: bool) -> bool:
    return agree(values if is_named else {**values, "name": known["name"]}, known)


def has_value(given: Values) -> bool:
    """Tell whether a part gives more than what is to be cleared."""
    return any(value is not None for value in given.values())


def _is_emptied(given: Values) -> bool:
    """Tell whether the row has every column of the address, all empty: then there is no address."""
    return len(given) == len(ADDRESS_FIELDS) and not has_value(given)


def _merged(values: Values, given: Values) -> Values:
    return {
        **values,
        **{field: value for field, value in given.items() if value is not None or field not in _NEVER_NULL},
    }
