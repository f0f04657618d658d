"""Customers in and out: import, export, and the copy of a whole book."""
