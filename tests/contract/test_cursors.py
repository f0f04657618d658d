"""Cursors: bound to account, path and filters, tamper-proof, good after a restart."""

import string
from urllib.parse import quote

import pytest

from tests.contract.books import newest_first, some
from tests.contract.checkers import (
    CUSTOMERS,
    assert_refused,
    cursor_in,
    fetch,
    ids_of,
    pages_of,
)
from tests.fixtures import plain_http
from tests.fixtures.server import start_server, stop_server

# P9: what a cursor is bound to, and what may change


@pytest.fixture
def cursor(ten):
    return cursor_in(fetch(ten.client, f"{CUSTOMERS}?limit=3")["page_info"]["next_page_url"])


@pytest.mark.parametrize("limit", [1, 2, 5, 7, 1000])
def test_limit_may_change_between_pages(ten, cursor, limit):
    page = fetch(ten.client, f"{CUSTOMERS}?cursor={cursor}&limit={limit}")

    assert ids_of([page]) == newest_first(ten)[3 : 3 + limit]


def test_include_may_change_between_pages(ten, cursor):
    page = fetch(ten.client, f"{CUSTOMERS}?cursor={cursor}&include=contact_info")

    assert ids_of([page]) == newest_first(ten)[3:]
    assert page["data"][0]["contact_info"] is not None


@pytest.mark.parametrize(
    "filters",
    [
        "status_codes=normal",
        "q=ten",
        "city=Oslo",
        "parent_account_status=non_parent",
        "start_date=2020-01-01T00:00:00Z",
        "end_date=2090-01-01T00:00:00Z",
        "carrier_ids=cr_0000000000000",
    ],
)
def test_a_cursor_made_without_a_filter_is_refused_with_it_and_the_reverse(ten, cursor, filters):
    assert_refused(ten.client.get(f"{CUSTOMERS}?cursor={cursor}&{filters}"), "cursor")


@pytest.mark.parametrize(
    ("made_for", "used_for"),
    [
        ("status_codes=normal,preferred", "status_codes=normal"),
        ("status_codes=normal,preferred", ""),
        ("q=ten", "q=te"),
        ("q=ten", ""),
        ("start_date=2020-01-01T00:00:00Z", "start_date=2020-01-01T00:00:00.001Z"),
        ("start_date=2020-01-01T00:00:00Z", "end_date=2090-01-01T00:00:00Z"),
        ("end_date=2090-01-01T00:00:00Z", ""),
        ("commission_status_codes=commission_exempt", "freight_status_codes=billed_freight"),
        ("parent_account_status=non_parent", "parent_account_status=parent"),
    ],
)
def test_a_cursor_made_for_other_filters_is_refused(ten, made_for, used_for):
    made = cursor_in(fetch(ten.client, f"{CUSTOMERS}?limit=1&{made_for}")["page_info"]["next_page_url"])

    assert_refused(ten.client.get(f"{CUSTOMERS}?cursor={made}&{used_for}"), "cursor")


@pytest.mark.parametrize(
    ("made_for", "used_for"),
    [
        ("status_codes[]=normal&status_codes[]=preferred", "status_codes=preferred,normal"),
        ("status_codes=normal&q=ten", "q=ten&status_codes=normal,normal"),
        ("start_date=2020-01-01T00:00:00Z", "start_date=2020-01-01T01:00:00%2B01:00"),
    ],
)
def test_the_same_filters_in_another_spelling_keep_the_cursor(ten, made_for, used_for):
    first = fetch(ten.client, f"{CUSTOMERS}?limit=1&{made_for}")
    made = cursor_in(first["page_info"]["next_page_url"])

    page = fetch(ten.client, f"{CUSTOMERS}?cursor={made}&limit=1&{used_for}")

    assert page["data"] == fetch(ten.client, first["page_info"]["next_page_url"])["data"]


def test_a_cursor_of_another_account_is_refused(ten, book, cursor):
    book.add(*some(5))

    assert_refused(book.client.get(f"{CUSTOMERS}?cursor={cursor}"), "cursor")


def test_another_key_of_the_same_account_may_use_the_cursor(ten, cursor):
    _, secret = ten.new_key()

    page = fetch(ten.client, f"{CUSTOMERS}?cursor={cursor}", headers={"Authorization": f"Bearer {secret}"})

    assert ids_of([page]) == newest_first(ten)[3:]


