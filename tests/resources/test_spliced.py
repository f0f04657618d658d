"""Customers are the same however they are read: as a part of the list or by key, of kept JSON or of rows."""

from functools import partial

import msgspec
import pytest
from msgspec import structs

from tests.fixtures.ledgers import Ledger
from tradebook.crud.cursor import load_cursors
from tradebook.crud.list_requests import RequestParser
from tradebook.crud.listing import list_page
from tradebook.crud.resource import View
from tradebook.resources import addresses, customers
from tradebook.resources.customers import reads, related
from tradebook.resources.customers.finished import FINISHED
from tradebook.web.query_string import page_url

ROUTE = customers.resource.routes[0]
BY_KEYS = structs.replace(ROUTE, load_span=None)
TEXT = 'Ü"\\\u2028\n\u0001'
ADDRESS = {"bill_to.name": "A", "bill_to.country": "FR", "bill_to.locality": "Ü\\"}
ROWS = [
    {"number": "head", "name": 'Ü\\"', **ADDRESS},
    {"number": "bare", "name": "Bare"},
    {"number": "two", "name": "Two", **ADDRESS, "ship_to.name": "B", "ship_to.country": "DE"},
    {"number": "one", "name": "One", "parent_number": "head", "price_groups": ["G", "H"], **ADDRESS},
    {"number": "shipped", "name": "Shipped", "parent_number": "head", "ship_to.country": "DE"},
    {"number": "ids", "name": "Ids", "price_groups": ["H"], "external_ids.shop": "4", "external_ids.Ä": "5"},
    {"number": "owes", "name": "Owes", "credit_limit": "7.50", "credit_limit_currency": "EUR", "priority": "high"},
    {"number": "sent", "name": "Sent", "carrier": "Van", "service_level": "Day", "carrier_billing_account": '"9"'},
]  # fmt: skip
EACH = [(name,) for name in ROUTE.includes]
SOME = [(), *EACH, ("bill_to_address", "ship_to_address"), ("bill_to_address", "ship_to_address.geolocation")]


def rows_alone(reader, of: str = ""):
    """A reader as on a book of which no JSON is kept, or only that of one kind."""
    reader.is_whole = lambda name: name == of
    return reader


def pages(ledger: Ledger, include: tuple[str, ...], kinds) -> list[bytes]:
    """The page with the two in the middle of the list, read in several ways."""
    cursors = load_cursors(ledger.database)
    asked = [("include[]", name) for name in include]
    request = RequestParser(ROUTE).list_request(asked, ledger.key, cursors)
    made = []
    for route, of_reader in kinds:
        with ledger.database.read(ledger.key) as reader:
            view = View(of_reader(reader), request.include, partial(page_url, cursors))
            made.append(list_page(view, route, request))
    return made


KINDS = [
    (ROUTE, lambda reader: reader),
    (BY_KEYS, lambda reader: reader),
    (ROUTE, rows_alone),
    (ROUTE, partial(rows_alone, of=FINISHED.name)),
    (ROUTE, partial(rows_alone, of=addresses.FINISHED.name)),
]


@pytest.fixture
def filled(ledger):
    """An account of customers of every kind."""
    ledger.take(*ROWS)
    return ledger


def differing(ledger: Ledger) -> list[tuple[str, ...]]:
    """What is not the same in each of the ways."""
    return [include for include in (*SOME, ROUTE.includes) if len(set(pages(ledger, include, KINDS))) > 1]


def test_a_page_is_the_same_however_it_is_read(filled):
    assert differing(filled) == []
    (page, *_) = pages(filled, ROUTE.includes, KINDS)
    assert len(msgspec.json.decode(page)["data"]) == len(ROWS)


@pytest.mark.parametrize(
    ("place", "name"),
    [(reads, "SAME"), (related._PRICE_GROUPS, "of_span"), (customers.external_ids, "_OF_SPAN")],
    ids=["same address", "price groups", "ids"],
)
def test_one_that_differs_is_noticed(filled, monkeypatch, place, name):
    """Planted faults: another address, lists of other owners."""
    other = {"SAME": b"{}", "of_span": related._CHILDREN.of_span, "_OF_SPAN": related._CHILDREN.of_span}
    monkeypatch.setattr(place, name, other[name])
    reads._whole.cache_clear()

    with pytest.raises((AssertionError, KeyError, ValueError)):
        assert differing(filled) == []
    reads._whole.cache_clear()
