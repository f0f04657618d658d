"""Tradebook: the customer book of a B2B seller as one self-hosted HTTP API."""

__version__ = "0.1.0"
