"""Rate limits (contract, section 4): per key, one count for all workers, told on every answer."""

import os
import resource
import stat
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import fakeredis
import httpx
import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.contract.checks import check_envelope
from tests.fixtures import plain_http
from tests.fixtures.book import Book
from tests.fixtures.engines import ENGINES
from tests.fixtures.lengths import length
from tests.fixtures.server import free_port, start_server, stop_server, wait_until
from tradebook.errors import IdempotencyInProgress
from tradebook.web.limits import AheadLimiter, MachineLimiter, make_limiter, number_of
from tradebook.web.shared_file import open_shared
from tradebook.web.twins import Twins

LIST = "/v1/sales/customers"
each_engine = pytest.mark.parametrize("engine", length(["sqlite"], ENGINES), indirect=True)
"""What is counted is kept beside the book, whatever engine that is on."""
HEADERS = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
LONG = "86400"


def start(folder, engine, monkeypatch, limit, window=LONG, workers=2, **more):
    for name, value in {"RATE_LIMIT": str(limit), "RATE_LIMIT_SECONDS": window, **more}.items():
        monkeypatch.setenv(f"TRADEBOOK_{name}", value)
    return start_server(folder, workers=workers, database=engine.new(folder))


@pytest.fixture(scope="module")
def limited_server(tmp_path_factory, engine):
    """A server of four workers, on which each key has forty requests."""
    with pytest.MonkeyPatch.context() as patch:
        server = start(tmp_path_factory.mktemp("limited"), engine, patch, 40, workers=4)
    yield server
    stop_server(server)


@pytest.fixture
def limited(limited_server):
    """An account with a key of which nothing is used."""
    book = Book(limited_server)
    yield book
    book.close()


def ask(book, secret=None, path=LIST, address="127.0.0.1", **headers):
    """Ask over a new connection, which any worker may take."""
    if secret != "":
        headers["Authorization"] = f"Bearer {secret or book.key}"
    with plain_http.Client(transport=httpx.HTTPTransport(local_address=address, verify=False)) as client:
        return client.get(book.server.url + path, headers=headers)


@each_engine
def test_one_limit_for_all_workers_and_one_for_each_key(limited):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(limited), range(60)))

    assert Counter(answer.status_code for answer in answers) == {200: 40, 429: 20}
    _, other = limited.new_key()
    assert ask(limited, other).status_code == 200
    refused = ask(limited)
    error = check_envelope(refused, 429, None, "rate_limit_exceeded")
    assert error["is_transient"]
    assert refused.headers["x-should-retry"] == "true"
    assert 1 <= int(refused.headers["retry-after"]) <= 2 * int(LONG)
    assert [refused.headers[name] for name in HEADERS[:2]] == ["40", "0"]


@each_engine
def test_every_answer_to_a_key_tells_the_limit_and_counts_down(limited):
    etag = ask(limited).headers["etag"]
    answers = [
        ask(limited, **{"If-None-Match": etag}),
        ask(limited, path=f"{LIST}?limit=0"),
        ask(limited, path=f"{LIST}/ac_0000000000000"),
        plain_http.post(
            f"{limited.server.url}/v1/finance/payment-terms",
            json={"name": "Net 1"},
            headers={"Authorization": f"Bearer {limited.key}"},
        ),
    ]

    assert [answer.status_code for answer in answers] == [304, 400, 404, 201]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["38", "37", "36", "35"]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"40"}
    assert all(0 < int(answer.headers["ratelimit-reset"]) <= int(LONG) for answer in answers)


