"""When the database is away: 503 in time, health as it is, and back by itself as soon as it is back."""

import errno
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx
import psycopg
import pytest

from tests.contract.checkers import CUSTOMERS, assert_error
from tests.fixtures import plain_http
from tests.fixtures.book import Book, filled
from tests.fixtures.faulty_proxy import Fault, FaultyProxy
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.server import serving, wait_until
from tests.fixtures.statements import TEST_MARK
from tradebook import migrations
from tradebook.app import open_database
from tradebook.resources import api_keys
from tradebook.settings import Settings
from tradebook.storage.database import Conflict, OutcomeUnknown, Unavailable
from tradebook.storage.postgres.connections import PatientConnection
from tradebook.storage.transactions import reading, writing

DEADLINE_SECONDS = Settings().database_timeout_ms / 1000
IN_TIME_SECONDS = 2 * DEADLINE_SECONDS
"""Sooner than a second try could end, whatever a loaded machine adds."""

HASTE_MS = 500
"""A deadline for work that is to give up; it may do so a little earlier, when no further try would end in time."""

GROUPS = "/v1/sales/account-groups"
GROUP = {"name": "A group", "type": "type_group"}
THREADS = 8
"""How many threads of a worker use the database at once."""

PASSWORD_USER = "shopkeeper"
FAIL_ONCE_MORE = "DO $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = '{code}'; END $$"


@pytest.fixture(scope="module")
def frail(tmp_path_factory):
    """A database server of its own, with a user who needs a password, and a running service on it."""
    server = PostgresServer.new(synchronous_commit="on")
    hba = server.data / "pg_hba.conf"
    hba.write_text(f"host all {PASSWORD_USER} 127.0.0.1/32 scram-sha-256\n{hba.read_text()}")
    server.execute("SELECT pg_reload_conf()")
    server.execute("CREATE DATABASE book")
    migrations.upgrade(server.url("book"))
    server.execute(f"CREATE ROLE {PASSWORD_USER} LOGIN PASSWORD 'first' IN ROLE tradebook_application")
    yield server
    server.remove()


@pytest.fixture(scope="module")
def service(frail, tmp_path_factory):
    """`tradebook serve` with two workers, signed in as a user who owns nothing."""
    url = frail.url("book", f"{PASSWORD_USER}:first")
    with serving(tmp_path_factory.mktemp("service"), workers=2, database=url) as running:
        yield running


@pytest.fixture(scope="module")
def book(service):
    """A book with a customer."""
    with filled(service, {"number": "1", "name": "A"}) as made:
        yield made


@pytest.fixture
def hasty(frail):
    """The book, opened with little patience."""
    opened = open_database(Settings(database=frail.url("book"), database_timeout_ms=HASTE_MS))
    yield opened
    opened.close()


def stop_and_start(server):
    server.stop()
    yield
    server.start()


def freeze_and_thaw(server):
    server.freeze()
    yield
    server.thaw()


def change_password(server):
    server.execute(f"ALTER ROLE {PASSWORD_USER} PASSWORD 'second'")
    cut_all(server)
    yield
    server.execute(f"ALTER ROLE {PASSWORD_USER} PASSWORD 'first'")


def forbid(server):
    """No connection is let in; those that were there are cut."""
    server.execute("ALTER DATABASE book WITH ALLOW_CONNECTIONS false")
    cut_all(server)
    yield
    server.execute("ALTER DATABASE book WITH ALLOW_CONNECTIONS true")


def cut_all(server):
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'book' AND pid <> pg_backend_pid()"
    )


