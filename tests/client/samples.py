"""A book of a test's own, asked by the client."""

from typing import Any

from tests.fixtures.book import Book
from tradebook_client import Tradebook


def client_of(book: Book, url: str | None = None, **options: Any) -> Tradebook:
    """Make a client with the book's key; another URL is that of somebody in between."""
    return Tradebook(url or book.server.url, book.key, **options)


def fields_of_a_customer(client: Tradebook) -> dict[str, Any]:
    """Make what a customer refers to, and return the fields of a new one without its name."""
    group = next((g for g in client.account_groups.list(type="type_group")), None)
    group = group or client.account_groups.create(name="Retail", type="type_group")
    place = {"name": "Dock 4", "country": "US", "locality": "Chicago"}
    return {
        "customer_type_group_id": group.id,
        "default_carrier_id": next(client.carriers.list()).id,
        "default_payment_term_id": next(client.payment_terms.list()).id,
        "default_shipping_term_id": next(client.shipping_terms.list()).id,
        "bill_to_address": place,
        "ship_to_address": place,
    }
