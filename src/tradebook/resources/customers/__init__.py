"""Customers: whom the account sells to. What others may use of them is named here; the rest is their own."""

from tradebook.resources.customers import external_ids, likeness, recognising
from tradebook.resources.customers.addresses import (
    COPIED,
    Pair,
    addresses_of,
    attached_to,
    copy_places,
    customer_addresses,
    customers_of,
    detach,
    has_attached,
    is_linked,
    link,
    links_of,
)
from tradebook.resources.customers.changes import require_customers, survivor_of
from tradebook.resources.customers.checking import RULES
from tradebook.resources.customers.fields import FIELDS, NEW
from tradebook.resources.customers.given_addresses import ADDRESS_FIELDS, AddressChanges
from tradebook.resources.customers.index import INDEX
from tradebook.resources.customers.load import load, load_plain
from tradebook.resources.customers.naming import EXTERNAL_ID
from tradebook.resources.customers.numbering import Numbering, continues_from
from tradebook.resources.customers.parents import review_parents
from tradebook.resources.customers.price_groups import price_groups_of
from tradebook.resources.customers.routes import resource
from tradebook.resources.customers.shape import ID_PREFIX, PATH, Customer
from tradebook.resources.customers.tables import customer_price_groups, customers, merged_customers
from tradebook.resources.customers.writing import add_customers, change_customers, records

__all__ = [
    "ADDRESS_FIELDS",
    "COPIED",
    "EXTERNAL_ID",
    "FIELDS",
    "ID_PREFIX",
    "INDEX",
    "NEW",
    "PATH",
    "RULES",
    "AddressChanges",
    "Customer",
    "Numbering",
    "Pair",
    "add_customers",
    "addresses_of",
    "attached_to",
    "change_customers",
    "continues_from",
    "copy_places",
    "customer_addresses",
    "customer_price_groups",
    "customers",
    "customers_of",
    "detach",
    "external_ids",
    "has_attached",
    "is_linked",
    "likeness",
    "link",
    "links_of",
    "load",
    "load_plain",
    "merged_customers",
    "price_groups_of",
    "recognising",
    "records",
    "require_customers",
    "resource",
    "review_parents",
    "survivor_of",
]
