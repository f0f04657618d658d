"""A book's file that is deleted, replaced or can't be written: noticed, told as 503, and over when it is over."""

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw
import pytest

from tests.contract.checkers import CUSTOMERS
from tests.fixtures import plain_http
from tests.fixtures.book import Book
from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tests.fixtures.server import serving, start_server, stop_server, wait_until
from tradebook.app import open_database
from tradebook.resources import accounts, api_keys
from tradebook.settings import Settings
from tradebook.storage import readiness
from tradebook.storage.database import Conflict, Unavailable
from tradebook.storage.location import locate
from tradebook.storage.sqlite.connections import (
    FOLLOW_SECONDS,
    LOG_BYTES,
    LOG_PAGES,
    LOG_PAGES_OF_MANY,
)
from tradebook.storage.transactions import reading, writing

GROUPS = "/v1/sales/account-groups"
NOBODY = 65534
LOGS = ("-wal", "-shm")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server on a file that nobody else uses."""
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, database=Sqlite().new(folder)) as running:
        yield running


@pytest.fixture
def book(server):
    made = Book(server)
    made.add({"number": "1", "name": "First"})
    # The server alone has the file open from now on.
    made.database.close()
    yield made
    made.close()


@pytest.fixture
def path(server):
    return locate(server.database).path


def beside(path, end):
    return path.with_name(path.name + end)


def add(book, name):
    return book.client.post(GROUPS, json={"name": name, "type": "type_group"})


def ready(book):
    return plain_http.get(f"{book.server.url}/readyz").status_code


def backup(path, to):
    """Copy the book as it is now, through SQLite."""
    source = apsw.Connection(str(path))
    source.execute("VACUUM INTO ?", (str(to),))
    source.close()


def check(path):
    connection = apsw.Connection(str(path))
    found = connection.execute("PRAGMA integrity_check").get
    connection.close()
    return found


# Deleted, moved, replaced


def test_a_file_that_is_moved_away_takes_no_write_until_it_is_back(book, path):
    assert add(book, "before").status_code == 201
    path.rename(path.with_name("elsewhere.db"))

    for _ in range(4):
        answer = add(book, "while it is away")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "service_unavailable")
        assert ready(book) == 503
        assert book.client.get(CUSTOMERS).status_code == 200
    path.with_name("elsewhere.db").rename(path)

    assert [ready(book) for _ in range(4)] == [200] * 4
    assert {add(book, f"after {n}").status_code for n in range(4)} == {201}
    assert not [group for group in book.get(GROUPS)["data"] if group["name"] == "while it is away"]


def test_a_backup_in_the_place_of_the_file_is_opened_by_itself(book, path, tmp_path):
    backup(path, tmp_path / "copy.db")
    assert add(book, "after the backup").status_code == 201
    for end in LOGS:
        beside(path, end).unlink()
    (tmp_path / "copy.db").rename(path)

    answers = {add(book, f"restored {n}").status_code for n in range(4)}

    assert answers == {201}
    wait_until(lambda: {ready(book) for _ in range(4)} == {200}, "readiness")
    names = {group["name"] for group in book.get(GROUPS)["data"]}
    assert names == {f"restored {n}" for n in range(4)}
    assert check(path) == "ok"


def test_readers_see_a_replaced_file_too(book, path, tmp_path):
    backup(path, tmp_path / "copy.db")
    assert add(book, "after the backup").status_code == 201
    assert len(book.get(GROUPS)["data"]) == 1
    for end in LOGS:
        beside(path, end).unlink()
    (tmp_path / "copy.db").rename(path)

    def sees_it():
        return all(book.get(GROUPS)["data"] == [] for _ in range(4))

    wait_until(sees_it, "the backup in the answers", 20 * FOLLOW_SECONDS)


def test_the_log_of_the_file_that_was_there_is_not_taken_for_that_of_another(book, path, tmp_path):
    """SQLite would: the backup would read as what was there before, or as something in between."""
    backup(path, tmp_path / "copy.db")
    assert add(book, "after the backup").status_code == 201
    (tmp_path / "copy.db").rename(path)

    refused = {add(book, f"refused {n}").status_code for n in range(4)}
    wait_until(lambda: {ready(book) for _ in range(4)} == {503}, "the refusal of readiness")
    for end in LOGS:
        beside(path, end).rename(tmp_path / f"old{end}")

    assert refused == {503}
    assert {add(book, f"restored {n}").status_code for n in range(4)} == {201}
    assert len(book.get(GROUPS)["data"]) == 4
    assert check(path) == "ok"
    assert "is the log of what was there before" in book.server.log.read_text()


def test_what_was_begun_before_the_file_went_is_not_committed(tmp_path):
    url = Sqlite().new(tmp_path)
    path = locate(url).path
    with closing(open_database(Settings(database=url))) as database:
        _, key = _account(database)

        with pytest.raises(Unavailable, match="moved"), database.write(key) as writer:
            api_keys.create_key(writer, "test")
            path.rename(tmp_path / "elsewhere.db")
        (tmp_path / "elsewhere.db").rename(path)

        assert reading(database, key, api_keys.list_keys) == []


def test_what_waits_while_a_reader_follows_a_new_file_is_not_committed_into_the_old_one(tmp_path):
    """The thread that waits is in a statement, so the one that follows can't close what it has open."""
    url = Sqlite().new(tmp_path)
    path = locate(url).path
    with closing(open_database(Settings(database=url))) as database, ThreadPoolExecutor(1) as writer_thread:
        _, key = _account(database)
        # Open already, and so not noticed when it is opened.
        writer_thread.submit(write, database, key).result()
        assert numbers(database, key) == 1
        backup(path, tmp_path / "copy.db")
        with closing(apsw.Connection(str(path))) as other:
            other.execute("BEGIN IMMEDIATE")
            written = writer_thread.submit(write, database, key)
            # It has drawn its number, so from now on it waits inside of SQLite.
            wait_until(lambda: beside(path, "-turns").stat().st_size > 0, "the writer")
            for end in LOGS:
                beside(path, end).rename(tmp_path / f"old{end}")
            (tmp_path / "copy.db").rename(path)
            wait_until(lambda: _has_followed(database, key, path), "the reader")
            other.execute("COMMIT")

        with pytest.raises(Unavailable):
            written.result()
        assert writer_thread.submit(write, database, key).result()
        assert numbers(database, key) == 2
    assert check(path) == "ok"


