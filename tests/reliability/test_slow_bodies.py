"""Clients that stop in the middle of a body: the worker that waits for them is replaced, and nothing is written."""

import socket

import httpx
import pytest

from tests.fixtures import plain_http
from tests.fixtures.book import Book
from tests.fixtures.engines import Sqlite
from tests.fixtures.server import start_server, stop_server, wait_until

GROUPS = "/v1/sales/account-groups"


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A server of one worker that waits for a body as shortly as can be set."""
    monkeypatch.setenv("TRADEBOOK_BODY_TIMEOUT_MS", "6000")
    server = start_server(tmp_path, database=Sqlite().new(tmp_path))
    made = Book(server)
    yield made
    made.close()
    stop_server(server)


def begin(book, framing):
    """Send the head and the first bytes of a body, and keep the connection."""
    host, port = book.server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(
        f"POST {GROUPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {book.key}\r\n"
        f"Content-Type: application/json\r\n{framing}".encode()
    )
    return connection


def is_served(book):
    try:
        return (
            plain_http.get(book.server.url + GROUPS, headers=book.client.headers, timeout=1).status_code
            == 200
        )
    except httpx.TransportError:
        return False


FRAMINGS = (
    'Content-Length: 100\r\n\r\n{"name"',
    'Transfer-Encoding: chunked\r\n\r\n7\r\n{"name"\r\n',
)


def test_whoever_stops_in_the_middle_of_a_body_keeps_nobody_waiting_for_long(book):
    """And not the second time either: the server does not take its worker for one that can't run."""
    for framing in FRAMINGS:
        with begin(book, framing):
            wait_until(lambda: not is_served(book), "the worker to wait for the body")

            wait_until(lambda: is_served(book), "another worker", deadline_seconds=30)

    assert plain_http.get(book.server.url + GROUPS, headers=book.client.headers).json()["data"] == []
    assert book.server.log.read_text().count("a body did not come in time") == len(FRAMINGS)
