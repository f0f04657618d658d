"""Every filter, pair of filters and search is one ordered walk of an index: no sort, no scan of the book."""

import re
from itertools import combinations

import apsw
import pytest

from tests.fixtures.book import Book
from tests.fixtures.server import Server
from tradebook.crud.cursor import load_cursors
from tradebook.crud.requests import RequestParser
from tradebook.resources import ALL, customers
from tradebook.resources.carriers import _LEVELS
from tradebook.resources.customers.load import _BY_KEY, _CHILDREN, _PRICE_GROUPS, _SPANS
from tradebook.resources.customers.tables import INDEX
from tradebook.storage.sqlite import keys_statement

ROUTE = customers.resource.routes[0]
FILTERS = (
    ("customer_group_ids[]", "acgr_0000000000001"),
    ("pricing_group_ids[]", "acgr_0000000000001,acgr_0000000000002"),
    ("sales_rep_ids[]", "acus_0000000000001"),
    ("status_codes[]", "normal,preferred"),
    ("shipping_term_ids[]", "shtm_0000000000001"),
    ("payment_term_ids[]", "pytm_0000000000001"),
    ("commission_status_codes[]", "commission_exempt"),
    ("freight_status_codes[]", "free_freight"),
    ("carrier_ids[]", "cr_0000000000001"),
    ("service_level_ids[]", "crop_0000000000001"),
    ("parent_account_status", "parent"),
    ("city", "Nantes"),
    ("state", "NV"),
    ("postal_code", "44000"),
    ("start_date", "2024-01-01T00:00:00Z"),
    ("end_date", "2025-01-01T00:00:00Z"),
    ("q", "a"),
    ("q", "strasse gmbh"),
    ("q", "555-0100"),
)
QUESTIONS = (
    (),
    *((one,) for one in FILTERS),
    *(two for two in combinations(FILTERS, 2) if two[0][0] != two[1][0]),
    tuple(dict(FILTERS).items()),
)
# A walk in key order is a search of the primary key, or the account's own index in the order of its keys.
GOOD = re.compile(
    r"SEARCH \w+ USING (PRIMARY KEY|(COVERING )?INDEX \w+) \(account_id=\?.*\)"
    r"|SCAN customers_index_\w+ VIRTUAL TABLE INDEX \d+:M.*|SCAN (json_each|anon_\d+) VIRTUAL TABLE INDEX 1:"
    r"|(LIST|CORRELATED LIST) SUBQUERY \d+"
)


def bad_steps(plan: list[str]) -> list[str]:
    """Pick out what sorts or scans."""
    return [step for step in plan if not GOOD.fullmatch(step)]


@pytest.fixture(scope="module")
def book(server: Server):
    """An account, so that its index exists."""
    made = Book(server)
    made.add({"number": "1", "name": "A"})
    yield made
    made.close()


@pytest.fixture(scope="module")
def raw(book):
    """The file itself."""
    return apsw.Connection(book.server.database.removeprefix("sqlite:///"), flags=apsw.SQLITE_OPEN_READONLY)


def plan_of(raw: apsw.Connection, sql: str, values) -> list[str]:
    """Ask SQLite what it would do."""
    return [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


def values_for(sql: str, account: int) -> dict:
    """Any values for a statement's names."""
    return {name: "[1,2]" if name == "ids" else account for name in re.findall(r":(\w+)", sql)}


@pytest.mark.parametrize("descending", [True, False], ids=["forwards", "backwards"])
def test_every_question_is_one_ordered_walk(book, raw, descending):
    """All filters alone, all pairs, all together."""
    parser, cursors = RequestParser(ROUTE), load_cursors(book.database)

    for question in QUESTIONS:
        request = parser.list_request(ROUTE.path, question, book.account_key, cursors)
        sql, values = keys_statement(INDEX, request.query, book.account_key, descending=descending)
        plan = plan_of(raw, sql, (*values, 0, 1 << 62, 101))
        assert bad_steps(plan) == [], (question, plan)


def loading_statements():
    """Every statement that fills a page."""
    yield from _BY_KEY.values()
    yield from _SPANS.values()
    yield from (source.statement for source in INDEX.sources)


def test_every_page_is_filled_by_key(book, raw):
    for statement in loading_statements():
        sql, fixed = statement.sqlite
        plan = plan_of(raw, sql, {**values_for(sql, book.account_key), **fixed})
        assert bad_steps(plan) == [], (sql, plan)


@pytest.mark.parametrize("newest", [_CHILDREN, _PRICE_GROUPS, _LEVELS], ids=["children", "groups", "levels"])
def test_nested_lists_are_read_by_owner(book, raw, newest):
    """The owners first, then each one's entries: nothing is sorted, nothing scanned."""
    for statement in (newest.plain, newest.bounded):
        sql, fixed = statement.sqlite
        plan = plan_of(raw, sql, {**values_for(sql, book.account_key), **fixed})
        assert bad_steps(plan) == [], plan
        assert not any("(account_id=?)" in step for step in plan)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM customers WHERE account_id = 1 AND status = 1 ORDER BY name",
        "SELECT id FROM customers WHERE name = 'x'",
        "SELECT id FROM customers ORDER BY updated_at LIMIT 10 OFFSET 10",
    ],
)
def test_a_sort_or_a_scan_is_noticed(raw, sql):
    assert bad_steps(plan_of(raw, sql, ())) != []


def test_every_filter_of_the_list_is_among_these():
    published = {parameter.name for parameter in ROUTE.parameters}

    assert published == {name for name, _ in FILTERS}
    assert ROUTE in ALL[0].routes