@pytest.mark.parametrize("arguments", [("serve", "--port", "1"), ("accounts", "create", "X"), ("migrate",)])
@pytest.mark.parametrize("left", ["-wal", "-shm", "-turns"])
def test_where_a_book_was_no_empty_one_is_made(tmp_path, arguments, left):
    url = Sqlite().empty(tmp_path)
    path = locate(url).path
    beside(path, left).touch()

    done = CommandLine(tmp_path, url).run(*arguments)

    assert (done.returncode, f"book.db{left}" in done.stderr) == (1, True), done.stderr
    assert not path.exists()


def test_a_book_that_is_made_is_told(tmp_path):
    """Where a disk is not mounted, nothing shows that a book was there: but nobody takes it for the old one."""
    url = Sqlite().empty(tmp_path)

    done = CommandLine(tmp_path, url).run("accounts", "create", "X")

    assert f"Made a new, empty book: {url}." in done.stderr


# The log


def test_a_stop_leaves_everything_in_the_file(tmp_path):
    server = start_server(tmp_path, workers=2, database=Sqlite().new(tmp_path))
    book = Book(server)
    assert {add(book, f"{n}").status_code for n in range(20)} == {201}
    book.close()

    stop_server(server)

    path = locate(server.database).path
    assert server.process.returncode == 0
    assert [beside(path, end).exists() for end in LOGS] == [False, False]
    shutil.copy(path, tmp_path / "alone.db")
    rows = apsw.Connection(str(tmp_path / "alone.db")).execute("SELECT count(*) FROM account_groups").get
    assert rows == 20


