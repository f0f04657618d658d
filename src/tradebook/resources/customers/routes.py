"""The customer list, the single customer, and the lists inside a customer."""

from tradebook.crud.parameters import END_DATE, START_DATE, Id, OneOf, Parameter, Q, Text
from tradebook.crud.resource import ItemRoute, ListRoute, Owner, Resource
from tradebook.crud.walks import walk_of_index, walk_of_owned
from tradebook.resources import (
    account_groups,
    account_users,
    carriers,
    payment_terms,
    service_levels,
    shipping_terms,
)
from tradebook.resources.account_groups import (
    COMMISSION_POLICIES,
    FREIGHT_POLICIES,
    AccountGroup,
)
from tradebook.resources.customers import tables
from tradebook.resources.customers.load import INCLUDES, PATH, load, load_plain, load_span
from tradebook.resources.customers.shape import ID_PREFIX, Customer

FILTERS = (
    Parameter(
        "customer_group_ids[]",
        Id(account_groups.resource.id_prefix),
        "Only customers whose type group (`type`) is one of these.",
        tables.TYPE,
    ),
    Parameter(
        "pricing_group_ids[]",
        Id(account_groups.resource.id_prefix),
        "Only customers that belong to any of these pricing groups.",
        tables.PRICE_GROUP,
    ),
    Parameter(
        "sales_rep_ids[]",
        Id(account_users.resource.id_prefix),
        "Only customers with one of these default sales reps (account user ids).",
        tables.SALES_REP,
    ),
    Parameter(
        "status_codes[]",
        OneOf(tables.STATUSES),
        "Only customers with one of these account statuses.",
        tables.STATUS,
    ),
    Parameter(
        "shipping_term_ids[]",
        Id(shipping_terms.resource.id_prefix),
        "Only customers with one of these default shipping terms.",
        tables.SHIPPING_TERM,
    ),
    Parameter(
        "payment_term_ids[]",
        Id(payment_terms.resource.id_prefix),
        "Only customers with one of these default payment terms.",
        tables.PAYMENT_TERM,
    ),
    Parameter(
        "commission_status_codes[]",
        OneOf(COMMISSION_POLICIES),
        "Only customers whose own commission policy is one of these; what a group adds doesn't count.",
        tables.COMMISSION_POLICY,
    ),
    Parameter(
        "freight_status_codes[]",
        OneOf(FREIGHT_POLICIES),
        "Only customers whose own freight policy is one of these; what a group adds doesn't count.",
        tables.FREIGHT_POLICY,
    ),
    Parameter(
        "carrier_ids[]",
        Id(carriers.resource.id_prefix),
        "Only customers with one of these default carriers.",
        tables.CARRIER,
    ),
    Parameter(
        "service_level_ids[]",
        Id(service_levels.resource.id_prefix),
        "Only customers with one of these default service levels.",
        tables.SERVICE_LEVEL,
    ),
    # The words stand at the place of the flag's value: 0 has no children, 1 has some.
    Parameter(
        "parent_account_status",
        OneOf(("non_parent", "parent")),
        "`parent`: only customers with child accounts; `non_parent`: only those without.",
        tables.IS_PARENT,
    ),
    *(
        Parameter(
            name,
            Text(),
            f"Only customers with an address whose {name.replace('_', ' ')} is exactly this. `city`, "
            "`state` and `postal_code` given together must match one and the same address.",
            tables.PLACE,
            place,
        )
        for place, name in enumerate(("city", "state", "postal_code"))
    ),
)

_OWNER = Owner("id", ID_PREFIX, load)

resource = Resource(
    name="customer",
    id_prefix=ID_PREFIX,
    shape=Customer,
    routes=(
        ListRoute(
            path=PATH,
            summary="List customers",
            permission="customers:read",
            item=Customer,
            walk=walk_of_index(tables.INDEX),
            load=load,
            load_span=load_span,
            parameters=(Q, *FILTERS, START_DATE, END_DATE),
            includes=INCLUDES,
        ),
        ItemRoute(
            path=f"{PATH}/{{id}}",
            summary="Get a customer",
            permission="customers:read",
            item=Customer,
            owner=_OWNER,
            includes=INCLUDES,
        ),
        ListRoute(
            path=f"{PATH}/{{id}}/child_accounts",
            summary="List a customer's child accounts",
            permission="customers:read",
            item=Customer,
            walk=walk_of_owned(tables.customers.c.parent_id, tables.customers.c.id),
            load=load_plain,
            owner=_OWNER,
        ),
        ListRoute(
            path=f"{PATH}/{{id}}/price_groups",
            summary="List a customer's price groups",
            permission="customers:read",
            item=AccountGroup,
            walk=walk_of_owned(
                tables.customer_price_groups.c.customer_id,
                tables.customer_price_groups.c.group_id,
            ),
            load=account_groups.load,
            owner=_OWNER,
        ),
    ),
)
