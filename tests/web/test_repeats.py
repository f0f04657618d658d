"""Pages that are answered again before the application is called: nobody can tell, and nothing is ever stale."""

import asyncio
import json
import os
import re
from base64 import b64encode

import pytest

from tests.fixtures.rsgi import Scope, Transport
from tradebook import app as product
from tradebook.clock import now_ms
from tradebook.crud.resource import ItemRoute, ListRoute
from tradebook.resources import ALL
from tradebook.settings import Settings
from tradebook.web import repeats
from tradebook.web.connections import Connections
from tradebook.web.cors import Cors
from tradebook.web.heads import environ_of
from tradebook.web.log import TOGETHER_BYTES_MAX, write_gathered
from tradebook.web.middleware import REPEATABLE
from tradebook.web.repeats import READ, Repeats
from tradebook.web.rsgi import Worker

CUSTOMERS = "/v1/sales/customers"
ORIGIN = "https://pages.example"
ASKED_OFTEN = 3
"""How often a page is asked for until it is answered again: it is made, found, and then known."""

# Where the book is on a server, every request goes to the application.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


class Both:
    """One book, asked in two ways: by the application alone, and with what can be answered again."""

    def __init__(self, book, **settings):
        told = {
            "rate_limit": 0,
            "log_requests": True,
            "run_folder": str(settings.pop("folder", "")),
            **settings,
        }
        made = Settings(database=book.server.database, **told)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tradebook.app.open_database", lambda _: book.database)
            self.app, self.service = product._put_together(made)
        self.calls = 0
        service, self.looks = self.service, 0
        self.known = Repeats(service.authenticator, service.pages, self.revision, log_requests=True)
        self.always, self.again = self._worker(None), self._worker(self.known)
        self.book = book

    def revision(self, account_id):
        self.looks += 1
        return self.service.database.revision(account_id)

    def _worker(self, known):
        def called(environ, start):
            self.calls += 1
            return self.app(environ, start)

        service = self.service
        return Worker(
            called, service.bodies, service.uploads, service.authenticator, threads=product.ON_A_FILE,
            read_queue_seconds=1, write_queue_seconds=1,
            connections=Connections(1, per_address_max=9, in_all_max=9, send_seconds_max=9, unread_bytes_max=9),
            cors=Cors(ORIGIN), send_seconds_max=9, repeats=known, parent=os.getppid(), close=lambda: None,
        )  # fmt: skip

    def ask(self, worker, scope):
        """Ask a worker: status, headers and body."""
        transport = Transport()
        asyncio.run(worker.__rsgi__(scope, transport))
        return transport.answer

    def head(self, url=CUSTOMERS, *pairs, method="GET", key=None, **others):
        """Write a request with the key of the book, where no other one is given."""
        sent = [("host", "x"), ("x-request-id", "one"), *pairs]
        if key != "" and not any(name == "authorization" for name, _ in pairs):
            sent.append(("authorization", f"Bearer {key or self.book.key}"))
        return Scope(*sent, method=method, url=url, **others)

    def get(self, *pairs, url=CUSTOMERS, often=1, **others):
        """Ask so often that it could be answered again, and return the last answer."""
        return [self.ask(self.again, self.head(url, *pairs, **others)) for _ in range(often)][-1]

    def is_answered_again(self, *pairs, **others):
        """Tell whether a request is answered without a call of the application."""
        before = self.calls
        self.get(*pairs, **others)
        return self.calls == before


@pytest.fixture
def both(book):
    book.add(*({"number": f"n{n}", "name": f"Customer {n}", "price_groups": ["A"]} for n in range(30)))
    return Both(book)


