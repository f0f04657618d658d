"""Statements that a connection keeps on the server: the same answers, and no harm where a session is not its own."""

from time import monotonic

import pytest

from tests.fixtures.ledgers import Ledger
from tests.fixtures.statements import TEST_MARK
from tests.storage.test_postgres_plans import explained, rows_read
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.resources import account_statuses
from tradebook.resources.customers import INDEX, index
from tradebook.resources.customers.load import INCLUDES
from tradebook.resources.customers.reads import by_key
from tradebook.settings import Settings
from tradebook.storage.index import Condition, Query
from tradebook.storage.postgres import connections
from tradebook.storage.postgres.connections import PatientConnection
from tradebook.storage.transactions import reading, writing

SIZE = 40
NORMAL = account_statuses.CODES.index("normal")
NARROWED = Query((Condition(index.STATUS, ((NORMAL,),)),))
SPAN = {"above": 0, "below": 1 << 62, "descending": True}
KEPT = f"{TEST_MARK} SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'tradebook_%'"


@pytest.fixture
def ledger(postgres):
    """Some customers, and a connection that nothing is known of."""
    made = Ledger(open_database(Settings(database=postgres.new(None))))
    made.take(*demo_customers(SIZE))
    made.database.close()
    yield made
    made.database.close()


def keys(ledger: Ledger, query: Query = NARROWED) -> list[int]:
    return reading(ledger.database, ledger.key, lambda r: r.keys(INDEX, query, limit=SIZE, **SPAN))


def kept(ledger: Ledger) -> int:
    with ledger.database.read(ledger.key) as reader:
        return reader._connection.execute(KEPT).fetchone()[0]


def test_a_connection_keeps_what_it_has_asked(ledger):
    first, before = keys(ledger), kept(ledger)

    assert keys(ledger) == first
    assert kept(ledger) == before > 2


def test_it_keeps_so_many_and_begins_anew(ledger, monkeypatch):
    expected = keys(ledger)
    monkeypatch.setattr(connections, "KEPT_MAX", 4)
    for limit in range(1, SIZE):
        found = reading(
            ledger.database, ledger.key, lambda r, n=limit: r.keys(INDEX, NARROWED, limit=n, **SPAN)
        )
        assert found == expected[:limit]
        assert kept(ledger) <= 4 + 3


def test_plans_are_made_anew_now_and_then(ledger, monkeypatch):
    """Those of a table that was empty may be wrong for a full one."""
    expected, sent = keys(ledger), []
    start = PatientConnection._start
    monkeypatch.setattr(
        PatientConnection, "_start", lambda *given: sent.append(started := start(*given)) or started
    )
    monkeypatch.setattr(connections, "monotonic", lambda: monotonic() + 2 * connections.PLANS_SECONDS_MAX)

    assert keys(ledger) == keys(ledger) == expected
    assert [(b"DISCARD PLANS", False) in each for each in sent] == [True, False]


def test_a_session_that_has_lost_them_answers_as_before(ledger):
    expected = keys(ledger)
    with ledger.database.read(ledger.key) as reader:
        reader._connection.execute(f"{TEST_MARK} DEALLOCATE ALL")

    assert keys(ledger) == expected


def test_one_that_loses_them_within_a_transaction_does_it_again(ledger):
    tries = []

    def work(writer):
        tries.append(writer.revision)
        if len(tries) == 1:
            writer._connection.execute(f"{TEST_MARK} DEALLOCATE ALL")
        return writer.keys(INDEX, NARROWED, limit=SIZE, **SPAN)

    expected = keys(ledger)
    assert writing(ledger.database, ledger.key, work) == expected
    assert len(tries) == 2


def test_nothing_is_kept_where_the_session_is_another_one(ledger, monkeypatch):
    def look_around(connection):
        connection.keeps = False

    monkeypatch.setattr(PatientConnection, "look_around", look_around)

    assert keys(ledger)
    assert kept(ledger) == 0


@pytest.mark.parametrize("include", [frozenset(), frozenset(INCLUDES)], ids=["plain", "whole"])
def test_the_rows_of_a_filtered_page_come_with_its_keys(ledger, include):
    """And no more rows are read for them than there are."""
    expected, statement, asked = keys(ledger), by_key(include), []
    with ledger.database.read(ledger.key) as reader:
        ask = reader._ask
        reader._ask = lambda statement: asked.append(statement) or ask(statement)
        reader.expect(statement)
        found = reader.keys(INDEX, NARROWED, limit=SIZE, **SPAN)
        rows = reader.rows(statement, ids=found)
        (question,) = asked
        reader._connection.execute(f"{TEST_MARK} DEALLOCATE ALL")
        plan, _ = explained(reader, question.sql, dict(question.values))

    assert found == [row[0] for row in rows] == expected
    # Each row of a customer, and of the other tables one at most.
    assert rows_read(plan) <= 6 * len(expected)
