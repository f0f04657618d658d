"""Which pricing groups customers are in."""

from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa

from tradebook.resources.customers.tables import customer_price_groups
from tradebook.storage.database import Reader, Writer
from tradebook.storage.schema import ACCOUNT, any_of, prepare

_groups = customer_price_groups.c
_GROUPS_OF = prepare(
    sa.select(_groups.customer_id, _groups.group_id).where(
        _groups.account_id == ACCOUNT, any_of(_groups.customer_id, "ids")
    )
)
_ANY_OF = prepare(
    sa.select(_groups.group_id)
    .where(_groups.account_id == ACCOUNT, any_of(_groups.customer_id, "ids"))
    .distinct()
)
_ADD = prepare(sa.insert(customer_price_groups))
_DROP = prepare(
    sa.delete(customer_price_groups).where(
        _groups.account_id == ACCOUNT,
        _groups.customer_id == sa.bindparam("customer"),
        any_of(_groups.group_id, "ids"),
    )
)


def price_groups_of(reader: Reader, customers: Iterable[int]) -> dict[int, set[int]]:
    """Return the pricing groups of each of some customers."""
    found: dict[int, set[int]] = {customer: set() for customer in customers}
    for customer, group in reader.rows(_GROUPS_OF, ids=list(found)):
        found[customer].add(group)
    return found


def price_groups_of_any(reader: Reader, customers: Iterable[int]) -> set[int]:
    """Return the pricing groups that any of some customers is in."""
    return {group for (group,) in reader.rows(_ANY_OF, ids=list(customers))}


def set_price_groups(
    writer: Writer, wanted: Mapping[int, Collection[int]], had: Mapping[int, Collection[int]]
) -> set[int]:
    """Have customers be in these pricing groups and in no others; returns those of whom it changed.

    `had` are the groups that they are in so far; a new customer needs no entry there.
    """
    added, changed = [], set()
    for customer, groups in wanted.items():
        new, old = set(groups), set(had.get(customer, ()))
        if new != old:
            changed.add(customer)
        if old - new:
            writer.run(_DROP, customer=customer, ids=sorted(old - new))
        added += [{"customer_id": customer, "group_id": group} for group in sorted(new - old)]
    if added:
        writer.insert(_ADD, added)
    return changed
