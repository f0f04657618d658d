"""`migrate --distribute`: what it asks a Citus cluster for. The extension here is a stand-in that writes it down.

No package has the real one. The schema and the statements are held against its rules in test_distribution.
"""

from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.checkers import CUSTOMERS
from tests.fixtures.book import Book
from tests.fixtures.command_line import CommandLine, Ended
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.server import start_server, stop_server
from tests.storage.old_books import take_back
from tradebook.app import open_database
from tradebook.resources import accounts
from tradebook.settings import Settings
from tradebook.storage import readiness
from tradebook.storage.schema import metadata

CONTROL = "default_version = '1'\nschema = public\nrelocatable = false\n"
STAND_IN = """
CREATE TABLE pg_dist_partition (logicalrelid regclass, place serial, beside text);
GRANT SELECT ON pg_dist_partition TO public;
CREATE FUNCTION create_reference_table(name regclass) RETURNS void LANGUAGE sql AS
    'INSERT INTO pg_dist_partition (logicalrelid) VALUES (name)';
CREATE FUNCTION create_distributed_table(name regclass, by text, colocate_with text DEFAULT 'default') RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN
        ASSERT by = 'account_id';
        -- As Citus: what is referred to must be distributed already.
        ASSERT NOT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND conrelid = name AND confrelid <> name
            AND confrelid NOT IN (SELECT logicalrelid FROM pg_dist_partition));
        INSERT INTO pg_dist_partition (logicalrelid, beside) VALUES (name, colocate_with);
    END $$;
"""
EMPTY_ONLY = """
CREATE OR REPLACE FUNCTION create_distributed_table(name regclass, by text, colocate_with text DEFAULT 'default')
    RETURNS void LANGUAGE plpgsql AS $$ DECLARE rows bigint; BEGIN
        EXECUTE format('SELECT count(*) FROM %s', name) INTO rows;
        ASSERT rows = 0;
        INSERT INTO pg_dist_partition (logicalrelid, beside) VALUES (name, colocate_with);
    END $$;
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A server that has the stand-in."""
    server = PostgresServer()
    extension = server.folder / "extension"
    extension.mkdir()
    (extension / "citus.control").write_text(CONTROL)
    (extension / "citus--1.sql").write_text(STAND_IN)
    server.settings["extension_control_path"] = f"$system:{server.folder}"
    server.initialise()
    yield server
    server.remove()


@pytest.fixture
def place(cluster, request):
    """The URL of an empty database."""
    name = f"book_{abs(hash(request.node.name))}"
    cluster.execute(f"CREATE DATABASE {name}")
    return name


def migrate(url: str, *options: str) -> Ended:
    return CommandLine(Path.cwd(), url).run("migrate", *options)


def test_every_table_is_distributed_beside_the_accounts_and_the_service_goes_on(cluster, place, tmp_path):
    url = cluster.url(place)
    cluster.execute("CREATE EXTENSION citus", place)

    done = migrate(url, "--distribute")

    assert done.returncode == 0, done.stderr
    rows = cluster.execute("SELECT logicalrelid::text, beside FROM pg_dist_partition ORDER BY place", place)
    assert {name for name, _ in rows} == set(metadata.tables)
    assert dict(rows)["deployment"] is None
    assert {beside for name, beside in rows if name not in {"deployment", "accounts"}} == {"accounts"}
    # Nobody has counted the rows of a table that has -1.
    counted = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND reltuples >= 0 AND relkind = 'r'"
    assert {name for (name,) in cluster.execute(counted, place)} >= set(metadata.tables)
    server = start_server(tmp_path, database=url)
    book = Book(server)
    book.add({"number": "1", "name": "Somewhere"}, {"number": "2", "name": "Elsewhere"})
    assert book.numbers(q="somewhere") == ["1"]
    assert len(book.get(CUSTOMERS)["data"]) == 2
    book.close()
    stop_server(server)


