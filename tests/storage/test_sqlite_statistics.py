"""What SQLite's planner is told of every book, and that no change reads a whole account for want of it."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest

from tests.fixtures import plain_http
from tests.fixtures.engines import Sqlite
from tests.fixtures.ledgers import Ledger
from tests.fixtures.samples import DELETED, Maker
from tests.storage.old_books import take_back
from tradebook import migrations
from tradebook.app import create_app, open_database
from tradebook.crud.resource import Resource
from tradebook.demo.book import demo_customers
from tradebook.resources import api_keys
from tradebook.resources.customers import ADDRESS_FIELDS
from tradebook.settings import Settings
from tradebook.storage.location import locate
from tradebook.storage.schema import metadata

CUSTOMERS = 1_000
"""A statement that looks at each of them takes more steps than this, and one for a few rows takes fewer."""
FEW = 3
PATH = "/v1/sales/customers"
OF_FTS5 = "'main'."
"""Stands in the statements of FTS5 itself, whose steps add up for as long as it keeps them."""
FIGURES = "SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx"

Work = Callable[[], Any]


class ServedBook:
    """A filled account and its API, in this process."""

    def __init__(self, ledger: Ledger, url: str) -> None:
        self.ledger, self.url = ledger, url
        with ledger.database.write(ledger.key) as writer:
            _, secret = api_keys.create_key(writer, "test")
        app = create_app(Settings(database=url, log_requests=False, rate_limit=0))
        headers = {"Authorization": f"Bearer {secret}"}
        self.client = plain_http.Client(
            transport=httpx.WSGITransport(app=app), base_url="http://book", headers=headers
        )

    def customers(self) -> list[dict[str, Any]]:
        """A few that are there now."""
        return self.client.get(PATH, params={"limit": FEW}).json()["data"]


@contextmanager
def filled(folder: Path, *, told: bool) -> Iterator[ServedBook]:
    """Make a book, with or without what the planner is told."""
    url = Sqlite().new(folder)
    if not told:
        rows_of(url, "DELETE FROM sqlite_stat1")
    database = open_database(Settings(database=url))
    ledger = Ledger(database)
    ledger.take(*demo_customers(CUSTOMERS))
    yield ServedBook(ledger, url)
    database.close()


def rows_of(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement on a connection of its own."""
    with apsw.Connection(str(locate(url).path)) as connection:
        return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def steps() -> Iterator[Counter[str]]:
    """How many steps each statement takes, on every connection that is opened while the module runs."""
    counted: Counter[str] = Counter()

    def count(event: dict[str, Any]) -> None:
        if OF_FTS5 not in event["sql"]:
            taken = event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]
            counted[event["sql"]] = max(counted[event["sql"]], taken)

    def watch(connection: apsw.Connection) -> None:
        connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, count)

    apsw.connection_hooks.append(watch)
    yield counted
    apsw.connection_hooks.remove(watch)


@pytest.fixture(scope="module")
def book(tmp_path_factory, steps) -> Iterator[ServedBook]:
    """A book as every book is."""
    with filled(tmp_path_factory.mktemp("told"), told=True) as made:
        yield made


@pytest.fixture(scope="module")
def untold(tmp_path_factory, steps) -> Iterator[ServedBook]:
    """A book of whose accounts the planner thinks that they have ten rows."""
    with filled(tmp_path_factory.mktemp("untold"), told=False) as made:
        yield made


def deleting(resource: Resource) -> Callable[[ServedBook], Work]:
    """Delete an object that nothing refers to."""

    def prepared(book: ServedBook) -> Work:
        path, _ = Maker(book).make_at(resource)
        return lambda: book.client.delete(path).raise_for_status()

    return prepared


def merging(book: ServedBook) -> Work:
    """Merge customers."""
    target, *sources = [customer["id"] for customer in book.customers()]
    body = {"source_customer_ids": sources}
    return lambda: book.client.post(f"{PATH}/{target}/actions/merge", json=body).raise_for_status()


def importing(book: ServedBook) -> Work:
    """Import rows of customers that are there: they have a note from now on, and no address."""
    empty = {f"{part}.{field}": None for part in ("bill_to", "ship_to") for field in ADDRESS_FIELDS}
    rows = [{"number": customer["number"], "note": "x", **empty} for customer in book.customers()]
    return lambda: book.ledger.take(*rows)


CHANGES = {resource.name: deleting(resource) for resource in DELETED} | {
    "merge": merging,
    "import": importing,
}
LOOK_AT_ALL = ("customer", "address", "account_group", "payment_term", "merge", "import")


def longest(steps: Counter[str], work: Work) -> tuple[str, int]:
    """Return the statement that takes the most steps, and how many."""
    steps.clear()
    work()
    return steps.most_common(1)[0]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_change_reads_the_account(steps, book, change):
    statement, taken = longest(steps, change(book))

    assert taken < CUSTOMERS, statement


@pytest.mark.parametrize("change", LOOK_AT_ALL)
def test_a_change_that_reads_the_account_is_noticed(steps, untold, change):
    _, taken = longest(steps, CHANGES[change](untold))

    assert taken > CUSTOMERS


def test_every_index_of_a_declared_table_has_its_figures(book):
    """As SQLite knows them; the tables of the account's own indexes have none."""
    indexes = rows_of(
        book.url,
        "SELECT tables.name, iif(indexes.origin = 'pk', tables.name, indexes.name)"
        " FROM sqlite_schema AS tables JOIN pragma_index_list(tables.name) AS indexes",
    )
    known = {(table, index) for table, index, _ in rows_of(book.url, FIGURES)}

    assert known == {(table, index) for table, index in indexes if table in metadata.tables}


def test_an_account_leaves_many_rows_and_a_key_leaves_one(book):
    figures = {index: stat for _, index, stat in rows_of(book.url, FIGURES)}

    assert figures["customers"] == "1000000 100000 1"
    assert figures["customers_by_parent_id"] == "1000000 100000 100 100"
    assert figures["customers_unique_number_folded"] == "1000000 100000 1"
    assert figures["customer_addresses"] == "1000000 100000 100 1"
    assert figures["accounts"] == "1000000 1"


def test_a_book_of_before_is_told_the_same_when_it_is_upgraded(book, tmp_path):
    place = Sqlite().empty(tmp_path)
    locate(place).create()
    migrations.upgrade(place)
    take_back(place, "0002")
    rows_of(place, "DELETE FROM sqlite_stat1")

    migrations.upgrade(place)

    assert rows_of(place, FIGURES) == rows_of(book.url, FIGURES)


def test_what_was_found_in_the_rows_gives_way_to_it(book, tmp_path):
    """ANALYZE, by a SQLite that keeps samples as well, and all that it knows of the indexes of accounts."""
    place = Sqlite().new(tmp_path)
    database = open_database(Settings(database=place))
    Ledger(database).take(*demo_customers(FEW))
    database.close()
    rows_of(place, "ANALYZE")

    migrations.upgrade(place)

    assert rows_of(place, FIGURES) == rows_of(book.url, FIGURES)
    assert rows_of(place, "SELECT name FROM sqlite_schema WHERE name LIKE 'sqlite_stat%'") == [
        ("sqlite_stat1",)
    ]
