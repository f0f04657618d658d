"""Pagination: exact flags, both directions, exact lengths, URLs that repeat what was asked."""

from urllib.parse import quote

import pytest

from tests.contract.books import newest_first, some
from tests.contract.checkers import (
    CUSTOMERS,
    assert_exact_walk,
    assert_urls_repeat,
    fetch,
    ids_of,
    key_order_faults,
    page_faults,
    pages_of,
    walk_faults,
)
from tests.fixtures.book import delete, filled, walk
from tests.fixtures.lengths import length

SAME_INSTANT = "2024-05-01T09:30:00.500Z"
NO_PAGE = {"next_page_url": None, "previous_page_url": None, "has_next_page": False, "has_prev_page": False}


# P1, P2: the order


def test_newest_come_first(book):
    book.add(
        {"number": "old", "name": "Old", "created_at": "2020-01-01T00:00:00Z"},
        {"number": "new", "name": "New", "created_at": "2024-01-01T00:00:00Z"},
        {"number": "middle", "name": "Middle", "created_at": "2022-01-01T00:00:00Z"},
    )

    assert book.numbers() == ["new", "middle", "old"]


def test_equal_times_are_ordered_by_id(book):
    book.add(*some(50, created_at=SAME_INSTANT))
    page = book.get(limit=50)

    assert {customer["created_at"] for customer in page["data"]} == {SAME_INSTANT}
    assert ids_of([page]) == sorted(ids_of([page]), reverse=True)


def test_an_update_moves_no_row(book):
    book.add(*some(20))
    before = newest_first(book)

    book.add({"number": "n3", "name": "Zzz, renamed", "status": "hold_all"})

    assert newest_first(book) == before


# P3: nothing is skipped, nothing comes twice


@pytest.fixture(scope="module")
def fifty(server):
    """A book of fifty that nobody changes."""
    with filled(server, *some(50)) as made:
        yield made


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 49, 50, 51, 1000])
def test_a_walk_shows_each_row_once_on_full_pages_in_both_directions(fifty, limit):
    assert_exact_walk(fifty.client, f"{CUSTOMERS}?limit={limit}", newest_first(fifty), limit)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_small_books_have_exact_ends(book, count):
    book.add(*some(count, created_at=SAME_INSTANT))

    for limit in (1, 2, 3):
        assert_exact_walk(book.client, f"{CUSTOMERS}?limit={limit}", newest_first(book), limit)


@pytest.fixture(scope="module")
def tied(server):
    """Thousands of customers of one moment, with few before and after; and their ids."""
    with filled(
        server,
        *some(length(2000, 10_000), created_at=SAME_INSTANT, status="preferred"),
        {"number": "before", "name": "Before", "created_at": "2024-05-01T09:30:00.499Z"},
        {"number": "after", "name": "After", "created_at": "2024-05-01T09:30:00.501Z"},
    ) as made:
        yield made, ids_of(pages_of(made.client, f"{CUSTOMERS}?limit=1000"))


@pytest.mark.parametrize("limit", [137, 1000])
@pytest.mark.parametrize(
    "filters",
    [
        "",
        "&status_codes=preferred,normal",
        "&q=e",
        "&q=customer",
        f"&start_date={SAME_INSTANT}&end_date={SAME_INSTANT}",
        "&include=type",
    ],
)
def test_thousands_of_equal_times_are_walked_exactly(tied, limit, filters):
    book, stayed = tied
    expected = {
        "&q=customer": stayed[1:-1],
        f"&start_date={SAME_INSTANT}&end_date={SAME_INSTANT}": stayed[1:-1],
    }.get(filters, stayed)

    assert len(set(stayed)) == length(2002, 10_002)
    assert_exact_walk(book.client, f"{CUSTOMERS}?limit={limit}{filters}", expected, limit)


@pytest.mark.parametrize("limit", [1, 3, 10])
def test_a_walk_skips_nothing_that_stayed_whatever_is_inserted(book, limit):
    book.add(*some(30, created_at=SAME_INSTANT))
    stayed = newest_first(book)
    moments = iter(range(1, 1000))

    def insert():
        place = next(moments)
        book.add(
            {"name": "Newer", "created_at": f"2024-06-01T00:00:00.{place % 1000:03}Z"},
            {"name": "Older", "created_at": f"2024-04-01T00:00:00.{place % 1000:03}Z"},
            {"name": "Tied", "created_at": SAME_INSTANT},
        )

    # A bound on the walk: what is inserted behind it is met as well, and that is no end.
    seen = [c["id"] for c in walk(book.client, between_pages=insert, limit=limit, start_date=SAME_INSTANT)]

    assert len(seen) == len(set(seen))
    assert seen == sorted(seen, reverse=True)
    assert set(stayed) <= set(seen)