def test_another_thread_closes_what_a_thread_has_opened(tmp_path):
    url = Sqlite().new(tmp_path)
    path = locate(url).path
    database = open_database(Settings(database=url))
    _, key = _account(database)

    _in_a_thread(lambda: writing(database, key, lambda writer: api_keys.create_key(writer, "test")))
    assert beside(path, "-wal").exists()
    _in_a_thread(database.close)

    assert not beside(path, "-wal").exists()
    # And what is asked for again is opened again.
    assert len(reading(database, key, api_keys.list_keys)) == 1
    database.close()


def test_the_log_is_small_again_after_a_reader_that_took_long(tmp_path):
    url = Sqlite().new(tmp_path)
    log = beside(locate(url).path, "-wal")
    with closing(open_database(Settings(database=url))) as database:
        _, key = _account(database)

        def fill(writer):
            writer._connection.execute("CREATE TABLE IF NOT EXISTS filling (text)")
            writer._connection.execute("INSERT INTO filling VALUES (randomblob(1000000))")

        reader = apsw.Connection(str(locate(url).path))
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM accounts").fetchall()
        while log.stat().st_size < 3 * LOG_BYTES:
            writing(database, key, fill)
        reader.execute("COMMIT")
        for _ in range(3):
            writing(database, key, lambda writer: None)

        assert log.stat().st_size <= LOG_BYTES
        reader.close()


@pytest.mark.parametrize("fails", [False, True])
def test_the_log_is_longer_while_many_rows_are_written_and_bounded(tmp_path, fails):
    url = Sqlite().new(tmp_path)
    log = beside(locate(url).path, "-wal")
    with closing(open_database(Settings(database=url))) as database:
        _, key = _account(database)
        longest = 0

        def fill(writer):
            writer._connection.execute("CREATE TABLE IF NOT EXISTS filling (text)")
            writer._connection.execute("INSERT INTO filling VALUES (randomblob(1000000))")

        with suppress(ZeroDivisionError), database.helped(key):
            for _ in range(40):
                writing(database, key, fill)
                longest = max(longest, log.stat().st_size)
            if fails:
                raise ZeroDivisionError
        for _ in range(3):
            writing(database, key, lambda writer: None)

        assert LOG_BYTES < longest <= LOG_BYTES * LOG_PAGES_OF_MANY / LOG_PAGES
        assert log.stat().st_size <= LOG_BYTES


# A disk that can't be written


