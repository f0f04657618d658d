"""The log: lines of JSON with the same keys always, and never a key that opens anything."""

import json
import sys
from datetime import datetime
from urllib.parse import quote, unquote

import pytest

from tests.contract.checkers import CUSTOMERS
from tests.contract.test_errors import client_of, httpx_answer, on_fire
from tests.fixtures.server import wait_until
from tradebook.web.log import log

# No engine writes to the log.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def lines_of(book, request_id):
    """The lines of a request; the last is written while its answer is on the way."""

    def found():
        # The command's own messages go to the same file here.
        text = [line for line in book.server.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in map(json.loads, text) if line.get("request_id") == request_id]

    wait_until(found, "the line")
    return found()


def test_a_request_is_one_line(book):
    answer = book.client.get(f"{CUSTOMERS}?q=somebody", headers={"X-Request-Id": "log-1"})

    (line,) = lines_of(book, "log-1")

    assert list(line) == [
        "event", "timestamp", "request_id", "method", "path", "status", "account", "bytes", "ms",
    ]  # fmt: skip
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo
    assert line.pop("ms") > 0
    assert line == {
        "event": "request",
        "request_id": "log-1",
        "method": "GET",
        "path": CUSTOMERS,
        "status": 200,
        "account": book.account,
        "bytes": len(answer.content),
    }


def test_a_key_where_none_belongs_is_not_logged(book):
    """In the path, also of no route, in the request's own id, and in the method."""
    where = [
        ("GET", f"/v1/{book.key}/x", "log-2"),
        ("GET", f"{CUSTOMERS}/{book.key}", "log-3"),
        (book.key, CUSTOMERS, "log-4"),
        ("GET", f"/v1/{book.key.upper()}/x", "log-5"),
        ("GET", f"/v1/{encoded(book.key, 1)}/x", "log-6"),
        ("GET", f"/v1/{encoded(book.key, 2)}/x", "log-7"),
        ("GET", f"/v1/{encoded(book.key, 5)}/x", "log-8"),
        ("GET", f"/v1/{encoded(book.key.upper(), 3)}/x", "log-9"),
        ("GET", f"/v1/{encoded(book.key, 12)}/x", "log-10"),
    ]
    for method, path, request_id in where:
        book.client.request(method, path, headers={"X-Request-Id": request_id})
    echoed = [
        book.client.get(CUSTOMERS, headers={"X-Request-Id": given}).headers["x-request-id"]
        for given in (book.key, book.key.upper(), f"a-{book.key}-b")
    ]

    paths = [line["path"] for _, _, request_id in where for line in lines_of(book, request_id)]

    assert paths == ["/v1/tb_sk_…/x", f"{CUSTOMERS}/tb_sk_…", CUSTOMERS, *["/v1/tb_sk_…/x"] * 5, "…"]
    assert all(lines_of(book, each) and each.startswith("req_") for each in echoed)
    plain = book.server.log.read_text()
    for _ in range(20):
        assert book.key[6:30] not in plain.lower()
        plain = unquote(plain)


def encoded(text, layers):
    """Percent-encode every character, and then what that has made."""
    for layer in range(layers):
        text = "".join(f"%{ord(c):02x}" for c in text) if not layer else text.replace("%", "%25")
    return text


def test_a_line_of_the_log_is_one_line_for_every_reader(book):
    """Some split at other characters than a line feed; a terminal obeys one."""
    breaks = "\x85\u2028\u2029\x9b\x7f\x0b\x0c\x1c"
    book.client.get(f"/v1/{quote(breaks)}/x", headers={"X-Request-Id": "log-breaks"})

    (line,) = lines_of(book, "log-breaks")

    assert line["path"] == f"/v1/{breaks}/x"
    with book.server.log.open(newline="") as log_file:
        assert not set(breaks) & set(log_file.read())


def test_a_fault_is_told_with_its_trace_and_without_the_key(book, capfdbinary):
    error = RuntimeError(f"no \ud800 with {book.key}")

    answer = httpx_answer(client_of(book, load_span=on_fire(error)).simulate_get(CUSTOMERS))

    assert answer.status_code == 500
    (line,) = [json.loads(line) for line in capfdbinary.readouterr().err.splitlines()]
    assert list(line) == ["event", "timestamp", "request_id", "exception"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("RuntimeError: no \ud800 with tb_sk_…")


def test_a_line_is_written_at_once_and_whole(monkeypatch, book):
    """Several processes share the stream, and a line in two pieces would be torn apart."""
    written = []

    class Stream:
        buffer = None

        def write(self, piece):
            written.append(piece)

        def flush(self):
            written.append(b"flush")

    stream = Stream()
    stream.buffer = stream
    monkeypatch.setattr(sys, "stderr", stream)

    log("something", bytes=1)

    assert len(written) == 2
    assert written[0].endswith(b'"bytes":1}\n')