@each_engine
def test_answers_before_the_key_was_looked_at_count_for_it_too(limited):
    ask(limited)
    key = {"Authorization": f"Bearer {limited.key}"}
    url = limited.server.url
    answers = [
        plain_http.delete(url + LIST, headers=key),
        plain_http.get(f"{url}/v1/nowhere", headers=key),
        plain_http.post(url + LIST, content=b"x" * 1_100_000, headers=key),
        plain_http.options(url + LIST, headers=key),
    ]

    assert [answer.status_code for answer in answers] == [405, 404, 413, 200]
    for answer in answers:
        assert all(name in answer.headers for name in HEADERS), answer.request.method
    # A worker that has not seen the key counts the address; all the others this key.
    assert int(ask(limited).headers["ratelimit-remaining"]) in range(34, 40)


@each_engine
def test_without_a_good_key_the_address_is_counted(limited):
    answers = [ask(limited, secret, address="127.0.0.9") for secret in ("", "nonsense") * 25]

    assert Counter(answer.status_code for answer in answers) == {401: 40, 429: 10}
    assert all(name in answer.headers for answer in answers for name in HEADERS)
    assert ask(limited).status_code == 200


@each_engine
def test_a_write_that_is_refused_is_not_done(limited):
    for _ in range(40):
        ask(limited)
    answer = plain_http.post(
        f"{limited.server.url}/v1/finance/payment-terms",
        json={"name": "Net 1"},
        headers={"Authorization": f"Bearer {limited.key}", "Idempotency-Key": "later"},
    )
    _, other = limited.new_key()

    assert answer.status_code == 429
    names = [term["name"] for term in ask(limited, other, "/v1/finance/payment-terms").json()["data"]]
    assert "Net 1" not in names


@each_engine
def test_who_waits_as_told_is_let_in(tmp_path, engine, monkeypatch):
    server = start(tmp_path, engine, monkeypatch, 5, window="1")
    book = Book(server)
    statuses = [ask(book).status_code for _ in range(7)]

    wait_until(lambda: ask(book).status_code == 200, "the next window")

    assert 429 in statuses
    book.close()
    stop_server(server)


