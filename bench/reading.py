"""Pages in process: against the floor, with includes, at depth, by size, by filter, by word."""

import random
from collections.abc import Iterator
from functools import partial
from itertools import combinations
from urllib.parse import urlencode

import msgspec

from bench.books import BenchBook
from bench.measuring import Result, compared, in_turn, side_by_side
from bench.raw import raw_connection
from tradebook.app import open_database
from tradebook.crud.cursor import Position, load_cursors
from tradebook.crud.list_requests import RequestParser, list_scope
from tradebook.crud.listing import list_page
from tradebook.crud.resource import View
from tradebook.ids import KEY_MAX, encode_id
from tradebook.resources import customers
from tradebook.resources.customers import Customer
from tradebook.settings import Settings
from tradebook.web.query_string import page_url, parse_query_string

ROUTE = customers.resource.routes[0]
PUBLISHED = tuple(
    value for value in ROUTE.includes if not value.endswith((".unit", ".service_levels", ".geolocation"))
)
RANDOM_PAGES = 500
COLUMNS = "id, name, number, status, edi_status, parent_id, is_parent, commission_policy, note, updated_at"


class Pages:
    """Cold pages of one book: from the query string to the bytes, no HTTP and no page cache."""

    def __init__(self, book: BenchBook) -> None:
        self.book = book
        self.database = open_database(Settings(database=book.url))
        self.cursors = load_cursors(self.database)
        self.parser = RequestParser(ROUTE)
        self.raw = raw_connection(book.url)

    def page(self, query: str = "") -> bytes:
        """Answer a query string."""
        pairs = parse_query_string(query)
        request = self.parser.list_request(pairs, self.book.account_key, self.cursors)
        with self.database.read(self.book.account_key) as reader:
            view = View(reader, request.include, partial(page_url, self.cursors))
            return list_page(view, ROUTE, request)

    def random_cursors(self, count: int) -> list[tuple[int, str]]:
        """Choose places in the list, no two alike: the key before which a page begins, and its query."""
        chance = random.Random(7)
        keys = self.raw.execute("SELECT id FROM customers WHERE account_id = ?", (self.book.account_key,))
        scope = list_scope(self.book.account_key, ROUTE.path)
        return [
            (key, urlencode({"cursor": self.cursors.encode(Position(key), scope)}))
            for (key,) in chance.sample(keys.fetchall(), count)
        ]

    def floor(self, below: int = KEY_MAX) -> bytes:
        """The same columns into the same keys, and nothing else: no ids, no times, no cursor."""
        nothing = (None,) * 11
        sql = f"SELECT {COLUMNS} FROM customers WHERE account_id = ? AND id < ? ORDER BY id DESC LIMIT 101"
        return msgspec.json.encode(
            [
                Customer(key, "customer", name, number, status, edi, parent, policy, note, *nothing, at, at)
                for key, name, number, status, edi, parent, _, policy, note, at in self.raw.execute(
                    sql, (self.book.account_key, below)
                )
            ]
        )

    def count(self, query: str) -> int:
        """How many rows the page of a query holds."""
        return len(msgspec.json.decode(self.page(query))["data"])

    def values(self, column: str, prefix: str) -> list[str]:
        """Ids or values of a column: the most common one and a rare one."""
        rows = self.raw.execute(
            f"SELECT {column}, count(*) FROM customers WHERE account_id = ? AND {column} IS NOT NULL"
            " GROUP BY 1 ORDER BY 2 DESC, 1",
            (self.book.account_key,),
        ).fetchall()
        chosen = [rows[0][0], rows[-1][0]] if len(rows) > 1 else [rows[0][0]]
        return [encode_id(prefix, key) for key in chosen]


def filters_of(pages: Pages) -> Iterator[tuple[str, str]]:
    """Every filter with a common and a rare value: (name, value)."""
    for name, column, prefix in (
        ("customer_group_ids[]", "type_id", "acgr"),
        ("sales_rep_ids[]", "sales_rep_id", "acus"),
        ("shipping_term_ids[]", "shipping_term_id", "shtm"),
        ("payment_term_ids[]", "payment_term_id", "pytm"),
        ("carrier_ids[]", "carrier_id", "cr"),
        ("service_level_ids[]", "service_level_id", "crop"),
    ):
        for value in pages.values(column, prefix):
            yield name, value
    for group in pages.raw.execute(
        "SELECT group_id FROM customer_price_groups WHERE account_id = ? ORDER BY 1 LIMIT 1",
        (pages.book.account_key,),
    ):
        yield "pricing_group_ids[]", encode_id("acgr", group[0])
    for status in ("normal", "preferred", "hold_shipment", "hold_all"):
        yield "status_codes[]", status
    yield "commission_status_codes[]", "commission_exempt"
    yield "freight_status_codes[]", "free_freight"
    yield "parent_account_status", "parent"
    yield "parent_account_status", "non_parent"
    place = pages.raw.execute(
        "SELECT locality, state, postal_code FROM customer_addresses WHERE account_id = ?"
        " AND state IS NOT NULL ORDER BY customer_id LIMIT 1",
        (pages.book.account_key,),
    ).fetchone()
    yield from zip(("city", "state", "postal_code"), place, strict=True)
    yield "start_date", "2024-01-01T00:00:00Z"


