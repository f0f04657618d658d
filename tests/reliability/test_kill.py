"""Kill -9 under load: what was answered is there, nothing is there by halves, a retry makes nothing twice."""

import apsw
import pytest

from tests.fixtures import plain_http
from tests.fixtures.book import Book
from tests.fixtures.engines import ENGINES, Postgres, Sqlite
from tests.fixtures.lengths import length
from tests.fixtures.postgres import DURABLE, PostgresServer
from tests.fixtures.server import stop_server, wait_until
from tests.reliability.journal import Writers, kill_all, kill_one, plant, start

CYCLES = {"sqlite": length(5, 300), "postgresql": length(2, 100)}
DATABASE_CYCLES = length(1, 100)
CYCLES_OF_FAULT = 12
"""How often a server with a planted fault is killed at most: it is found in every second cycle or so."""


@pytest.fixture(scope="module")
def database_server():
    """A PostgreSQL server that writes to the disk whatever it has promised, and that may be killed."""
    made = PostgresServer.new(**DURABLE)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def durable_postgres(database_server):
    """Books on it."""
    return Postgres(database_server.url())


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    """Each engine in turn, and of PostgreSQL one that keeps what it promises."""
    return Sqlite() if request.param == "sqlite" else request.getfixturevalue("durable_postgres")


def run(folder, engine, cycles, kills=None, seed=1):
    """Kill and check so many times, or until something is found wrong; returns that, and the writers.

    `kills` are ways to kill something, each in its turn.
    """
    database = engine.new(folder)
    server = start(folder, database)
    book = Book(server)
    writers, violations = Writers(book, seed), []
    try:
        for cycle in range(cycles):
            # In turn: a server takes a worker that dies twice in five seconds for broken, and gives up.
            kill = (kills or (kill_one, kill_all))[cycle % 2]
            journal = writers.write_until(cycle, server, kill)
            if kill is kill_all:
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


def test_kill_under_load(tmp_path, engine, figures):
    violations, writers = run(tmp_path, engine, CYCLES[engine.name])

    figures(CYCLES[engine.name], writers.checked, len(violations))
    assert violations == []
    assert writers.checked > CYCLES[engine.name] * 5


def test_kill_of_the_database_under_load(tmp_path, database_server, durable_postgres, figures):
    """Of one of its processes, which ends all of them, and of the main one."""

    def kill_a_process(server):
        database_server.kill_one("tradebook")
        wait_until(lambda: is_ready(server), "the service's readiness")

    def kill_the_server(server):
        database_server.kill()
        database_server.start()
        wait_until(lambda: is_ready(server), "the service's readiness")

    violations, writers = run(
        tmp_path, durable_postgres, DATABASE_CYCLES, kills=(kill_a_process, kill_the_server)
    )

    figures(DATABASE_CYCLES, writers.checked, len(violations))
    assert violations == []


def is_ready(server):
    return plain_http.get(f"{server.url}/readyz", timeout=5).status_code == 200


def test_what_is_killed_here_keeps_its_promises(database_server):
    for setting in DURABLE:
        assert database_server.execute(f"SHOW {setting}") == [("on",)]


SLOW_ANSWERS = """
    import time
    import tradebook.web.envelope as envelope
    at_once = envelope.Answer.send
    def send(self, response):
        time.sleep(0.1)
        at_once(self, response)
    envelope.Answer.send = send
"""
"""A server that is mostly between a commit and its answer, so that this is where it is killed.

On a file it is so half of the time: else the next change has its part in the same commit, which is still to come.
"""
FAULTS = {
    "answers are not kept": f"""
    {SLOW_ANSWERS}
    import tradebook.web.replays as replays
    replays.Replay.keep = lambda *_: None
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


@pytest.mark.parametrize("engine", length(["postgresql"], ENGINES), indirect=True)
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

    violations, _ = run(tmp_path, Sqlite(), CYCLES_OF_FAULT)

    assert violations != []
