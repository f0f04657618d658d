"""Every statement stays within one account: by its text, and by the partition that PostgreSQL reads."""

import gc
import json
import re
from itertools import chain

import pytest

from tests.fixtures.statements import TEST_MARK, faults_of
from tests.storage.questions import as_spread, every_question, queries
from tradebook.app import open_database
from tradebook.cli import main as _all_of_the_product  # noqa: F401
from tradebook.settings import Settings
from tradebook.storage.postgres.dialect import DIALECT
from tradebook.storage.schema import Prepared, metadata

ACCOUNT = 5
VALUES = {"BIGINT": 1, "SMALLINT": 1, "INTEGER": 1, "VARCHAR": "x", "TEXT": "x"}
_VALUE = re.compile(r'%\((\w+)\)s(?:::(\w+))?(?: COLLATE "C")?(?: AS (\w+)\[\])?')


def prepared_statements():
    """Every statement that any module has prepared."""
    # What was there before the first test is not listed otherwise: see tests/fixtures/garbage.py.
    gc.unfreeze()
    found = [each.text(DIALECT) for each in gc.get_objects() if isinstance(each, Prepared)]
    gc.freeze()
    return sorted({sql: fixed for sql, fixed in found}.items())


def asked_statements():
    """Every statement that the list's questions become."""
    for _, query in queries():
        for descending in (True, False):
            for question in every_question(query, ACCOUNT, descending=descending, limit=2):
                yield question.sql, {"above": 0, "below": 9, "limit": 2, **question.values}


def numbered(sql: str) -> str:
    """Write a statement as the server sees it."""
    names: dict[str, str] = {}
    return _VALUE.sub(
        lambda m: m[0].replace(f"%({m[1]})s", names.setdefault(m[1], f"${len(names) + 1}")), sql
    )


def values_for(sql: str, fixed: dict) -> dict:
    """Give every place of a statement a value of its type."""
    found = {}
    for name, kind, list_kind in _VALUE.findall(sql):
        found[name] = [VALUES[list_kind]] if list_kind else VALUES.get(kind)
    return {
        **found,
        **{name: value for name, value in fixed.items() if value is not None},
        "account_id": ACCOUNT,
    }


def test_every_prepared_statement_keeps_to_the_rules():
    statements = prepared_statements()

    assert len(statements) > 60
    assert {sql: faults for sql, _ in statements if (faults := faults_of(numbered(sql)))} == {}


def test_every_question_keeps_to_the_rules():
    assert {sql: faults for sql, _ in asked_statements() if (faults := faults_of(numbered(sql)))} == {}


@pytest.mark.parametrize("table", metadata.tables.values(), ids=lambda table: table.name)
def test_every_key_reference_and_index_begins_with_the_account(table):
    if table.name == "deployment":
        return  # Not a tenant's: a copy of it stands on every machine.
    keys = [*table.constraints, *table.indexes]
    assert {next(iter(key.columns)).name for key in keys if len(key.columns)} == {"account_id"}


def partitions_read(connection, sql: str, values: dict) -> set[str]:
    """Name the partitions in a statement's plan by their numbers."""
    ((plan,),) = connection.execute(f"{TEST_MARK} EXPLAIN (FORMAT JSON) {sql}", values).fetchall()
    return set(re.findall(r'"Relation Name": "\w+?_(\d+)"', json.dumps(plan)))


def test_every_statement_reads_one_partition(postgres, tmp_path):
    database = open_database(Settings(database=postgres.new(tmp_path)))
    read = {}
    with database.read(ACCOUNT) as reader:
        for sql, fixed in chain(prepared_statements(), asked_statements()):
            if not sql.startswith("INSERT") and "SELECT accounts.account_id" not in sql:
                # As the test's own: the plan is asked for without the account's own settings.
                read[sql] = partitions_read(reader._connection, as_spread(sql), values_for(sql, fixed))
    database.close()

    own = {sql: numbers for sql, numbers in read.items() if "deployment" not in sql}
    assert {sql: numbers for sql, numbers in own.items() if len(numbers) > 1} == {}
    assert {number for numbers in own.values() for number in numbers} != set()


def test_a_statement_that_reads_all_partitions_is_noticed(postgres, tmp_path):
    database = open_database(Settings(database=postgres.new(tmp_path)))
    with database.read(ACCOUNT) as reader:
        read = partitions_read(reader._connection, "SELECT id FROM customers WHERE id = 1", {})
    database.close()

    assert read == {"0", "1", "2"} or len(read) == 1  # Row-level security alone prunes as well.


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM customers",
        "SELECT id FROM customers WHERE id = $1",
        "SELECT id FROM customers WHERE account_id = id",
        "SELECT id FROM customers WHERE account_id = $1 OR id = $2",
        "SELECT id FROM customers WHERE NOT account_id = $1",
        "SELECT id FROM customers WHERE account_id > $1",
        "SELECT id FROM customers WHERE account_id = ANY ($1)",
        "SELECT c.id FROM customers c JOIN addresses a ON a.id = c.bill_to_address_id WHERE c.account_id = $1",
        "SELECT c.id FROM customers c, addresses a WHERE c.account_id = $1 AND a.id = c.id",
        "SELECT id FROM customers WHERE account_id = $1 AND id IN (SELECT customer_id FROM customer_addresses)",
        "WITH found AS (SELECT id FROM addresses) SELECT id FROM found",
        "SELECT id FROM customers WHERE account_id = $1 UNION SELECT id FROM customers WHERE id = $2",
        "SELECT id FROM customers WHERE account_id = $1 LIMIT 5",
        "SELECT id FROM customers WHERE account_id = $1 ORDER BY id OFFSET 5",
        "SELECT id FROM customers WHERE account_id = $1 AND name ILIKE $2",
        "SELECT id FROM customers WHERE account_id = $1 AND lower(name) = $2",
        "SELECT id FROM customer_search_of_account WHERE folded LIKE $1",
        "SELECT set_config('tradebook.account', '5', false)",
        "SELECT pg_advisory_lock(1)",
        "SELECT nextval('numbers')",
        "SELECT revision FROM accounts FOR UPDATE",
        "UPDATE customers SET name = $1 WHERE id = $2",
        "UPDATE customers SET name = $1 WHERE account_id = $2 AND id IN (SELECT id FROM addresses)",
        "DELETE FROM customers WHERE id = $1",
        "INSERT INTO customers (id) VALUES ($1)",
        "INSERT INTO customers (account_id, id) SELECT given.* FROM unnest($1, $2) AS given (a, b)",
        "INSERT INTO customers (account_id, id) SELECT account_id, id FROM merged_customers WHERE account_id = $1",
        "INSERT INTO customer_search (account_id, customer_id) VALUES ($1, $2) ON CONFLICT (customer_id) DO NOTHING",
        "SET tradebook.account = '5'",
        "LOCK TABLE customers",
        "LISTEN changes",
        "CREATE TEMPORARY TABLE found (id bigint)",
        "DECLARE found CURSOR WITH HOLD FOR SELECT 1",
    ],
)
def test_a_planted_statement_is_caught(sql):
    assert faults_of(sql)
