"""The second wall between accounts on PostgreSQL: what holds when a statement forgets its account."""

import re
from itertools import chain

import psycopg
import pytest

from tests.fixtures.ledgers import Ledger
from tests.fixtures.statements import TEST_MARK
from tests.storage.questions import as_spread, every_question, queries
from tests.storage.test_distribution import prepared_statements, values_for
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.settings import Settings
from tradebook.storage.postgres.row_security import APPLICATION
from tradebook.storage.schema import metadata

_ACCOUNT = re.compile(r"(\w+\.)?account_id = %\(account_id\)s(::BIGINT)?")
TENANT_TABLES = sorted(table.name for table in metadata.tables.values() if "account_id" in table.c)


@pytest.fixture(scope="module")
def url(postgres):
    """A book of two accounts."""
    return postgres.new(None)


@pytest.fixture(scope="module")
def two(url):
    """Two accounts with the same customers."""
    database = open_database(Settings(database=url))
    ledgers = Ledger(database), Ledger(database)
    for ledger in ledgers:
        ledger.take(*demo_customers(60))
    yield ledgers
    database.close()


def every_reading_statement(account: int, fixed_values: dict):
    """All statements that read, with values that find something."""
    for sql, fixed in prepared_statements():
        if sql.startswith("SELECT") and "deployment" not in sql and "SELECT accounts.account_id" not in sql:
            yield sql, {**values_for(sql, fixed), **fixed_values}
    for _, query in queries():
        for question in every_question(query, account, descending=True, limit=9):
            yield question.sql, {**fixed_values, **question.values}


def stripped(sql: str) -> str:
    """Take the condition on the account out of a statement."""
    return _ACCOUNT.sub("true", sql)


def keys_of(connection: psycopg.Connection, account: int) -> set[int]:
    """All keys that are this account's alone, read past every wall."""
    tables = [name for name in TENANT_TABLES if "id" in metadata.tables[name].c]
    rows = chain.from_iterable(
        connection.execute(f"SELECT id FROM {name} WHERE account_id = %s", (account,)).fetchall()
        for name in tables
    )
    return {key for (key,) in rows}


def test_a_statement_that_forgets_its_account_sees_no_other_accounts_rows(url, two):
    """Every statement of the product, with the condition taken out, asked for the other account's keys."""
    mine, other = two
    with psycopg.connect(url) as connection:
        foreign = keys_of(connection, other.key) - keys_of(connection, mine.key)
    wanted = list(foreign)
    values = {"ids": wanted, "owner": wanted[0], "after": -1, "above": 0, "below": 1 << 62, "limit": 1000}
    asked = changed = 0
    with mine.database.read(mine.key) as reader:
        for sql, bound in every_reading_statement(mine.key, values):
            text = stripped(sql)
            changed += text != sql
            rows = reader._connection.execute(f"{TEST_MARK} {text}", bound).fetchall()
            # What was asked for by the caller stands in the answer, as `unnest` makes it; rows don't.
            found = {value for row in rows for value in row[-1:] if value in foreign}
            assert found == set(), text
            asked += 1
    assert asked > 100
    assert changed == asked


def test_without_row_level_security_the_same_check_finds_foreign_rows(url, two):
    """The tooth: the owner of the tables passes by the wall."""
    mine, other = two
    with psycopg.connect(url) as connection:
        foreign = keys_of(connection, other.key)
        values = {"ids": list(foreign), "above": 0, "below": 1 << 62, "limit": 1000, "after": -1, "owner": 1}
        found = set()
        for sql, bound in every_reading_statement(mine.key, values):
            rows = connection.execute(stripped(as_spread(sql)), bound).fetchall()
            found |= {value for row in rows for value in row if value in foreign}

    assert len(found) > 50


def test_a_foreign_row_can_neither_be_made_nor_changed(two):
    mine, other = two
    with mine.database.write(mine.key) as writer:
        run = writer._connection.execute
        updated = run(f"{TEST_MARK} UPDATE customers SET name = 'x' WHERE account_id = {other.key}").rowcount
        deleted = run(f"{TEST_MARK} DELETE FROM customer_search WHERE account_id = {other.key}").rowcount
    row = f"({other.key}, 1, 'Net', 0, 0, 0)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege), mine.database.write(mine.key) as writer:
        writer._connection.execute(f"{TEST_MARK} INSERT INTO payment_terms VALUES {row}")

    assert (updated, deleted) == (0, 0)


def test_the_application_owns_nothing_and_passes_by_nothing(url):
    with psycopg.connect(url) as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcanlogin, rolcreaterole FROM pg_roles WHERE rolname = %s",
            (APPLICATION,),
        ).fetchone()
        owned = connection.execute(
            "SELECT relname FROM pg_class WHERE relowner = %s::regrole", (APPLICATION,)
        ).fetchall()
        guarded = connection.execute("SELECT relname FROM pg_class WHERE relrowsecurity").fetchall()

    assert rights == (False, False, False, False)
    assert owned == []
    assert {name for (name,) in guarded} >= set(TENANT_TABLES)


def test_nothing_of_a_transaction_stays_on_its_connection(two):
    mine, _ = two
    with mine.database.read(mine.key) as reader:
        connection = reader._connection
        inside = connection.execute(
            f"{TEST_MARK} SELECT current_user, current_setting('tradebook.account')"
        ).fetchone()
    connection.settle()
    settings = "current_user = session_user, current_setting('tradebook.account'), current_setting('role')"
    after = connection.execute(f"{TEST_MARK} SELECT {settings}").fetchone()

    assert inside == (APPLICATION, str(mine.key))
    assert after == (True, "", "none")


def test_outside_any_account_there_are_accounts_and_no_rows_of_theirs(two):
    mine, _ = two
    with mine.database._reading(None) as transaction:
        transaction.begin()
        counts = {
            name: transaction.connection.execute(f"{TEST_MARK} SELECT count(*) FROM {name}").fetchone()[0]
            for name in TENANT_TABLES
        }

    assert counts.pop("accounts") == 2
    assert set(counts.values()) == {0}
