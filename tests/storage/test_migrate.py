"""`tradebook migrate`: what is missing is told, and nothing is done by halves."""

import os
import subprocess
import sys

import alembic.op
import pytest

from tests.storage.old_books import run_sql, take_back
from tradebook import migrations
from tradebook.storage.location import locate


@pytest.fixture
def place(engine, tmp_path):
    """The URL of a book on each engine."""
    return engine.new(tmp_path)


def tradebook(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line on a book."""
    return subprocess.run(
        [sys.executable, "-m", "tradebook", *arguments, "--database", url],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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
    assert [line[:6] for line in lines] == ["0002: ", "0003: "]
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
    take_back(place, "0002")

    def fail(*arguments, **options) -> None:
        raise RuntimeError("planted")

    with monkeypatch.context() as planted:
        planted.setattr(alembic.op, "add_column", fail)
        with pytest.raises(RuntimeError):
            migrations.upgrade(place)

    assert run_sql(place, "SELECT version_num FROM alembic_version") == [("0002",)]
    migrations.upgrade(place)
    assert run_sql(place, "SELECT count(*) FROM idempotency_records") == [(0,)]


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