def measure_pages(small: BenchBook, large: BenchBook) -> Iterator[Result]:
    """Everything that is read in process."""
    pages, few = Pages(large), Pages(small)
    included = urlencode({"include": ",".join(PUBLISHED)})
    yield from _measure_random(pages, included)
    yield compared("first page at the large size against the small", pages.page, few.page, 1.3)
    oldest = pages.raw.execute(
        "SELECT id FROM customers WHERE account_id = ? ORDER BY id LIMIT 1 OFFSET 150",
        (large.account_key,),
    ).fetchone()[0]
    scope = list_scope(large.account_key, ROUTE.path)
    deep = urlencode({"cursor": pages.cursors.encode(Position(oldest), scope)})
    yield compared("page at the end of the list against the first", lambda: pages.page(deep), pages.page, 1.5)
    yield from _measure_filters(pages)
    yield from _measure_words(pages)


def _measure_random(pages: Pages, included: str) -> Iterator[Result]:
    """Pages that nobody has asked for before, as a walk asks for them, or many users."""
    found = in_turn(
        {
            "floor": lambda place: pages.floor(place[0]),
            "plain": lambda place: pages.page(place[1]),
            "included": lambda place: pages.page(f"{place[1]}&{included}"),
        },
        pages.random_cursors(RANDOM_PAGES),
    )
    floor, plain = round(found["floor"], 1), round(found["plain"], 1)
    ratio = found["plain"] / found["floor"]
    yield Result("random page of 100, CPU", plain, "µs", floor, round(ratio, 2), "≤ 1.2 ×", ratio <= 1.2)
    ratio = found["included"] / found["floor"]
    yield Result(
        "random page with all 18 includes, CPU",
        round(found["included"], 1),
        "µs",
        floor,
        round(ratio, 2),
        "≤ 6.3 ×",
        ratio <= 6.3,
        "930 µs where the floor is 148",
    )


def _measure_filters(pages: Pages) -> Iterator[Result]:
    listed = list(filters_of(pages))
    singles = [urlencode([pair]) for pair in listed]
    pairs = [urlencode(two) for two in combinations(listed, 2) if two[0][0] != two[1][0]]
    yield _slowest("slowest single filter that fills a page", pages, singles, 3)
    yield _slowest("slowest pair of filters that fills a page", pages, pairs, 10)
    slowest, microseconds = _slowest_of(pages, [q for q in pairs if pages.count(q) < 100])
    yield _worst("slowest pair that fills no page", microseconds, slowest)


def _slowest(name: str, pages: Pages, queries: list[str], at_most: float) -> Result:
    full = [query for query in queries if pages.count(query) == 100]
    slowest, _ = _slowest_of(pages, full)
    note = f"{slowest} (of {len(full)})"
    return compared(name, lambda: pages.page(slowest), pages.page, at_most, rounds=60, note=note)


def _slowest_of(pages: Pages, queries: list[str]) -> tuple[str, float]:
    timed = []
    for query in queries:
        value, _ = side_by_side(lambda query=query: pages.page(query), lambda: None, rounds=5, warm_up=1)
        timed.append((value, query))
    value, query = max(timed)
    return query, value


def _worst(name: str, microseconds: float, note: str) -> Result:
    met = microseconds <= 300_000
    return Result(name, round(microseconds / 1000, 2), "ms", bar="≤ 300 ms", met=met, note=note)


def _measure_words(pages: Pages) -> Iterator[Result]:
    for words in ("gmbh", "example", "inc", "berlin gmbh", "north supply", "555"):
        query = urlencode({"q": words})
        matches = pages.count(query)
        yield compared(
            f"q={words} ({matches} on the page)",
            lambda query=query: pages.page(query),
            pages.page,
            10,
            rounds=60,
        )
    hopeless = [urlencode({"q": q}) for q in ("q7 zz", "w0", "x y z", "ananas ananas", "comcom", "erererer")]
    hopeless += [urlencode({"q": "in", "status_codes[]": "hold_all", "parent_account_status": "parent"})]
    slowest, microseconds = _slowest_of(pages, hopeless)
    yield _worst("slowest hopeless search", microseconds, slowest)
