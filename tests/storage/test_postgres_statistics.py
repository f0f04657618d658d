"""Statistics never decide whether a page comes: with right, missing and misleading ones, the same rows are read.

Every pair of filters, each with a common and with a rare or empty value, on the first page, a deep next and a
deep previous one. In `make test` each pair is asked once with each kind of statistics, in `make soak` in every way.
"""

from itertools import combinations, cycle, product

import psycopg
import pytest

from tests.fixtures.engines import Sqlite
from tests.fixtures.ledgers import Ledger
from tests.fixtures.lengths import length
from tests.storage import test_postgres_plans as hard_case
from tests.storage.questions import ask_all
from tests.storage.test_postgres_plans import FIRST, LARGE, PAGE, SMALL, explained, rows_read
from tradebook import migrations
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.resources.customers import INDEX, index
from tradebook.settings import Settings
from tradebook.storage.index import Condition, Query
from tradebook.storage.postgres.statements import NO_BOUND, Statements
from tradebook.storage.postgres.stretches import Reach
from tradebook.transfer import copying
from tradebook.transfer.imports import applying, stepping

ROWS = length(8_000, 200_000)
SHARE_MAX = 20
"""How many times the rows of a page may be read, where it is not a walk along one condition."""

TABLES = ("customers", "customer_addresses", "customer_price_groups", "customer_search")
FACETS = {
    index.TYPE: (1, 99), index.SALES_REP: (1, 99), index.STATUS: (1, 3), index.SHIPPING_TERM: (1, 99),
    index.PAYMENT_TERM: (1, 99), index.COMMISSION_POLICY: (0, 1), index.FREIGHT_POLICY: (0, 2),
    index.CARRIER: (1, 99), index.SERVICE_LEVEL: (1, 99), index.IS_PARENT: (0, 1), index.PRICE_GROUP: (1, 99),
}  # fmt: skip
"""A common value of each, and a rare one or one that nothing has."""
PLACES = (("Nantes", "Nowhere"), ("NV", "XX"), ("17", "44000"))
"""The same of city, state and postal code."""

