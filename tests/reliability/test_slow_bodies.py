"""Clients that stop in the middle of a body: nobody waits for them, and nothing is written."""

import json
import socket

import pytest

from tests.fixtures import plain_http
from tests.fixtures.book import Book
from tests.fixtures.engines import Sqlite
from tests.fixtures.server import start_server, stop_server

GROUPS = "/v1/sales/account-groups"
FRAMINGS = (
    'Content-Length: 100\r\n\r\n{"name"',
    'Transfer-Encoding: chunked\r\n\r\n7\r\n{"name"\r\n',
)


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A server of one worker that waits for a body for a second."""
    monkeypatch.setenv("TRADEBOOK_BODY_TIMEOUT_MS", "1000")
    server = start_server(tmp_path, database=Sqlite().new(tmp_path))
    made = Book(server)
    yield made
    made.close()
    stop_server(server)


def begin(book, framing):
    """Send the head and the first bytes of a body, and keep the connection."""
    host, port = book.server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(
        f"POST {GROUPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {book.key}\r\n"
        f"Content-Type: application/json\r\n{framing}".encode()
    )
    return connection


@pytest.mark.parametrize("framing", FRAMINGS)
def test_whoever_stops_in_the_middle_of_a_body_is_told_and_keeps_nobody_waiting(book, framing):
    with begin(book, framing) as connection:
        for _ in range(20):
            assert (
                plain_http.get(book.server.url + GROUPS, headers=book.client.headers, timeout=1).status_code
                == 200
            )

        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nconnection: close" in head
    assert json.loads(body)["error"]["code"] == "request_timeout"
    assert plain_http.get(book.server.url + GROUPS, headers=book.client.headers).json()["data"] == []
