"""The whole way through pgbouncer with one server connection for everybody: nothing is left behind on it."""

import os
import shutil
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.contract.checkers import CUSTOMERS
from tests.fixtures.application import application, client_of
from tests.fixtures.book import Book, walk
from tests.fixtures.postgres import USER, PostgresServer
from tests.fixtures.server import free_port, start_server, stop_server, wait_until
from tests.properties.test_model import check_walks
from tradebook import migrations
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.resources import customers
from tradebook.settings import Settings
from tradebook.storage.postgres.connections import PatientConnection

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer, a package of Debian, is missing")

CONFIGURATION = """
[databases]
book = host=127.0.0.1 port={server} user=postgres dbname=book pool_size=1
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 50
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


@pytest.fixture(scope="module")
def behind():
    """The database server behind the pooler."""
    server = PostgresServer.new()
    server.execute("CREATE DATABASE book")
    yield server
    server.remove()


@pytest.fixture(scope="module")
def pooled(behind):
    """The URL of the book through the pooler."""
    folder, port = Path(tempfile.mkdtemp(prefix="tradebook-pooler-")), free_port()
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(CONFIGURATION.format(server=behind.port, port=port, folder=folder))
    as_user = {}
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
        as_user = {"user": USER, "extra_groups": ()}
    process = subprocess.Popen([PGBOUNCER, "-q", configuration], **as_user)
    url = f"postgresql://anyone@127.0.0.1:{port}/book"

    def answers() -> bool:
        assert process.poll() is None, (folder / "pgbouncer.log").read_text()
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    wait_until(answers, "the pooler's readiness")
    migrations.upgrade(url)
    yield url
    process.terminate()
    process.wait(20)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def books(pooled, tmp_path_factory):
    """Two accounts of a service with two workers, which share one connection to the database."""
    server = start_server(tmp_path_factory.mktemp("pooled"), workers=2, database=pooled)
    made = [Book(server), Book(server)]
    for place, book in enumerate(made):
        book.add(*({**record, "note": f"of account {place}"} for record in demo_customers(120)))
    yield made
    for book in made:
        book.close()
    stop_server(server)


def test_two_accounts_take_turns_on_one_connection_and_see_their_own(books, behind):
    seen = [[], []]
    for page in zip(*(walk(book.client, limit=7) for book in books), strict=True):
        for place, customer in enumerate(page):
            assert customer["note"] == f"of account {place}"
            seen[place].append(customer["number"])

    assert len(seen[0]) == len(set(seen[0])) == 120
    assert behind.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'book'") == [(1,)]


@pytest.mark.parametrize("query", ["", "q=in", "status_codes=normal", "q=e&status_codes=normal&state=CA"])
def test_walks_are_whole_both_ways(books, query):
    parameters = dict(pair.split("=") for pair in query.split("&") if pair)
    for book in books:
        check_walks(book.client, parameters, book.numbers(limit="1000", **parameters), 7)


def test_every_include_and_the_nested_lists_come_through(books):
    routes = customers.resource.routes
    for book in books:
        page = book.get(CUSTOMERS, include=",".join(routes[0].includes), limit=50)
        assert len(page["data"]) == 50
        for customer in page["data"][:5]:
            assert book.get(f"{CUSTOMERS}/{customer['id']}")["id"] == customer["id"]
            assert book.get(f"{CUSTOMERS}/{customer['id']}/child_accounts")["object"] == "list"


def test_nothing_stays_on_the_shared_connection(books, pooled):
    books[0].get(q="a")
    with psycopg.connect(pooled, autocommit=True) as connection:
        row = connection.execute(
            "SELECT current_user, current_setting('tradebook.account', true), current_setting('enable_seqscan'),"
            " current_setting('statement_timeout'), (SELECT count(*) FROM pg_prepared_statements)"
        ).fetchone()

    assert row == ("postgres", "", "on", "0", 0)


def test_a_pooler_that_is_not_noticed_does_no_harm(books, pooled, monkeypatch):
    """Two connections believe that the session is their own: each meets what the other one has kept."""
    expected = [book.numbers(status_codes="normal", limit="1000") for book in books]
    monkeypatch.setattr(
        PatientConnection, "look_around", lambda connection: setattr(connection, "keeps", True)
    )
    for _ in range(2):
        for book, numbers in zip(books, expected, strict=True):
            with closing(open_database(Settings(database=pooled))) as database:
                app = application(database, pooled)
                with client_of(app, book.key) as client:
                    found = [one["number"] for one in walk(client, status_codes="normal", limit="1000")]
            assert found == numbers
    with psycopg.connect(pooled, autocommit=True) as connection:
        connection.execute("DEALLOCATE ALL")


def test_a_setting_that_is_left_behind_would_be_noticed(pooled):
    """The tooth: what one client sets for its session, the next one meets."""
    with psycopg.connect(pooled, autocommit=True) as connection:
        connection.execute("SELECT set_config('tradebook.account', '5', false)")
    with psycopg.connect(pooled, autocommit=True) as connection:
        left = connection.execute("SELECT current_setting('tradebook.account', true)").fetchone()
        connection.execute("SELECT set_config('tradebook.account', '', false)")

    assert left == ("5",)
