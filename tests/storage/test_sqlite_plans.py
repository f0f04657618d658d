"""Every filter, pair of filters and search is one ordered walk of an index: no sort, no scan of the book."""

import re

import apsw
import pytest

from tests.fixtures.engines import Sqlite
from tests.fixtures.ledgers import Ledger
from tests.storage.questions import FILTERS, NESTED, ROUTE, loading_statements, queries
from tradebook.app import open_database
from tradebook.resources import ALL
from tradebook.resources.customers.tables import INDEX
from tradebook.settings import Settings
from tradebook.storage.sqlite import keys_statement

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
def book(tmp_path_factory):
    """An account, so that its index exists."""
    database = open_database(Settings(database=Sqlite().new(tmp_path_factory.mktemp("plans"))))
    made = Ledger(database)
    made.take({"number": "1", "name": "A"})
    yield made
    database.close()


@pytest.fixture(scope="module")
def raw(book):
    """The file itself."""
    return apsw.Connection(str(book.database.path), flags=apsw.SQLITE_OPEN_READONLY)


def plan_of(raw: apsw.Connection, sql: str, values) -> list[str]:
    """Ask SQLite what it would do."""
    return [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


def values_for(sql: str, account: int) -> dict:
    """Any values for a statement's names."""
    return {name: "[1,2]" if name == "ids" else account for name in re.findall(r":(\w+)", sql)}


@pytest.mark.parametrize("descending", [True, False], ids=["forwards", "backwards"])
def test_every_question_is_one_ordered_walk(book, raw, descending):
    """All filters alone, all pairs, all together."""
    for question, query in queries():
        sql, values = keys_statement(INDEX, query, book.key, descending=descending)
        plan = plan_of(raw, sql, (*values, 0, 1 << 62, 101))
        assert bad_steps(plan) == [], (question, plan)


def test_every_page_is_filled_by_key(book, raw):
    for statement in loading_statements():
        sql, fixed = statement.sqlite
        plan = plan_of(raw, sql, {**values_for(sql, book.key), **fixed})
        assert bad_steps(plan) == [], (sql, plan)


@pytest.mark.parametrize("newest", NESTED.values(), ids=NESTED)
def test_nested_lists_are_read_by_owner(book, raw, newest):
    """The owners first, then each one's entries: nothing is sorted, nothing scanned."""
    for statement in (newest.plain, newest.bounded):
        sql, fixed = statement.sqlite
        plan = plan_of(raw, sql, {**values_for(sql, book.key), **fixed})
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