OUTAGES = [stop_and_start, freeze_and_thaw, change_password, forbid]


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: outage.__name__)
def test_an_outage_is_503_in_time_and_over_when_it_is_over(frail, service, book, outage):
    assert book.client.get(CUSTOMERS).status_code == 200
    away = contextmanager(outage)
    with away(frail):
        for path in (CUSTOMERS, f"{CUSTOMERS}?q=a", f"{CUSTOMERS}?limit=7"):
            started = time.monotonic()
            answer = book.client.get(path)
            assert time.monotonic() - started < IN_TIME_SECONDS
            assert_error(answer, 503, "service_unavailable")
            assert int(answer.headers["retry-after"]) >= 1
        assert plain_http.get(f"{service.url}/healthz").status_code == 200
        assert plain_http.get(f"{service.url}/readyz", timeout=5).status_code == 503
    wait_until(lambda: book.client.get(CUSTOMERS).status_code == 200, "an answer", IN_TIME_SECONDS)
    assert plain_http.get(f"{service.url}/readyz").status_code == 200
    assert service.process.poll() is None


def test_a_database_that_takes_no_writes_is_read_and_is_not_ready(frail, service, book):
    """As a primary that became a standby, or one whose disk is full."""
    frail.execute("ALTER DATABASE book SET default_transaction_read_only = on")
    cut_all(frail)
    try:
        assert book.client.get(f"{CUSTOMERS}?limit=8").status_code == 200
        assert_error(book.client.post("/v1/sales/account-groups", json=GROUP), 503, "service_unavailable")
        assert plain_http.get(f"{service.url}/readyz").status_code == 503
    finally:
        frail.execute("ALTER DATABASE book RESET default_transaction_read_only")
        cut_all(frail)

    assert book.client.post("/v1/sales/account-groups", json=GROUP).status_code == 201
    assert plain_http.get(f"{service.url}/readyz").status_code == 200


def test_connections_that_were_cut_while_idle_are_not_noticed(frail, book):
    for _ in range(10):
        assert book.client.get(CUSTOMERS).status_code == 200
        cut_all(frail)


def test_no_connection_leaks(frail, book):
    for _ in range(20):
        assert book.client.get(f"{CUSTOMERS}?q=x").status_code in {200, 503}
    statement = "SELECT state FROM pg_stat_activity WHERE application_name = 'tradebook'"

    def states():
        return [state for (state,) in frail.execute(statement)]

    assert len(states()) <= 4  # Two workers and the test's own book.
    # What was asked last may come to its end after its answer.
    wait_until(lambda: set(states()) <= {"idle"}, "the end of all transactions")


# Several threads


def in_threads(work):
    """Run work in all threads at once; returns what each gave or raised, and its seconds."""

    def timed(number):
        started = time.monotonic()
        try:
            found = work(number)
        except Unavailable as error:
            found = error
        return found, time.monotonic() - started

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(timed, range(THREADS)))


def read_once(database, book):
    return reading(database, book.account_key, lambda reader: reader.revision)


def test_threads_that_begin_at_once_connect_at_once_and_keep_what_they_have(frail, book, monkeypatch):
    """One after the other, the last would wait for the connections of all."""
    connect, all_connect = PatientConnection.connect, threading.Barrier(THREADS)
    all_read, opened = threading.Barrier(THREADS), []

    def connect_with_all(*arguments, **options):
        opened.append(all_connect.wait(DEADLINE_SECONDS))
        return connect(*arguments, **options)

    def read_with_all(reader):
        revision = reader.revision
        all_read.wait(DEADLINE_SECONDS)
        return revision

    monkeypatch.setattr(PatientConnection, "connect", connect_with_all)
    with closing(open_bare(frail)) as database:
        for _ in range(3):
            found = in_threads(lambda _: reading(database, book.account_key, read_with_all))

            assert len({revision for revision, _ in found}) == 1, found
            figures = database.figures()
            assert (figures.idle, figures.in_use) == (THREADS, 0)
        assert len(opened) == THREADS


def open_bare(server):
    """Open the book, and let go of the connection that the look at it has left."""
    database = open_database(Settings(database=server.url("book")))
    database.close()
    return database