def urls(both):
    """Every path that is read, with ids that are there."""
    ids = {}
    routes = [route for each in ALL for route in each.routes if isinstance(route, ListRoute | ItemRoute)]
    for route in sorted(routes, key=lambda route: len(route.path_objects)):
        parts = {}
        for each in route.path_objects:
            for param in each.params:
                parts[param] = (
                    "n1" if each.by is not None else ids.get(each.id_prefix, f"{each.id_prefix}_{'0' * 13}")
                )
        url = route.path.format(**parts)
        yield url
        if isinstance(route, ListRoute):
            status, _, body = both.ask(both.always, both.head(url))
            for entry in json.loads(body)["data"] if status == 200 else ():
                prefix = entry["id"].partition("_")[0]
                ids.setdefault(prefix, entry["id"])


def heads(both):
    """Requests of every kind: ordinary ones, those that are refused, and those that look alike."""
    etag = dict(both.ask(both.always, both.head())[1])["etag"]
    given = [[], *([(name, value)] for name, value in (
        ("if-none-match", etag), ("if-none-match", f"W/{etag}"), ("if-none-match", '"other"'), ("if-none-match", "*"),
        ("if-match", etag), ("accept-encoding", "gzip"), ("accept-encoding", "zstd, gzip;q=0.5"),
        ("accept-encoding", "identity"), ("accept-encoding", "br"), ("accept", "application/json"),
        ("accept", "*/*"), ("augno-account", both.book.account), ("openmrp-account", both.book.account),
        ("augno-account", "ac_0000000000000"), ("augno-account", "nonsense"), ("origin", ORIGIN),
        ("origin", "https://others.example"), ("request-id", "two"), ("x-request-id", "doubled"), ("cookie", "a=b"),
        ("content-length", "0"), ("content-length", "5"), ("transfer-encoding", "chunked"), ("host", "other"),
        ("x-name", "caf\xe9"), ("traceparent", "00-1-2-01"),
        ("transfer-encoding", "gzip"), ("idempotency-key", "a"), ("authorization", "nonsense"),
        ("authorization", "Basic " + b64encode(f"{both.book.key}:".encode()).decode()),
    )), [("if-none-match", etag), ("accept-encoding", "gzip")], [("accept", "a"), ("accept", "b")],
        [("accept", "*/*"), ("accept", "*/*")], [("user-agent", "a"), ("user-agent", "b"), ("x-name", "\xe9")],
        [("x-name", "a"), ("x-name", "\xe9")]]  # fmt: skip
    for pairs in given:
        for method in ("GET", "HEAD"):
            yield both.head(CUSTOMERS, *pairs, method=method)
    for url in (f"{CUSTOMERS}?limit=3", f"{CUSTOMERS}?limit=3&include=price_groups", f"{CUSTOMERS}?&limit=3&",
                f"{CUSTOMERS}?limit=0", f"{CUSTOMERS}?q=%ff", f"{CUSTOMERS}/nobody", f"{CUSTOMERS}/", "/v1/nowhere",
                f"/{CUSTOMERS}", "/healthz", "/errors", f"{CUSTOMERS}?q=caf%C3%A9"):  # fmt: skip
        yield both.head(url)
        yield both.head(url, ("accept-encoding", "gzip"))
    for method in ("DELETE", "OPTIONS", "TRACE", "get", "Q"):
        yield both.head(method=method)
    yield both.head(key="")
    yield both.head(http_version="1")
    yield Scope(("authorization", f"Bearer {both.book.key}"), method="GET", url=CUSTOMERS)
    yield Scope(("authorization", f"Bearer {both.book.key}"), method="GET", url=CUSTOMERS, http_version="1")


def lines(text):
    """The lines of the log, without what is different in each."""
    found = [json.loads(line) for line in text.splitlines()]
    return [plain((list(line), {**line, "timestamp": 0, "ms": 0})) for line in found]


def plain(told):
    """Ids that were made for requests look alike here."""
    return re.sub("req_[0-9a-f]{20}", "req_made", repr(told))


