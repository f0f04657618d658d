"""`tradebook migrate`: what is missing is told, what was begun is gone on with, and nothing is done by halves."""

import os
import signal
import textwrap
from pathlib import Path

import alembic.op
import pytest

from tests.contract.checkers import CUSTOMERS
from tests.fixtures import plain_http
from tests.fixtures.book import Book
from tests.fixtures.command_line import CommandLine, Ended
from tests.fixtures.ledgers import Ledger
from tests.fixtures.server import start_server, stop_server
from tests.storage.old_books import run_sql, take_back
from tradebook import migrations
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.ids import decode_id
from tradebook.migrations import versions
from tradebook.resources import accounts, api_keys
from tradebook.resources.customers import index as customers_index
from tradebook.settings import Settings
from tradebook.storage.location import locate

FORGET_VERSIONS = "UPDATE accounts SET indexes = '{}'"
SIZE = 40
STEPS = sorted(path.name[:4] for path in Path(versions.__path__[0]).glob("0*.py"))[1:]
"""The numbers of the steps that follow on the first."""

KILLED = """
    import os, signal
    from tradebook.storage import index_versions
    index_versions.ROWS_AT_ONCE = 7
    whole, calls = index_versions.IndexVersions.remake_some, iter(range(100))
    def remake_some(self, writer):
        count = whole(self, writer)
        if next(calls) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return count
    index_versions.IndexVersions.remake_some = remake_some
"""
"""Ends the process in its fourth transaction, whose rows are written and not committed."""


@pytest.fixture
def place(engine, tmp_path):
    """The URL of a book on each engine."""
    return engine.new(tmp_path)


def tradebook(url: str, *arguments: str) -> Ended:
    """Call the command line on a book."""
    return CommandLine(Path.cwd(), url).run(*arguments)


def filled(url: str) -> tuple[dict, Ledger]:
    """An account with customers, and what its lists find."""
    ledger = Ledger(open_database(Settings(database=url)))
    ledger.take(*demo_customers(SIZE))
    answers = answers_of(ledger)
    ledger.database.close()
    return answers, ledger


def answers_of(ledger: Ledger) -> dict:
    """What lists find, by words and by filters."""
    questions = {word: (word,) for word in ("a", "gmbh", "5", "555", "north supply")}
    for facet in (customers_index.STATUS, customers_index.COMMISSION_POLICY, customers_index.IS_PARENT):
        questions |= {f"{facet.letter}{value}": ("", facet, value) for value in (0, 1)}
    return {name: ledger.found(*asked) for name, asked in questions.items()}


def test_killed_while_it_makes_an_index_anew_it_is_told_refused_and_gone_on_with(
    place, tmp_path, monkeypatch
):
    answers, ledger = filled(place)
    run_sql(place, FORGET_VERSIONS)
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "sitecustomize.py").write_text(textwrap.dedent(KILLED))

    with monkeypatch.context() as planted:
        planted.setenv("PYTHONPATH", f"{tmp_path / 'planted'}:{os.environ.get('PYTHONPATH', '')}")
        killed = CommandLine(tmp_path, place).run_as_process("migrate")
    begun = run_sql(place, "SELECT indexes FROM accounts")
    checked = tradebook(place, "migrate", "--check")
    refused = tradebook(place, "accounts", "list")
    again = tradebook(place, "migrate")

    assert killed.returncode == -signal.SIGKILL
    assert ",null]" not in begun[0][0].partition("customers_index")[2]
    assert (checked.returncode, "Index: 1 of the accounts" in checked.stderr) == (1, True), checked.stderr
    assert (refused.returncode, "Run tradebook migrate" in refused.stderr) == (1, True), refused.stderr
    assert (again.returncode, "Index: 1 of the accounts" in again.stderr) == (0, True), again.stderr
    assert answers_of(ledger) == answers
    assert sum(map(len, answers.values())) > SIZE
    ledger.database.close()


def test_readiness_waits_for_migrate(place, tmp_path):
    """And so does whatever asks the index; the rest is served."""
    server = start_server(tmp_path, database=place)
    book = Book(server)
    book.add({"number": "1", "name": "A"})
    run_sql(place, FORGET_VERSIONS)

    def answers() -> list[int]:
        urls = (f"{CUSTOMERS}?q=a", f"{CUSTOMERS}?q=a&status_codes=normal", CUSTOMERS)
        codes = [book.client.get(url).status_code for url in urls]
        return [plain_http.get(f"{server.url}/readyz").status_code, *codes]

    before = answers()
    done = tradebook(place, "migrate")
    after = answers()
    book.close()
    stop_server(server)

    assert before == [503, 503, 503, 200]
    assert done.returncode == 0, done.stderr
    assert after == [200, 200, 200, 200]
    assert "run tradebook migrate" in server.log.read_text()


def test_every_step_is_a_line(place):
    take_back(place, "0001")

    checked = tradebook(place, "migrate", "--check")
    done = tradebook(place, "migrate")
    again = tradebook(place, "migrate")

    assert (checked.returncode, done.returncode, again.returncode) == (1, 0, 0), done.stderr
    missing, *steps = checked.stderr.splitlines()
    applied, *lines, last = done.stderr.splitlines()
    assert (missing, applied) == ("Missing:", "Applied:")
    assert lines == steps
    assert [line[:6] for line in lines] == [f"{number}: " for number in STEPS]
    assert all(line.endswith(".") and not line.endswith("..") for line in lines)
    assert last == f"The book has schema {migrations.HEAD}."
    assert again.stderr.splitlines() == ["Nothing was missing.", last]


