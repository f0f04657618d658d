"""Writers of one file take turns: whoever has waited for long is overtaken by nobody who comes later."""

import multiprocessing
import os
import signal
import stat
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.fixtures.engines import Sqlite
from tests.fixtures.lengths import length
from tradebook.app import open_database
from tradebook.resources import accounts
from tradebook.settings import Settings
from tradebook.storage.location import locate
from tradebook.storage.sqlite import turns
from tradebook.storage.sqlite.turns import Turns
from tradebook.storage.transactions import writing

WRITERS = 8
WRITES = length(40, 2_000)
FAULTS = {"": None, "nobody lets others pass": ("_let_pass", lambda *_: True)}
COUNT = "SELECT last_customer_number FROM accounts WHERE account_id = ?"
COUNT_ON = f"UPDATE accounts SET last_customer_number = last_customer_number + 1 WHERE account_id = ? RETURNING {COUNT.split()[1]}"
WORK = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) SELECT count(*) FROM n"
"""What a writer does while it has the file: so others wait for it, however fast the disk is."""
LONG_SECONDS = 60
SHORT_MS = 400


@pytest.fixture
def place(tmp_path):
    """The URL of a book, and the key of an account in it."""
    url = Sqlite().new(tmp_path)
    with closing(open_database(Settings(database=url))) as database:
        return url, accounts.find_account(database, accounts.create_account(database, "A", "test"))[0]


def book_of(place) -> Path:
    return locate(place[0]).path


def count_on(writer, account):
    assert writer._connection.execute(WORK).get
    return writer._connection.execute(COUNT_ON, (account,)).get


def write_many(place, fault) -> tuple[list[int], list[float]]:
    """Write many times; by how many was a writer overtaken who had a number, and how long did each wait?"""
    url, account = place
    # At once, so that there are many numbers.
    turns.HURRY_SECONDS = 0.001
    overtaken, seconds, drawn = [], [], []
    with pytest.MonkeyPatch.context() as patch, closing(open_database(Settings(database=url))) as database:

        class Noting(Turns):
            def _draw(self, end):
                number = super()._draw(end)
                drawn.append(database._connections.reading().execute(COUNT, (account,)).get)
                return number

        if FAULTS[fault]:
            patch.setattr(Noting, *FAULTS[fault])
        patch.setattr("tradebook.storage.sqlite.connections.Turns", Noting)
        for _ in range(WRITES):
            drawn.clear()
            started = time.monotonic()
            count = writing(database, account, partial(count_on, account=account))
            seconds.append(time.monotonic() - started)
            overtaken += [count - 1 - before for before in drawn]
    return overtaken, seconds


PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def run(place, fault=""):
    with ProcessPoolExecutor(WRITERS, PROCESSES) as pool:
        results = list(pool.map(write_many, [place] * WRITERS, [fault] * WRITERS))
    seconds = sorted(second for _, each in results for second in each)
    overtaken = [number for each, _ in results for number in each]
    print(
        f"turns: {WRITERS} writers, {len(seconds)} writes, {len(overtaken)} with a number, overtaken by at most"
        f" {max(overtaken, default=0)}; median {seconds[len(seconds) // 2] * 1000:.1f} ms, slowest {seconds[-1] * 1000:.0f} ms"
    )
    return overtaken


def test_who_has_a_number_is_overtaken_by_nobody_who_comes_later(place):
    """Only by those before it, and by those who had begun when it drew: each of the others, once each."""
    overtaken = run(place)

    assert len(overtaken) > WRITERS
    assert max(overtaken) <= 2 * (WRITERS - 1)


def test_where_nobody_lets_others_pass_it_is_noticed(place):
    """The tooth of the test above."""
    overtaken = run(place, "nobody lets others pass")

    assert max(overtaken) > 2 * (WRITERS - 1)


def test_threads_take_turns_as_processes_do(place):
    """And each has an account of its own locks: closing a file of one takes away none of another's."""
    path = book_of(place)
    order = []

    def wait_and_note(number):
        own = Turns(path)
        with own.taken(LONG_SECONDS):
            order.append(number)
        own.close()

    first = Turns(path)
    with ThreadPoolExecutor(WRITERS) as pool:
        with first.taken(LONG_SECONDS):
            waiting = []
            for number in range(WRITERS):
                waiting.append(pool.submit(wait_and_note, number))
                drawn = 2 + number
                _wait_for_number(path, drawn)
            assert order == []
        for each in waiting:
            each.result()

    assert order == list(range(WRITERS))


def _wait_for_number(path, number):
    end = time.monotonic() + LONG_SECONDS
    file = Path(f"{path}{turns.SUFFIX}")
    while int.from_bytes(file.read_bytes()[:8], "little") < number:
        assert time.monotonic() < end
        time.sleep(0.001)


@contextmanager
def another_process(path):
    """A process that has a number and does not end."""
    has_one = PROCESSES.Event()
    process = PROCESSES.Process(target=_hold, args=(path, has_one))
    process.start()
    assert has_one.wait(LONG_SECONDS)
    yield process
    process.kill()
    process.join()


def _hold(path, has_one):
    with Turns(path).taken(LONG_SECONDS):
        has_one.set()
        signal.pause()


def test_a_number_ends_with_its_process(place):
    with another_process(book_of(place)) as process:
        process.kill()
        process.join()
        started = time.monotonic()

        with Turns(book_of(place)).taken(LONG_SECONDS):
            pass

    assert time.monotonic() - started < LONG_SECONDS / 2


def test_a_process_that_stands_still_with_a_number_keeps_nobody_from_writing(place):
    url, account = place
    with another_process(book_of(place)) as process:
        os.kill(process.pid, signal.SIGSTOP)

        with closing(open_database(Settings(database=url, database_timeout_ms=SHORT_MS))) as database:
            for _ in range(3):
                writing(database, account, lambda writer: None)


def test_where_the_file_cant_be_made_there_are_no_turns(place):
    Path(f"{book_of(place)}{turns.SUFFIX}").unlink()
    Path(f"{book_of(place)}{turns.SUFFIX}").mkdir()

    with closing(open_database(Settings(database=place[0]))) as database:
        writing(database, place[1], lambda writer: None)
        with locate(place[0]).migrating():
            pass


def test_a_migration_takes_its_turn(place):
    own = Turns(book_of(place))

    with locate(place[0]).migrating():
        assert turns._has_numbers(own._file)

    assert not turns._has_numbers(own._file)
    own.close()


def test_the_file_is_as_private_as_the_book(place):
    mode = Path(f"{book_of(place)}{turns.SUFFIX}").stat().st_mode

    assert stat.S_IMODE(mode) == 0o600