def test_a_cursor_is_good_for_its_own_path_only(book):
    groups = [f"G{n}" for n in range(5)]
    book.add(
        {"number": "p", "name": "Parent", "price_groups": groups},
        {"number": "q", "name": "Other", "price_groups": groups},
        *({"name": f"Child {n}", "parent_number": "p"} for n in range(5)),
    )
    ids = {customer["number"]: customer["id"] for customer in book.get()["data"]}
    paths = [
        CUSTOMERS,
        f"{CUSTOMERS}/{ids['p']}/child_accounts",
        f"{CUSTOMERS}/{ids['p']}/price_groups",
        f"{CUSTOMERS}/{ids['q']}/price_groups",
    ]
    cursors = {
        path: cursor_in(fetch(book.client, f"{path}?limit=2")["page_info"]["next_page_url"]) for path in paths
    }

    answers = {
        (made, used): book.client.get(f"{used}?cursor={cursors[made]}").status_code
        for made in paths
        for used in paths
    }

    assert answers == {(made, used): (200 if made == used else 400) for made in paths for used in paths}


# P10: tamper-proof

ALPHABET = f"{string.ascii_letters}{string.digits}-_"


@pytest.mark.parametrize("place", range(28))
def test_a_cursor_with_any_character_changed_is_refused(ten, cursor, place):
    changed = [
        f"{cursor[:place]}{letter}{cursor[place + 1 :]}"
        for letter in (*ALPHABET[place::9], cursor[place].swapcase(), "+", "/", "=", " ", "%", "é", "\0", ",")
        if letter != cursor[place]
    ]

    answers = [ten.client.get(CUSTOMERS, params={"cursor": text}) for text in changed]

    assert len(cursor) == 28
    assert [a.status_code for a in answers] == [400] * len(changed)
    assert {a.json()["error"]["param"] for a in answers} == {"cursor"}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text[1:],
        lambda text: text[:14],
        lambda text: f"{text}A",
        lambda text: f"{text}=",
        lambda text: f"{text}\n",
        lambda text: f" {text}",
        lambda text: text * 2,
        lambda text: text[::-1],
        lambda text: text.upper(),
        lambda text: text.lower(),
        lambda text: "A" * 28,
        lambda text: "-" * 28,
        lambda text: "=" * 28,
        lambda text: "é" * 28,
        lambda text: "A" * 10_000,
        lambda text: "0",
        lambda text: "null",
        lambda text: f"'{text}'",
    ],
)
def test_a_cursor_that_is_cut_padded_or_made_up_is_refused(ten, cursor, change):
    assert_refused(ten.client.get(CUSTOMERS, params={"cursor": change(cursor)}), "cursor")


def test_a_nested_lists_cursor_is_as_tamper_proof(book):
    book.add({"number": "p", "name": "P", "price_groups": ["A", "B"]})
    path = f"{CUSTOMERS}/{book.get()['data'][0]['id']}/price_groups"
    made = cursor_in(fetch(book.client, f"{path}?limit=1")["page_info"]["next_page_url"])
    turned = [
        f"{made[:place]}{ALPHABET[(ALPHABET.index(made[place]) + 1) % 64]}{made[place + 1 :]}"
        for place in range(28)
    ]

    answers = [book.client.get(path, params={"cursor": text}) for text in turned]

    assert [answer.status_code for answer in answers] == [400] * 28
    assert_refused(answers[0], "cursor")


def test_a_cursor_needs_no_encoding_in_a_url(ten):
    cursors = [
        cursor_in(page["page_info"]["next_page_url"])
        for page in pages_of(ten.client, f"{CUSTOMERS}?limit=1")[:-1]
    ]

    assert [text for text in cursors if quote(text, safe="") != text] == []


# P11: restarts


def test_cursors_outlive_a_restart_of_the_server(book, server):
    """A server that is started later on the same book takes what another one has given out."""
    book.add(*some(10))
    expected = newest_first(book)
    page = fetch(book.client, f"{CUSTOMERS}?limit=3&q=customer&include=type")
    middle = fetch(book.client, page["page_info"]["next_page_url"])

    second = start_server(server.log.parent, database=server.database)
    client = plain_http.Client(base_url=second.url, headers={"Authorization": f"Bearer {book.key}"})
    forward = pages_of(client, middle["page_info"]["next_page_url"])
    back = fetch(client, middle["page_info"]["previous_page_url"])
    stop_server(second)

    assert ids_of(forward) == expected[6:]
    assert back["data"] == page["data"]
    client.close()
