"""Connections whose body was left: closed when nothing comes any more, and at the latest after a while."""

import socket
from contextlib import ExitStack

import pytest

from tradebook.web import connections
from tradebook.web.connections import Connections


@pytest.fixture
def met():
    """A connection that was ended and has been found since: both of its ends, and what looks at it."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(listener.getsockname()))
        ours, address = listener.accept()
        stack.enter_context(ours)
        looked_at = Connections(
            listener.getsockname()[1],
            per_address_max=9,
            in_all_max=9,
            send_seconds_max=9,
            unread_bytes_max=9,
        )
        looked_at.end(f"{address[0]}:{address[1]}")
        client.send(b" ")
        looked_at.look()
        client.settimeout(9)
        yield looked_at, client


def is_closed(client):
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True
    except BlockingIOError:
        return False


def test_one_whose_client_sends_on_is_closed_after_a_while(met, monkeypatch):
    looked_at, client = met
    monkeypatch.setattr(connections, "_silent_seconds", lambda _: 0.0)
    looked_at.look()
    looked_at.look()
    assert not is_closed(client)

    monkeypatch.setattr(connections, "ENDED_SECONDS_MAX", 0.0)
    looked_at.look()

    assert is_closed(client)


def test_one_that_is_silent_is_closed_at_the_next_look(met, monkeypatch):
    looked_at, client = met
    monkeypatch.setattr(connections, "_silent_seconds", lambda _: 1.0)

    looked_at.look()

    assert is_closed(client)