def test_a_server_that_lets_few_in_answers_all_threads(frail, book):
    frail.execute("CREATE ROLE few LOGIN IN ROLE tradebook_application CONNECTION LIMIT 2")
    with closing(open_database(Settings(database=frail.url("book", "few")))) as database:
        found = in_threads(lambda _: [read_once(database, book) for _ in range(10)])

    assert not [each for each, _ in found if isinstance(each, Exception)]


@pytest.mark.parametrize("connected", [0, THREADS])
def test_a_server_that_hangs_makes_each_thread_wait_no_longer_than_its_time(frail, book, connected):
    with closing(open_bare(frail)) as database:
        if connected:
            together = threading.Barrier(connected)
            in_threads(
                lambda _: reading(database, book.account_key, lambda r: (r.revision, together.wait(5)))
            )
        assert database.figures().idle == connected
        frail.freeze()
        try:
            rounds = [in_threads(lambda _: read_once(database, book)) for _ in range(2)]
        finally:
            frail.thaw()

        for found, seconds in (each for once in rounds for each in once):
            assert isinstance(found, Unavailable)
            assert seconds < 1.5 * DEADLINE_SECONDS
        wait_until(
            lambda: all(isinstance(each, int) for each, _ in in_threads(lambda _: read_once(database, book))),
            "answers in all threads",
        )
        assert database.figures().in_use == 0


def test_the_time_that_was_spent_on_the_way_in_is_not_given_again(frail, book, monkeypatch):
    """The server lets somebody in late, and hangs then."""
    connect, hangs = PatientConnection.connect, threading.Event()

    def connect_late(*arguments, **options):
        connection = connect(*arguments, **options)
        time.sleep(0.8 * DEADLINE_SECONDS)
        frail.freeze()
        hangs.set()
        return connection

    with closing(open_bare(frail)) as database:
        monkeypatch.setattr(PatientConnection, "connect", connect_late)
        started = time.monotonic()
        try:
            with pytest.raises(Unavailable):
                read_once(database, book)
            assert time.monotonic() - started < 1.4 * DEADLINE_SECONDS
            assert hangs.wait(DEADLINE_SECONDS)
        finally:
            frail.thaw()


@pytest.mark.parametrize("fault", [OSError(errno.EMFILE, "Too many open files"), RuntimeError("planted")])
def test_what_keeps_a_connection_from_being_made_is_told_and_over_when_it_is_over(
    frail, book, monkeypatch, fault
):
    def fail(*arguments, **options):
        raise fault

    with closing(open_bare(frail)) as database:
        with monkeypatch.context() as planted:
            planted.setattr(PatientConnection, "connect", fail)
            for found, seconds in in_threads(lambda _: read_once(database, book)):
                assert isinstance(found, Unavailable)
                assert str(fault) in str(found)
                assert seconds < DEADLINE_SECONDS

        assert all(isinstance(found, int) for found, _ in in_threads(lambda _: read_once(database, book)))


def test_a_thread_that_cant_be_started_is_told_and_over_when_it_is_over(frail, book, monkeypatch):
    def fail(thread):
        raise RuntimeError("can't start new thread")

    with closing(open_bare(frail)) as database:
        for _ in range(2):
            with monkeypatch.context() as planted, pytest.raises(Unavailable, match="can't start"):
                planted.setattr(threading.Thread, "start", fail)
                read_once(database, book)

        assert isinstance(read_once(database, book), int)


# Work that is done again


@pytest.mark.parametrize("code", ["40001", "40P01"])
@pytest.mark.parametrize("kind", [reading, writing])
def test_work_that_met_another_transaction_is_done_again(book, code, kind):
    tries = []

    def work(reader):
        tries.append(reader)
        if len(tries) < 4:
            reader._connection.execute(TEST_MARK + FAIL_ONCE_MORE.format(code=code))
        return "done"

    assert kind(book.database, book.account_key, work) == "done"
    assert len(tries) == 4