def test_a_walk_skips_nothing_that_stayed_whatever_is_changed(book):
    book.add(*some(30))
    stayed = newest_first(book)
    places = iter(range(1000))

    def change():
        book.add({"number": f"n{next(places) % 30}", "name": "Aaa, changed", "status": "hold_all"})

    seen = [customer["id"] for customer in walk(book.client, between_pages=change, limit=4)]

    assert seen == stayed


def test_a_walk_skips_nothing_that_stayed_whatever_is_deleted(book):
    book.add(*some(40))
    everything = newest_first(book)
    # On every page of ten: its last row, which is the cursor's, and the next page's first.
    doomed = [[everything[9], everything[10]], [everything[19], everything[20]], [everything[0]], []]
    rounds = iter(doomed)
    gone = {key for keys in doomed for key in keys}

    seen = [
        customer["id"]
        for customer in walk(book.client, between_pages=lambda: delete(book, next(rounds)), limit=10)
    ]

    assert [key for key in seen if key not in gone] == [key for key in everything if key not in gone]
    assert len(seen) == len(set(seen))


# P4: both directions


def test_next_then_previous_is_the_same_page(ten):
    for_each_page = pages_of(ten.client, f"{CUSTOMERS}?limit=3")

    back = [fetch(ten.client, page["page_info"]["previous_page_url"]) for page in for_each_page[1:]]

    assert [page["data"] for page in back] == [page["data"] for page in for_each_page[:-1]]


def test_previous_then_next_is_the_same_page(ten):
    second = pages_of(ten.client, f"{CUSTOMERS}?limit=3")[1]
    back = fetch(ten.client, second["page_info"]["previous_page_url"])

    again = fetch(ten.client, back["page_info"]["next_page_url"])

    assert again["data"] == second["data"]
    assert again["page_info"] == second["page_info"]


def test_a_zigzag_comes_back_to_each_page(ten):
    expected = [page["data"] for page in pages_of(ten.client, f"{CUSTOMERS}?limit=2")]
    pages = [fetch(ten.client, f"{CUSTOMERS}?limit=2")]

    for step in ("next", "next", "previous", "next", "next", "previous", "previous", "next", "next", "next"):
        pages.append(fetch(ten.client, pages[-1]["page_info"][f"{step}_page_url"]))

    assert [page["data"] for page in pages] == [expected[n] for n in (0, 1, 2, 1, 2, 3, 2, 1, 2, 3, 4)]


def test_going_back_with_a_larger_limit_shows_all_that_is_before(ten):
    second = pages_of(ten.client, f"{CUSTOMERS}?limit=3")[2]
    url = second["page_info"]["previous_page_url"].replace("limit=3", "limit=1000")

    back = fetch(ten.client, url)

    assert ids_of([back]) == newest_first(ten)[:6]
    assert back["page_info"]["has_prev_page"] is False
    assert ids_of([fetch(ten.client, back["page_info"]["next_page_url"])]) == newest_first(ten)[6:]


# P5, P6: true flags, exact lengths


def test_the_first_page_has_no_previous_also_when_it_was_reached_by_going_back(ten):
    second = fetch(ten.client, fetch(ten.client, f"{CUSTOMERS}?limit=5")["page_info"]["next_page_url"])

    first = fetch(ten.client, second["page_info"]["previous_page_url"])

    assert first["page_info"]["has_prev_page"] is False
    assert first["page_info"]["previous_page_url"] is None
    assert first["page_info"]["has_next_page"] is True


def test_a_page_that_ends_exactly_at_the_end_has_no_next(ten):
    pages = pages_of(ten.client, f"{CUSTOMERS}?limit=5")

    assert [page["page_info"]["has_next_page"] for page in pages] == [True, False]
    assert fetch(ten.client, f"{CUSTOMERS}?limit=10")["page_info"] == NO_PAGE


@pytest.mark.parametrize("query", ["q=nobody", "status_codes=hold_all", "end_date=2000-01-01T00:00:00Z"])
def test_an_empty_result_has_nothing_on_either_side(ten, query):
    assert fetch(ten.client, f"{CUSTOMERS}?{query}") == {"object": "list", "page_info": NO_PAGE, "data": []}


