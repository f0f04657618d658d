"""What the product is: one file for each resource, nothing about HTTP, nothing about engines."""

from tradebook.resources import (
    account_groups,
    account_users,
    addresses,
    api_keys,
    carriers,
    customers,
    payment_terms,
    service_levels,
    shipping_terms,
)

ALL = (
    customers.resource,
    account_groups.resource,
    addresses.resource,
    carriers.resource,
    service_levels.resource,
    shipping_terms.resource,
    payment_terms.resource,
    account_users.resource,
)
INDEXES = (customers.INDEX,)

__all__ = ["ALL", "INDEXES", "api_keys"]
