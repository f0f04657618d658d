"""Standbys: they serve reads, never an old one, and are no trouble when they are behind, frozen or gone."""

import json
import time

import pytest

from tests.contract.checkers import CUSTOMERS
from tests.fixtures import plain_http
from tests.fixtures.book import Book
from tests.fixtures.command_line import CommandLine
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.server import free_port, serving, wait_until
from tradebook import migrations
from tradebook.app import open_database
from tradebook.settings import Settings
from tradebook.storage.transactions import reading

SETTINGS = Settings()
IN_TIME_SECONDS = 2 * SETTINGS.database_timeout_ms / 1000
"""Sooner than a second try could end, whatever a loaded machine adds."""
LOGS = {"log_statement": "all", "log_line_prefix": "%a|"}


def reads_of(server: PostgresServer) -> int:
    """How many pages a database server has read for the service."""
    return server.log.read_text(errors="replace").count("FROM customer")


def page(book: Book, words: str) -> list[str]:
    """Names on a page that was surely not asked for before."""
    page.count += 1
    bound = f"2100-01-01T00:00:00.{page.count:03}Z"
    answer = book.client.get(CUSTOMERS, params={"q": words, "end_date": bound})
    assert answer.status_code == 200, answer.text
    return [customer["name"] for customer in answer.json()["data"]]


page.count = 0


@pytest.fixture(scope="module")
def primary():
    """The server that is written to."""
    server = PostgresServer.new(**LOGS)
    server.execute("CREATE DATABASE book")
    migrations.upgrade(server.url("book"))
    yield server
    server.remove()


@pytest.fixture(scope="module")
def standbys(primary):
    """Two that follow it."""
    made = [primary.standby(**LOGS), primary.standby(**LOGS)]
    yield made
    for standby in made:
        standby.remove()


@pytest.fixture(scope="module")
def service(primary, standbys, tmp_path_factory):
    """A service that knows all three."""
    replicas = [word for standby in standbys for word in ("--replica", standby.url("book"))]
    with serving(tmp_path_factory.mktemp("replicas"), *replicas, database=primary.url("book")) as running:
        yield running


@pytest.fixture
def book(service, standbys):
    """An account that all servers have."""
    made = Book(service)
    made.add({"number": "1", "name": "First"})
    for standby in standbys:
        wait_until_followed(made, standby)
    # Standbys that a test before has left behind are asked again.
    wait_until(
        lambda: all(grows(standby, lambda: page(made, "f")) for standby in standbys), "reads on both", 20
    )
    yield made
    made.close()


def wait_until_followed(book: Book, standby: PostgresServer) -> None:
    """Wait until a standby has the account's revision."""
    sql = f"SELECT revision FROM accounts WHERE account_id = {book.account_key}"
    needed = book.database.revision(book.account_key)
    wait_until(lambda: standby.execute(sql, "book") == [(needed,)], "the standby's replay")


def grows(server: PostgresServer, act) -> bool:
    """Tell whether a server is read from, within two turns."""
    before = reads_of(server)
    act()
    act()
    return reads_of(server) > before


def test_standbys_serve_reads_in_turn_and_the_primary_none(book, primary, standbys):
    before = [reads_of(server) for server in (primary, *standbys)]

    for _ in range(6):
        assert page(book, "first") == ["First"]

    after = [reads_of(server) for server in (primary, *standbys)]
    assert after[0] == before[0]
    assert after[1] > before[1]
    assert after[2] > before[2]


def test_what_came_of_each_replica_is_counted(book, primary, standbys):
    gone = f"postgresql://postgres@127.0.0.1:{free_port()}/book"
    replicas = " ".join([*(each.url("book") for each in standbys), gone])
    database = open_database(Settings(database=primary.url("book"), replicas=replicas))
    standbys[0].execute("SELECT pg_wal_replay_pause()")
    try:
        book.add({"name": "Newest"})
        wait_until_followed(book, standbys[1])
        for _ in range(3):
            revision = reading(database, book.account_key, lambda reader: reader.revision)
            assert revision == book.database.revision(book.account_key)
    finally:
        standbys[0].execute("SELECT pg_wal_replay_resume()")
    figures = database.figures()
    behind, current, failed = figures.replicas
    database.close()

    assert (behind.answered, behind.behind > 0, behind.failed) == (0, True, 0)
    assert behind.lag_ms > 0
    assert (figures.idle, figures.in_use) == (1, 0)
    assert (current.answered, current.behind, current.failed, current.lag_ms) == (3, 0, 0, 0)
    assert (failed.answered, failed.behind, failed.failed) == (0, 0, 1)


def test_a_write_is_seen_by_the_next_read_while_replay_stands_still(book, primary, standbys):
    for standby in standbys:
        standby.execute("SELECT pg_wal_replay_pause()")
    try:
        for number in range(2, 6):
            book.add({"number": str(number), "name": f"Later {number}"})
            assert page(book, "later")[0] == f"Later {number}"
        _, secret = book.new_key()
        headers = {"Authorization": f"Bearer {secret}"}
        assert plain_http.get(f"{book.server.url}{CUSTOMERS}", headers=headers).status_code == 200
        assert "later" not in json.dumps(standbys[0].execute("SELECT name FROM customers", "book")).lower()
    finally:
        for standby in standbys:
            standby.execute("SELECT pg_wal_replay_resume()")


def test_another_account_is_still_read_from_a_standby_that_is_behind(book, service, standbys):
    """Only what the account itself has had written since counts."""
    other = Book(service)
    for standby in standbys:
        wait_until_followed(other, standby)
        standby.execute("SELECT pg_wal_replay_pause()")
    try:
        assert any(grows(standby, lambda: page(other, "x")) for standby in standbys)
    finally:
        for standby in standbys:
            standby.execute("SELECT pg_wal_replay_resume()")
        other.close()


@pytest.mark.parametrize("fate", ["frozen", "gone"])
def test_a_standby_that_fails_is_left_alone(book, standbys, fate):
    for standby in standbys:
        standby.freeze() if fate == "frozen" else standby.stop()
    try:
        waits = []
        for _ in range(8):
            started = time.monotonic()
            assert page(book, "first") == ["First"]
            waits.append(time.monotonic() - started)
    finally:
        for standby in standbys:
            standby.thaw() if fate == "frozen" else standby.start()
    # The first ones find out; then nobody asks them any more.
    assert max(waits) < IN_TIME_SECONDS
    assert sum(wait >= SETTINGS.replica_timeout_ms / 1000 for wait in waits) <= len(standbys), waits


def test_a_read_that_the_standby_breaks_off_is_done_again_on_another(book, standbys, primary):
    """Sessions are cut while pages are read: no page fails."""
    for _ in range(10):
        for standby in standbys:
            standby.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'book'")
        assert page(book, "first") == ["First"]


def test_only_postgresql_has_replicas(tmp_path):
    command = CommandLine(tmp_path, f"sqlite:///{tmp_path}/book.db")

    done = command.run("serve", "--replica", "postgresql://x@127.0.0.1/x")

    assert (done.returncode, "PostgreSQL" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
