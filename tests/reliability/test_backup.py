"""T16: a backup beside writers ends, is a state that the book has had, and can be served in its place."""

import threading
from contextlib import closing

import apsw

from tests.fixtures import plain_http
from tests.fixtures.book import Book, walk
from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tests.fixtures.lengths import length
from tests.fixtures.server import stop_server, wait_until
from tests.reliability.journal import INCLUDE, Writers, is_done, send, start
from tradebook.storage.sqlite import backup as backup_module
from tradebook.storage.sqlite.backup import back_up

BACKUPS = length(1, 20)


def test_a_backup_beside_writers_is_a_state_that_the_book_has_had(tmp_path):
    database = Sqlite().new(tmp_path)
    server = start(tmp_path, database)
    book = Book(server)
    writers = Writers(book, seed=16)
    try:
        for cycle in range(BACKUPS):
            copy, before = tmp_path / f"copy{cycle}.db", []

            def back_up_meanwhile(server, copy=copy, before=before, cycle=cycle):
                before += found(server, book, f"cycle{cycle:04d}")
                done = CommandLine(tmp_path, database).run_as_process("backup", str(copy))
                assert done.returncode == 0, done.stderr

            journal = writers.write_until(cycle, server, back_up_meanwhile)
            assert_is_a_state(tmp_path, copy, book, journal, before, f"cycle{cycle:04d}")
    finally:
        book.close()
        stop_server(server)


def assert_is_a_state(folder, copy, book, journal, before, cycle):
    """Numbers are given in the order of the commits, so a state of the book has all of them up to one."""
    connection = apsw.Connection(str(copy))
    numbers = sorted(int(number) for (number,) in connection.execute("SELECT number FROM customers"))
    last = connection.execute(
        "SELECT last_customer_number FROM accounts WHERE account_id = ?", (book.account_key,)
    ).get
    connection.close()
    assert numbers == list(range(1, last + 1))
    restored = start(folder, f"sqlite:///{copy}")
    try:
        there = found(restored, book, cycle)
        sent = {write.key for write in (*journal.answered, *journal.unanswered)}
        assert set(before) <= set(there) <= sent
        with plain_http.Client(base_url=restored.url, headers=book.client.headers, timeout=30) as client:
            missing = [write for write in journal.answered if write.key not in there]
            kept = [write for write in journal.answered if write.key in there]
            for write in (*missing[:3], *kept[:3]):
                answer = send(client, write)
                assert is_done(answer)
                assert ("idempotent-replayed" in answer.headers) == (write.key in there)
    finally:
        stop_server(restored)


def found(server, book, cycle):
    """Name the customers of a cycle that a server lists."""
    with plain_http.Client(base_url=server.url, headers=book.client.headers, timeout=30) as client:
        return [customer["name"] for customer in walk(client, q=cycle, include=INCLUDE, limit=500)]


def test_a_backup_ends_whatever_is_committed_between_its_steps(tmp_path, monkeypatch):
    """Copied page by page without a held snapshot, it begins anew with each commit: here, 1,000 times."""
    path = tmp_path / "book.db"
    with closing(apsw.Connection(str(Sqlite().new(tmp_path).removeprefix("sqlite:///")))) as made:
        path = tmp_path / made.filename.rpartition("/")[2]
    stopped, commits = threading.Event(), []

    class OnePage:
        """How many pages a step copies; before it, somebody commits."""

        def __index__(self):
            before = len(commits)
            wait_until(lambda: len(commits) > before, "a commit")
            return 1

    monkeypatch.setattr(backup_module, "STEP_PAGES", OnePage())

    def commit():
        with closing(apsw.Connection(str(path))) as writer:
            writer.pragma("synchronous", "off")
            while not stopped.is_set():
                writer.execute("INSERT INTO deployment VALUES (?, ?)", (f"n{len(commits)}", b"x" * 500))
                commits.append(1)

    thread = threading.Thread(target=commit)
    thread.start()
    try:
        wait_until(lambda: len(commits) > 100, "commits")
        begun = len(commits)
        back_up(path, tmp_path / "copy.db", timeout_ms=10_000)
        ended = len(commits)
    finally:
        stopped.set()
        thread.join()

    with closing(apsw.Connection(str(tmp_path / "copy.db"))) as copy:
        names = {name for (name,) in copy.execute("SELECT name FROM deployment")}
    assert ended > begun + 10
    assert names == {f"n{n}" for n in range(len(names))}
    assert begun <= len(names) <= ended