def test_flags_count_what_matches_not_what_is_there(ten):
    """The rows of other statuses before and after are nobody's next or previous page."""
    preferred = [c["id"] for c in ten.get(limit=1000)["data"] if c["status"] == "preferred"]

    assert len(preferred) == 4
    assert_exact_walk(ten.client, f"{CUSTOMERS}?status_codes=preferred&limit=2", preferred, 2)
    assert_exact_walk(ten.client, f"{CUSTOMERS}?status_codes=preferred&limit=4", preferred, 4)


def test_bounds_of_time_end_the_walk_on_both_sides(book):
    book.add(*({"name": f"C{n}", "created_at": f"2024-05-{n:02}T00:00:00Z"} for n in range(1, 21)))
    inside = newest_first(book)[5:15]
    url = f"{CUSTOMERS}?start_date=2024-05-06T00:00:00Z&end_date=2024-05-15T00:00:00Z&limit=4"

    assert_exact_walk(book.client, url, inside, 4)


def test_what_is_new_before_the_first_page_becomes_its_previous_page(book):
    book.add(*some(4))
    pages = pages_of(book.client, f"{CUSTOMERS}?limit=2")
    back = pages[1]["page_info"]["previous_page_url"]
    book.add({"number": "newest", "name": "Newest"})

    first = fetch(book.client, back)

    assert first["data"] == pages[0]["data"]
    assert first["page_info"]["has_prev_page"] is True
    newest = fetch(book.client, first["page_info"]["previous_page_url"])
    assert [customer["number"] for customer in newest["data"]] == ["newest"]
    assert newest["page_info"]["has_prev_page"] is False


# P7: rows that are gone


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_cursor_whose_row_is_gone_still_works_in_both_directions(book, limit):
    book.add(*some(12))
    everything = newest_first(book)
    first = fetch(book.client, f"{CUSTOMERS}?limit={limit}")
    second = fetch(book.client, first["page_info"]["next_page_url"])
    delete(book, [everything[limit - 1], everything[limit]])

    forward = pages_of(book.client, first["page_info"]["next_page_url"])
    backward = pages_of(book.client, second["page_info"]["previous_page_url"], "previous_page_url")

    assert ids_of(forward) == everything[limit + 1 :]
    assert sorted(ids_of(backward), reverse=True) == everything[: limit - 1]


def test_a_page_whose_every_row_is_gone_is_empty_and_leads_back(book):
    book.add(*some(6))
    everything = newest_first(book)
    first = fetch(book.client, f"{CUSTOMERS}?limit=3")
    delete(book, everything[3:])

    empty = fetch(book.client, first["page_info"]["next_page_url"])

    assert empty["data"] == []
    assert page_faults(empty) == []
    assert (empty["page_info"]["has_prev_page"], empty["page_info"]["has_next_page"]) == (True, False)
    assert ids_of([fetch(book.client, empty["page_info"]["previous_page_url"])]) == everything[:3]


def test_going_back_to_where_every_row_is_gone_leads_forward(book):
    book.add(*some(6))
    everything = newest_first(book)
    second = pages_of(book.client, f"{CUSTOMERS}?limit=3")[1]
    delete(book, everything[:3])

    empty = fetch(book.client, second["page_info"]["previous_page_url"])

    assert empty["data"] == []
    assert page_faults(empty) == []
    assert (empty["page_info"]["has_prev_page"], empty["page_info"]["has_next_page"]) == (False, True)
    assert ids_of([fetch(book.client, empty["page_info"]["next_page_url"])]) == everything[3:]


def test_a_cursor_into_a_book_that_was_emptied_is_an_empty_page(book):
    book.add(*some(6))
    first = fetch(book.client, f"{CUSTOMERS}?limit=3")
    delete(book, newest_first(book))

    assert fetch(book.client, first["page_info"]["next_page_url"])["page_info"] == NO_PAGE


# P8: URLs that need nothing but the key


@pytest.fixture(scope="module")
def odd_names(server):
    """A book of three whose names must be escaped in a URL."""
    with filled(server, *({"name": f'Ten né-n "te%22&a=b# {n}'} for n in range(3))) as made:
        yield made