@pytest.mark.parametrize(
    "arguments", [("migrate",), ("migrate", "--check"), ("accounts", "list"), ("serve", "--port", "1")]
)
def test_a_book_of_a_newer_version_is_left_alone(place, arguments):
    run_sql(place, "UPDATE alembic_version SET version_num = '0999'")

    done = tradebook(place, *arguments)

    assert done.returncode == 1
    assert "0999" in done.stderr
    assert "Traceback" not in done.stderr
    assert run_sql(place, "SELECT version_num FROM alembic_version") == [("0999",)]


def test_a_migration_that_fails_leaves_the_book_as_it_was(place, monkeypatch):
    """Also on SQLite, whose driver for Python would commit each change of the schema by itself."""
    filled(place)
    take_back(place, "0003")

    def fail(*arguments, **options) -> None:
        raise RuntimeError("planted")

    with monkeypatch.context() as planted:
        planted.setattr(alembic.op, "create_index", fail)
        with pytest.raises(RuntimeError):
            migrations.upgrade(place)

    assert run_sql(place, "SELECT version_num FROM alembic_version") == [("0003",)]
    columns = "SELECT * FROM accounts"
    assert len(run_sql(place, columns)[0]) == 5
    migrations.upgrade(place)
    assert len(run_sql(place, columns)[0]) == 7


def test_what_the_database_refuses_is_told_without_a_traceback(tmp_path, postgres):
    """A file that is none, a user without rights, a server that is not there."""
    (tmp_path / "none.db").write_text("this is not a database, whatever its name says" * 100)
    place = postgres.empty(None)
    postgres.execute("DROP ROLE IF EXISTS nobody_in_particular")
    postgres.execute("CREATE ROLE nobody_in_particular LOGIN")
    weak = f"postgresql://nobody_in_particular@{place.rpartition('@')[2]}"
    urls = (f"sqlite:///{tmp_path}/none.db", weak, "postgresql://x@127.0.0.1:1/x")

    for url in urls:
        done = tradebook(url, "migrate")
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
        assert done.stderr.startswith(f"Error: {locate(url).shown}: ")


@pytest.mark.parametrize(
    ("table", "version"), [("customers", "0001"), ("alembic_version", "0001"), ("alembic_version", "9e2f")]
)
def test_the_tables_of_another_program_are_left_alone(tmp_path, engine, table, version):
    """On a server other tables may stand beside ours, but none that is called like one of them."""
    url = engine.empty(tmp_path)
    locate(url).create()
    run_sql(url, f"CREATE TABLE {table} (version_num text)")
    # An empty table of versions is that of a book whose every step was taken back.
    run_sql(url, f"INSERT INTO {table} VALUES ('{version}')")
    command = CommandLine(tmp_path, url)

    done = command.run("migrate")

    assert done.returncode == 1
    assert "another program" in done.stderr
    assert "Traceback" not in done.stderr
    run_sql(url, f"DROP TABLE {table}")
    run_sql(url, "CREATE TABLE other_things (a text)")
    assert command.run("migrate").returncode == (1 if engine.name == "sqlite" else 0)


def test_what_is_missing_is_seen_whatever_the_number_of_the_schema_says(place, tmp_path):
    """A list's index is made again; what only a step could make is not, and the command says so."""
    is_file = place.startswith("sqlite")
    lost = "customers_by_type_id" if is_file else "customers_by_status"
    server = start_server(tmp_path, database=place)
    ready = f"{server.url}/readyz"
    before = plain_http.get(ready).status_code
    run_sql(place, f"DROP INDEX {lost}")

    checked = tradebook(place, "migrate", "--check")
    refused = tradebook(place, "accounts", "list")
    answered = plain_http.get(ready).status_code
    done = tradebook(place, "migrate")
    stop_server(server)

    assert (before, answered) == (200, 503)
    assert (checked.returncode, lost in checked.stderr) == (1, True), checked.stderr
    assert (refused.returncode, lost in refused.stderr) == (1, True), refused.stderr
    assert done.returncode == (1 if is_file else 0), done.stderr
    assert ("Restore a backup" in done.stderr) == is_file
    assert tradebook(place, "migrate", "--check").returncode == done.returncode


@pytest.mark.parametrize("part", ["account_users", "customers"])
def test_a_table_or_a_column_that_is_missing_is_told(place, part):
    run_sql(
        place,
        f"ALTER TABLE {part} RENAME TO lost"
        if part == "account_users"
        else f"ALTER TABLE {part} RENAME note TO lost",
    )

    done = tradebook(place, "migrate", "--check")

    assert (
        done.returncode,
        ("account_users" if part == "account_users" else "customers.note") in done.stderr,
    ) == (1, True)


def test_a_key_that_was_rotated_ends_as_it_was_to(place):
    """The end of its grace was kept apart from the time of a revocation; the earlier one holds."""
    database = open_database(Settings(database=place))
    account = accounts.find_account(database, accounts.create_account(database, "One", "test"))[0]
    with database.write(account) as writer:
        keys = [decode_id("ak", api_keys.create_key(writer, "test")[0]) for _ in range(4)]
    database.close()
    take_back(place, "0004")
    for key, revoked, grace in zip(
        keys, (None, None, 5_000, 7_000), (None, 6_000, 6_000, 6_000), strict=True
    ):
        run_sql(
            place, "UPDATE api_keys SET revoked_at = ?, grace_ends_at = ? WHERE id = ?", (revoked, grace, key)
        )

    assert tradebook(place, "migrate").returncode == 0

    assert run_sql(place, "SELECT revoked_at FROM api_keys ORDER BY id") == [
        (None,),
        (6_000,),
        (5_000,),
        (6_000,),
    ]
