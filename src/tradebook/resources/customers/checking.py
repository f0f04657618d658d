"""What holds of every customer, its links and its parent, whoever wrote them."""

import sqlalchemy as sa

from tradebook.crud.rules import Rule, rule
from tradebook.ids import encode_id
from tradebook.resources import account_groups, addresses, service_levels
from tradebook.resources.account_groups import TYPES
from tradebook.resources.customers.addresses import COPIED, customer_addresses
from tradebook.resources.customers.numbering import continues_from
from tradebook.resources.customers.parents import has_children
from tradebook.resources.customers.shape import ID_PREFIX
from tradebook.resources.customers.tables import customer_price_groups, customers, merged_customers
from tradebook.storage.accounts import accounts
from tradebook.storage.schema import ACCOUNT

_c, _links, _groups = customers.c, customer_addresses.c, customer_price_groups.c
_parent, _a = customers.alias("parent"), addresses.addresses.c
_g, _l, _m = account_groups.account_groups.c, service_levels.service_levels.c, merged_customers.c


def _address(key: int) -> str:
    return encode_id(addresses.ID_PREFIX, key)


def _is_linked(address: sa.Column[int]) -> sa.ColumnElement[bool]:
    """Tell whether a customer has a link to the address in one of its columns."""
    return (
        sa.exists(_links.address_id)
        .where(_links.account_id == ACCOUNT, _links.customer_id == _c.id, _links.address_id == address)
        .correlate(customers)
    )


_is_held = (
    sa.exists(_c.id)
    .where(
        _c.account_id == ACCOUNT,
        _c.id == _links.customer_id,
        sa.or_(_c.bill_to_address_id == _links.address_id, _c.ship_to_address_id == _links.address_id),
    )
    .correlate(customer_addresses)
)

_is_served = (
    sa.exists(_links.customer_id)
    .where(_links.account_id == ACCOUNT, _links.address_id == _a.id)
    .correlate(addresses.addresses)
)

RULES: tuple[Rule, ...] = (
    rule(
        _a.id,
        lambda is_unused: f"serves {'somebody' if is_unused else 'nobody'}, and is_unused says otherwise",
        (_a.is_unused == 1) == _is_served,
        told=(_a.is_unused,),
    ),
    rule(
        _c.id,
        lambda is_parent: f"has {'no ' if is_parent else ''}child accounts, and is_parent says otherwise",
        (_c.is_parent == 1) != has_children,
        told=(_c.is_parent,),
    ),
    rule(_c.id, lambda: "is its own parent", _c.parent_id == _c.id),
    rule(
        _c.id,
        lambda parent: f"has the parent {encode_id(ID_PREFIX, parent)}, which is a child account itself",
        _parent.c.account_id == ACCOUNT,
        _parent.c.parent_id.is_not(None),
        _parent.c.id != _c.id,
        told=(_parent.c.id,),
        joined=customers.join(_parent, _parent.c.id == _c.parent_id),
    ),
    rule(
        _c.id,
        lambda group: f"has the type {encode_id(account_groups.ID_PREFIX, group)}, which is no type group",
        _g.account_id == ACCOUNT,
        _g.type != TYPES.index("type_group"),
        told=(_g.id,),
        joined=customers.join(account_groups.account_groups, _g.id == _c.type_id),
    ),
    rule(
        _c.id,
        lambda group: f"is in {encode_id(account_groups.ID_PREFIX, group)}, which is no pricing group",
        _g.account_id == ACCOUNT,
        _g.type != TYPES.index("pricing_group"),
        key=_groups.customer_id,
        told=(_g.id,),
        joined=customer_price_groups.join(account_groups.account_groups, _g.id == _groups.group_id),
    ),
    rule(
        _c.id,
        lambda level: (
            f"has the service level {encode_id(service_levels.ID_PREFIX, level)} of another carrier"
        ),
        _l.account_id == ACCOUNT,
        _l.carrier_id.is_distinct_from(_c.carrier_id),
        told=(_l.id,),
        joined=customers.join(service_levels.service_levels, _l.id == _c.service_level_id),
    ),
    *(
        rule(
            _c.id,
            lambda key, part=part: (
                f"can't be found by its {part}-to address {_address(key)}: the link is missing"
            ),
            column.is_not(None),
            ~_is_linked(column),
            told=(column,),
        )
        for part, column in (("bill", _c.bill_to_address_id), ("ship", _c.ship_to_address_id))
    ),
    rule(
        _c.id,
        lambda key: f"has a link to the address {_address(key)} that nothing holds",
        _links.is_attached == 0,
        ~_is_held,
        key=_links.customer_id,
        told=(_links.address_id,),
    ),
    rule(
        _c.id,
        lambda key: f"is found by another place than its address {_address(key)} has: the link is stale",
        _a.account_id == ACCOUNT,
        sa.or_(*(_links[name].is_distinct_from(_a[name]) for name in COPIED)),
        key=_links.customer_id,
        told=(_links.address_id,),
        joined=customer_addresses.join(addresses.addresses, _a.id == _links.address_id),
    ),
    rule(
        _c.id,
        lambda number, last: (
            f"has the number {number}, and the account's sequence is at {last} only"
            if continues_from(number) and int(number) > last
            else None
        ),
        accounts.c.account_id == ACCOUNT,
        told=(_c.number, accounts.c.last_customer_number),
        joined=customers.join(accounts, accounts.c.account_id == _c.account_id),
    ),
    rule(
        _m.id,
        lambda survivor: f"was merged into {encode_id(ID_PREFIX, survivor)}, and is still there",
        _c.account_id == ACCOUNT,
        told=(_m.survivor_id,),
        joined=merged_customers.join(customers, _c.id == _m.id),
    ),
)
