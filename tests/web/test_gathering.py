"""The thread that changes a book on a file: what comes while it works shares a commit, and is told after it."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event

import apsw
import pytest

from tests.fixtures.application import Together, application, client_of
from tests.fixtures.disk import planted, watched_disk
from tests.fixtures.engines import Sqlite
from tradebook.app import open_database
from tradebook.resources import accounts, api_keys
from tradebook.settings import Settings
from tradebook.web.gathering import GatheringThread

GROUPS = "/v1/sales/account-groups"


class _Open:
    """What was done is open until it is settled."""

    is_open = True

    def settle(self):
        return None


@pytest.fixture
def thread():
    made = GatheringThread(lambda _: _Open(), lambda _: None)
    yield made
    made.shutdown()


class Disk:
    """What was synced on it; a sync fails where it `fails`."""

    def __init__(self):
        self.synced, self.fails = [], False

    def watch(self, operation):
        if operation.kind == "sync":
            self.synced.append(operation)
            if self.fails:
                raise planted(apsw.IOError, apsw.SQLITE_IOERR_FSYNC)


@pytest.fixture
def disk():
    made = Disk()
    with watched_disk(before=made.watch):
        yield made


@pytest.fixture
def together(tmp_path, monkeypatch, disk):
    """The service on a file, whose changes share a commit; and a client of it."""
    monkeypatch.setattr("tradebook.storage.sqlite.gathering.OPEN_SECONDS_MAX", 60)
    url = Sqlite().new(tmp_path)
    with closing(open_database(Settings(database=url))) as database:
        account, environment = accounts.find_account(database, accounts.create_account(database, "A", "test"))
        with database.write(account) as writer:
            _, secret = api_keys.create_key(writer, environment)
        with closing(Together(application(database, url), database)) as made:
            client = client_of(made, secret)
            add(client, "the first one, which opens the file")
            yield made, client


@pytest.mark.parametrize("number", [1, 5])
def test_what_comes_at_once_is_one_commit(together, disk, number):
    together, client = together
    before = len(disk.synced)
    together.hold(number)
    with ThreadPoolExecutor(number) as pool:
        made = list(pool.map(lambda n: add(client, f"{n}"), range(number)))

    assert len(disk.synced) - before == 1
    assert {each["id"] for each in made} <= {each["id"] for each in client.get(GROUPS).json()["data"]}


@pytest.mark.parametrize("number", [1, 5])
def test_a_commit_that_was_written_and_not_synced_is_in_doubt_for_all(together, disk, tmp_path, number):
    """Whoever opens the file after a kill finds it. One with a key may be sent again in any case."""
    together, client = together
    (kept,) = client.get(GROUPS).json()["data"]
    requests = [
        ("PATCH", f"{GROUPS}/{kept['id']}", {"description": "changed"}, {}),
        *(("POST", GROUPS, {"name": f"{n}", "type": "type_group"}, {}) for n in range(3)),
        ("POST", GROUPS, {"name": "with a key", "type": "type_group"}, {"Idempotency-Key": "K"}),
    ][:number]

    def ask(request):
        method, path, body, headers = request
        return client.request(method, path, json=body, headers=headers)

    disk.fails = True
    together.hold(number)
    with ThreadPoolExecutor(number) as pool:
        answers = list(pool.map(ask, requests))
    left = shutil.copytree(tmp_path, tmp_path / "killed")
    disk.fails = False

    for (*_, headers), answer in zip(requests, answers, strict=True):
        told = answer.status_code, answer.json()["error"]["code"], answer.headers["x-should-retry"]
        is_safe = "Idempotency-Key" in headers
        assert told == (503, *(("service_unavailable", "true") if is_safe else ("outcome_in_doubt", "false")))
    assert client.get(GROUPS).json()["data"] == [kept]
    with closing(apsw.Connection(str(left / "book.db"))) as found:
        assert found.execute("SELECT count(*) FROM account_groups WHERE description = 'changed'").get == 1
    assert ask(requests[-1]).status_code in (200, 201)


def add(client, name):
    answer = client.post(GROUPS, json={"name": name, "type": "type_group"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_call_that_fails_is_told_to_nobody_else(thread):
    may_begin = Event()
    asked = [
        thread.submit(call, 1) for call in (lambda _: may_begin.wait(30), lambda n: n / 0, lambda n: n + 1)
    ]
    may_begin.set()

    assert asked[0].result(30)
    assert isinstance(asked[1].exception(30), ZeroDivisionError)
    assert asked[2].result(30) == 2


def test_nobody_is_called_who_waits_no_more(thread):
    may_begin, called = Event(), []
    first = thread.submit(lambda _: may_begin.wait(30), None)
    given_up, last = (thread.submit(called.append, name) for name in ("given up", "last"))
    assert given_up.cancel()
    may_begin.set()

    assert first.result(30)
    last.result(30)
    assert called == ["last"]


def test_a_thread_that_ends_answers_what_was_asked():
    thread = GatheringThread(lambda _: _Open(), lambda _: None)
    asked = [thread.submit(str, number) for number in range(20)]

    thread.shutdown()

    assert [each.result(0) for each in asked] == [f"{number}" for number in range(20)]
