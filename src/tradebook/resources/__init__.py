"""What the product is: one file for each resource, nothing about HTTP, nothing about engines."""

# The one table that is of no resource: whoever has this room has every table of a book.
from tradebook.crud import idempotency as _  # noqa: F401
from tradebook.resources import (
    account_groups,
    account_statuses,
    account_users,
    address_routes,
    addresses,
    api_key_routes,
    api_keys,
    carriers,
    customers,
    import_routes,
    imports,
    payment_terms,
    priorities,
    service_level_routes,
    shipping_terms,
    units,
)

ALL = (
    customers.resource,
    account_groups.resource,
    address_routes.resource,
    priorities.resource,
    account_statuses.resource,
    carriers.resource,
    service_level_routes.resource,
    shipping_terms.resource,
    payment_terms.resource,
    account_users.resource,
    api_key_routes.resource,
    units.resource,
    import_routes.resource,
)
INDEXES = (customers.INDEX, addresses.INDEX, account_groups.INDEX)

__all__ = ["ALL", "INDEXES", "api_keys", "imports"]