def compared(both, scopes, capfd):
    """Ask for each in both ways: what was different, and how many were answered again."""
    different, again = [], 0
    for scope in scopes:
        capfd.readouterr()
        alone = both.ask(both.always, scope)
        write_gathered()
        told = lines(capfd.readouterr().err)
        for _ in range(ASKED_OFTEN):
            before = both.calls
            answer = both.ask(both.again, scope)
            again += both.calls == before
            write_gathered()
            if plain(answer) != plain(alone) or lines(capfd.readouterr().err) != told:
                different.append((scope.method, scope.path, scope.headers.items(), alone[:2], answer[:2]))
    return different, again


def test_every_answer_is_the_same_to_the_byte_and_so_is_its_line_in_the_log(both, capfd):
    scopes = [
        *heads(both),
        *(both.head(url, method=method) for url in urls(both) for method in ("GET", "HEAD")),
    ]

    different, again = compared(both, scopes, capfd)

    assert different == [], different[0]
    assert again > len(scopes) / 2


def test_a_worker_that_forgets_what_an_answer_depends_on_is_caught(both, capfd, monkeypatch):
    """The comparison finds a planted fault."""
    monkeypatch.setattr(repeats, "READ", ("authorization", "host"))

    different, _ = compared(both, heads(both), capfd)

    assert different


class Noting(dict):
    """An environment that notes which headers are looked at."""

    def __init__(self, *given):
        super().__init__(*given)
        self.seen = set()

    def get(self, name, other=None):
        self.seen.add(name)
        return super().get(name, other)

    def __getitem__(self, name):
        self.seen.add(name)
        return super().__getitem__(name)

    def __contains__(self, name):
        self.seen.add(name)
        return super().__contains__(name)


def test_it_is_found_by_every_header_that_the_application_looks_at(both):
    """Whatever begins to read another header of a page has to name it there."""
    seen = set()
    kept = [*heads(both), *map(both.head, urls(both))]
    for scope in kept:
        for _ in range(ASKED_OFTEN - 1):
            environ = Noting(environ_of(scope))
            both.app(environ, lambda *_: None)
        if REPEATABLE in environ:
            seen |= environ.seen

    headers = {name.removeprefix("HTTP_") for name in seen if name.startswith(("HTTP_", "CONTENT_"))}
    read = {name.replace("_", "-").lower() for name in headers}
    assert {"authorization", "if-none-match", "accept-encoding"} <= read
    assert read <= {*READ, "x-request-id", "request-id"}


@pytest.mark.parametrize("in_this_process", [True, False])
def test_what_has_changed_is_never_answered_again(both, in_this_process):
    for number in range(3):
        before = both.get(often=ASKED_OFTEN)
        assert both.is_answered_again()

        if in_this_process:
            both.book.add({"number": f"new{number}", "name": "New"})
        else:
            both.book.client.post(
                "/v1/finance/payment-terms", json={"name": f"Net {number}"}
            ).raise_for_status()

        again = both.get()
        assert again == both.ask(both.always, both.head())
        assert again != before


def test_all_that_have_come_share_a_look_and_whoever_comes_later_has_a_later_one(both):
    both.get(often=ASKED_OFTEN)
    before, answers = both.get(), []

    async def ask():
        transport = Transport()
        await both.again.__rsgi__(both.head(), transport)
        answers.append(transport.answer)

    async def story():
        loop, later = asyncio.get_running_loop(), []

        def change():
            both.book.add({"number": "new", "name": "New"})
            later.append(loop.create_task(ask()))

        tasks = [loop.create_task(ask()) for _ in range(3)]
        loop.call_soon(change)
        await asyncio.gather(*tasks)
        await asyncio.gather(*later)

    both.looks = 0
    asyncio.run(story())

    assert answers[:3] == [before] * 3
    assert answers[3] == both.ask(both.always, both.head()) != before
    assert both.looks == 2


