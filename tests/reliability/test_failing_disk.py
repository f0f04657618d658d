"""A disk that fails: no success is told that is none, refusals are 503, reading goes on, and all is well again after."""

import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import partial
from itertools import product
from types import SimpleNamespace

import apsw
import pytest

from tests.contract.checks import check_envelope
from tests.fixtures import plain_http
from tests.fixtures.application import Together, application, client_of
from tests.fixtures.book import Book, walk
from tests.fixtures.command_line import CommandLine
from tests.fixtures.disk import planted, watched_disk
from tests.fixtures.engines import Sqlite
from tests.fixtures.lengths import IS_SOAK, length
from tests.fixtures.samples import Maker
from tests.fixtures.server import serving
from tests.reliability.journal import plant
from tradebook.app import open_database
from tradebook.resources import accounts, api_keys, customers
from tradebook.settings import Settings
from tradebook.storage.database import Unavailable
from tradebook.storage.sqlite.engine import SqliteDatabase
from tradebook.storage.sqlite.gathering import Gathering

CUSTOMERS, GROUPS = "/v1/sales/customers", "/v1/sales/account-groups"
BOOKS, ROUNDS = length((1, 30), (100, 40))
SEED = random.SystemRandom().randrange(2**32) if IS_SOAK else 1


FAULTS = {
    "write errors": ({"write"}, partial(planted, apsw.IOError, apsw.SQLITE_IOERR_WRITE), 60),
    "sync errors": ({"sync"}, partial(planted, apsw.IOError, apsw.SQLITE_IOERR_FSYNC), 4),
    "no room": ({"write", "truncate"}, partial(planted, apsw.FullError), 60),
    "nothing can be opened": ({"open"}, partial(planted, apsw.CantOpenError), 2),
    "everything fails": (
        {"write", "sync", "truncate", "open", "delete"},
        partial(planted, apsw.IOError, apsw.SQLITE_IOERR_WRITE),
        40,
    ),
}
"""Which operations fail, with what, and how many of them may be done before."""


class Trouble:
    """A disk that is well until it is told to fail."""

    def __init__(self):
        self._left, self.met = None, 0

    def begin(self, kinds, failure, *, after, lasts):
        """Let the disk fail at such an operation after so many of them: once, or from then on."""
        self._kinds, self._failure, self._left, self._lasts = kinds, failure, after, lasts

    def end(self):
        """Let the disk be well again."""
        self._left = None

    def watch(self, operation):
        if self._left is None or operation.kind not in self._kinds:
            return
        self._left -= 1
        if self._left == 0 or (self._left < 0 and self._lasts):
            self.met += 1
            raise self._failure()


@pytest.fixture
def trouble():
    made = Trouble()
    with watched_disk(before=made.watch):
        yield made