@pytest.mark.parametrize(
    "query",
    [
        "limit=1",
        "limit=1&status_codes[]=normal&status_codes[]=preferred",
        "limit=1&status_codes%5B%5D=normal%2Cpreferred&status_codes=hold_all",
        "status_codes=normal,preferred&limit=1&include=type&include[]=defaults.sales_rep.user",
        "q=ten%20n&limit=1",
        "q=ten+n&limit=1",
        "q=&limit=1",
        "q=%22te%2522%26a%3Db%23&status_codes=normal&limit=1",
        "limit=1&start_date=2020-01-01T00:00:00%2B02:00&end_date=2090-01-01T00:00:00+00:00",
        "limit=1&q=t%C3%A9n+n%C3%A9",
        "parent_account_status=non_parent&commission_status_codes=commission_exempt&limit=1",
    ],
)
def test_urls_repeat_every_parameter_as_it_was_sent(odd_names, query):
    pages = pages_of(odd_names.client, f"{CUSTOMERS}?{query}")

    assert walk_faults(pages, newest_first(odd_names), 1) == []
    assert len(pages) == 3
    assert_urls_repeat(pages, f"{CUSTOMERS}?{query}")


def test_urls_repeat_every_filter_there_is(book):
    place = {"bill_to.name": "A", "bill_to.country": "US", "bill_to.locality": "Oslo & Bergen, both"}
    given = {
        "type": "R", "price_groups": ["G"], "carrier": "fedex", "service_level": "2Day",
        "payment_term": "Net 30", "shipping_term": "Free Freight", "sales_rep_email": "a@b.example",
    }  # fmt: skip
    book.add(*some(3, **given, **place))
    first = book.get(
        limit=1,
        include="type,price_groups,defaults.sales_rep,defaults.payment_term,defaults.shipping_term,"
        "freight_preferences.carrier,freight_preferences.service_level",
    )["data"][0]
    freight, defaults = first["freight_preferences"], first["defaults"]
    query = (
        f"customer_group_ids[]={first['type']['id']}"
        f"&pricing_group_ids[]={first['price_groups']['data'][0]['id']}"
        f"&sales_rep_ids[]={defaults['sales_rep']['id']}&status_codes[]=normal"
        f"&shipping_term_ids[]={defaults['shipping_term']['id']}"
        f"&payment_term_ids[]={defaults['payment_term']['id']}"
        f"&commission_status_codes[]=commission_exempt&freight_status_codes[]=billed_freight"
        f"&carrier_ids[]={freight['carrier']['id']}&service_level_ids[]={freight['service_level']['id']}"
        f"&parent_account_status=non_parent&city={quote(place['bill_to.locality'])}&q=cust"
        "&start_date=2020-01-01T00:00:00Z&end_date=2090-01-01T00:00:00Z&include[]=type&limit=2"
    )

    assert_exact_walk(book.client, f"{CUSTOMERS}?{query}", newest_first(book), 2)
    assert fetch(book.client, f"{CUSTOMERS}?{query}")["data"][0]["type"]["name"] == "R"


def test_a_followed_page_shows_what_the_first_was_asked_to_include(book):
    book.add(*some(4, type="Retail", sales_rep_email="a@b.example"))

    pages = pages_of(book.client, f"{CUSTOMERS}?limit=1&include=type%2Cdefaults.sales_rep.user")

    customers_seen = [customer for page in pages for customer in page["data"]]
    assert [c["type"]["name"] for c in customers_seen] == ["Retail"] * 4
    assert [c["defaults"]["sales_rep"]["user"]["email"] for c in customers_seen] == ["a@b.example"] * 4
    assert key_order_faults(pages) == []


# P15: the same question, the same bytes


def test_the_same_request_on_quiet_rows_gives_the_same_bytes_and_etag(ten):
    answers = [ten.client.get(f"{CUSTOMERS}?limit=3&include=defaults") for _ in range(8)]

    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 1


def test_an_etag_answers_304_until_something_changes(book):
    book.add(*some(3))
    etag = book.client.get(CUSTOMERS).headers["etag"]

    unchanged = book.client.get(CUSTOMERS, headers={"If-None-Match": etag})
    book.add({"number": "n1", "name": "Changed"})
    changed = book.client.get(CUSTOMERS, headers={"If-None-Match": etag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


def test_a_write_is_seen_by_the_next_read_on_every_worker(book):
    counts = []
    for count in range(1, 21):
        book.add({"name": f"C{count}"})
        counts.append(len(book.get()["data"]))

    assert counts == list(range(1, 21))
