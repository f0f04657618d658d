"""Kill -9 under load: what was answered is there, nothing is there by halves, a retry makes nothing twice."""

import textwrap
import time

import apsw
import pytest

from tests.fixtures.book import Book
from tests.fixtures.engines import Sqlite
from tests.fixtures.lengths import length
from tests.fixtures.server import stop_server
from tests.reliability.journal import Writers, kill_all, kill_one, start

CYCLES = {"sqlite": length(12, 60), "postgresql": length(4, 20)}


def run(folder, engine, cycles, seed=1):
    """Kill and check so many times, or until something is found wrong; returns that, and the writers."""
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
            if violations:
                break
    finally:
        book.close()
        stop_server(server)
    return violations, writers


def quick_check(database):
    """Name what is wrong with the file."""
    connection = apsw.Connection(database.removeprefix("sqlite:///"))
    found = [line for (line,) in connection.execute("PRAGMA quick_check") if line != "ok"]
    connection.close()
    return found


def test_kill_under_load(tmp_path, engine):
    started = time.monotonic()

    violations, writers = run(tmp_path, engine, CYCLES[engine.name])

    seconds = time.monotonic() - started
    print(
        f"T1 {engine.name}: {CYCLES[engine.name]} kills, {writers.checked} writes,"
        f" {len(violations)} violations, {seconds:.0f} s"
    )
    assert violations == []
    assert writers.checked > CYCLES[engine.name] * 5


SLOW_ANSWERS = """
    import time
    import tradebook.web.envelope as envelope
    at_once = envelope.Answer.send
    def send(self, response):
        time.sleep(0.1)
        at_once(self, response)
    envelope.Answer.send = send
"""
"""A server that is nearly always between a commit and its answer, so that this is where it is killed."""
FAULTS = {
    "answers are not kept": f"""
    {SLOW_ANSWERS}
    import tradebook.web.replays as replays
    replays.Replay.keep = lambda self, writer, answer: None
    """,
    "some writes are answered and undone": """
    import itertools
    import tradebook.storage.sqlite.engine as sqlite
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


def plant(monkeypatch, folder, code):
    """Have every server that is started from now on run this code first."""
    planted = folder / "planted"
    planted.mkdir()
    (planted / "sitecustomize.py").write_text(textwrap.dedent(code))
    monkeypatch.setenv("PYTHONPATH", str(planted))


def test_killed_between_commit_and_answer_a_retry_is_answered_and_makes_nothing(
    tmp_path, monkeypatch, engine
):
    plant(monkeypatch, tmp_path, SLOW_ANSWERS)

    violations, writers = run(tmp_path, engine, length(2, 10))

    assert violations == []
    assert writers.replayed > 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_breaks_its_promise_is_noticed(tmp_path, monkeypatch, fault):
    plant(monkeypatch, tmp_path, FAULTS[fault])

    violations, _ = run(tmp_path, Sqlite(), 3)

    assert violations != []
