"""Every filter, pair of filters and search is one ordered walk of an index: no sort, no scan of the book.

Nor does a change read an account to see what refers to a row.
"""

import re
from pathlib import Path

import apsw
import pytest

from tests.fixtures.engines import Sqlite
from tests.fixtures.ledgers import Ledger
from tests.storage.questions import FILTERS, NESTED, ROUTE, loading_statements, queries
from tradebook.app import open_database
from tradebook.crud.cursor import load_cursors
from tradebook.crud.list_requests import RequestParser
from tradebook.crud.resource import Asked, Span
from tradebook.resources import ALL, address_routes
from tradebook.resources.customers import INDEX, addresses, recognising, records
from tradebook.settings import Settings
from tradebook.storage.index import Condition, Query
from tradebook.storage.schema import metadata
from tradebook.storage.sqlite.dialect import DIALECT
from tradebook.storage.sqlite.index import keys_statement, walk_statement

# A walk in key order is a search of the primary key, or the account's own index in the order of its keys.
GOOD = re.compile(
    r"SEARCH \w+ USING (PRIMARY KEY|(COVERING )?INDEX \w+) \(account_id=\?.*\)"
    r"|SCAN customers_index_\w+ VIRTUAL TABLE INDEX \d+:M.*|SCAN (json_each|anon_\d+) VIRTUAL TABLE INDEX 1:"
    r"|(LIST|CORRELATED LIST|REUSE LIST|CORRELATED SCALAR) SUBQUERY \d+"
)
REFERENCES = [c for table in metadata.sorted_tables for c in table.columns if "references" in c.info]
DELETE = "DELETE FROM {} WHERE account_id = ? AND id = ?"
REFERRED_TO = sorted({column.info["references"] for column in REFERENCES})
LISTED = [c for c in REFERENCES if c.table.primary_key.columns.values()[1] is not c]
"""References that need an index of their own: the keys of these tables don't begin with them."""


def bad_steps(plan: list[str]) -> list[str]:
    """Pick out what sorts or scans."""
    return [step for step in plan if not GOOD.fullmatch(step)]


def whole_accounts(plan: list[str]) -> list[str]:
    """Pick out what reads all of an account."""
    return [step for step in plan if "(account_id=?)" in step or step.startswith("SCAN")]


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
    return opened(book.database.path, apsw.SQLITE_OPEN_READONLY)


@pytest.fixture(scope="module")
def untold(tmp_path_factory):
    """The file of a book without what the planner is told."""
    folder = tmp_path_factory.mktemp("untold")
    Sqlite().new(folder)
    opened(folder / "book.db").execute("DELETE FROM sqlite_stat1")
    return opened(folder / "book.db")


def opened(path: Path, flags: int = apsw.SQLITE_OPEN_READWRITE) -> apsw.Connection:
    """Open a file as the product does: its DELETE looks for what refers to the row."""
    connection = apsw.Connection(str(path), flags=flags)
    connection.pragma("foreign_keys", 1)
    return connection


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
        if query == Query():
            sql, values = walk_statement(INDEX.finished.key, descending=descending), (book.key,)
        else:
            sql, values = keys_statement(INDEX, query, book.key, descending=descending)
        plan = plan_of(raw, sql, (*values, 0, 1 << 62, 101))
        assert bad_steps(plan) == [], (question, plan)


GOES_BACKWARDS = 0x80
"""How FTS5 writes it, in the number of its plan."""


@pytest.mark.parametrize("query", [{"q": "gmbh"}, {"status_codes[]": "normal"}], ids=str)
def test_an_index_is_walked_forwards_from_the_newest_row_on(book, raw, query):
    """Backwards, FTS5 reads its way from the end of each list: six times as long in the middle of a large one."""
    pairs = list(query.items())
    asked = RequestParser(ROUTE).list_request(pairs, book.key, load_cursors(book.database)).query

    def walks(*, descending: bool) -> list[int]:
        sql, values = keys_statement(INDEX, asked, book.key, descending=descending)
        plan = "\n".join(plan_of(raw, sql, (*values, 0, 1 << 62, 101)))
        return [int(number) & GOES_BACKWARDS for number in re.findall(r"VIRTUAL TABLE INDEX (\d+):M", plan)]

    assert walks(descending=True) == [0]
    assert walks(descending=False) == [GOES_BACKWARDS]


def test_every_page_is_filled_by_key(book, raw):
    for statement in loading_statements():
        sql, fixed = statement.text(DIALECT)
        plan = plan_of(raw, sql, {**values_for(sql, book.key), **fixed})
        assert bad_steps(plan) == [], (sql, plan)


