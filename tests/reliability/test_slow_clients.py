"""Clients that send slowly, read slowly or do nothing, on a server with one worker and no proxy: others don't notice."""

import json
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.fixtures.book import filled
from tests.fixtures.engines import Sqlite
from tests.fixtures.lengths import length
from tests.fixtures.load import closed_loop, rate_of, share, statuses, write_request
from tests.fixtures.server import serving, wait_until
from tests.reliability.journal import workers_of

GROUPS = "/v1/sales/account-groups"
BODY_SECONDS, SEND_SECONDS = length((1, 1), (10, 30))
ROUNDS = length(1, 10)
SHORT_SECONDS, LONGER_SECONDS = length((0.7, 1.5), (2, 10))
KEPT = length(0.3, 0.9)
"""Which part of their rate others keep at least. A short look, on a machine that others use too, tells little."""
SENDERS, NON_READERS, IDLE = 50, 1_100, 10_000
GREEDY, OTHERS = "127.0.0.2", "127.0.0.1"
"""Addresses of this machine, so that what is limited for each address is limited for each of them."""
UNREAD = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * length(8, 60)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server of one worker, with little patience in a short run."""
    monkeypatch.setenv("TRADEBOOK_BODY_TIMEOUT_MS", str(BODY_SECONDS * 1000))
    monkeypatch.setenv("TRADEBOOK_SEND_TIMEOUT_MS", str(SEND_SECONDS * 1000))
    with serving(tmp_path, database=Sqlite().new(tmp_path)) as running:
        yield running


@pytest.fixture
def book(server):
    with filled(server, {"number": "1", "name": "A"}) as made:
        yield made


def connection_from(address, server):
    """Open a connection from an address of this machine."""
    parts = urlsplit(server.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=9, source_address=(address, 0))


FRAMINGS = (
    'Content-Length: 100\r\n\r\n{"name"',
    'Transfer-Encoding: chunked\r\n\r\n7\r\n{"name"\r\n',
)


def half_a_body(server, book, number):
    """Send a head and the first bytes of a body, and keep the connection."""
    connection = connection_from(GREEDY, server)
    head = (
        f"POST {GROUPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {book.key}\r\n"
        f"Content-Type: application/json\r\n{FRAMINGS[number % 2]}"
    )
    connection.sendall(head.encode())
    return connection


def asking(server, book, seconds=SHORT_SECONDS):
    """Have four others ask, whose connections are kept."""
    read = write_request(book.key, GROUPS)
    return closed_loop(server.url, lambda _: read, clients=4, seconds=seconds, address=OTHERS)


def test_half_bodies_cost_nobody_anything_and_are_answered_at_the_deadline(server, book, figures):
    workers = workers_of(server.process.pid)
    quiet, beside, answers = [], [], []
    for _ in range(ROUNDS):
        quiet += asking(server, book)
        with ExitStack() as stack:
            began = time.monotonic()
            senders = [stack.enter_context(half_a_body(server, book, n)) for n in range(SENDERS)]
            beside += asking(server, book)
            answers += [received(sender, began + BODY_SECONDS + 3) for sender in senders]
            ended = time.monotonic() - began

    kept = rate_of(beside, ROUNDS) / rate_of(quiet, ROUNDS)
    cut = sum(not each.is_good for each in quiet + beside)
    figures(
        ROUNDS,
        len(quiet + beside),
        cut,
        senders=SENDERS,
        rate_kept=f"{kept:.2f}",
        answered_after=f"{ended:.1f} s",
    )
    assert cut == 0
    assert answers.count(None) == 0, f"{answers.count(None)} of {len(answers)} are still open"
    assert {answer[:13] for answer in answers} == {b"HTTP/1.1 408 "}
    for answer in answers:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"\r\nconnection: close" in head.lower()
        assert json.loads(body)["error"]["code"] == "request_timeout"
    assert BODY_SECONDS - 1 < ended < BODY_SECONDS + 4
    assert kept >= KEPT
    assert workers_of(server.process.pid) == workers
    assert book.get(GROUPS)["data"] == []


def received(connection, deadline):
    """Read all that comes until the server closes; None if it has not closed at the deadline."""
    found = b""
    try:
        while True:
            connection.settimeout(max(0.01, deadline - time.monotonic()))
            piece = connection.recv(65_536)
            if not piece:
                return found
            found += piece
    except TimeoutError:
        return None
    except ConnectionResetError:
        return found


def is_closed(connection):
    """Tell whether the server has closed; what it has sent before is left unread."""
    try:
        connection.setblocking(False)
        connection.send(b"G")
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False


def test_whoever_does_not_read_is_cut_and_stops_nobody(server, book, many_files, figures):
    """Without a key: each asks sixty times for a large page, and reads nothing."""
    began = time.monotonic()
    with ExitStack() as stack:
        connections = []
        for _ in range(NON_READERS):
            try:
                made = stack.enter_context(connection_from(GREEDY, server))
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                made.sendall(UNREAD)
            except OSError:
                # Refused: too many of this address.
                continue
            connections.append(made)
        attached = time.monotonic() - began

        others = asking(server, book, LONGER_SECONDS)
        wait_until(
            # Of each in every look: it takes two to find out, and a look at the first ones alone would be one for each.
            lambda: all([is_closed(each) for each in connections]),
            "the end of those that don't read",
            SEND_SECONDS + 60,
        )

    ended = time.monotonic() - began
    slowest = max(each.seconds for each in others)
    figures(
        1, len(others), sum(not each.is_good for each in others), attached_in=f"{attached:.1f} s",
        rate=f"{rate_of(others, LONGER_SECONDS):.0f}/s", slowest=f"{slowest * 1000:.0f} ms", cut_after=f"{ended:.0f} s",
    )  # fmt: skip
    assert set(statuses(others)) <= {200, 503}
    assert sum(each.is_good for each in others) > 0.9 * len(others)
    assert slowest < 5


def test_ten_thousand_idle_connections_harm_nobody(server, book, many_files, figures):
    """Of many addresses; those beyond a limit are refused, and that is all."""
    if many_files < IDLE + 1_000:
        pytest.skip(f"This process may have {many_files} files open, and {IDLE + 1_000} are needed.")
    quiet = asking(server, book)

    with ExitStack() as stack:
        held = 0
        for number in range(IDLE):
            try:
                stack.enter_context(connection_from(f"127.0.{1 + number // 100}.1", server))
                held += 1
            except OSError:
                continue
        others = asking(server, book)

    kept = rate_of(others, 1) / rate_of(quiet, 1)
    afterwards = asking(server, book)
    figures(
        1, len(others), sum(not each.is_good for each in others + afterwards), idle=held,
        rate_kept=f"{kept:.2f}", p99=f"{share([each.seconds for each in others], 0.99) * 1000:.0f} ms",
    )  # fmt: skip
    assert set(statuses([*quiet, *others, *afterwards])) == {200}
    assert kept >= KEPT
