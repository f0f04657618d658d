"""A whole book from one engine to another: ids, keys and cursors stay good, and nothing is left out unseen."""

import json
import os
import subprocess
import sys

import pytest

from tests.contract.checkers import CUSTOMERS
from tests.fixtures import plain_http
from tests.fixtures.book import Book, walk
from tests.fixtures.engines import Sqlite
from tests.fixtures.ledgers import Ledger
from tests.fixtures.server import start_server, stop_server
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.resources import customers
from tradebook.settings import Settings
from tradebook.transfer import copying
from tradebook.transfer.copying import NotTheSame, TargetNotEmpty, copy_book

INCLUDE = ",".join(customers.resource.routes[0].includes)
DIRECTIONS = ["sqlite to postgresql", "postgresql to sqlite", "postgresql to postgresql", "sqlite to sqlite"]


@pytest.fixture(params=DIRECTIONS)
def places(request, tmp_path, postgres):
    """A new book to copy from, and an empty place to copy to."""
    engines = {"sqlite": Sqlite(), "postgresql": postgres}
    source, _, target = request.param.partition(" to ")
    folders = tmp_path / "source", tmp_path / "target"
    for folder in folders:
        folder.mkdir()
    return engines[source].new(folders[0]), engines[target].empty(folders[1])


@pytest.fixture
def pair(tmp_path, postgres):
    """A book with customers, opened, and an empty one."""
    databases = [
        open_database(Settings(database=url)) for url in (postgres.new(None), Sqlite().new(tmp_path))
    ]
    yield databases
    for database in databases:
        database.close()


def tradebook(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-m", "tradebook", *arguments]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def whole(client) -> list[dict]:
    """Every customer with everything."""
    return list(walk(client, limit=100, include=INCLUDE))


def test_a_copied_book_answers_byte_for_byte_and_knows_keys_and_cursors(places, tmp_path):
    source, target = places
    first = start_server(tmp_path, database=source)
    books = [Book(first, name) for name in ("One", "Two")]
    for book in books:
        book.add(*demo_customers(250))
    expected = [whole(book.client) for book in books]
    page = books[0].get(limit=10, q="a")
    rest = page["page_info"]["next_page_url"]
    wanted = [books[0].client.get(url).content for url in (rest, f"{CUSTOMERS}?q=in&status_codes=normal")]
    stop_server(first)

    done = tradebook("copy", source, target, "--json")

    assert done.returncode == 0, done.stderr
    assert [set(each) for each in json.loads(done.stdout)["accounts"].values()] == [{"rows", "digest"}] * 2
    second = start_server(tmp_path, database=target)
    clients = [
        plain_http.Client(base_url=second.url, headers={"Authorization": f"Bearer {book.key}"})
        for book in books
    ]
    assert [whole(client) for client in clients] == expected
    assert [clients[0].get(url).content for url in (rest, f"{CUSTOMERS}?q=in&status_codes=normal")] == wanted
    stop_server(second)
    for closing in (*clients, *books):
        closing.close()


@pytest.mark.parametrize("places", DIRECTIONS[:2], indirect=True)
def test_a_target_that_is_not_empty_is_refused_and_left_as_it_is(places, tmp_path):
    source, target = places
    tradebook("migrate", "--database", target)
    made = tradebook("accounts", "create", "There", "--database", target)
    before = tradebook("accounts", "list", "--json", "--database", target).stdout

    done = tradebook("copy", source, target)

    assert made.returncode == 0, made.stderr
    assert (done.returncode, "not empty" in done.stderr) == (1, True), done.stderr
    assert tradebook("accounts", "list", "--json", "--database", target).stdout == before


def test_a_source_that_is_not_there_is_not_made(tmp_path):
    done = tradebook("copy", f"sqlite:///{tmp_path}/misspelt.db", f"sqlite:///{tmp_path}/new.db")

    assert (done.returncode, "no book" in done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


def plant(database) -> Ledger:
    """An account with customers in a database."""
    ledger = Ledger(database)
    ledger.take(*demo_customers(20))
    return ledger


def test_a_copy_is_refused_where_the_target_was_served_before(pair):
    source, target = pair
    plant(source)
    copying.copy_book(source, target)

    with pytest.raises(TargetNotEmpty):
        copy_book(source, target)


@pytest.mark.parametrize(
    "fault",
    [
        "DELETE FROM customer_price_groups WHERE account_id = {account}",
        "UPDATE customers SET note = 'x' WHERE account_id = {account}",
        "UPDATE accounts SET last_customer_number = 5 WHERE account_id = {account}",
    ],
    ids=["a row is missing", "a value differs", "the account differs"],
)
def test_a_copy_that_is_not_the_same_is_noticed(pair, monkeypatch, fault):
    source, target = pair
    ledger = plant(source)
    reindex = copying._reindex

    def planted(reader, writer):
        reindex(reader, writer)
        writer._connection.execute(fault.format(account=ledger.key))

    monkeypatch.setattr(copying, "_reindex", planted)
    with pytest.raises(NotTheSame):
        copy_book(source, target)


def test_a_write_to_the_source_meanwhile_is_noticed(pair, monkeypatch):
    source, target = pair
    ledger = plant(source)
    reindex = copying._reindex

    def planted(reader, writer):
        reindex(reader, writer)
        ledger.take({"number": "late", "name": "Late"})

    monkeypatch.setattr(copying, "_reindex", planted)
    with pytest.raises(NotTheSame, match="written to"):
        copy_book(source, target)


def test_every_table_is_copied_or_made_anew():
    """A table that is added to the schema is not forgotten."""
    copied = {table.table for table in copying._TABLES} | copying._MADE_ANEW

    assert {table.name for table in copying.metadata.tables.values()} - {table.name for table in copied} == {
        "accounts",
        "deployment",
    }