FILTERS = [
    *((facet, (value,)) for facet, values in FACETS.items() for value in values),
    *(
        (index.PLACE, tuple(value if at == place else None for at in range(3)))
        for place, values in enumerate(PLACES)
        for value in values
    ),
]
POSITIONS = {
    "first": (0, 1 << 62, True),
    "deep next": (0, FIRST + ROWS // 3, True),
    "deep previous": (FIRST + ROWS // 3, 1 << 62, False),
}
STATISTICS = {
    # First of a book of small accounts, and the large one has come since.
    "misleading": (),
    "missing": (
        "DELETE FROM pg_statistic",
        "UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relkind = 'r'",
    ),
    "right": ("VACUUM ANALYZE",),
}


def queries() -> list[Query]:
    """Every pair of filters with values of both kinds."""
    made = []
    for (first, one), (second, other) in combinations(FILTERS, 2):
        if first is not second:
            made.append(Query((Condition(first, (one,)), Condition(second, (other,)))))
        elif first is index.PLACE and [each is None for each in one] != [each is None for each in other]:
            both = tuple(mine if mine is not None else its for mine, its in zip(one, other, strict=True))
            made.append(Query((Condition(first, (both,)),)))
    return made


def asked() -> list[tuple[Query, str]]:
    """The queries, each at one position or at all of them."""
    every = queries()
    return length([*zip(every[::3], cycle(POSITIONS))], [*product(every, POSITIONS)])


@pytest.fixture(scope="module")
def url(postgres):
    """The hard case, before its large account has come; nobody gathers statistics by himself."""
    made = postgres.empty(None)
    migrations.upgrade(made)
    with psycopg.connect(made, autocommit=True) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        connection.execute("SET session_replication_role = replica")
        connection.execute(hard_case.ACCOUNTS)
        for accounts, rows in ((f"{SMALL}, {LARGE + 100}", 20), (f"{LARGE}, {LARGE}", ROWS)):
            for statement in (hard_case.CUSTOMERS, hard_case.ADDRESSES, hard_case.GROUPS):
                connection.execute(statement.format(accounts=accounts, rows=rows, first=FIRST))
            hard_case.fill_search(connection)
            if rows < ROWS:
                connection.execute("ANALYZE")
    return made


@pytest.fixture(scope="module")
def database(url):
    """It, opened."""
    opened = open_database(Settings(database=url, database_timeout_ms=30_000))
    yield opened
    opened.close()


def faults_of(sql: str, plan: list[dict]) -> list[str]:
    """Say what is wrong with how one question was answered."""
    found = [f"{n['Node Type']} on {n['Relation Name']}" for n in plan if n["Node Type"] == "Seq Scan"]
    found += [n["Node Type"] for n in plan if n["Node Type"] in ("Hash Join", "Merge Join", "Nested Loop")]
    found += ["Sort" for n in plan if n["Node Type"] == "Sort" and n["Actual Rows"] > SHARE_MAX * PAGE]
    read = rows_read(plan)
    # A walk looks at each row of the list once, and at another table for those that have the facts.
    is_walk = f"LIMIT {NO_BOUND}" in sql
    if read > (2 * ROWS if is_walk else SHARE_MAX * PAGE):
        found.append(f"{read} rows read")
    return found


def reads_of(database, statistics: str) -> dict[tuple[Query, str], int]:
    """Ask everything, and count the rows that are read."""
    return {
        (query, position): sum(reads(database, query, *POSITIONS[position], told=(statistics, position)))
        for query, position in asked()
    }


def reads(database, query: Query, above: int, below: int, descending: bool, *, told: tuple) -> list[int]:
    """Ask for a page, and count the rows that each statement reads."""
    noted: list[int] = []
    values = {"account_id": LARGE, "above": above, "below": below, "limit": PAGE}

    def ask(question):
        asked = {**values, **question.values}
        plan, rows = explained(reader, question.sql, asked, is_kept=question.is_kept)
        assert faults_of(question.sql, plan) == [], (*told, question)
        noted.append(rows_read(plan))
        return rows

    with database.read(LARGE) as reader:
        ask_all(INDEX, query, LARGE, ask, descending=descending, limit=PAGE)
    return noted


def test_every_pair_reads_the_same_whatever_is_known_of_the_rows(database, url):
    read = {}
    for kind, statements in STATISTICS.items():
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)
        read[kind] = reads_of(database, kind)

    for kind in ("misleading", "missing"):
        for question, right in read["right"].items():
            # Which of two conditions is walked may differ by what a sample of the rows says.
            assert read[kind][question] <= 2 * right + 2 * PAGE, (kind, question)
    assert len(read["right"]) > 100


WORDS = (
    ("nowhere",),
    ("berlin",),
    ("555-0100",),
    ("info@x.example",),
    ("north", "supply"),
    ("tools", "nowhere"),
)


def test_words_are_looked_for_in_their_index_alone(database, url):
    """There is one plan for all words and accounts, and none reads the rows of the account."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in STATISTICS["right"]:
            connection.execute(statement)
    values = {"account_id": LARGE, "above": 0, "below": 1 << 62, "limit": PAGE}
    reach = Reach(FIRST + ROWS // 3, FIRST + ROWS // 2)
    plans = []
    with database.read(LARGE) as reader:
        for words, conditions in product(WORDS, ((), (Condition(index.STATUS, ((3,),)),))):
            statements, query = Statements(INDEX, LARGE, "DESC"), Query(conditions, words)
            asked = [statements.by_index(query, PAGE)]
            asked.append(statements.by_index(query, PAGE, reach))
            for question in asked:
                assert question.is_kept
                plans.append(explained(reader, question.sql, {**values, **question.values})[0])

    assert {table_scan for plan in plans for table_scan in scans_of_text(plan)} == {
        ("Bitmap Heap Scan", "customer_search"),
        ("Bitmap Index Scan", "customer_search_by_everything"),
    }


def test_a_row_is_tested_by_the_entry_of_the_other_filter_alone(database, url):
    """No row of either is read, only the entries of the two filters."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in STATISTICS["right"]:
            connection.execute(statement)
    status, state = Condition(index.STATUS, ((3,),)), Condition(index.PLACE, ((None, "NV", None),))
    question = Statements(INDEX, LARGE, "DESC").by_index(Query((status, state)), PAGE)
    values = {"account_id": LARGE, "above": 0, "below": 1 << 62, "limit": PAGE}
    with database.read(LARGE) as reader:
        plan, rows = explained(reader, question.sql, {**values, **question.values})

    # But for a look at the ends of the list.
    read = [n for n in plan if "Index Name" in n and n["Actual Rows"] * n["Actual Loops"] > 1]
    scans = {(n["Node Type"], n["Index Name"]) for n in read}
    assert scans == {
        ("Bitmap Index Scan", "customer_search_by_everything"),
        ("Index Only Scan", "customers_by_status"),
        ("Index Only Scan", "customer_addresses_by_state"),
    }
    assert rows


def scans_of_text(plan: list[dict]) -> list[tuple[str, str]]:
    """How the searched text is read."""
    # But for a look at the ends of the list.
    read = [
        n for n in plan if n["Actual Rows"] * n["Actual Loops"] > 1 or n["Node Type"] != "Index Only Scan"
    ]
    scans = [(n["Node Type"], n.get("Index Name") or n.get("Relation Name") or "") for n in read]
    return [(kind, name) for kind, name in scans if name.startswith("customer_search")]


def test_a_statement_that_is_left_to_the_planner_is_noticed(database, url):
    """The planted fault: a price group and a status, joined as the planner likes, without statistics."""
    joined = (
        "SELECT customers.id FROM customers JOIN customer_price_groups AS linked ON linked.account_id = 7"
        " AND linked.customer_id = customers.id AND linked.group_id = 1"
        " WHERE customers.account_id = 7 AND status = 1 ORDER BY id DESC LIMIT 101"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in STATISTICS["missing"]:
            connection.execute(statement)
    with database.read(LARGE) as reader:
        plan, _ = explained(reader, joined, {})

    assert faults_of(joined, plan)


@pytest.mark.parametrize(("many", "known"), [(20, 40), (41, -1)])
def test_after_an_import_of_many_the_server_knows_of_them(postgres, monkeypatch, many, known):
    """Also the index of words has taken in what it puts off."""
    monkeypatch.setattr(stepping, "MANY_ROWS", many)
    monkeypatch.setattr(applying, "ROWS_IN_ONE_STEP", 10)
    ledger = Ledger(open_database(Settings(database=postgres.new(None))))
    ledger.take(*demo_customers(40))
    found = ledger.sql(f"SELECT {ledger.key}, reltuples FROM pg_class WHERE relname = 'customers'")
    ledger.database.close()

    assert found == [(ledger.key, known)]


def test_after_a_copy_of_many_the_server_knows_of_them(postgres, tmp_path, monkeypatch):
    monkeypatch.setattr(copying, "MANY_ROWS", 20)
    source = Ledger(open_database(Settings(database=Sqlite().new(tmp_path))))
    source.take(*demo_customers(40))
    url = postgres.empty(None)
    migrations.upgrade(url)
    target = open_database(Settings(database=url))
    copying.copy_book(source.database, target)
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT reltuples FROM pg_class WHERE relname = 'customers'").fetchone()
    for database in (source.database, target):
        database.close()

    assert found == (40,)
