"""The routes of customers: the list, the single customer, the lists inside it, and every change."""

from typing import Any, Literal

from tradebook.crud.kinds import Id, OneOf
from tradebook.crud.parameters import END_DATE, START_DATE, Parameter, Q, Text
from tradebook.crud.resource import Action, Creation, Gone, ItemRoute, ListRoute, PathObject, Resource
from tradebook.crud.walks import walk_of_index, walk_of_owned
from tradebook.errors import CustomerMerged, ResourceConflict, ResourceExists
from tradebook.resources import (
    account_groups,
    account_users,
    carriers,
    payment_terms,
    service_levels,
    shipping_terms,
)
from tradebook.resources.account_groups import AccountGroup, CommissionPolicy, FreightPolicy
from tradebook.resources.account_statuses import StatusCode
from tradebook.resources.customers import changes, index, merging, naming
from tradebook.resources.customers.changes import survivor_of
from tradebook.resources.customers.fields import CREATE, PUT, UPDATE
from tradebook.resources.customers.load import INCLUDES, load, load_plain, load_span
from tradebook.resources.customers.shape import ID_PREFIX, PATH, Customer
from tradebook.resources.customers.tables import customer_price_groups, customers
from tradebook.resources.customers.writing import records

FILTERS = (
    Parameter(
        "customer_group_ids[]",
        Id(account_groups.ID_PREFIX),
        "Only customers whose type group (`type`) is one of these.",
        index.TYPE,
    ),
    Parameter(
        "pricing_group_ids[]",
        Id(account_groups.ID_PREFIX),
        "Only customers that belong to any of these pricing groups.",
        index.PRICE_GROUP,
    ),
    Parameter(
        "sales_rep_ids[]",
        Id(account_users.ID_PREFIX),
        "Only customers with one of these default sales reps (account user ids).",
        index.SALES_REP,
    ),
    Parameter(
        "status_codes[]",
        OneOf(StatusCode),
        "Only customers with one of these account statuses.",
        index.STATUS,
    ),
    Parameter(
        "shipping_term_ids[]",
        Id(shipping_terms.ID_PREFIX),
        "Only customers with one of these default shipping terms.",
        index.SHIPPING_TERM,
    ),
    Parameter(
        "payment_term_ids[]",
        Id(payment_terms.ID_PREFIX),
        "Only customers with one of these default payment terms.",
        index.PAYMENT_TERM,
    ),
    Parameter(
        "commission_status_codes[]",
        OneOf(CommissionPolicy),
        "Only customers whose own commission policy is one of these; what a group adds doesn't count.",
        index.COMMISSION_POLICY,
    ),
    Parameter(
        "freight_status_codes[]",
        OneOf(FreightPolicy),
        "Only customers whose own freight policy is one of these; what a group adds doesn't count.",
        index.FREIGHT_POLICY,
    ),
    Parameter(
        "carrier_ids[]",
        Id(carriers.ID_PREFIX),
        "Only customers with one of these default carriers.",
        index.CARRIER,
    ),
    Parameter(
        "service_level_ids[]",
        Id(service_levels.ID_PREFIX),
        "Only customers with one of these default service levels.",
        index.SERVICE_LEVEL,
    ),
    # The order of the words is that of the flag: 0 has no children, 1 has some.
    Parameter(
        "parent_account_status",
        OneOf(Literal["non_parent", "parent"]),
        "`parent`: only customers with child accounts; `non_parent`: only those without.",
        index.IS_PARENT,
    ),
    *(
        Parameter(
            name,
            Text(),
            f"Only customers with an address whose {name.replace('_', ' ')} is exactly this. `city`, "
            "`state` and `postal_code` given together must match one and the same address."
            + (" `q` finds it with its blanks or without." if name == "postal_code" else ""),
            index.PLACE,
            place,
            example=example,
        )
        for place, (name, example) in enumerate(
            (("city", "Portland"), ("state", "ME"), ("postal_code", "04101"))
        )
    ),
)