def test_a_second_time_does_nothing(cluster, place):
    url = cluster.url(place)
    cluster.execute("CREATE EXTENSION citus", place)
    migrate(url, "--distribute")

    again = migrate(url, "--distribute")

    assert again.returncode == 0, again.stderr
    assert "All tables are distributed already" in again.stderr
    assert cluster.execute("SELECT count(*) FROM pg_dist_partition", place) == [(len(metadata.tables),)]


def spread_names(cluster, place):
    return {name for (name,) in cluster.execute("SELECT logicalrelid::text FROM pg_dist_partition", place)}


def taken_back(cluster, place) -> str:
    """A distributed book of an earlier version: tables that came later are not there."""
    url = cluster.url(place)
    cluster.execute("CREATE EXTENSION citus", place)
    assert migrate(url, "--distribute").returncode == 0
    with closing(open_database(Settings(database=url))) as book:
        accounts.create_account(book, "A", "test")
    take_back(url, "0002")
    # As Citus forgets a table that is dropped.
    gone = "logicalrelid::oid NOT IN (SELECT oid FROM pg_class)"
    assert len(cluster.execute(f"DELETE FROM pg_dist_partition WHERE {gone} RETURNING 1", place)) > 1
    return url


def test_an_upgrade_of_a_distributed_book_distributes_what_is_new(cluster, place, tmp_path):
    """Citus can't join it with the rest otherwise, so its indexes could not be filled."""
    url = taken_back(cluster, place)
    # The stand-in refuses what has rows already, from now on.
    cluster.execute(EMPTY_ONLY, place)

    done = migrate(url)

    assert done.returncode == 0, done.stderr
    assert spread_names(cluster, place) == set(metadata.tables)
    assert migrate(url, "--check").returncode == 0
    # Its views are those of a cluster too, where no setting of a transaction arrives.
    views = cluster.execute("SELECT definition FROM pg_views WHERE viewname LIKE '%_of_account'", place)
    assert len(views) > 1
    assert not [text for (text,) in views if "current_setting" in text]


def test_an_upgrade_that_fails_to_distribute_leaves_the_book_as_it_was(cluster, place):
    url = taken_back(cluster, place)
    broken = "CREATE OR REPLACE FUNCTION create_distributed_table(name regclass, by text, colocate_with text DEFAULT '')"
    cluster.execute(
        f"{broken} RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted' USING ERRCODE = 'XX000'; END $$",
        place,
    )

    done = migrate(url)

    assert (done.returncode, "planted" in done.stderr, "Traceback" in done.stderr) == (1, True, False), (
        done.stderr
    )
    assert cluster.execute("SELECT version_num FROM alembic_version", place) == [("0002",)]
    checked = migrate(url, "--check")
    assert (checked.returncode, "0003: " in checked.stderr) == (1, True)


def test_a_table_that_is_not_distributed_is_told_and_made_good(cluster, place):
    """As an upgrade of before could leave it: with the number of the new schema."""
    url = taken_back(cluster, place)
    assert migrate(url).returncode == 0
    cluster.execute("DELETE FROM pg_dist_partition WHERE logicalrelid = 'address_search'::regclass", place)

    with closing(open_database(Settings(database=url))) as book:
        reason, is_ready = readiness.why_not(book), readiness.is_ready(book)
    checked = migrate(url, "--check")
    done = migrate(url)

    assert (reason is not None and "the distribution of address_search" in reason, is_ready) == (True, False)
    assert (checked.returncode, "the distribution of address_search" in checked.stderr) == (1, True)
    assert done.returncode == 0, done.stderr
    assert migrate(url, "--check").returncode == 0


def test_without_the_extension_it_says_so_and_nothing_changes(cluster, place):
    done = migrate(cluster.url(place), "--distribute")

    assert (done.returncode, "no citus extension" in done.stderr) == (1, True)
    assert cluster.execute("SELECT count(*) FROM pg_policies", place)[0][0] > 10


def test_a_file_is_not_distributed(tmp_path):
    done = migrate(f"sqlite:///{tmp_path}/book.db", "--distribute")

    assert (done.returncode, "PostgreSQL" in done.stderr) == (2, True)
