"""Customers: whom the account sells to."""

from tradebook.resources.customers.load import load
from tradebook.resources.customers.routes import resource
from tradebook.resources.customers.tables import INDEX

__all__ = ["INDEX", "load", "resource"]