_PATH_OBJECT = PathObject("id", ID_PREFIX, records, gone=Gone(CustomerMerged, survivor_of))
_BY_NUMBER = PathObject("number", ID_PREFIX, records, by=naming.NUMBER)
_BY_EXTERNAL_ID = PathObject("id", ID_PREFIX, records, by=naming.EXTERNAL_ID)
_SHOWN: dict[str, Any] = {"item": Customer, "load": load, "includes": INCLUDES}
_READ: dict[str, Any] = {"permissions": ("customers:read",), **_SHOWN}
_CHANGED: dict[str, Any] = {"permissions": ("customers:update",), "foresee": changes.foresee, **_SHOWN}
_PUT: dict[str, Any] = {
    "method": "PUT",
    "act": changes.put,
    "or_creates": Creation("customers:create", changes.create, PATH),
    "body": PUT,
    **_CHANGED,
}

resource = Resource(
    name="customer",
    id_prefix=ID_PREFIX,
    shape=Customer,
    routes=(
        ListRoute(
            path=PATH,
            summary="List customers",
            walk=walk_of_index(index.INDEX),
            load_span=load_span,
            parameters=(Q, *FILTERS, START_DATE, END_DATE),
            is_exported=True,
            **_READ,
        ),
        ItemRoute(
            path=f"{PATH}/{{id}}",
            summary="Get a customer",
            path_objects=(_PATH_OBJECT,),
            **_READ,
        ),
        ItemRoute(
            path=f"{PATH}/by-number/{{number}}",
            summary="Get a customer by its number",
            path_objects=(_BY_NUMBER,),
            **_READ,
        ),
        Action(
            path=f"{PATH}/by-number/{{number}}",
            summary="Create or change the customer with a number; absent fields stay as they are",
            errors=(*changes.ERRORS, ResourceExists),
            path_objects=(_BY_NUMBER,),
            **_PUT,
        ),
        ItemRoute(
            path=f"{PATH}/by-external-id/{{name}}/{{id}}",
            summary="Get a customer by its id in another system",
            path_objects=(_BY_EXTERNAL_ID,),
            **_READ,
        ),
        Action(
            path=f"{PATH}/by-external-id/{{name}}/{{id}}",
            summary="Create or change the customer with an id in another system; absent fields stay",
            errors=changes.ERRORS,
            path_objects=(_BY_EXTERNAL_ID,),
            **_PUT,
        ),
        Action(
            method="POST",
            path=PATH,
            summary="Create a customer",
            permissions=("customers:create",),
            act=changes.create,
            foresee=changes.foresee,
            errors=changes.ERRORS,
            new=records,
            body=CREATE,
            creates=_PATH_OBJECT,
            **_SHOWN,
        ),
        Action(
            method="PATCH",
            path=f"{PATH}/{{id}}",
            summary="Change a customer; absent fields stay as they are",
            act=changes.update,
            errors=changes.ERRORS,
            body=UPDATE,
            path_objects=(_PATH_OBJECT,),
            **_CHANGED,
        ),
        Action(
            method="DELETE",
            path=f"{PATH}/{{id}}",
            summary="Delete a customer",
            permissions=("customers:delete",),
            act=changes.delete,
            path_objects=(_PATH_OBJECT,),
            parameters=(changes.ADDRESSES,),
            deletes="customer",
            tells=changes.AddressesLeft,
        ),
        Action(
            method="POST",
            path=f"{PATH}/{{id}}/actions/merge",
            summary="Merge customers into one",
            permissions=("customers:update", "customers:delete"),
            act=merging.merge,
            errors=(ResourceConflict,),
            body=merging.BODY,
            path_objects=(_PATH_OBJECT,),
            previews=(merging.CustomerMergePreview,),
            **{**_SHOWN, "item": merging.MergedCustomer},
        ),
        ListRoute(
            path=f"{PATH}/{{id}}/child_accounts",
            summary="List a customer's child accounts",
            permissions=("customers:read",),
            item=Customer,
            walk=walk_of_owned(customers.c.parent_id, customers.c.id),
            load=load_plain,
            path_objects=(_PATH_OBJECT,),
        ),
        ListRoute(
            path=f"{PATH}/{{id}}/price_groups",
            summary="List a customer's price groups",
            permissions=("customers:read",),
            item=AccountGroup,
            walk=walk_of_owned(customer_price_groups.c.customer_id, customer_price_groups.c.group_id),
            load=account_groups.fragments.load_found,
            path_objects=(_PATH_OBJECT,),
        ),
    ),
)