@pytest.fixture
def folder():
    """A folder whose rights count, also where the tests run as root."""
    made = Path(tempfile.mkdtemp(prefix="tradebook-rights-"))
    # Now, as the other user may not be able to load what migrates.
    Sqlite().new(made)
    (made / "book.db").unlink()
    if os.geteuid() == 0:
        os.chown(made, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    yield made
    if os.getuid() == 0:
        os.seteuid(0)
    make_writable(made)
    shutil.rmtree(made)


def make_read_only(folder):
    for file in folder.iterdir():
        file.chmod(0o400)
    folder.chmod(0o500)


def make_writable(folder):
    folder.chmod(0o700)
    for file in folder.iterdir():
        file.chmod(0o600)


def _account(database):
    account = accounts.create_account(database, "A", "test")
    return account, accounts.find_account(database, account)[0]


def _has_followed(database, key, path):
    """Read, and tell whether what was read is the file that is there."""
    with database.read(key):
        return database._connections._file.number == path.stat().st_ino


def _in_a_thread(work):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


@contextmanager
def opened_read_only(folder, log_stays):
    """A book on a disk that can't be written, of before; and the account in it."""
    url = Sqlite().new(folder)
    with closing(open_database(Settings(database=url))) as before:
        _, key = _account(before)
        left = {file: file.read_bytes() for file in folder.iterdir()}
    if log_stays:
        # As after a kill. Another connection of this process would have the index of the log open already.
        for file, content in left.items():
            file.write_bytes(content)
    make_read_only(folder)
    yield url, key


def numbers(database, key):
    return len(reading(database, key, api_keys.list_keys))


def write(database, key):
    return writing(database, key, lambda writer: api_keys.create_key(writer, "test"))


@pytest.mark.parametrize("log_stays", [True, False], ids=["log", "no log"])
def test_started_on_what_cant_be_written_it_reads_and_writes_when_it_can(folder, log_stays):
    with (
        opened_read_only(folder, log_stays) as (url, key),
        closing(open_database(Settings(database=url))) as database,
    ):
        for _ in range(2):
            assert numbers(database, key) == 0
            assert not readiness.is_ready(database)
            with pytest.raises(Unavailable):
                write(database, key)
        make_writable(folder)

        write(database, key)
        assert readiness.is_ready(database)
        assert numbers(database, key) == 1


@pytest.mark.parametrize("log_stays", [True, False], ids=["log", "no log"])
def test_nobody_is_cut_where_the_file_could_be_written_and_what_lies_beside_it_not(folder, log_stays):
    with (
        opened_read_only(folder, log_stays) as (url, key),
        closing(open_database(Settings(database=url))) as database,
    ):
        locate(url).path.chmod(0o600)
        with database.read(key) as reader:
            for _ in range(2):
                _in_a_thread(lambda: numbers(database, key))
                with pytest.raises(Unavailable):
                    _in_a_thread(lambda: write(database, key))

            assert len(api_keys.list_keys(reader)) == 0


def test_a_stop_leaves_everything_in_a_file_that_can_be_written_again(folder):
    with opened_read_only(folder, True) as (url, key):
        with closing(open_database(Settings(database=url))) as database:
            assert numbers(database, key) == 0
            make_writable(folder)
            assert numbers(database, key) == 0

        assert not beside(locate(url).path, "-wal").exists()


def test_what_can_be_written_no_more_is_read_and_written_when_it_can(folder):
    url = Sqlite().new(folder)
    with closing(open_database(Settings(database=url))) as database:
        _, key = _account(database)
        write(database, key)
        assert readiness.is_ready(database)
        make_read_only(folder)

        assert not readiness.is_ready(database)
        assert numbers(database, key) == 1
        # Rights are asked for when a file is opened; a disk that turns read-only refuses each write.
        database.close()
        with pytest.raises(Unavailable):
            write(database, key)
        make_writable(folder)

        write(database, key)
        assert numbers(database, key) == 2


def test_what_was_written_to_while_it_was_read_without_locks_is_read_again(folder):
    """Nobody can write it, so it is read without locks; then somebody can."""
    with (
        opened_read_only(folder, False) as (url, key),
        closing(open_database(Settings(database=url))) as database,
    ):
        assert numbers(database, key) == 0
        with pytest.raises(Conflict), database.read(key):
            make_writable(folder)
            with closing(open_database(Settings(database=url))) as other:
                write(other, key)

        assert numbers(database, key) == 1


def test_commands_read_what_cant_be_written(folder):
    with opened_read_only(folder, False) as (url, _), tempfile.TemporaryDirectory() as other:
        command = CommandLine(Path(other), url)
        listed, checked, copied = (
            command.run(*each) for each in (("accounts", "list"), ("check",), ("backup", "copy.db"))
        )
        again = CommandLine(Path(other), f"sqlite:///{other}/copy.db").run("check")

    assert (listed.returncode, "ac_" in listed.stdout) == (0, True), listed.stderr
    for each in (checked, copied, again):
        assert each.returncode == 0, each.stdout + each.stderr
