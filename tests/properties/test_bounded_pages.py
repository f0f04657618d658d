"""Pages that end early, because an answer may be only so large: a walk over them is as exact as any other."""

import random
import tracemalloc
from functools import partial
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
import sqlalchemy as sa

from tests.fixtures.book import Book
from tests.fixtures.lengths import length
from tests.fixtures.server import Server
from tradebook.crud import listing
from tradebook.crud.cursor import load_cursors
from tradebook.crud.list_requests import RequestParser
from tradebook.crud.listing import list_page
from tradebook.crud.resource import ListRoute, View
from tradebook.demo.book import demo_customers
from tradebook.ids import read_id
from tradebook.resources import account_groups, customers
from tradebook.storage.schema import ACCOUNT, prepare
from tradebook.web.query_string import page_url, parse_query_string

ROUTES = {route.path: route for route in customers.resource.routes if isinstance(route, ListRoute)}
PATH = "/v1/sales/customers"
LISTS = ("child_accounts", "price_groups")
INCLUDE = f"include={','.join(LISTS)}"
ROUNDS = length(1, 400)


@pytest.fixture(scope="module")
def book(server: Server):
    """Families large and small, notes short and long, customers in no group and in many."""
    made = Book(server)
    chance = random.Random(4)
    groups = [f"Group {n}" for n in range(30)]
    made.add(
        *(
            {
                **row,
                "note": chance.choice((None, "x", "y" * 300, 'é"\n' * 400)),
                "price_groups": chance.sample(groups, chance.choice((0, 1, 30))),
            }
            for row in demo_customers(250)
        )
    )
    yield made
    made.close()


class Small:
    """Pages of a book whose answers are at most so large."""

    def __init__(self, book: Book, bytes_max: int) -> None:
        self.book, self.bytes_max = book, bytes_max
        self.cursors = load_cursors(book.database)

    def page(self, url: str):
        """Answer a URL: the page, and its size."""
        path, query = urlsplit(url).path, urlsplit(url).query
        keys = [read_id("ac", part) for part in path.split("/") if part.startswith("ac_")]
        route = ROUTES["/".join("{id}" if part.startswith("ac_") else part for part in path.split("/"))]
        pairs = parse_query_string(query)
        request = RequestParser(route).list_request(pairs, self.book.account_key, self.cursors, keys)
        with self.book.database.read(self.book.account_key) as reader:
            urls = partial(page_url, self.cursors)
            view = View(reader, request.include, urls, self.bytes_max, self.bytes_max)
            body = list_page(view, route, request)
        page = msgspec.json.decode(body)
        info, limit = page["page_info"], int(dict(parse_qsl(query)).get("limit", 100))
        assert len(body) <= self.bytes_max or len(page["data"]) <= 1
        assert len(page["data"]) <= limit
        assert (info["next_page_url"] is not None) == info["has_next_page"]
        assert (info["previous_page_url"] is not None) == info["has_prev_page"]
        return page

    def walk(self, url: str, step: str = "next"):
        """Take every page from a URL on."""
        pages = []
        while url:
            pages.append(self.page(url))
            assert pages[-1]["data"] or len(pages) == 1
            url = pages[-1]["page_info"][f"{step}_page_url"]
        return pages

    def rows(self, url: str):
        """The ids and nested lists of all rows of a walk, each list with what stands behind its URL."""
        return [self.whole(row) for page in self.walk(url) for row in page["data"]]

    def whole(self, row):
        lists = {}
        for name in LISTS:
            nested = row[name]
            rest = nested and nested["page_info"]["next_page_url"]
            entries = [entry["id"] for entry in (nested or {"data": ()})["data"]]
            assert not rest or entries
            for page in self.walk(rest) if rest else ():
                entries += [entry["id"] for entry in page["data"]]
            lists[name] = entries
        return row["id"], lists


