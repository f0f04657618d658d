"""Customers: whom the account sells to."""

from tradebook.resources.customers.fields import FIELDS
from tradebook.resources.customers.load import load
from tradebook.resources.customers.routes import resource
from tradebook.resources.customers.tables import INDEX

__all__ = ["FIELDS", "INDEX", "load", "resource"]
