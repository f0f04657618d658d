"""The power is cut at any moment: what was answered is there, and a book is whole whatever was half written."""

import random
from bisect import bisect_right
from contextlib import closing
from hashlib import blake2b
from itertools import chain
from types import SimpleNamespace

import apsw
import pytest

from tests.fixtures.application import application, client_of
from tests.fixtures.command_line import CommandLine
from tests.fixtures.disk import PLAIN
from tests.fixtures.engines import Sqlite
from tests.fixtures.lengths import IS_SOAK, length
from tests.fixtures.power import Medium, Recording, is_book, put
from tests.fixtures.samples import Maker
from tests.storage.old_books import OLD_SCHEMAS, take_back
from tradebook import migrations
from tradebook.app import open_database
from tradebook.checking import faults_of_account, faults_of_book
from tradebook.resources import accounts, api_keys, customers
from tradebook.settings import Settings
from tradebook.storage.location import locate
from tradebook.storage.sqlite import location
from tradebook.storage.sqlite.connections import Connections
from tradebook.transfer.imports.run import import_customers
from tradebook.transfer.rows import Row

CUTS_OF_WRITES = length(120, 42_000)
CUTS_OF_A_MIGRATION = length(50, 4_000)
CUTS_OF_A_NEW_BOOK = length(50, 3_000)
CUTS_OF_NORMAL = length(50, 1_000)
WRITES = length(60, 150)
EVERY = length(17, 100)
"""After so many cuts, what was cut off is done again to its end."""
CUSTOMERS, ADDRESSES = "/v1/sales/customers", "/v1/sales/addresses"
SEED = random.SystemRandom().randrange(2**32) if IS_SOAK else 1
ROWS = [
    {
        "number": str(number),
        "name": f"Customer {number}",
        "type": "Retail",
        "price_groups": ["A", "B"],
        "bill_to.locality": "Paris",
        "bill_to.country": "FR",
    }
    for number in range(20)
]


def contents(connection):
    """Sum up every row of every table, the indexes' own too; but not when a key was last used."""
    summed = blake2b(digest_size=16)
    for name, sql in connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall():
        summed.update(f"{name} {sql}\n".encode())
        if sql is not None and sql.startswith("CREATE TABLE"):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            kept = ", ".join(column for column in columns if column != "last_used_at")
            for row in connection.execute(f"SELECT {kept} FROM {name}"):
                summed.update(repr(row).encode())
    return summed.hexdigest()


def schema(connection):
    """The schema without the tables that each account has of its own, which are made after it."""
    rows = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    return {(name, sql) for name, sql in rows if "_index_" not in name}


def opened(path):
    connection = apsw.Connection(str(path), vfs=PLAIN)
    connection.pragma("synchronous", "off")
    return connection


def seen(path, look):
    connection = opened(path)
    try:
        return look(connection)
    finally:
        connection.close()


def broken(connection):
    """Name what is wrong with a file in itself."""
    found = [line for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]
    return found + [
        f"a reference to nothing: {row}" for row in connection.execute("PRAGMA foreign_key_check")
    ]


def cut(recording, before, folder, count, check):
    """Cut the power so many times; returns what is wrong with the books that are found then.

    `check` is given a book, and the number of operations that were done before the cut.
    """
    draw, medium, done, faults = random.Random(SEED), Medium(before), 0, []
    there = folder.parent / f"{folder.name} after"
    there.mkdir()
    for moment in recording.moments(count, draw):
        for operation in recording.operations[done:moment]:
            medium.take(operation)
        done = moment
        put(medium.cut(draw), folder, there)
        connection = opened(there / "book.db")
        try:
            faults += [
                f"seed {SEED}, {moment}: {fault}" for fault in broken(connection) + check(connection, moment)
            ]
        except apsw.Error as error:
            faults.append(f"seed {SEED}, {moment}: {error!r}")
        connection.close()
    return faults


