"""Customers written to the book, any number at once: their rows, and what goes with them.

An import writes a thousand, a request writes one. Who has which parent is settled apart (`parents`), and the
index is brought up to date last, by whoever knows that nothing else follows.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tradebook.crud.records import BeforeAfter, Records, Values, differ
from tradebook.resources.customers.addresses import Pair, customer_addresses, link, unlink
from tradebook.resources.customers.external_ids import external_ids
from tradebook.resources.customers.finished import FINISHED
from tradebook.resources.customers.index import INDEX
from tradebook.resources.customers.price_groups import set_price_groups
from tradebook.resources.customers.tables import (
    customer_price_groups,
    customer_search,
    customers,
    merged_customers,
)
from tradebook.storage.database import Finished, Writer

records = Records(
    customers,
    unique=("number",),
    owned=(
        customer_addresses.c.customer_id,
        customer_price_groups.c.customer_id,
        customer_search.c.customer_id,
        external_ids.c.customer_id,
        merged_customers.c.survivor_id,
    ),
    finished=FINISHED,
)
_INDEXED = INDEX.columns_of(customers)


def add_customers(
    writer: Writer,
    rows: Sequence[Values],
    *,
    price_groups: Mapping[int, Collection[int]],
    places: Mapping[int, Mapping[str, Any]],
    finished: Sequence[Finished] | None = None,
) -> None:
    """Add customers whose addresses are there.

    `places` are the columns of those that were made just now, `finished` is the customers' JSON where it was
    made ahead.
    """
    records.insert(writer, rows, finished=finished)
    link(writer, [pair for row in rows for pair in addresses_of(row)], known={}, places=places)
    set_price_groups(writer, price_groups, {})


def change_customers(
    writer: Writer,
    changes: Sequence[BeforeAfter],
    *,
    price_groups: Mapping[int, Collection[int]],
    had_groups: Mapping[int, Collection[int]],
    places: Mapping[int, Mapping[str, Any]] | None = None,
    keeps_addresses: bool = False,
) -> set[int]:
    """Change customers; returns those that are to be found by something else now.

    `keeps_addresses` has those that are bill-to and ship-to no longer stay attached.
    """
    records.write(writer, changes)
    added = [pair for before, after in changes for pair in addresses_of(after) - addresses_of(before)]
    gone = [pair for before, after in changes for pair in addresses_of(before) - addresses_of(after)]
    link(writer, added, places=places)
    if keeps_addresses:
        link(writer, gone, is_attached=True)
        gone = []
    unlink(writer, gone)
    stale = {customer for customer, _ in (*added, *gone)}
    stale |= {before["id"] for before, after in changes if differ(before, after, _INDEXED)}
    return stale | set_price_groups(writer, price_groups, had_groups)


def addresses_of(row: Mapping[str, Any]) -> set[Pair]:
    """Pair a customer with the addresses that it is billed at and shipped to."""
    keys = (row["bill_to_address_id"], row["ship_to_address_id"])
    return {(row["id"], key) for key in keys if key is not None}
