"""A whole book from one engine to another: ids, keys and cursors stay good, and nothing is left out unseen."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from tests.contract.checkers import CUSTOMERS
from tests.fixtures.application import application, client_of
from tests.fixtures.book import walk
from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tests.fixtures.ledgers import Ledger
from tests.fixtures.lengths import length
from tests.transfer.steps import family, planned
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.resources import api_keys, customers
from tradebook.resources.accounts import list_accounts
from tradebook.settings import Settings
from tradebook.transfer import copying
from tradebook.transfer.copying import ImportUnderWay, NotTheSame, TargetNotEmpty, copy_book
from tradebook.transfer.imports import entries
from tradebook.transfer.imports.applying import keep_plan, switch_on
from tradebook.transfer.imports.settling import settle

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


@pytest.fixture
def command(tmp_path):
    """A command line whose environment names no book that is there."""
    return CommandLine(tmp_path, "sqlite:///nowhere.db")


@contextmanager
def served(url: str, keys: list[str]) -> Iterator[list[httpx.Client]]:
    """Clients of a book, one with each key."""
    with closing(open_database(Settings(database=url))) as database:
        app = application(database, url)
        yield [client_of(app, key) for key in keys]


def whole(client) -> list[dict]:
    """Every customer with everything."""
    return list(walk(client, limit=100, include=INCLUDE))


def planted(url: str) -> list[str]:
    """Make two accounts with customers in a book; return a key to each."""
    keys = []
    with closing(open_database(Settings(database=url))) as database:
        for size in (length(120, 250), 20):
            ledger = plant(database, size)
            with database.write(ledger.key) as writer:
                keys.append(api_keys.create_key(writer, "test")[1])
    return keys


def test_a_copied_book_answers_byte_for_byte_and_knows_keys_and_cursors(places, command):
    source, target = places
    keys = planted(source)
    with served(source, keys) as clients:
        expected = [whole(client) for client in clients]
        first_page = clients[0].get(CUSTOMERS, params={"limit": 10, "q": "a"}).json()
        urls = (first_page["page_info"]["next_page_url"], f"{CUSTOMERS}?q=in&status_codes=normal")
        wanted = [clients[0].get(url).content for url in urls]

    done = command.run("copy", source, target, "--json")

    assert done.returncode == 0, done.stderr
    assert [set(each) for each in json.loads(done.stdout)["accounts"].values()] == [{"rows", "digest"}] * 2
    with served(target, keys) as clients:
        assert [whole(client) for client in clients] == expected
        assert [clients[0].get(url).content for url in urls] == wanted


@pytest.mark.parametrize("places", DIRECTIONS[:2], indirect=True)
def test_a_target_that_is_not_empty_is_refused_and_left_as_it_is(places, command):
    source, target = places
    command.good("migrate", "--database", target)
    command.good("accounts", "create", "There", "--database", target)
    before = command.good("accounts", "list", "--json", "--database", target)

    done = command.run("copy", source, target)

    assert (done.returncode, "not empty" in done.stderr) == (1, True), done.stderr
    assert command.good("accounts", "list", "--json", "--database", target) == before


def test_a_source_that_is_not_there_is_not_made(command, tmp_path):
    done = command.run("copy", f"sqlite:///{tmp_path}/misspelt.db", f"sqlite:///{tmp_path}/new.db")

    assert (done.returncode, "no book" in done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


def plant(database, size: int = 20) -> Ledger:
    """An account with customers in a database."""
    ledger = Ledger(database)
    ledger.take(*demo_customers(size))
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


def test_a_plan_that_waits_is_copied_and_applied_there(pair):
    source, target = pair
    ledger = Ledger(source)
    plan = planned(source, ledger.key, family(20))
    _wait(source, ledger.key, plan)

    copy_book(source, target)

    with target.write(ledger.key) as writer:
        switch_on(writer, entries.find(writer, 7))
    settle(target)
    copied = Ledger.__new__(Ledger)
    copied.database, copied.key = target, ledger.key
    assert len(copied.records()) == 23
    plan.close()


def test_nothing_is_copied_while_an_import_is_under_way(pair):
    source, target = pair
    ledger = Ledger(source)
    plan = planned(source, ledger.key, family(20))
    _wait(source, ledger.key, plan)
    with source.write(ledger.key) as writer:
        switch_on(writer, entries.find(writer, 7))

    with pytest.raises(ImportUnderWay):
        copy_book(source, target)

    assert list_accounts(target) == []
    plan.close()


def _wait(database, account, plan):
    """Keep a plan in the book, as a server does."""
    with database.write(account) as writer:
        entries.add(*(writer, 7, "planning"), total=None, source=None, match=plan.match, summary=plan.summary)
    keep_plan(database, account, 7, plan, ends_at=1 << 42)
