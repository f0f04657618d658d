"""Many rows written to a server at once: it works on them while this process goes on, and nothing gets lost."""

import psycopg
import pytest

from tests.fixtures.ledgers import Ledger
from tests.fixtures.server import wait_until
from tradebook.app import open_database
from tradebook.crud import table_fields
from tradebook.demo.book import demo_customers
from tradebook.resources import addresses
from tradebook.resources.addresses import FIELDS
from tradebook.settings import Settings
from tradebook.storage.database import Duplicate
from tradebook.storage.postgres.connections import PatientConnection
from tradebook.storage.postgres.handles import FEW

MANY = FEW + 1
CUSTOMERS = 1_000
ROWS_READ_MAX = 1_000
"""For a customer, by all that refers to customers."""

# The table is in parts here.
_READ = "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname ~ '^customers_[0-9]+$'"


@pytest.fixture
def url(postgres):
    """A book of its own."""
    return postgres.new(None)


@pytest.fixture
def ledger(url):
    """An account in it."""
    made = Ledger(open_database(Settings(database=url)))
    yield made
    made.database.close()


def places(count=MANY):
    """Addresses to be written."""
    row = {**table_fields.new_row(FIELDS), "name": "A", "country": "US"}
    return [addresses.new_row(row) for _ in range(count)]


def count(ledger):
    """How many addresses there are."""
    return len(ledger.sql("SELECT account_id, id FROM addresses"))


def insert(writer, rows):
    addresses.records.insert(writer, rows)


def test_what_was_sent_ahead_fails_with_the_transaction(ledger):
    rows = places()
    with pytest.raises(Duplicate), ledger.database.write(ledger.key) as writer:
        insert(writer, places())
        insert(writer, [*rows, rows[0]])
    assert count(ledger) == 0


def test_what_was_sent_ahead_fails_where_the_next_answer_is_read(ledger):
    rows = places()
    with pytest.raises(Duplicate), ledger.database.write(ledger.key) as writer:
        insert(writer, [*rows, rows[0]])
        addresses.records.find_all(writer, [rows[0]["id"]])
        pytest.fail("nothing is true that the server has refused")


def test_what_was_sent_ahead_is_undone_with_its_part(ledger, monkeypatch):
    # Else a server that is quick refuses it before the part has ended.
    monkeypatch.setattr(PatientConnection, "is_working", property(lambda connection: connection.is_ahead))
    kept = places()
    with ledger.database.write(ledger.key) as writer:
        insert(writer, kept)
        with pytest.raises(ZeroDivisionError), writer.savepoint():
            rows = places()
            insert(writer, [*rows, rows[0]])
            raise ZeroDivisionError
        found = addresses.records.find_all(writer, [row["id"] for row in kept])
    assert len(found) == MANY
    assert count(ledger) == MANY


def test_what_is_written_while_the_server_works_comes_after_it(ledger, monkeypatch):
    monkeypatch.setattr(PatientConnection, "is_working", property(lambda connection: connection.is_ahead))
    with ledger.database.write(ledger.key) as writer:
        for _ in range(3):
            insert(writer, places())
    assert count(ledger) == 3 * MANY


def test_a_reference_costs_the_same_however_many_rows_there_are(ledger, url):
    ledger.take(*demo_customers(CUSTOMERS))
    ledger.database.close()

    def read():
        with psycopg.connect(url) as connection:
            return connection.execute(_READ).fetchone()[0]

    # The server counts when a session has ended.
    wait_until(lambda: read() > CUSTOMERS, "the count of what was read")
    assert read() < CUSTOMERS * ROWS_READ_MAX


@pytest.mark.parametrize(("rows", "put_off"), [(1, "1MB"), (MANY, "4MB")], ids=["few", "many"])
def test_who_writes_few_rows_leaves_searches_little_to_read(ledger, rows, put_off):
    """The index of words puts new entries off, and every search reads what it has put off."""
    with ledger.database.write(ledger.key) as writer:
        insert(writer, places(rows))
        writer._flush()
        found = writer._connection.execute("SELECT current_setting('gin_pending_list_limit')").fetchone()

    assert found == (put_off,)
