"""What PostgreSQL does for every question: which indexes it reads, and how many rows.

The book is the hard case: many customers of one account created in the same millisecond, among hundreds of
accounts that have twenty each, so that what the planner knows of "an account" is wrong for the large one. In
`make soak` there are 200,000. In `make test` there is less of everything: rows, and the bounds on what is read.
"""

from functools import partial

import psycopg
import pytest

from tests.fixtures.lengths import IS_SOAK, length
from tests.fixtures.statements import TEST_MARK
from tests.storage.questions import NESTED, ask_all, loading_statements, queries
from tradebook import migrations
from tradebook.app import open_database
from tradebook.crud.walks import MANY
from tradebook.ids import KEY_MAX, first_key_of
from tradebook.resources.customers import INDEX, addresses, external_ids, index, recognising, records
from tradebook.settings import Settings
from tradebook.storage.index import Condition, Query
from tradebook.storage.index_documents import Document
from tradebook.storage.postgres import bounds
from tradebook.storage.postgres.dialect import DIALECT
from tradebook.storage.postgres.facts import facts_of
from tradebook.storage.postgres.literals import Statement, written
from tradebook.storage.postgres.searched_text import searchable
from tradebook.storage.postgres.statements import NO_BOUND, Question

LARGE, SMALL = 7, 8
SHARE = length(0.25, 1)
"""How much there is of 200,000 rows, and of the bounds that are meant for so many."""
BOUNDED = {name: int(SHARE * getattr(bounds, name)) for name in ("WALKED_ROWS", "CANDIDATES")}
ROWS, SMALL_ROWS, SMALL_ACCOUNTS = int(SHARE * 200_000), 20, 400
FIRST = first_key_of(1_750_000_000_000)
PAGE = 101
TEXTS = ("anna gmbh", "strasse 5", "strasse gmbh", "north supply 555-0100", "berlin tools", "west 12")

ACCOUNTS = f"""INSERT INTO accounts SELECT n, 'A', 'test', 1, 0 FROM generate_series({LARGE}, {LARGE + SMALL_ACCOUNTS}) n"""
CUSTOMERS = """
    INSERT INTO customers (account_id, id, name, number, number_folded, status, edi_status, commission_policy, freight_policy,
        parent_id, is_parent, type_id, carrier_id, service_level_id, payment_term_id, shipping_term_id,
        sales_rep_id, accepts_invoice_emails, email_folded, updated_at)
    SELECT a, {first} + n, 'Customer ' || n, n::text, n::text,
        CASE WHEN n % 50 = 0 THEN 3 ELSE n % 3 END, 0, (n % 7 = 0)::int, (n % 2),
        CASE WHEN n % 100 = 1 THEN {first} + n - 1 END, (n % 100 = 0)::int,
        n % 5, n % 4, n % 11, n % 3, n % 6, n % 12, 0,
        CASE WHEN n % 2 = 0 THEN 'info@x.example' WHEN n % 3 = 0 THEN n || '@x.example' END, 0
    FROM generate_series({accounts}) a, generate_series(0, {rows} - 1) n"""
ADDRESSES = """
    INSERT INTO customer_addresses (account_id, customer_id, address_id, locality, state, postal_code)
    SELECT a, {first} + n, {first} + n,
        CASE WHEN n % 40 = 0 THEN 'Nantes' ELSE 'Town ' || n % 300 END,
        CASE WHEN n % 3 = 0 THEN 'NV' ELSE 'CA' END,
        CASE WHEN n % 900 = 0 THEN '44000' ELSE (n % 5000)::text END
    FROM generate_series({accounts}) a, generate_series(0, {rows} - 1) n"""
GROUPS = """
    INSERT INTO customer_price_groups (account_id, customer_id, group_id)
    SELECT a, {first} + n, n % 4 FROM generate_series({accounts}) a, generate_series(0, {rows} - 1) n"""
REFERRED = """
    INSERT INTO addresses (account_id, id, name, type, country, updated_at)
    SELECT a, {first} + n, 'Desk', 0, 'FR', 0 FROM generate_series({accounts}) a, generate_series(0, {rows} - 1) n;
    INSERT INTO service_levels (account_id, id, carrier_id, name, service_level_token,
        customer_portal_visibility, is_default, is_system, updated_at)
    SELECT a, n, {first} + n / 50, 'Level ' || n, '', 0, 0, 0, 0
    FROM generate_series({accounts}) a, generate_series(0, {rows} / 10) n"""