class Client:
    """A client of the application in this process, which knows what it was promised."""

    def __init__(self, url, secret, seed, *, together):
        self.database = open_database(Settings(database=url, database_timeout_ms=500))
        self._app = Together(application(self.database, url), self.database)
        self.client = client_of(self._app, secret)
        self._together = together
        self._draw = random.Random(seed)
        self.kept, self.undone, self.faults = {}, {}, []
        self.operations = 0

    def write(self, names, body):
        """Create a customer or a group of each name, with a key or without; those that go together at once."""
        asked = [self._drawn(name, body) for name in names]
        if self._together:
            self._app.hold(len(asked))
        with ThreadPoolExecutor(len(asked) if self._together else 1) as threads:
            for name, request, key, answer in threads.map(self._post, asked):
                self._note(name, request, key, answer)

    def _drawn(self, name, body):
        key = {"Idempotency-Key": name} if self._draw.random() < 0.5 else {}
        request = (CUSTOMERS, body | {"name": name})
        if self._draw.random() < 0.5:
            request = (GROUPS, {"name": name, "type": "type_group", "description": "x " * 3_000})
        return name, request, key

    def _post(self, asked):
        _, (path, body), key = asked
        return *asked, self.client.post(path, json=body, headers=key)

    def _note(self, name, request, key, answer):
        self.operations += 1
        if answer.status_code == 201:
            self.kept[name] = answer.json()["id"]
        elif answer.status_code == 503:
            check_envelope(answer, 503, code=answer.json()["error"]["code"])
            if answer.json()["error"]["code"] != "outcome_in_doubt":
                self.undone[name] = (request, key)
        else:
            self.faults.append(f"{answer.status_code} to {name}")

    def read(self, *, may_fail=False):
        """Read what was kept, each thing by its own path."""
        for name in self._draw.sample(sorted(self.kept), min(3, len(self.kept))):
            path = CUSTOMERS if self.kept[name].startswith("ac_") else GROUPS
            status = self.client.get(f"{path}/{self.kept[name]}").status_code
            if status != 200 and not (may_fail and status == 503):
                self.faults.append(f"reading answered {status}")

    def try_again(self):
        """The disk is well: what was refused is not there, and can be done."""
        there = self.names()
        self.faults += [f"refused, and there: {name}" for name in self.undone if name in there]
        for name, ((path, body), key) in self.undone.items():
            answer = self.client.post(path, json=body, headers=key)
            if answer.status_code != 201:
                self.faults.append(f"afterwards {answer.status_code} to {name}")
        self.undone.clear()

    def close(self):
        self.client.close()
        self._app.close()
        self.database.close()

    def names(self):
        listed = [*walk(self.client, CUSTOMERS, limit=1000), *walk(self.client, GROUPS, limit=1000)]
        return {each["name"]: each["id"] for each in listed}


@contextmanager
def new_book(folder):
    """Make a book with an account; yields its URL, the secret of a key, and a client that asks in process."""
    url = Sqlite().new(folder)
    with closing(open_database(Settings(database=url))) as database:
        account, environment = accounts.find_account(database, accounts.create_account(database, "A", "test"))
        with database.write(account) as writer:
            _, secret = api_keys.create_key(writer, environment)
        with client_of(application(database, url), secret) as http:
            yield url, secret, http


def work_on(folder, trouble, rounds, seed=1, *, together=False):
    """Write and read while the disk fails again and again, each time in another way; returns the client."""
    with new_book(folder) as (url, secret, http):
        body = Maker(SimpleNamespace(client=http)).required(customers.resource)
    client, draw = Client(url, secret, seed, together=together), random.Random(seed)
    ways = list(product(FAULTS.values(), (False, True)))
    for number in range(rounds):
        (kinds, failure, latest), lasts = ways[number % len(ways)]
        opens = "open" in kinds
        if opens:
            # As after a restart: nothing is open.
            client.database.close()
        trouble.begin(kinds, failure, after=draw.randint(1, latest), lasts=lasts)
        names = [f"{number} {place}" for place in range(4)]
        for some in [names] if together else [[name] for name in names]:
            client.write(some, body)
            client.read(may_fail=opens)
        trouble.end()
        client.try_again()
    found = client.names()
    client.faults += [f"lost: {name}" for name, key in client.kept.items() if found.get(name) != key]
    client.close()
    return client


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "together"])
def test_a_failing_disk_loses_nothing_and_stops_no_reader(tmp_path, trouble, figures, together):
    faults, operations = [], 0
    for number in range(BOOKS):
        (folder := tmp_path / str(number)).mkdir()
        client = work_on(folder, trouble, ROUNDS, SEED + number, together=together)
        faults += client.faults + broken(folder / "book.db")
        operations += client.operations

    figures(BOOKS * ROUNDS, operations, len(faults), failures=trouble.met, seed=SEED)
    assert faults == []
    assert trouble.met >= BOOKS * ROUNDS // 2


def broken(path):
    with closing(apsw.Connection(str(path))) as connection:
        return [line for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]


class _NotSaid(Exception):
    pass