def test_without_a_limit_nothing_is_told(book):
    assert not any(name in book.client.get(LIST).headers for name in HEADERS)


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, monkeypatch):
        self.now = 1_000_000.0
        monkeypatch.setattr("tradebook.web.limits.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Clock(monkeypatch)


def admitted(limiter, clock, seconds, per_second):
    """The moments at which requests are let in, when they keep coming."""
    moments = []
    for _ in range(seconds * per_second):
        if not limiter.hit(7).retry_after_seconds:
            moments.append(clock.now)
        clock.now += 1 / per_second
    return moments


def test_over_time_there_is_no_more_than_the_limit_and_never_twice_as_much(clock):
    limiter = MachineLimiter("book", 100, 60)

    moments = admitted(limiter, clock, 600, 10)

    for begin in range(0, 540, 7):
        start = 1_000_000 + begin
        count = len([moment for moment in moments if start <= moment < start + 60])
        assert count < 200
    assert 950 <= len(moments) <= 1_000 + 100


def test_the_wait_that_is_advised_is_enough_and_hardly_more(clock):
    for used in (1, 5, 50, 100):
        limiter = MachineLimiter(f"book {used}", used, 60)
        while not (verdict := limiter.hit(1)).retry_after_seconds:
            clock.now += 0.1
        clock.now += verdict.retry_after_seconds
        assert not limiter.hit(1).retry_after_seconds
    assert limiter.hit(2).remaining == 99


def test_many_keys_at_once_do_not_count_for_each_other(clock):
    limiter = MachineLimiter("book", 10, 60)
    for name in range(2_000):
        for _ in range(3):
            assert not limiter.hit(name + 1).retry_after_seconds
    remaining = Counter(limiter.hit(name + 1).remaining for name in range(2_000))
    assert remaining[6] >= 1_990


def test_no_number_of_addresses_makes_room_in_what_a_key_has_used(clock):
    """Whoever has very many addresses could otherwise have a key's count forgotten."""
    limiter = MachineLimiter("book", 5, 60)
    for _ in range(5):
        limiter.hit(1)

    for number in range(100_000):
        limiter.hit(number_of(f"2001:db8::{number:x}"))

    assert limiter.hit(1).retry_after_seconds


def test_a_file_from_before_a_restart_of_the_machine_counts_for_nothing(clock):
    before = MachineLimiter("book", 3, 60)
    for _ in range(3):
        before.hit(1)
    clock.now = 5.0

    assert MachineLimiter("book", 3, 60).hit(1).remaining == 2


@pytest.fixture
def redis(monkeypatch):
    """The protocol of Redis, spoken by a server of the test's own, which shares its processor with the test."""
    monkeypatch.setattr("tradebook.web.shared_limiter.ANSWER_SECONDS", 10)
    port = free_port()
    server = fakeredis.TcpFakeServer(("127.0.0.1", port))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    client = Redis(port=port, socket_timeout=10)
    wait_until(lambda: _answers(client), "an answer of the server")
    client.close()
    yield f"redis://127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


def _answers(client):
    try:
        return client.ping()
    except RedisError:
        return False


def test_several_machines_count_together(redis, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    machines = [make_limiter(f"machine {n}", 20, 3600, redis) for n in range(2)]

    # The stand-in drops a connection now and then while it is opened.
    monkeypatch.setattr("tradebook.web.shared_limiter.AWAY_SECONDS", 0)
    for machine in machines:
        wait_until(lambda machine=machine: machine.hit(99) and not machine._alone_until, "a count in common")

    verdicts = [machines[n % 2].hit(5) for n in range(30)]

    assert Counter(bool(v.retry_after_seconds) for v in verdicts) == {False: 20, True: 10}, capfd.readouterr()
    assert verdicts[0].limit == 20
    assert [v.remaining for v in verdicts[:3]] == [19, 18, 17]


def test_while_the_common_count_is_away_each_machine_counts_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    limiter = make_limiter("machine", 3, 3600, f"redis://127.0.0.1:{free_port()}")

    assert [bool(limiter.hit(5).retry_after_seconds) for _ in range(5)] == [False] * 3 + [True] * 2


def test_two_threads_of_a_process_are_counted_exactly(clock):
    """The locks of a file don't keep the threads of one process apart."""
    limiter = MachineLimiter("book", 2_000, 60)
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(2) as pool:
            rounds = pool.map(
                lambda _: sum(not limiter.hit(1).retry_after_seconds for _ in range(1_500)), "ab"
            )
            let_in = sum(rounds)
    finally:
        sys.setswitchinterval(switch)

    assert let_in == 2_000


def test_what_is_taken_ahead_is_counted_and_told_one_by_one(clock):
    machines = [AheadLimiter(MachineLimiter("book", 20_000, 60), 20_000, 60) for _ in range(2)]

    verdicts = [machines[n % 2].hit(5) for n in range(19_990)]
    rest = [machines[0].hit(5) for _ in range(40)]
    clock.now += 120
    fresh = machines[1].hit(5)

    assert not any(verdict.retry_after_seconds for verdict in verdicts)
    assert [verdicts[n].remaining for n in (0, 2, 4)] == [19_999, 19_998, 19_997]
    assert 0 < sum(not verdict.retry_after_seconds for verdict in rest) <= 10
    assert (fresh.retry_after_seconds, fresh.remaining) == (0, 19_999)


@pytest.mark.parametrize(("limit", "per_second"), [(1, 3), (7, 2), (100, 10)])
def test_who_is_refused_asks_the_file_no_more_and_is_let_in_at_the_same_moment(clock, limit, per_second):
    machine, alone = MachineLimiter("book", limit, 60), MachineLimiter("like it", limit, 60)
    limiter, asked = AheadLimiter(machine, limit, 60), 0

    def hit(*of):
        nonlocal asked
        asked += 1
        return MachineLimiter.hit(machine, *of)

    machine.hit = hit
    verdicts = []
    for _ in range(600 * per_second):
        verdicts.append((limiter.hit(7), alone.hit(7)))
        clock.now += 1 / per_second

    for ours, theirs in verdicts:
        assert ours.headers == theirs.headers
        assert ours.wait_seconds == pytest.approx(theirs.wait_seconds, abs=1e-5)
    let_in = sum(not ours.wait_seconds for ours, _ in verdicts)
    # Once more for each that is let in, and in each window.
    assert asked <= 2 * let_in + 20
    assert asked < len(verdicts) * 0.6


@each_engine
def test_the_keys_of_an_account_have_a_limit_together(tmp_path, engine, monkeypatch):
    server = start(tmp_path, engine, monkeypatch, 30, ACCOUNT_RATE_LIMIT="40")
    book, other = Book(server), Book(server)
    try:
        keys = [book.key, *(book.new_key()[1] for _ in range(2))]
        statuses = [Counter(ask(book, key).status_code for _ in range(20)) for key in keys]
        refused, of_other = ask(book, keys[0]), ask(other)
        early = [ask(other) for _ in range(25)][-1]
    finally:
        for each in (book, other):
            each.close()
        stop_server(server)

    assert statuses == [{200: 20}, {200: 20}, {429: 20}]
    check_envelope(refused, 429, None, "rate_limit_exceeded")
    assert [refused.headers[name] for name in HEADERS[:2]] == ["40", "0"]
    assert [of_other.headers[name] for name in HEADERS[:2]] == ["30", "29"]
    assert [early.headers[name] for name in HEADERS[:2]] == ["30", "4"]


@pytest.fixture
def no_room():
    """A disk on which no file may grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_without_room_for_its_file_a_process_counts_for_itself_and_says_so(clock, no_room, capfdbinary):
    limiter = MachineLimiter("book", 3, 60)

    verdicts = [limiter.hit(1).retry_after_seconds > 0 for _ in range(5)]

    assert verdicts == [False] * 3 + [True] * 2
    assert capfdbinary.readouterr().err.count(b"requests are counted by each process alone") == 1


def make_file(folder):
    folder.write_text("")


def make_open(folder):
    folder.mkdir()
    folder.chmod(0o755)


def make_link(folder):
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "elsewhere")


@pytest.mark.parametrize("make", [make_file, make_open, make_link])
def test_a_folder_that_is_not_this_users_alone_is_not_used(clock, tmp_path, make, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    make(tmp_path / f"tradebook-{os.getuid()}")

    with pytest.raises(OSError, match=r"folder of this user|File exists"):
        open_shared("book", "limits", 100)
    limiter, twins = MachineLimiter("book", 1, 60), Twins("book")

    assert [limiter.hit(1).retry_after_seconds > 0 for _ in range(2)] == [False, True]
    with twins.alone(1, "a"), pytest.raises(IdempotencyInProgress), twins.alone(1, "a"):
        pass
    with twins.alone(1, "a"):
        pass


def test_shared_files_are_in_a_folder_of_this_user_alone(clock, tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    os.close(open_shared("book", "limits", 100))

    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (shared,) = folder.iterdir()
    assert (stat.S_IMODE(shared.stat().st_mode), shared.stat().st_size) == (0o600, 100)


@each_engine
def test_a_server_whose_folder_for_temporary_files_is_full_serves_all_the_same(tmp_path, engine, monkeypatch):
    """What can't be kept there is kept in memory."""
    (tmp_path / "file").write_text("")
    server = start(tmp_path, engine, monkeypatch, 5, workers=1, RUN_FOLDER=str(tmp_path / "file" / "below"))
    book = Book(server)
    try:
        statuses = [ask(book).status_code for _ in range(7)]
    finally:
        book.close()
        stop_server(server)

    assert statuses == [200] * 5 + [429] * 2
    log = server.log.read_text()
    assert "requests are counted by each process alone" in log
    assert "equal requests are noticed within a process alone" in log