FINISHED = """
    INSERT INTO finished_customers (account_id, customer_id, head, credit_limit, contact_info, ending)
    SELECT a, {first} + n, '{{', 'null', 'null', '}}'
    FROM generate_series({accounts}) a, generate_series(0, {rows} - 1) n;
    INSERT INTO finished_addresses (account_id, address_id, head, place, ending)
    SELECT a, {first} + n, '{{', 'null', '}}' FROM generate_series({accounts}) a, generate_series(0, {rows} - 1) n"""
FACTS_OF = f"""
    SELECT account_id, id, id - {FIRST}, {", ".join(f.columns[0].name for f in INDEX.sources[0].facets)},
        locality, state, postal_code, group_id
    FROM customers JOIN customer_addresses AS placed USING (account_id) JOIN customer_price_groups AS grouped
        USING (account_id) WHERE placed.customer_id = id AND grouped.customer_id = id"""


def document(text: str) -> Document:
    """A row of the index with one field."""
    made = Document()
    made.fields[text] = None
    return made


def fill_search(connection: psycopg.Connection) -> None:
    """Write the entries of the index for the planted rows that have none."""
    own = INDEX.sources[0].facets
    rows = connection.execute(
        f"{FACTS_OF} AND (account_id, id) NOT IN (SELECT account_id, customer_id FROM customer_search)"
    ).fetchall()
    put = "COPY customer_search (account_id, customer_id, folded, facts) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(put) as copy:
        for account, key, place, *values, city, state, code, group in rows:
            made = document(TEXTS[place % len(TEXTS)])
            made.facts = [(facet, (value,)) for facet, value in zip(own, values, strict=True)]
            made.facts += [(index.PLACE, (city, state, code)), (index.PRICE_GROUP, (group,))]
            copy.write_row((account, key, searchable(made, LARGE), facts_of(made, account)))


def fill(url: str) -> None:
    """Plant the rows; what they refer to doesn't matter to plans."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(ACCOUNTS)
        sizes = ((f"{LARGE}, {LARGE}", ROWS), (f"{SMALL}, {LARGE + SMALL_ACCOUNTS}", SMALL_ROWS))
        for accounts, rows in sizes:
            for statement in (CUSTOMERS, ADDRESSES, GROUPS, REFERRED, FINISHED):
                connection.execute(statement.format(accounts=accounts, rows=rows, first=FIRST))
        fill_search(connection)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


@pytest.fixture(scope="module")
def database(postgres):
    """The hard case, in tables as a user has them."""
    url = postgres.empty(None)
    migrations.upgrade(url)
    fill(url)
    opened = open_database(Settings(database=url, database_timeout_ms=30_000))
    with pytest.MonkeyPatch.context() as patch:
        for name, bound in BOUNDED.items():
            patch.setattr(bounds, name, bound)
        yield opened
    opened.close()


def nodes(plan: dict):
    """All nodes of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def explained(reader, sql: str, values: dict, *, is_kept: bool = True) -> tuple[list[dict], list[tuple]]:
    """Run a statement as the application does; returns the nodes of its plan, and its rows.

    One that a connection keeps has a plan for all values.
    """
    execute = reader._connection.execute
    statement = Statement(sql, values, is_kept, ("limit", *(name for name in values if "param" in name)))
    text, kept = written(statement, reader._connection, keeps=True)
    if kept is not None:
        execute(f"{TEST_MARK} {kept.preparation.decode()}")
    asked = text.decode()
    ((plan,),) = execute(f"{TEST_MARK} EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {asked}").fetchall()
    rows = execute(f"{TEST_MARK} {asked}").fetchall()
    if kept is not None:
        execute(f"{TEST_MARK} DEALLOCATE {kept.name}")
    return list(nodes(plan[0]["Plan"])), rows


def rows_read(plan: list[dict]) -> int:
    """How many rows the plan's scans have looked at."""
    return sum(
        round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in plan
        if "Relation Name" in node
    )


