"""What an import does to addresses: new ones, changed ones, and who is found under them.

An address may serve several customers. A row speaks for its own customer only, so an address that
serves another one too is left as it is, and the row's customer gets one of its own. None is deleted:
nothing tells whether an import made it or somebody who still wants it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.crud.versions import next_version_of
from tradebook.ids import milliseconds_of
from tradebook.resources.addresses import INDEX, addresses
from tradebook.resources.customers.tables import customer_addresses
from tradebook.storage.database import Writer
from tradebook.storage.schema import ACCOUNT, any_of, prepare
from tradebook.transfer.cells import ADDRESS_FIELDS, CheckedRow
from tradebook.transfer.imports.row_keys import RowKeys

Values = dict[str, Any]

_DEFAULTS: Values = {**dict.fromkeys(ADDRESS_FIELDS), "type": 0}
_NEVER_NULL = {"name", "country", "type"}
_COPIED = ("locality", "state", "postal_code")

_a, _links = addresses.c, customer_addresses.c
_BY_KEY = prepare(
    sa.select(_a.id, *(_a[name] for name in ADDRESS_FIELDS)).where(
        _a.account_id == ACCOUNT, any_of(_a.id, "ids")
    )
)
_USERS = prepare(
    sa.select(_links.address_id, _links.customer_id, _links.is_attached).where(
        _links.account_id == ACCOUNT, any_of(_links.address_id, "ids")
    )
)
_INSERT = prepare(sa.insert(addresses))
_UPDATE = prepare(
    sa.update(addresses)
    .where(_a.account_id == ACCOUNT, _a.id == sa.bindparam("key"))
    .values(
        **{name: sa.bindparam(name) for name in ADDRESS_FIELDS}, updated_at=next_version_of(_a.updated_at)
    )
)
_LINK = prepare(sa.insert(customer_addresses))
_THE_LINK = (
    _links.account_id == ACCOUNT,
    _links.customer_id == sa.bindparam("customer"),
    _links.address_id == sa.bindparam("address"),
)
_UPDATE_LINK = prepare(
    sa.update(customer_addresses).where(*_THE_LINK).values(**{name: sa.bindparam(name) for name in _COPIED})
)
_UNLINK = prepare(sa.delete(customer_addresses).where(*_THE_LINK))


class AddressChanges:
    """The addresses of one batch of customers: decided row by row, written all together."""

    def __init__(self, writer: Writer, keys: RowKeys) -> None:
        self._writer, self._keys = writer, keys
        self._values: dict[int, Values] = {}
        self._users: dict[int, set[int]] = defaultdict(set)
        self._attached: dict[int, set[int]] = defaultdict(set)
        self._inserted: list[Values] = []
        self._updated: set[int] = set()
        self._linked: list[Values] = []
        self._relinked: list[tuple[int, int]] = []
        self._unlinked: list[tuple[int, int]] = []

    def load(self, keys: Iterable[int | None]) -> None:
        """Read the addresses that the batch's customers have, and whom else they serve."""
        ids = [key for key in set(keys) if key is not None]
        if ids:
            for key, *values in self._writer.rows(_BY_KEY, ids=ids):
                self._values[key] = dict(zip(ADDRESS_FIELDS, values, strict=True))
            for key, customer, is_attached in self._writer.rows(_USERS, ids=ids):
                self._users[key].add(customer)
                if is_attached:
                    self._attached[customer].add(key)

    def of_new(self, record: CheckedRow) -> tuple[int | None, int | None]:
        """Return the bill-to and ship-to address of a new customer; one serves as both unless told."""
        name = record.own.get("name")
        bill = self._add_given(record, "bill_to", name)
        ship = self._add_given(record, "ship_to", name)
        return bill, bill if ship is None else ship

    def of_changed(self, record: CheckedRow, customer: Mapping[str, Any]) -> tuple[int | None, int | None]:
        """Return the addresses that a customer has after the row; what the row doesn't give stays."""
        old_bill, old_ship = customer["bill_to_address_id"], customer["ship_to_address_id"]
        before = self._values.get(old_ship, {})
        name = record.own.get("name", customer["name"])
        bill = self._change(record, "bill_to", old_bill, customer["id"], name)
        if not _has_value(record.ship_to):
            if old_bill == old_ship or _is_emptied(record.ship_to):
                return bill, bill
        elif old_bill == old_ship and old_ship is not None and bill is not None:
            values = _merged(before, record.ship_to)
            return bill, bill if values == self._values[bill] else self._add(values)
        return bill, self._change(record, "ship_to", old_ship, customer["id"], name)

    def _change(self, record: CheckedRow, part: str, key: int | None, customer: int, name: str) -> int | None:
        given = getattr(record, part)
        if key is None:
            return self._add_given(record, part, name)
        if _is_emptied(given):
            return None
        values = _merged(self._values[key], given)
        if values == self._values[key]:
            return key
        if self._users[key] - {customer}:
            return self._add(values)
        self._values[key] = values
        self._updated.add(key)
        return key

    def _add_given(self, record: CheckedRow, part: str, name: str | None) -> int | None:
        given = getattr(record, part)
        if not _has_value(given):
            return None
        if given.get("country") is None:
            record.require(f"{part}.country", "is missing: an address needs a country")
            return None
        values = {**_DEFAULTS, **given}
        if values["name"] is None:
            values["name"] = name
        if values["name"] is None:
            # Neither has a name, and that of the customer is reported: nothing of the row is written.
            return None
        if values["type"] is None:
            values["type"] = _DEFAULTS["type"]
        return self._add(values)

    def _add(self, values: Values) -> int:
        key = self._keys.now()
        self._values[key] = values
        self._inserted.append({"id": key, "updated_at": milliseconds_of(key), **values})
        return key

    def attach(self, customer: int, before: Iterable[int | None], after: Iterable[int | None]) -> bool:
        """Have the customer found under its addresses of now; True where anything of them changes."""
        old, new = set(before) - {None}, set(after) - {None}
        for address in new - old:
            assert address is not None
            copies = {name: self._values[address][name] for name in _COPIED}
            self._linked.append({"customer_id": customer, "address_id": address, "is_attached": 0, **copies})
            self._users[address].add(customer)
        # What is attached goes on serving the customer.
        for address in old - new - self._attached[customer]:
            assert address is not None
            self._unlinked.append((customer, address))
            self._users[address].discard(customer)
        changed = [address for address in old & new if address in self._updated]
        self._relinked += [(customer, address) for address in changed if address is not None]
        return bool(old != new or changed)

    def write_new(self) -> None:
        """Write the addresses that the customers of the batch are about to refer to."""
        self._writer.insert(_INSERT, self._inserted)

    def write_changed(self) -> None:
        """Write everything else, once the customers are written."""
        now = now_ms()
        self._writer.insert(_LINK, self._linked)
        for address in self._updated:
            self._writer.run(_UPDATE, key=address, now=now, **self._values[address])
        for customer, address in self._relinked:
            copies = {name: self._values[address][name] for name in _COPIED}
            self._writer.run(_UPDATE_LINK, customer=customer, address=address, **copies)
        for customer, address in self._unlinked:
            self._writer.run(_UNLINK, customer=customer, address=address)
        touched = {values["id"] for values in self._inserted} | self._updated
        self._writer.reindex(INDEX, sorted(touched))


def _has_value(given: Values) -> bool:
    return any(value is not None for value in given.values())


def _is_emptied(given: Values) -> bool:
    """Tell whether the row has every column of the address and all are empty: there is no address."""
    return len(given) == len(ADDRESS_FIELDS) and not _has_value(given)


def _merged(values: Values, given: Values) -> Values:
    return {
        **values,
        **{field: value for field, value in given.items() if value is not None or field not in _NEVER_NULL},
    }