def test_work_that_always_meets_another_ends_with_the_deadline(book, hasty):
    def work(writer):
        writer._connection.execute(TEST_MARK + FAIL_ONCE_MORE.format(code="40001"))

    started = time.monotonic()
    with pytest.raises(Conflict):
        writing(hasty, book.account_key, work)

    assert HASTE_MS / 2000 < time.monotonic() - started < IN_TIME_SECONDS


def test_a_writer_waits_for_another_of_the_same_account_and_gives_up_in_time(book, hasty):
    started = time.monotonic()
    with book.database.write(book.account_key) as writer:
        # The lock comes with the first question.
        assert writer.revision
        with pytest.raises(Unavailable):
            writing(hasty, book.account_key, lambda writer: writer.revision)

    assert HASTE_MS / 2000 < time.monotonic() - started < IN_TIME_SECONDS


@pytest.mark.parametrize("passes_commit", [True, False], ids=["committed", "not committed"])
def test_a_connection_lost_in_the_commit_is_never_followed_by_a_second_try(frail, book, passes_commit):
    proxy = FaultyProxy(frail.port, Fault(passes_on=passes_commit))
    url = f"postgresql://postgres@127.0.0.1:{proxy.port}/book"
    database = open_database(Settings(database=url))
    before = key_ids(book)
    calls = []

    def work(writer):
        calls.append(writer)
        return api_keys.create_key(writer, "test")

    with pytest.raises(OutcomeUnknown):
        writing(database, book.account_key, work)

    database.close()
    proxy.close()
    assert len(calls) == proxy.faults == 1
    if not passes_commit:
        assert key_ids(book) == before


def key_ids(book) -> list[str]:
    """The ids of the account's keys."""
    return [row.id for row in reading(book.database, book.account_key, api_keys.list_keys)]


def test_the_planted_codes_are_what_they_seem(frail):
    """The tooth: the same fault under another code is no conflict, and nothing does it again."""
    with psycopg.connect(frail.url("book")) as connection, pytest.raises(psycopg.errors.DivisionByZero):
        connection.execute(FAIL_ONCE_MORE.format(code="22012"))


def test_a_database_that_hangs_keeps_no_worker_from_saying_that_it_lives(frail, service, book):
    with contextmanager(freeze_and_thaw)(frail), ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(timed, reading_with(service, book)) for _ in range(4)]
        alive = plain_http.get(f"{service.url}/healthz", timeout=5).status_code
        were_waiting = not any(reader.done() for reader in readers)
        read = [reader.result() for reader in readers]
    wait_until(lambda: book.client.get(CUSTOMERS).status_code == 200, "an answer", IN_TIME_SECONDS)

    assert {status for status, _ in read} == {503}
    # All four wait at a time, not one after the other.
    assert max(seconds for _, seconds in read) < IN_TIME_SECONDS
    assert alive == 200
    assert were_waiting


def test_an_account_that_is_locked_keeps_no_other_account_from_writing(frail, service, book):
    with closing(Book(service)) as other, ThreadPoolExecutor(3) as pool:
        with other.database.write(other.account_key) as writer:
            assert writer.revision
            waiting = [pool.submit(writing_with(service, other, f"waits {n}")) for n in range(3)]
            written = {writing_with(service, book, f"beside {n}")().status_code for n in range(5)}
            were_waiting = not any(each.done() for each in waiting)
            refused = {each.result().status_code for each in waiting}

    assert written == {201}
    assert were_waiting
    assert refused == {503}


def reading_with(service, book):
    return lambda: plain_http.get(service.url + CUSTOMERS, headers=book.client.headers, timeout=30)


def writing_with(service, book, name):
    body = {"name": name, "type": "type_group"}
    return lambda: httpx.post(service.url + GROUPS, headers=book.client.headers, json=body, timeout=30)


def timed(ask):
    """The status of an answer, and after how many seconds it came."""
    started = time.monotonic()
    return ask().status_code, time.monotonic() - started