def faults(plan: list[dict], rows_max: int) -> list[str]:
    """Say what is wrong with a plan: tables read as a whole, large sorts, too many rows."""
    found = [f"{n['Node Type']} on {n['Relation Name']}" for n in plan if n["Node Type"] == "Seq Scan"]
    found += [
        f"sort of {n['Actual Rows']}" for n in plan if n["Node Type"] == "Sort" and n["Actual Rows"] > 2_000
    ]
    if rows_read(plan) > rows_max:
        found.append(f"{rows_read(plan)} rows read, {rows_max} allowed")
    return found


BOUNDS = {
    "first page": (0, 1 << 62),
    "middle": (FIRST + ROWS // 2, 1 << 62),
    "near the end": (0, FIRST + ROWS // 10),
}


def run_checked(reader, values: dict, rows_max: int, question: Question) -> list[tuple]:
    """Run a question, and hold its plan against what it may read."""
    asked = {**values, **question.values}
    plan, rows = explained(reader, question.sql, asked, is_kept=question.is_kept)
    # A walk ends with the list.
    found = faults(plan, 2 * ROWS if f"LIMIT {NO_BOUND}" in question.sql else rows_max)
    assert found == [], question
    return rows


@pytest.mark.parametrize("descending", [True, False], ids=["forwards", "backwards"])
@pytest.mark.parametrize("bounds", BOUNDS.values(), ids=BOUNDS)
def test_every_question_reads_no_more_than_it_must(database, descending, bounds):
    """All filters alone, all pairs, all together, from the start, the middle and the end of the ties.

    In a short run, each from all three, and in one or the other direction: the questions take turns.
    """
    above, below = bounds
    turn = [*BOUNDS.values()].index(bounds) + descending
    values = {"account_id": LARGE, "above": above, "below": below, "limit": PAGE}
    with database.read(LARGE) as reader:
        for place, (_, query) in enumerate(queries()):
            if not IS_SOAK and (place + turn) % 2:
                continue
            parts = [part for c in query.conditions for part in c.values[0] if part is not None]
            is_single = len(parts) <= 1 and not query.words
            size = sum(len(condition.values) for condition in query.conditions) or 1
            rows_max = PAGE * size + size if is_single else 2 * BOUNDED["CANDIDATES"]
            run = partial(run_checked, reader, values, rows_max)
            ask_all(INDEX, query, LARGE, run, descending=descending, limit=PAGE)


def test_small_accounts_read_their_own_rows_alone(database):
    values = {"account_id": SMALL, "above": 0, "below": 1 << 62, "limit": PAGE}
    with database.read(SMALL) as reader:
        for _, query in queries():
            run = partial(run_checked, reader, values, 20 * SMALL_ROWS)
            ask_all(INDEX, query, SMALL, run, descending=True, limit=PAGE)


@pytest.mark.parametrize("below", [KEY_MAX, FIRST + ROWS // 2], ids=["first page", "later page"])
def test_a_word_that_is_nowhere_is_not_looked_for_in_every_row_of_a_filter(database, below):
    """A first page begins at the end of time: how far a filter reaches is counted from the first row."""
    query = Query((Condition(index.STATUS, ((1,),)),), ("qqqq",))
    noted = []

    def run(question):
        plan, rows = explained(reader, question.sql, {**values, **question.values}, is_kept=question.is_kept)
        noted.append(rows_read(plan))
        return rows

    values = {"account_id": LARGE, "above": 0, "below": below, "limit": PAGE}
    with database.read(LARGE) as reader:
        assert ask_all(INDEX, query, LARGE, run, descending=True, limit=PAGE) == []

    # A third of the rows has the status, and each of these would be looked at twice.
    assert sum(noted) < ROWS // 6


SPAN = {"first": FIRST, "last": FIRST + PAGE}


def test_every_page_is_filled_by_key(database):
    keys = [FIRST + n * 100 for n in range(PAGE)]
    values = {"ids": keys, "above": 0, "below": 1 << 62, **SPAN, "limit": PAGE, "account_id": LARGE}
    with database.read(LARGE) as reader:
        for statement in loading_statements():
            sql, fixed = statement.text(DIALECT)
            plan, _ = explained(reader, sql, {**fixed, **values}, is_kept=not statement.depends_on_values)
            assert faults(plan, 4 * PAGE) == [], sql


@pytest.mark.parametrize("bounds", BOUNDS.values(), ids=BOUNDS)
def test_a_part_of_the_list_is_read_by_itself_where_the_server_merges_tables(database, bounds):
    """It does so in some books, and read the other table from its beginning: 13 ms of a page at 100,000."""
    above, below = bounds
    values = {"above": above, "below": below, "limit": PAGE, "account_id": LARGE}
    with database.read(LARGE) as reader:
        for way in ("nestloop", "hashjoin"):
            reader._connection.execute(f"{TEST_MARK} SET LOCAL enable_{way} = off")
        for statement in loading_statements():
            sql, fixed = statement.text(DIALECT)
            if "above" in sql:
                plan, rows = explained(reader, sql, {**fixed, **values}, is_kept=False)
                assert len(rows) == PAGE
                assert faults(plan, 5 * PAGE) == [], sql


@pytest.mark.parametrize("newest", NESTED.values(), ids=NESTED)
def test_nested_lists_are_read_by_owner(database, newest):
    keys = [FIRST + n * 100 for n in range(PAGE)]
    with database.read(LARGE) as reader:
        for statement, most in ((newest.plain, 3 * PAGE), (newest.of_span, MANY), (newest.bounded, 3 * PAGE)):
            sql, fixed = statement.text(DIALECT)
            plan, _ = explained(reader, sql, {**fixed, "ids": keys, **SPAN, "account_id": LARGE})
            assert faults(plan, most) == [], sql


def test_what_agrees_with_a_number_is_found_by_it(database):
    asked = {"values": [f"{n * 100}" for n in range(PAGE)], "account_id": LARGE}
    with database.read(LARGE) as reader:
        for statement in (records._by_name["number"], records._oldest_apart["number"]):
            sql, fixed = statement.text(DIALECT)
            plan, _ = explained(reader, sql, {**fixed, **asked})
            assert faults(plan, 4 * PAGE) == [], sql


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM customers WHERE account_id = 7 AND status = 1 ORDER BY name LIMIT 101",
        "SELECT id FROM customers WHERE name = 'x'",
        "SELECT id FROM customers WHERE account_id = 7 ORDER BY id LIMIT 101 OFFSET 100000",
    ],
)
def test_a_sort_or_a_scan_is_noticed(database, sql):
    with database.read(LARGE) as reader:
        plan, _ = explained(reader, sql, {})

    assert faults(plan, 3 * PAGE) != []


def test_customers_are_looked_up_by_email_one_by_one_however_many_share_it(database):
    """An import asks for a thousand at once; half of the customers may have one e-mail."""
    emails = ["info@x.example", *(f"{n}@x.example" for n in range(3, 3_000, 3)), *map(str, range(100))]

    with database.read(LARGE) as reader:
        sql, fixed = recognising._WAYS["email"].statement.text(DIALECT)
        plan, rows = explained(reader, sql, {"account_id": LARGE, "ids": emails, **fixed})

    assert len(rows) == recognising.SOME + 500
    assert rows_read(plan) <= 2 * len(rows)
    assert not [node for node in plan if node["Node Type"] == "Seq Scan"]


@pytest.mark.parametrize(
    "statement",
    [addresses._ANY_ATTACHED, addresses._ATTACHED_TO, addresses._SERVING_NOBODY, external_ids._FIND, external_ids._NEXT_NAME],
    ids=["any attached", "attached to", "serving nobody", "by external id", "next system"],
)  # fmt: skip
def test_what_is_attached_and_known_elsewhere_is_found_without_a_look_at_the_rest(database, statement):
    """Nothing of the large account is attached: that is known from the index of what is."""
    keys = [FIRST + n * 100 for n in range(PAGE)]
    with database.read(LARGE) as reader:
        sql, fixed = statement.text(DIALECT)
        asked = {"ids": keys, "account_id": LARGE, "name": "erp", "values": ["1", "2"], "after": ""}
        plan, _ = explained(reader, sql, {**asked, **fixed})

    assert faults(plan, 3 * PAGE) == [], sql