@pytest.fixture(scope="module")
def expected(book):
    """What there is, read without a limit."""
    return {query: Small(book, 1 << 40).rows(f"{PATH}?limit=1000&{query}") for query in (INCLUDE, "q=a")}


@pytest.mark.parametrize("query", [INCLUDE, "q=a"])
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_walk_over_pages_that_end_early_is_exact_in_both_directions(
    book, expected, query, seed, monkeypatch
):
    chance = random.Random(f"{query} {seed}")
    monkeypatch.setattr(listing, "FIRST_STEP", chance.choice((2, 11, 101)))
    monkeypatch.setattr(listing, "STEP_MAX", chance.choice((1, 7, 250)))
    monkeypatch.setattr(listing, "ENTRIES_AT_ONCE", chance.choice((1, 40, 250)))
    small = Small(book, chance.choice((1, 20_000, 100_000, 400_000)))
    url = f"{PATH}?limit={chance.choice((7, 100, 1000))}&{query}"

    there = small.walk(url)
    back = small.walk(there[-1]["page_info"]["previous_page_url"], "previous")

    assert [small.whole(row) for page in there for row in page["data"]] == expected[query]
    ids = [key for key, _ in expected[query]]
    before_last = len(ids) - len(there[-1]["data"])
    assert [row["id"] for page in reversed(back) for row in page["data"]] == ids[:before_last]


def test_a_page_is_not_cut_where_all_of_it_fits(book):
    whole = Small(book, 1 << 40).page(f"{PATH}?limit=60&{INCLUDE}")

    page = Small(book, 8 << 20).page(f"{PATH}?limit=60&{INCLUDE}")

    assert page == whole


def test_a_page_is_filled_as_far_as_there_is_room(book):
    """A page that ends early lacks no row that would have had room."""
    small = Small(book, 60_000)
    page = small.page(f"{PATH}?limit=1000")

    beyond = Small(book, 1 << 40).page(f"{PATH}?limit={len(page['data']) + 1}")

    assert page["page_info"]["has_next_page"]
    assert len(msgspec.json.encode(beyond)) > small.bytes_max - 1_000


def test_a_page_that_loses_a_row_at_its_end_is_noticed(book, expected, monkeypatch):
    """The planted fault: a page that ends early goes on one row too late."""
    settle = listing._Page.settle

    def late(page):
        before = page.keys[:]
        is_all = settle(page)
        if not is_all and len(page.keys) < len(before):
            page.keys.append(before[len(page.keys)])
        return is_all

    monkeypatch.setattr(listing._Page, "settle", late)

    assert Small(book, 20_000).rows(f"{PATH}?{INCLUDE}") != expected[INCLUDE]


GROUPS, DESCRIPTION, ANSWER_MAX, MEMORY_MAX = 100, 10_000, 4_000_000, 30_000_000
_DESCRIBE = prepare(
    sa.update(account_groups.account_groups)
    .where(account_groups.account_groups.c.account_id == ACCOUNT)
    .values(description="x" * DESCRIPTION)
)


@pytest.fixture
def heavy(server: Server):
    """Customers that each are in all groups, whose descriptions are long: the whole list would be 60 MB."""
    made = Book(server)
    groups = [f"Group {n}" for n in range(GROUPS)]
    made.add(*({"name": "Heavy", "note": "y" * 10_000, "price_groups": groups} for _ in range(50)))
    made.add(*({"name": "Child", "note": "z" * 10_000, "parent_number": "1"} for _ in range(50)))
    with made.database.write(made.account_key) as writer:
        writer.run(_DESCRIBE)
    yield made
    made.close()


def test_the_largest_question_takes_no_more_memory_than_some_answers(heavy):
    small = Small(heavy, ANSWER_MAX)
    tracemalloc.start()
    page = small.page(f"{PATH}?limit=1000&{INCLUDE}")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < MEMORY_MAX
    assert page["page_info"]["has_next_page"]
