"""A walk brings every row once, and the lists inside an object are whole, whatever happens on the way."""

from itertools import cycle, islice

import msgspec
import pytest

from tests.client.forms import fields_of_a_customer
from tests.client.proxy import Cut, Proxy, Refuse, Say
from tests.fixtures.book import walk
from tradebook_client import UnexpectedAnswer

CHILDREN, GROUPS = 130, 110
SERVED = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
FULL = ["price_groups", "child_accounts", "freight_preferences.carrier.service_levels"]


def fill(book):
    """Add a customer whose nested lists have more than a page."""
    groups = [f"Group {n}" for n in range(GROUPS)]
    book.add(
        {"number": "head", "name": "Head office", "price_groups": groups},
        *({"number": f"c{n}", "name": f"Child {n}", "parent_number": "head"} for n in range(CHILDREN)),
    )
    return book


@pytest.fixture(scope="module")
def filled(module_book):
    """A book to walk over; no customer comes or goes."""
    return fill(module_book)


def ids(rows):
    return [row.id for row in rows]


def test_a_walk_brings_what_the_pages_bring_in_their_order(filled, clients):
    expected = [row["id"] for row in walk(filled.client, limit=1000)]
    client = clients.of(filled)

    assert len(expected) == CHILDREN + 1
    for limit in (7, 100, 1000):
        assert ids(client.customers.list(limit=limit)) == expected
    assert ids(client.customers.list(q="child 12", limit=2)) == [
        row["id"] for row in walk(filled.client, q="child 12")
    ]


@SERVED
def test_a_walk_over_a_bad_line_brings_the_same(filled, clients):
    expected = [row["id"] for row in walk(filled.client, limit=1000)]
    later = Refuse(429, {"Retry-After-Ms": "1"})
    faults = islice(cycle([None, Cut(), later, None, Cut(is_asked=False)]), 12)

    with Proxy(filled.server.url, faults) as proxy:
        brought = ids(clients.of(filled, proxy.url).customers.list(limit=20))

    assert brought == expected
    assert len(proxy.seen) == 7 + 7


def test_what_stays_during_a_walk_is_brought_once(book, clients):
    client = clients.of(fill(book))
    before = ids(client.customers.list())
    fields = fields_of_a_customer(client)
    brought = []

    for place, customer in enumerate(client.customers.list(limit=10)):
        brought.append(customer.id)
        if place == 15:
            client.customers.create(name="Newcomer", **fields)
            client.customers.delete(before[-2])
            client.customers.delete(before[3])

    assert brought == [each for each in before if each != before[-2]]


def test_lists_inside_an_object_are_whole(filled, clients):
    client = clients.of(filled)
    (head,) = client.customers.list(q="head", parent_account_status="parent", include=FULL)

    children, groups = (
        ids(client.customers.child_accounts(head.id)),
        ids(client.customers.price_groups(head.id)),
    )

    assert (len(children), len(groups)) == (CHILDREN, GROUPS)
    assert ids(head.child_accounts) == children
    assert ids(head.price_groups) == groups
    assert len(head.child_accounts) == CHILDREN
    assert ids(client.customers.get(head.id, include=FULL).price_groups) == groups
    assert ids(client.customers.update(head.id, note="x", include=FULL).child_accounts) == children
    assert client.customers.get(head.id).price_groups is None


@SERVED
def test_nothing_is_asked_before_the_first_row_and_no_page_more_than_needed(filled, clients):
    with Proxy(filled.server.url) as proxy:
        listed = clients.of(filled, proxy.url).customers.list(limit=10)
        assert proxy.seen == []
        list(islice(listed, 15))

    assert len(proxy.seen) == 2


def changed_page(**info):
    return Say(lambda page: {**page, "page_info": {**page["page_info"], **info}})


@SERVED
@pytest.mark.parametrize(
    "wrong",
    [
        changed_page(next_page_url="https://elsewhere.example/v1/sales/customers"),
        changed_page(next_page_url="//elsewhere.example/v1/sales/customers"),
        changed_page(next_page_url=None),
        changed_page(next_page_url="/v1/sales/customers?limit=10"),
        changed_page(has_next_page=False),
        Say(lambda page: {"data": page["data"]}),
        Say(lambda page: {**page, "data": None}),
        Say(lambda page: {**page, "data": [{"id": 5}]}),
        Say(lambda page: []),
        Say(lambda page: b"<html>Please sign in to the guest network"),
    ],
)
def test_a_page_that_no_server_gives_ends_the_walk_with_an_error(filled, clients, wrong):
    with Proxy(filled.server.url, [wrong]) as proxy, pytest.raises(UnexpectedAnswer):
        list(clients.of(filled, proxy.url).customers.list(limit=10))

    assert len(proxy.seen) == 1


@SERVED
@pytest.mark.parametrize(
    "wrong",
    [
        Say(lambda _: 5),
        Say(lambda _: None),
        Say(lambda _: []),
        Say(lambda _: b""),
        Say(lambda _: b"\xff"),
        Say(lambda found: {**found, "name": None}),
        Say(lambda found: {key: value for key, value in found.items() if key != "id"}),
        Say(lambda found: {**found, "price_groups": {"object": "list", "data": []}}),
        Say(lambda found: {**found, "price_groups": {"object": "list", "data": None, "page_info": None}}),
    ],
)
def test_so_does_an_object_that_no_server_gives(filled, clients, wrong):
    (head,) = clients.of(filled).customers.list(q="head")

    with Proxy(filled.server.url, [wrong]) as proxy, pytest.raises(UnexpectedAnswer):
        clients.of(filled, proxy.url).customers.get(head.id)


@SERVED
def test_a_page_of_another_version_is_read(filled, clients):
    def later(page):
        rows = [{**row, "status": "on_probation", "tags": ["x"]} for row in page["data"]]
        for row in rows:
            del row["edi_status"]
        return {**page, "data": rows, "total": 5}

    with Proxy(filled.server.url, [Say(later)]) as proxy:
        first = next(clients.of(filled, proxy.url).customers.list())

    assert first.status == "on_probation"
    assert first.edi_status is msgspec.UNSET
