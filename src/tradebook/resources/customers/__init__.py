"""Customers: whom the account sells to."""

from tradebook.resources.customers.routes import resource
from tradebook.resources.customers.tables import INDEX

__all__ = ["INDEX", "resource"]