class Listening:
    """A reader that finds nothing, and knows what it was asked."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def rows(self, statement, **values):
        self.statements.append(statement.text(DIALECT)[0])
        return []


@pytest.mark.parametrize("descending", [True, False], ids=["forwards", "backwards"])
@pytest.mark.parametrize("places", [(), (0,), (1,), (2,), (0, 1, 2)], ids=str)
def test_whom_an_address_serves_is_read_in_order(book, raw, places, descending):
    """In any relation: from the place where a page begins, no further than it is long, without a sort."""
    condition = Condition(address_routes.RELATION, tuple((place,) for place in places))
    reader = Listening()
    span = Span(0, 9, descending=descending, limit=101)
    address_routes._walk_served(reader, Asked(span, Query((condition,) if places else ()), path_key=1))

    assert len(reader.statements) == max(1, len(places))
    for sql in reader.statements:
        (step,) = plan_of(raw, sql, values_for(sql, book.key))
        assert re.fullmatch(
            r"SEARCH \w+ USING .*INDEX \w+ \(account_id=\? AND \w+=\? AND \w+>\? AND \w+<\?\)", step
        )


@pytest.mark.parametrize("newest", NESTED.values(), ids=NESTED)
def test_nested_lists_are_read_by_owner(book, raw, newest):
    """The owners first, then each one's entries: nothing is sorted, nothing scanned."""
    for statement in (newest.plain, newest.of_span, newest.bounded):
        sql, fixed = statement.text(DIALECT)
        plan = plan_of(raw, sql, {**values_for(sql, book.key), **fixed})
        assert bad_steps(plan) == [], plan
        assert not any("(account_id=?)" in step for step in plan)


def test_what_agrees_with_a_number_is_found_by_it(book, raw):
    """Each by itself, and among those that are kept apart from it."""
    for statement, end in ((records._by_name, "=?"), (records._oldest_apart, ">? AND number_folded<?")):
        sql, fixed = statement["number"].text(DIALECT)
        plan = plan_of(raw, sql, {"account_id": book.key, "values": '["1"]', **fixed})
        assert any(step.endswith(f"(account_id=? AND number_folded{end})") for step in plan), plan
        assert bad_steps([step for step in plan if "SCALAR" not in step]) == [], plan


@pytest.mark.parametrize(
    ("statement", "column"),
    [
        (recognising._WAYS["email"].statement, "email_folded"),
        (recognising._WAYS["phone"].statement, "phone_digits"),
        (recognising._RESEMBLING, "number_plain"),
    ],
)
def test_customers_are_looked_up_by_what_they_are_known_by(book, raw, statement, column):
    """Each by itself: an import asks for a thousand at once."""
    sql, fixed = statement.text(DIALECT)
    plan = plan_of(raw, sql, {"account_id": book.key, "ids": '["a"]', **fixed})

    assert any(step.endswith(f"customers_by_{column} (account_id=? AND {column}=?)") for step in plan), plan
    assert bad_steps(plan) == [], plan
    assert not any("(account_id=?)" in step for step in plan), plan


@pytest.mark.parametrize("column", REFERENCES, ids=str)
def test_what_refers_to_a_row_is_found_by_its_reference(raw, column):
    """What SQLite asks for each foreign key, and we before."""
    sql = f"SELECT 1 FROM {column.table.name} WHERE account_id = ? AND {column.name} = ?"
    (step,) = plan_of(raw, sql, (1, 2))

    assert re.fullmatch(rf"SEARCH .* \(account_id=\? AND {column.name}=\?\)", step)


@pytest.mark.parametrize("table", REFERRED_TO)
def test_a_delete_finds_what_refers_to_its_row(raw, table):
    plan = plan_of(raw, DELETE.format(table), (1, 2))
    references = [column for column in REFERENCES if column.info["references"] == table]

    assert len(plan) == 1 + len(references)
    assert whole_accounts(plan) == []


@pytest.mark.parametrize("table", sorted({column.info["references"] for column in LISTED}))
def test_a_delete_that_reads_the_account_is_noticed(untold, table):
    assert whole_accounts(plan_of(untold, DELETE.format(table), (1, 2))) != []


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


@pytest.mark.parametrize(
    "statement", [addresses._ANY_ATTACHED, addresses._ATTACHED_TO], ids=["any", "of some"]
)
def test_what_is_attached_is_found_without_a_look_at_the_rest(raw, statement):
    sql, fixed = statement.text(DIALECT)

    plan = plan_of(raw, sql, {**values_for(sql, 1), **fixed})

    assert [step for step in plan if "customer_addresses_attached" in step]
    assert not [step for step in plan if step.startswith("SCAN customer") or "TEMP B-TREE" in step]