def files_of(folder):
    return {str(path): path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def place(tmp_path):
    """The URL of a book in a folder of its own."""
    (tmp_path / "disk").mkdir()
    return Sqlite().empty(tmp_path / "disk")


class States:
    """What a book held after each write that was answered, and at which moment that was."""

    def __init__(self, recording, path):
        self._recording, self._path = recording, path
        self.moments, self.sums, self._checked = [], [], 0

    def note(self):
        """The last write was answered: this is what a cut may not take away."""
        self.moments.append(self._recording.now)
        self.sums.append(seen(self._path, contents))

    def check(self, connection, moment):
        """Between two answers, a book holds what it held at the first, or already what at the second."""
        answered = bisect_right(self.moments, moment) - 1
        found = contents(connection)
        if found in self.sums[answered : answered + 2]:
            self._checked += 1
            return [] if self._checked % EVERY else faults_of(connection.filename)
        return ["lost" if found in self.sums else "half there"]


def faults_of(path):
    """What `tradebook check` finds: also what SQLite does not know, such as an index that lacks a row."""
    with closing(open_database(Settings(database=f"sqlite:///{path}"))) as book:
        found = [faults_of_book(book), *(faults_of_account(book, key) for key in accounts.account_keys(book))]
        return [str(fault) for fault in chain.from_iterable(found)]


def written(url):
    """Write through the application, and record what that does: (recording, files before, states)."""
    Sqlite().new(folder := locate(url).path.parent)
    with closing(open_database(Settings(database=url))) as database:
        key, environment = accounts.find_account(database, accounts.create_account(database, "A", "test"))
        with database.write(key) as writer:
            _, secret = api_keys.create_key(writer, environment)
        with client_of(application(database, url), secret) as client:
            body = Maker(SimpleNamespace(client=client)).required(customers.resource)
    before, recording = files_of(folder), Recording()
    states = States(recording, locate(url).path)
    states.note()
    with recording.running(), closing(open_database(Settings(database=url))) as database:
        rows = (Row(number, row) for number, row in enumerate(ROWS, 1))
        import_customers(database, key, rows, report=print)
        states.note()
        with client_of(application(database, url), secret) as client:
            write_much(client, body, states.note)
    states.note()
    return recording, before, states


def write_much(client, new, note):
    """Create, change and delete, some of it under a key; `note` is called after each answer."""
    ids = [customer["id"] for customer in client.get(CUSTOMERS).json()["data"]]
    for number in range(WRITES):
        one = ids[number % len(ids)]
        method, path, body = (
            ("POST", CUSTOMERS, new | {"name": f"New {number}"}),
            ("PATCH", f"{CUSTOMERS}/{one}", {"note": f"note {number}\n" * 20}),
            ("POST", ADDRESSES, {"name": f"Place {number}", "country": "DE", "customer_ids": [one]}),
            ("DELETE", f"{CUSTOMERS}/{one}", None),
        )[number % 4]
        headers = {"Idempotency-Key": f"key {number}"} if number % 3 else {}
        answer = client.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        if method == "DELETE":
            ids.remove(one)
        elif path == CUSTOMERS:
            ids.append(answer.json()["id"])
        note()


def test_whatever_was_answered_is_there_after_a_power_cut(place, figures):
    recording, before, states = written(place)

    faults = cut(recording, before, locate(place).path.parent, CUTS_OF_WRITES, states.check)

    syncs = sum(done.kind == "sync" and is_book(done.path) for done in recording.operations)
    figures(CUTS_OF_WRITES, len(states.sums), len(faults), checkpoints=syncs)
    assert faults == []
    assert syncs > 1


def test_a_book_that_is_written_less_carefully_loses_something(place, monkeypatch, figures):
    """The tooth: what SQLite calls NORMAL, which promises no more than a whole book."""
    opening = Connections._to_write

    def less_carefully(self, *arguments):
        connection = opening(self, *arguments)
        connection.pragma("synchronous", "normal")
        return connection

    monkeypatch.setattr(Connections, "_to_write", less_carefully)
    recording, before, states = written(place)

    faults = cut(recording, before, locate(place).path.parent, CUTS_OF_NORMAL, states.check)

    figures(CUTS_OF_NORMAL, len(states.sums), 0, cuts_that_lost=len(faults))
    assert {fault.rpartition(": ")[2] for fault in faults} == {"lost"}


def cut_in_a_migration(place, old, cuts):
    """Cut the power in `migrate`; returns what is wrong then, and what becomes of books that are migrated again."""
    path = locate(place).path
    Sqlite().new(path.parent)
    with closing(open_database(Settings(database=place))) as database:
        key, _ = accounts.find_account(database, accounts.create_account(database, "A", "test"))
        rows = (Row(number, row) for number, row in enumerate(ROWS, 1))
        import_customers(database, key, rows, report=print)
    take_back(place, old)
    before, recording = files_of(path.parent), Recording()
    schemas, names = [seen(path, schema)], seen(path, customer_names)
    with recording.running():
        migrations.upgrade(place)
    schemas.append(seen(path, schema))
    ended, again, count = recording.now, [seen(path, indexed)], 0

    def check(connection, moment):
        nonlocal count
        count += 1
        if schema(connection) not in (schemas[1:] if moment >= ended else schemas):
            return ["half there"]
        if customer_names(connection) != names:
            return ["lost"]
        if count % EVERY == 0:
            connection.close()
            there = f"sqlite:///{path.parent.parent / 'disk after' / 'book.db'}"
            migrations.upgrade(there)
            again.append(seen(locate(there).path, indexed))
        return []

    return cut(recording, before, path.parent, cuts, check), again


@pytest.mark.parametrize("old", OLD_SCHEMAS)
def test_a_migration_that_is_cut_off_is_done_or_not_begun(place, old, figures):
    faults, again = cut_in_a_migration(place, old, CUTS_OF_A_MIGRATION)

    figures(CUTS_OF_A_MIGRATION, len(again), len(faults))
    assert faults == []
    assert [each for each in again if each != again[0]] == []
    assert len(again) > 1


def test_a_migration_that_is_no_transaction_is_noticed(place, monkeypatch):
    """The tooth: every statement by itself."""
    monkeypatch.setattr(location, "_begin", lambda connection: None)

    faults, _ = cut_in_a_migration(place, "0002", 16)

    assert "half there" in {fault.rpartition(": ")[2] for fault in faults}


def customer_names(connection):
    return connection.execute("SELECT id, name, note FROM customers ORDER BY id").fetchall()


def indexed(connection):
    """The schema, what the indexes were made from, and of which rows each of them knows."""
    names = connection.execute("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%'").fetchall()
    return (
        schema(connection),
        connection.execute("SELECT indexes FROM accounts").fetchall(),
        {name: connection.execute(f"SELECT rowid FROM {name}").fetchall() for (name,) in names},
    )


def test_a_new_book_that_is_cut_off_is_there_or_can_be_made_again(place, figures):
    """`accounts create` makes the file, its schema, and the account."""
    path, recording = locate(place).path, Recording()
    command = CommandLine(path.parent, place)
    with recording.running():
        command.good("accounts", "create", "A")
    whole, finished, ended = seen(path, schema), seen(path, contents), recording.now
    count = 0

    def check(connection, moment):
        nonlocal count
        count += 1
        if moment >= ended:
            return [] if contents(connection) == finished else ["lost"]
        if schema(connection) not in (set(), whole):
            return ["a schema by halves"]
        if count % EVERY == 0:
            connection.close()
            there = path.parent.parent / "disk after"
            CommandLine(there, f"sqlite:///{there / 'book.db'}").good("accounts", "create", "B")
        return []

    faults = cut(recording, {}, path.parent, CUTS_OF_A_NEW_BOOK, check)

    figures(CUTS_OF_A_NEW_BOOK, recording.now, len(faults))
    assert faults == []
