"""Kill -9 under load: what was answered is there, nothing is there by halves, a retry makes nothing twice."""

import os
import textwrap
import time

import apsw
import pytest

from tests.fixtures.book import Book
from tests.fixtures.engines import Sqlite
from tests.fixtures.server import stop_server
from tests.reliability.journal import Writers, kill_all, kill_one, start

CYCLES = {"sqlite": int(os.environ.get("TRADEBOOK_TEST_KILLS", "40")), "postgresql": 10}


def run(folder, engine, cycles, seed=1):
    """Kill and check so many times; returns what was found wrong and how many writes were looked at."""
    database = engine.new(folder)
    server = start(folder, database)
    book = Book(server)
    writers, violations = Writers(book, seed), []
    try:
        for cycle in range(cycles):
            # In turn: a server takes a worker that dies twice in five seconds for broken, and gives up.
            is_whole = cycle % 2 == 1
            journal = writers.write_until(cycle, server, kill_all if is_whole else kill_one)
            if is_whole:
                server = start(folder, database)
            violations += writers.check(cycle, server, journal)
            if engine.name == "sqlite":
                violations += quick_check(database)
    finally:
        book.close()
        stop_server(server)
    return violations, writers.checked


def quick_check(database):
    """Name what is wrong with the file."""
    connection = apsw.Connection(database.removeprefix("sqlite:///"))
    found = [line for (line,) in connection.execute("PRAGMA quick_check") if line != "ok"]
    connection.close()
    return found


def test_kill_under_load(tmp_path, engine):
    started = time.monotonic()

    violations, checked = run(tmp_path, engine, CYCLES[engine.name])

    seconds = time.monotonic() - started
    print(
        f"T1 {engine.name}: {CYCLES[engine.name]} kills, {checked} writes, {len(violations)} violations, {seconds:.0f} s"
    )
    assert violations == []
    assert checked > CYCLES[engine.name] * 5


FAULTS = {
    "answers are not kept": """
        import tradebook.web.replays as replays
        replays.Replay.keep = lambda self, writer, answer: None
    """,
    "some writes are answered and undone": """
        import itertools
        import tradebook.storage.sqlite as sqlite
        from contextlib import contextmanager
        count, whole = itertools.count(1), sqlite.SqliteDatabase.write
        class Undone(Exception): pass
        @contextmanager
        def write(self, account_id):
            try:
                with whole(self, account_id) as writer:
                    yield writer
                    if next(count) % 7 == 0:
                        raise Undone
            except Undone:
                pass
        sqlite.SqliteDatabase.write = write
    """,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_breaks_its_promise_is_noticed(tmp_path, monkeypatch, fault):
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / "sitecustomize.py").write_text(textwrap.dedent(FAULTS[fault]))
    monkeypatch.setenv("PYTHONPATH", str(planted))

    violations, _ = run(tmp_path, Sqlite(), 5)

    assert violations != []