def test_a_success_that_is_none_is_noticed(tmp_path, trouble, monkeypatch):
    """The tooth: what fails at the commit is answered as if it had not."""
    write = SqliteDatabase.write

    @contextmanager
    def hopeful(self, account_id):
        with suppress(Unavailable, _NotSaid), write(self, account_id) as writer:
            yield writer
            if trouble.met % 2:
                raise _NotSaid

    monkeypatch.setattr(SqliteDatabase, "write", hopeful)

    client = work_on(tmp_path, trouble, 10)

    assert any(fault.startswith("lost: ") for fault in client.faults)


def test_a_shared_commit_that_fails_in_silence_is_noticed(tmp_path, trouble, monkeypatch):
    """The tooth: those that wait for the commit of another one are told success, whatever came of it."""
    settle = Gathering.settle
    monkeypatch.setattr(Gathering, "settle", lambda self: settle(self) and None)

    client = work_on(tmp_path, trouble, 10, together=True)

    assert any(fault.startswith("lost: ") for fault in client.faults)


@contextmanager
def disk_of(folder, size):
    """Put a disk of its own, of a size, in the place of a folder."""
    folder.mkdir()
    options = f"size={size},mode=1777"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"A disk of its own can't be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def full_folder(tmp_path):
    """A folder on a disk of its own, which has no room left."""
    with disk_of(tmp_path / "full", "256k") as folder:
        yield folder


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own, with room for a small book."""
    with disk_of(tmp_path / "small", "4m") as folder:
        yield folder


NOWHERE_ELSE = """
    import os, tempfile
    tempfile._candidate_tempdir_list = lambda: [os.environ["TMPDIR"]]
"""
"""As where all temporary folders are on one disk: Python would look for another."""


def fill(folder):
    """Write until there is no room for a byte."""
    with pytest.raises(OSError, match="No space left"), (folder / "filling").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4_096))


def test_a_book_whose_disk_is_full_is_not_ready_until_there_is_room(small_disk):
    with new_book(small_disk) as (_, _, client):
        fill(small_disk)

        # The log as it is may have room for some.
        written = (add_group(client, number).status_code for number in range(100))
        assert next(status for status in written if status != 201) == 503
        assert client.get("/readyz").status_code == 503
        assert client.get(CUSTOMERS).status_code == 200

        (small_disk / "filling").unlink()
        assert client.get("/readyz").status_code == 200
        assert add_group(client, "last").status_code == 201


def add_group(client, name):
    return client.post(GROUPS, json={"name": f"{name}", "type": "type_group"})


def test_a_backup_onto_a_full_disk_says_so_and_leaves_no_file(tmp_path, full_folder):
    command = CommandLine(tmp_path, Sqlite().new(tmp_path))
    fill(full_folder)

    done = command.run("backup", "full/copy.db")

    assert done.stderr == "Error: There is no backup: full/copy.db: No space left on device.\n"
    assert [path.name for path in full_folder.iterdir()] == ["filling"]


@pytest.mark.parametrize("when", ["before the start", "while it serves"])
def test_a_full_temporary_folder_stops_no_server(tmp_path, full_folder, monkeypatch, when):
    plant(monkeypatch, tmp_path, NOWHERE_ELSE)
    monkeypatch.setenv("TMPDIR", str(full_folder))
    monkeypatch.setenv("TRADEBOOK_RATE_LIMIT", "1000000")
    (tmp_path / "book").mkdir()
    database = Sqlite().new(tmp_path / "book")
    if when == "before the start":
        fill(full_folder)
    with serving(tmp_path, database=database) as server:
        if when == "while it serves":
            fill(full_folder)

        assert statuses_of(server) == {200, 201, 401}
    assert server.process.returncode == 0


def statuses_of(server):
    """Read and write with many keys and without one."""
    found = set()
    for _ in range(20):
        with closing(Book(server)) as book:
            found |= {
                book.client.get(CUSTOMERS).status_code,
                book.client.post(GROUPS, json={"name": "A", "type": "type_group"}).status_code,
                plain_http.get(f"{server.url}/readyz").status_code,
                plain_http.get(f"{server.url}{CUSTOMERS}").status_code,
            }
    return found
