"""Pages in process: against the floor, with includes, at depth, by size, by filter, by word."""

import random
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import combinations, repeat
from typing import Any
from urllib.parse import urlencode

import msgspec

from bench.books import BenchBook
from bench.measuring import Result, at_random, compared, in_turn, side_by_side
from bench.raw import raw_connection
from tradebook.app import open_database
from tradebook.crud.cursor import Position, load_cursors
from tradebook.crud.list_requests import RequestParser
from tradebook.crud.listing import list_page
from tradebook.crud.resource import View
from tradebook.ids import KEY_MAX, encode_id
from tradebook.resources import customers
from tradebook.resources.account_statuses import CODES as STATUSES
from tradebook.resources.customers import Customer
from tradebook.settings import Settings
from tradebook.storage.location import locate
from tradebook.web.query_string import page_url, parse_query_string

ROUTE = customers.resource.routes[0]
PUBLISHED = tuple(
    value for value in ROUTE.includes if not value.endswith((".unit", ".service_levels", ".geolocation"))
)
RANDOM_PAGES = 500
NARROWED_PAGES = 100
COLUMNS = "id, name, number, status, edi_status, parent_id, is_parent, commission_policy, note, updated_at"


class _Next(msgspec.Struct):
    next_page_url: str | None


class _Walked(msgspec.Struct):
    page_info: _Next


class Pages:
    """Cold pages of one book: from the query string to the bytes, no HTTP and no page cache."""

    def __init__(self, book: BenchBook) -> None:
        self.book = book
        self.database = open_database(Settings(database=book.url))
        self.cursors = load_cursors(self.database)
        self.parser = RequestParser(ROUTE)
        self.raw = raw_connection(book.url)
        self._scopes: dict[str, bytes] = {}
        self.is_embedded = locate(book.url).is_embedded
        # A server's work is not in the time of this thread.
        self.clock = time.thread_time_ns if self.is_embedded else time.perf_counter_ns

    def close(self) -> None:
        """Let go of the book."""
        self.database.close()
        self.raw.close()

    def page(self, query: str = "") -> bytes:
        """Answer a query string."""
        pairs = parse_query_string(query)
        request = self.parser.list_request(pairs, self.book.account_key, self.cursors)
        with self.database.read(self.book.account_key) as reader:
            view = View(reader, request.include, partial(page_url, self.cursors))
            return list_page(view, ROUTE, request)

    def before(self, key: int, query: str = "") -> str:
        """Spell the page of a query string that begins before a key."""
        if (scope := self._scopes.get(query)) is None:
            pairs = parse_query_string(query)
            scope = self.parser.list_request(pairs, self.book.account_key, self.cursors).scope
            self._scopes[query] = scope
        cursor = urlencode({"cursor": self.cursors.encode(Position(key), scope)})
        return f"{query}&{cursor}" if query else cursor

    def random_keys(self, count: int) -> list[int]:
        """Choose places in the list, no two alike: the keys before which a page begins."""
        keys = self.column("SELECT id FROM customers WHERE account_id = ? ORDER BY id")
        return random.Random(7).sample(keys, min(count, len(keys)))

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

    def column(self, sql: str, *values: Any) -> list[Any]:
        """One column of what a statement finds in the account."""
        return [value for (value,) in self.raw.execute(sql, (self.book.account_key, *values)).fetchall()]

    def share(self, words: str) -> float:
        """How many of the customers have all these words."""
        wanted = " AND ".join(["folded LIKE ?"] * len(words.split()))
        values = [f"%{word}%" for word in words.split()]
        sql = f"SELECT count(*) FROM customer_search WHERE account_id = ? AND {wanted}"
        return self.raw.execute(sql, (self.book.account_key, *values)).fetchone()[0] / self.book.count

    def touch(self) -> None:
        """Read the whole list once, with all includes.

        The floor's connection has read all rows when their keys were chosen, so the file is mapped into its
        memory. Without this the product alone would pay for that: a fifth of a plain page.
        """
        query: str | None = urlencode({"limit": "1000", "include": ",".join(PUBLISHED)})
        while query is not None:
            url = msgspec.json.decode(self.page(query), type=_Walked).page_info.next_page_url
            query = None if url is None else url.partition("?")[2]

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
    with closing(Pages(large)) as pages, closing(Pages(small)) as few:
        yield from _measured(pages, few)


def _measured(pages: Pages, few: Pages) -> Iterator[Result]:
    included = urlencode({"include": ",".join(PUBLISHED)})
    yield from _measure_random(pages, included)
    yield compared("first page at the large size against the small", pages.page, few.page, 1.3)
    deep = pages.before(
        pages.column("SELECT id FROM customers WHERE account_id = ? ORDER BY id LIMIT 151")[-1]
    )
    yield compared("page at the end of the list against the first", lambda: pages.page(deep), pages.page, 1.5)
    yield from _measure_filters(pages)
    yield from _measure_words(pages)


