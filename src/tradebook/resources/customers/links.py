"""The links of a customer: to its addresses, its pricing groups, its parent and children."""

from collections.abc import Iterable

import sqlalchemy as sa

from tradebook.crud.change import Change
from tradebook.crud.versions import next_version
from tradebook.resources.addresses import addresses
from tradebook.resources.customers.tables import INDEX, customer_addresses, customer_price_groups, customers
from tradebook.storage.schema import ACCOUNT, any_of, prepare

_c, _a, _links, _groups = customers.c, addresses.c, customer_addresses.c, customer_price_groups.c
COPIED = ("locality", "state", "postal_code")
"""Columns that a link copies from its address, so that the address filters need only the link."""

_PLACES = prepare(
    sa.select(_a.id, *(_a[name] for name in COPIED)).where(_a.account_id == ACCOUNT, any_of(_a.id, "ids"))
)
LINKED = prepare(
    sa.select(_links.address_id, _links.is_attached).where(
        _links.account_id == ACCOUNT, any_of(_links.customer_id, "customers")
    )
)
_LINK = prepare(sa.insert(customer_addresses))
_UNLINK = prepare(
    sa.delete(customer_addresses).where(
        _links.account_id == ACCOUNT,
        _links.customer_id == sa.bindparam("customer"),
        any_of(_links.address_id, "ids"),
        _links.is_attached == 0,
    )
)
_ATTACH = prepare(
    sa.update(customer_addresses)
    .where(
        _links.account_id == ACCOUNT,
        _links.customer_id == sa.bindparam("customer"),
        any_of(_links.address_id, "ids"),
    )
    .values(is_attached=1)
)
GROUPED = prepare(
    sa.select(_groups.group_id).where(_groups.account_id == ACCOUNT, any_of(_groups.customer_id, "customers"))
)
_ADD_GROUP = prepare(sa.insert(customer_price_groups))
_DROP_GROUPS = prepare(
    sa.delete(customer_price_groups).where(
        _groups.account_id == ACCOUNT,
        _groups.customer_id == sa.bindparam("customer"),
        any_of(_groups.group_id, "ids"),
    )
)
_ANY_CHILD = prepare(
    sa.select(_c.id)
    .where(_c.account_id == ACCOUNT, _c.parent_id == sa.bindparam("parent"))
    .order_by(_c.id)
    .limit(1)
)
_FLAG = prepare(
    sa.select(_c.is_parent, _c.updated_at).where(_c.account_id == ACCOUNT, _c.id == sa.bindparam("key"))
)
_SET_FLAG = prepare(
    sa.update(customers)
    .where(_c.account_id == ACCOUNT, _c.id == sa.bindparam("key"))
    .values(is_parent=sa.bindparam("is_parent"), updated_at=sa.bindparam("now"))
)


def link(change: Change, customer: int, wanted: Iterable[int], *, is_attached: bool = False) -> None:
    """Link a customer to these addresses. Attached ones stay linked without being bill-to or ship-to."""
    known: dict[int, int] = dict(change.writer.rows(LINKED, customers=[customer]))
    listed = list(dict.fromkeys(wanted))
    loose = [address for address in listed if known.get(address) == 0]
    if is_attached and loose:
        change.writer.run(_ATTACH, customer=customer, ids=loose)
    missing = [address for address in listed if address not in known]
    places = change.writer.rows(_PLACES, ids=missing)
    change.writer.insert(
        _LINK,
        [
            {
                "customer_id": customer,
                "address_id": address,
                "is_attached": int(is_attached),
                **dict(zip(COPIED, place, strict=True)),
            }
            for address, *place in places
        ],
    )


def unlink(change: Change, customer: int, addresses_of: Iterable[int]) -> None:
    """Remove a customer's links to these addresses, except to those that are attached."""
    change.writer.run(_UNLINK, customer=customer, ids=sorted(addresses_of))


def set_price_groups(change: Change, customer: int, wanted: Iterable[int]) -> None:
    """Put a customer into exactly these pricing groups."""
    new, old = set(wanted), {group for (group,) in change.writer.rows(GROUPED, customers=[customer])}
    if old - new:
        change.writer.run(_DROP_GROUPS, customer=customer, ids=sorted(old - new))
    added = [{"customer_id": customer, "group_id": group} for group in sorted(new - old)]
    change.writer.insert(_ADD_GROUP, added)


def review_parent(change: Change, parent: int | None) -> None:
    """Make a customer a parent exactly if it has children, in its row and in the index."""
    found = [] if parent is None else change.writer.rows(_FLAG, key=parent)
    if not found:
        return
    is_parent, updated_at = found[0]
    has_children = bool(change.writer.rows(_ANY_CHILD, parent=parent))
    if has_children != bool(is_parent):
        change.writer.run(_SET_FLAG, key=parent, is_parent=int(has_children), now=next_version(updated_at))
        assert parent is not None
        change.writer.reindex(INDEX, [parent])