def test_whoever_is_met_later_has_a_later_look(both):
    """Also where the loop has had no round meanwhile."""
    both.get(often=ASKED_OFTEN)
    before, transports = both.get(), [Transport(), Transport()]

    async def story():
        both.again.meet([(both.head(), transports[0])])
        both.book.add({"number": "new", "name": "New"})
        both.again.meet([(both.head(), transports[1])])
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    asyncio.run(story())

    assert transports[0].answer == before
    assert transports[1].answer == both.ask(both.always, both.head()) != before


def test_a_key_that_is_revoked_opens_nothing_from_then_on(both):
    key_id, key = both.book.new_key()
    both.get(key=key, often=ASKED_OFTEN)
    assert both.is_answered_again(key=key)

    both.book.client.delete(f"/v1/auth/api-keys/{key_id}").raise_for_status()

    status, _, body = both.get(key=key)
    assert (status, json.loads(body)["error"]["code"]) == (401, "api_key_revoked")
    assert both.get()[0] == 200


def test_a_key_that_has_expired_opens_nothing_from_then_on(both, monkeypatch):
    _, key = both.book.new_key(expires_at=now_ms() + 3_600_000)
    both.get(key=key, often=ASKED_OFTEN)
    assert both.is_answered_again(key=key)

    later = now_ms() + 3_600_001
    monkeypatch.setattr("tradebook.crud.grant.now_ms", lambda: later)

    status, _, body = both.get(key=key)
    assert (status, json.loads(body)["error"]["code"]) == (401, "api_key_expired")


def test_each_is_counted_and_told_so_until_there_are_too_many(book, tmp_path, capfd):
    book.add({"number": "n1", "name": "One"})
    both = Both(book, rate_limit=8, account_rate_limit=100, folder=tmp_path)
    answers = [both.get() for _ in range(9)]
    alone = both.ask(both.always, both.head())

    assert [status for status, _, _ in answers] == [200] * 8 + [429]
    told = [dict(headers)["ratelimit-remaining"] for _, headers, _ in answers]
    assert told == ["7", "6", "5", "4", "3", "2", "1", "0", "0"]
    assert both.calls == ASKED_OFTEN - 1 + 2
    assert plain(answers[-1]).replace("reset", "") == plain(alone).replace("reset", "")


def test_what_is_remembered_is_bounded(both, monkeypatch):
    monkeypatch.setattr(repeats, "BYTES_MAX", 200_000)
    small = Both(both.book)
    for number in range(200):
        small.get(("if-none-match", f'"{number}"'), often=ASKED_OFTEN)
    known = small.known._known

    assert 20 < len(known._new) + len(known._old) < 70
    long = ("if-none-match", ", ".join(f'"{number}"' for number in range(1_000)))
    small.get(long, often=ASKED_OFTEN)
    assert not small.is_answered_again(long)


def test_a_page_that_is_kept_no_more_is_made_anew(both):
    both.get(often=ASKED_OFTEN)
    both.service.pages._pages.clear()

    assert not both.is_answered_again()
    assert both.get() == both.ask(both.always, both.head())


def test_lines_are_written_together_in_their_order_and_soon(both, monkeypatch):
    writes, all_written = [], asyncio.Event()
    both.get(often=ASKED_OFTEN)
    write_gathered()

    def write(text):
        writes.append(text)
        if len(b"".join(writes).splitlines()) == 70:
            all_written.set()

    monkeypatch.setattr("tradebook.web.log._write", write)

    async def asked():
        for _ in range(70):
            await both.again.__rsgi__(both.head(), Transport())
        gathered = len(writes)
        await all_written.wait()
        return gathered

    gathered = asyncio.run(asked())
    both.get(often=2)
    both.again.__rsgi_del__(None)
    assert len(b"".join(writes).splitlines()) == 72
    assert 0 < gathered < 7
    assert all(len(text) <= TOGETHER_BYTES_MAX for text in writes)
    times = [json.loads(line)["timestamp"] for text in writes for line in text.splitlines()]
    assert times == sorted(times)