def _measure_random(pages: Pages, included: str) -> Iterator[Result]:
    """Pages that nobody has asked for before, as a walk asks for them, or many users."""
    if pages.is_embedded:
        pages.touch()
    found = in_turn(
        {
            "floor": lambda given: pages.floor(given[0]),
            "plain": lambda given: pages.page(given[1]),
            "included": lambda given: pages.page(f"{given[1]}&{included}"),
        },
        [(key, pages.before(key)) for key in pages.random_keys(RANDOM_PAGES)],
        pages.clock,
    )
    if pages.is_embedded:
        plain, whole = 1.2, 6.3
        notes = ("", "930 µs where the floor is 148")
    else:
        plain, whole = 1.77, None
        notes = ("600 µs where the floor is 339", "")
    yield at_random("random page of 100", found, "plain", "floor", plain, notes[0])
    yield at_random("random page with all 18 includes", found, "included", "floor", whole, notes[1])


def _measure_filters(pages: Pages) -> Iterator[Result]:
    listed = list(filters_of(pages))
    singles = [urlencode([pair]) for pair in listed]
    pairs = [urlencode(two) for two in combinations(listed, 2) if two[0][0] != two[1][0]]
    yield _slowest("slowest single filter that fills a page", pages, singles, 3)
    yield _slowest("slowest pair of filters that fills a page", pages, pairs, 10)
    slowest, microseconds = _slowest_of(pages, [q for q in pairs if pages.count(q) < 100])
    yield _worst(pages, "slowest pair that fills no page", microseconds, slowest)
    states = pages.column("SELECT DISTINCT state FROM customer_addresses WHERE account_id = ? ORDER BY 1")
    narrowed = [
        urlencode({"status_codes[]": status, "state": state})
        for status in STATUSES
        for state in states
        if state
    ]
    found = _against_plain(pages, _endless(narrowed))
    yield at_random("status + state at a random place", found, "narrowed", "plain", 10)


def _endless(values: list[str]) -> Iterator[str]:
    chance = random.Random(5)
    while True:
        yield from chance.sample(values, len(values))


def _slowest(name: str, pages: Pages, queries: list[str], at_most: float) -> Result:
    """Look for the slowest on first pages, then measure that one where nobody has asked before."""
    full = [query for query in queries if pages.count(query) == 100]
    slowest, _ = _slowest_of(pages, full)
    found = _against_plain(pages, repeat(slowest))
    return at_random(name, found, "narrowed", "plain", at_most, f"{slowest} (of {len(full)})")


def _against_plain(pages: Pages, queries: Iterable[str]) -> dict[str, float]:
    """Ask at places where nobody has asked before, with a query and without."""
    keys = pages.random_keys(NARROWED_PAGES)
    return in_turn(
        {"plain": lambda given: pages.page(given[0]), "narrowed": lambda given: pages.page(given[1])},
        [(pages.before(key), pages.before(key, query)) for key, query in zip(keys, queries, strict=False)],
        pages.clock,
    )


def _slowest_of(pages: Pages, queries: list[str]) -> tuple[str, float]:
    timed = []
    for query in queries:
        value, _ = side_by_side(lambda query=query: pages.page(query), lambda: None, rounds=5, warm_up=1)
        timed.append((value, query))
    value, query = max(timed)
    return query, value


def _worst(pages: Pages, name: str, microseconds: float, note: str) -> Result:
    bar = 300 if pages.is_embedded else 50
    milliseconds = round(microseconds / 1000, 2)
    return Result(name, milliseconds, "ms", bar=f"≤ {bar} ms", met=milliseconds <= bar, note=note)


def _measure_words(pages: Pages) -> Iterator[Result]:
    for words in ("gmbh", "example", "inc", "berlin gmbh", "north supply", "555"):
        share = pages.share(words)
        found = _against_plain(pages, repeat(urlencode({"q": words})))
        yield at_random(f"q={words}", found, "narrowed", "plain", 10, f"in {share:.1%} of the customers")
    for name, column in (("a customer number", "number"), ("a word of one match", "email")):
        yield _sought(pages, name, column)
    hopeless = [urlencode({"q": q}) for q in ("q7 zz", "w0", "x y z", "ananas ananas", "comcom", "erererer")]
    hopeless += [urlencode({"q": "in", "status_codes[]": "hold_all", "parent_account_status": "parent"})]
    slowest, microseconds = _slowest_of(pages, hopeless)
    yield _worst(pages, "slowest hopeless search", microseconds, slowest)


def _sought(pages: Pages, name: str, column: str) -> Result:
    """Seek what one customer has, another each time, beside a plain page at another place each time."""
    values = pages.column(
        f"SELECT {column} FROM customers WHERE account_id = ? AND {column} IS NOT NULL ORDER BY id"
    )
    keys = pages.random_keys(RANDOM_PAGES)
    sought = random.Random(3).sample(values, min(len(values), len(keys)))
    given = [(pages.before(key), urlencode({"q": value})) for key, value in zip(keys, sought, strict=False)]
    found = in_turn(
        {"plain": lambda pair: pages.page(pair[0]), "sought": lambda pair: pages.page(pair[1])},
        given,
        pages.clock,
    )
    matches = sum(pages.count(query) for _, query in given[:50]) / 50
    at_most = 10 if pages.is_embedded else 2
    return at_random(name, found, "sought", "plain", at_most, f"{matches:.1f} matches on average")
