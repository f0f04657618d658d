"""`migrate --distribute`: what it asks a Citus cluster for. The extension here is a stand-in that writes it down.

No package has the real one. The schema and the statements are held against its rules in test_distribution.
"""

from pathlib import Path

import pytest

from tests.contract.checkers import CUSTOMERS
from tests.fixtures.book import Book
from tests.fixtures.command_line import CommandLine, Ended
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.server import start_server, stop_server
from tradebook.storage.schema import metadata

CONTROL = "default_version = '1'\nschema = public\nrelocatable = false\n"
STAND_IN = """
CREATE TABLE pg_dist_partition (logicalrelid regclass, place serial, beside text);
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


def test_without_the_extension_it_says_so_and_nothing_changes(cluster, place):
    done = migrate(cluster.url(place), "--distribute")

    assert (done.returncode, "no citus extension" in done.stderr) == (1, True)
    assert cluster.execute("SELECT count(*) FROM pg_policies", place)[0][0] > 10


def test_a_file_is_not_distributed(tmp_path):
    done = migrate(f"sqlite:///{tmp_path}/book.db", "--distribute")

    assert (done.returncode, "PostgreSQL" in done.stderr) == (2, True)
