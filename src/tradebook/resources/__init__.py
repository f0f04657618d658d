"""What the product is: one file for each resource, nothing about HTTP, nothing about engines."""

# The one table that is of no resource: whoever has this room has every table of a book.
from tradebook.crud import idempotency as _  # noqa: F401
from tradebook.resources import (
    account_groups,
    account_statuses,
    account_users,
    addresses,
    api_keys,
    carriers,
    customers,
    payment_terms,
    priorities,
    shipping_terms,
)
from tradebook.resources import address_routes as customer_addresses

ALL = (
    customers.resource,
    account_groups.resource,
    customer_addresses.resource,
    priorities.resource,
    account_statuses.resource,
    carriers.resource,
    carriers.service_level_resource,
    shipping_terms.resource,
    payment_terms.resource,
    account_users.resource,
    api_keys.resource,
)
INDEXES = (customers.INDEX, addresses.INDEX, account_groups.INDEX)

__all__ = ["ALL", "INDEXES", "api_keys"]
