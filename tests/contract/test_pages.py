"""Pagination: exact flags, both directions, cursors that are bound, tamper-proof and outlive restarts."""

import string
from urllib.parse import quote

import httpx
import pytest

from tests.contract.checkers import (
    CUSTOMERS,
    assert_exact_walk,
    assert_refused,
    assert_urls_repeat,
    cursor_in,
    fetch,
    ids_of,
    key_order_faults,
    page_faults,
    pages_of,
    walk_faults,
)
from tests.fixtures.book import Book, delete, walk
from tests.fixtures.server import start_server, stop_server

SAME_INSTANT = "2024-05-01T09:30:00.500Z"
NO_PAGE = {"next_page_url": None, "previous_page_url": None, "has_next_page": False, "has_prev_page": False}


def some(count, **common):
    return [{"number": f"n{n}", "name": f"Customer {n}", **common} for n in range(count)]


def newest_first(book):
    """All ids of a book, read in one page: the oracle of the walks."""
    return ids_of([book.get(limit=1000)])


@pytest.fixture(scope="module")
def ten(module_book):
    """A quiet book of ten, of which every third is preferred."""
    module_book.add(
        *(
            {"number": f"n{n}", "name": f"Ten {n}", "status": ("preferred", "normal", "normal")[n % 3]}
            for n in range(10)
        )
    )
    return module_book


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


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 49, 50, 51, 1000])
def test_a_walk_shows_each_row_once_on_full_pages_in_both_directions(book, limit):
    book.add(*some(50))

    assert_exact_walk(book.client, f"{CUSTOMERS}?limit={limit}", newest_first(book), limit)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_small_books_have_exact_ends(book, count, limit):
    book.add(*some(count, created_at=SAME_INSTANT))

    assert_exact_walk(book.client, f"{CUSTOMERS}?limit={limit}", newest_first(book), limit)


@pytest.fixture(scope="module")
def tied(server):
    """Three thousand customers of one moment, with few before and after."""
    made = Book(server)
    made.add(
        *some(3000, created_at=SAME_INSTANT, status="preferred"),
        {"number": "before", "name": "Before", "created_at": "2024-05-01T09:30:00.499Z"},
        {"number": "after", "name": "After", "created_at": "2024-05-01T09:30:00.501Z"},
    )
    yield made
    made.close()


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
    stayed = ids_of(pages_of(tied.client, f"{CUSTOMERS}?limit=1000"))
    expected = {
        "&q=customer": stayed[1:-1],
        f"&start_date={SAME_INSTANT}&end_date={SAME_INSTANT}": stayed[1:-1],
    }.get(filters, stayed)

    assert len(set(stayed)) == 3002
    assert_exact_walk(tied.client, f"{CUSTOMERS}?limit={limit}{filters}", expected, limit)


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
        "parent_account_status=non_parent&commission_status_codes=commission_applied&limit=1",
    ],
)
def test_urls_repeat_every_parameter_as_it_was_sent(book, query):
    book.add(*({"name": f'Ten né-n "te%22&a=b# {n}'} for n in range(3)))

    pages = pages_of(book.client, f"{CUSTOMERS}?{query}")

    assert walk_faults(pages, newest_first(book), 1) == []
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
        f"&commission_status_codes[]=commission_applied&freight_status_codes[]=billed_freight"
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
        ("commission_status_codes=commission_applied", "freight_status_codes=billed_freight"),
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
        lambda text: "",
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


def test_cursors_outlive_a_restart_of_the_server(tmp_path):
    first = start_server(tmp_path)
    book = Book(first)
    book.add(*some(10))
    expected = newest_first(book)
    page = fetch(book.client, f"{CUSTOMERS}?limit=3&q=customer&include=type")
    middle = fetch(book.client, page["page_info"]["next_page_url"])
    stop_server(first)

    second = start_server(tmp_path, database=first.database)
    client = httpx.Client(base_url=second.url, headers={"Authorization": f"Bearer {book.key}"})
    forward = pages_of(client, middle["page_info"]["next_page_url"])
    back = fetch(client, middle["page_info"]["previous_page_url"])
    stop_server(second)

    assert ids_of(forward) == expected[6:]
    assert back["data"] == page["data"]
    client.close()
    book.close()


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
