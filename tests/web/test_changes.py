"""Changes: called once with their body where nothing speaks against awaiting it first, else after a look at the head."""

import asyncio
import json
import os
import threading

import pytest

from tests.fixtures.rsgi import Scope, Transport
from tests.fixtures.uploads import IMPORTS, settled
from tradebook import app as product
from tradebook.settings import Settings
from tradebook.storage.sqlite.engine import SqliteDatabase
from tradebook.web.connections import Connections
from tradebook.web.cors import Cors
from tradebook.web.rsgi import Worker

TERMS = "/v1/finance/payment-terms"
JSON = ("content-type", "application/json")
EXPECT, CHUNKED = ("expect", "100-continue"), ("transfer-encoding", "chunked")


class Sent(Transport):
    """A request with its body, which waits for its answer."""

    def __init__(self, body):
        super().__init__()
        self._body, self.has_answer = body, asyncio.Event()

    def response_bytes(self, status, headers, body):
        super().response_bytes(status, headers, body)
        self.has_answer.set()

    async def __aiter__(self):
        yield self._body
        yield b""


class Counted:
    """A worker, and how often its application is called for a request."""

    def __init__(self, book, gather=None):
        made = Settings(database=book.server.database, log_requests=False)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tradebook.app.open_database", lambda _: book.database)
            app, service = product._put_together(made)

        def called(environ, start):
            self.calls += 1
            return app(environ, start)

        self.worker = Worker(
            called, service.bodies, service.uploads, service.authenticator, threads=product.ON_A_FILE,
            read_queue_seconds=9, write_queue_seconds=9,
            connections=Connections(1, per_address_max=9, in_all_max=9, send_seconds_max=9, unread_bytes_max=9),
            cors=Cors(""), send_seconds_max=9, gather=gather, parent=os.getppid(), close=lambda: None,
        )  # fmt: skip
        self.key, self.uploads, self.calls = book.key, service.uploads, 0

    def ask(self, body, *pairs, method="POST", url=TERMS, key=None):
        """Send a request; returns its status, its JSON, and how often the application was called for it."""
        self.calls = 0
        sent = self.request(body, *pairs, method=method, url=url, key=key)
        [(status, _, answer)] = asyncio.run(self.answers(sent))
        return status, json.loads(answer), self.calls

    def request(self, body, *pairs, method="POST", url=TERMS, key=None):
        """Make a request, as it is handed over."""
        sent = [("host", "x"), ("authorization", f"Bearer {key or self.key}"), *pairs]
        if body and CHUNKED not in pairs:
            sent.append(("content-length", str(len(body))))
        return Scope(*sent, method=method, url=url), Sent(body)

    async def answers(self, *requests):
        """Send requests at once; returns their answers."""
        self.worker.meet(requests)
        for _, transport in requests:
            await asyncio.wait_for(transport.has_answer.wait(), 30)
        return [transport.answer for _, transport in requests]


@pytest.fixture
def counted(book):
    """A worker that knows the key of the book."""
    made = Counted(book)
    assert made.ask(b"", method="GET")[0] == 200
    return made


# Where the book is on a server, it is only other threads.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def named(name):
    return json.dumps({"name": name}).encode()


def test_a_small_change_with_a_known_key_is_one_call(counted):
    status, made, calls = counted.ask(named("Net 7"), JSON)
    assert (status, made["name"], calls) == (201, "Net 7", 1)

    assert counted.ask(named("Net 8"), JSON, method="PATCH", url=f"{TERMS}/{made['id']}")[::2] == (200, 1)
    assert counted.ask(b"", method="DELETE", url=f"{TERMS}/{made['id']}")[::2] == (200, 1)


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (named("x" * 100_000), [JSON]),
        (named("A"), [JSON, EXPECT]),
        (named("A"), [JSON, CHUNKED]),
        (named("A"), [("content-type", "text/csv")]),
        (named("A"), [JSON, ("idempotency-key", "a"), ("idempotency-key", "b")]),
    ],
)
def test_the_head_is_looked_at_first_where_a_body_is_large_or_none_that_is_usual(counted, body, pairs):
    """Then it is called a second time, unless the head is refused."""
    ways = counted.worker._change, []

    async def change(request):
        ways[1].append(counted.calls)
        return await ways[0](request)

    counted.worker._change = change
    counted.ask(body, *pairs)

    assert ways[1] in ([], [1])
    assert counted.calls == 1 + len(ways[1])


def test_a_key_that_is_not_known_is_looked_up_before_its_body_is_awaited(counted):
    status, refused, calls = counted.ask(named("A"), JSON, key="tb_sk_test_none")

    assert (status, refused["error"]["code"], calls) == (401, "invalid_credentials", 1)


def test_what_is_wrong_is_told_as_after_a_look_at_the_head(counted):
    """A path that is none, a method that is none, a body that is none: each way answers the same."""
    for body, method, url in (
        (named("A"), "POST", "/v1/nothing"),
        (named("A"), "PUT", TERMS),
        (b"{}", "POST", TERMS),
        (b"{", "POST", TERMS),
        (b"", "POST", TERMS),
    ):
        usual = counted.ask(body, *([JSON] if body else []), method=method, url=url)
        looked = counted.ask(body, *([JSON] if body else []), EXPECT, method=method, url=url)

        assert usual[2] == 1
        for answer in (usual, looked):
            answer[1]["error"].pop("request_log_url", None)
        assert usual[:2] == looked[:2]


def test_a_file_is_held_until_the_row_that_names_it_is_committed(book, monkeypatch):
    """Else it is swept, where its row is committed with those of others, after the call."""
    monkeypatch.setattr("tradebook.storage.sqlite.gathering.OPEN_SECONDS_MAX", 60)
    commit, has_begun, may_begin = SqliteDatabase._commit, threading.Event(), threading.Event()

    def sweep_and_commit(database, connection):
        made.uploads._folder.sweep(lambda _: False)
        commit(database, connection)

    monkeypatch.setattr(SqliteDatabase, "_commit", sweep_and_commit)
    made = Counted(book, book.database.gather)
    writers, waits = made.worker._writers, asyncio.Event()
    submit = writers.submit

    def noted(*asked):
        waits.set()
        return submit(*asked)

    async def story():
        submit(lambda _: has_begun.set() or may_begin.wait(30), None)
        assert has_begun.wait(30)
        monkeypatch.setattr(writers, "submit", noted)
        file = made.request(b"number,name\nU1,u\n", ("content-type", "text/csv"), url=IMPORTS)
        asked = []
        for request in (file, made.request(named("Other"), JSON)):
            waits.clear()
            asked.append(asyncio.create_task(made.answers(request)))
            await asyncio.wait_for(waits.wait(), 30)
        may_begin.set()
        return [answer for each in asked for answer in await each]

    answers = asyncio.run(story())
    writers.shutdown()

    assert [status for status, *_ in answers] == [202, 201]
    assert settled(book.client, dict(answers[0][1])["location"])["state"] == "planned"
