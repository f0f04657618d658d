"""Connections are looked at again and again, for as long as the process that has started the server lives."""

import socket
import threading
import time

import pytest

from tradebook.web import connections
from tradebook.web.connections import Connections


def connections_to(listener):
    return Connections(
        listener.getsockname()[1], per_address_max=9, in_all_max=9, send_seconds_max=9, unread_bytes_max=9
    )


def test_who_is_connected_when_nobody_may_connect_any_more_is_let_in(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as late:
        monkeypatch.setattr(connections, "_listeners", lambda: [listener.fileno()])
        looked_at = connections_to(listener)
        # The system says yes to who connects, and waits for what he sends: as if his last packet were on its way.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
        listener.settimeout(20)
        with socket.create_connection(listener.getsockname(), 20) as client:
            assert not looked_at.has_queue()
            looked_at.take_no_more()
            client.sendall(b"asked")

            assert looked_at.has_queue()
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.recv(5) == b"asked"
            assert not looked_at.has_queue()
        late.settimeout(0.1)
        with pytest.raises(TimeoutError):
            late.connect(listener.getsockname())


def test_to_wait_for_a_processor_is_no_reason_to_look_less_often(monkeypatch):
    looks, orphaned = [], threading.Event()
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.01)
    # For it, its parent is gone after several looks.
    monkeypatch.setattr(connections.os, "getppid", lambda: len(looks) // 3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        looked_at = connections_to(listener)
        monkeypatch.setattr(looked_at, "look", lambda: looks.append(time.sleep(0.05)))

        looked_at.watch(0, on_listening=lambda: None, on_orphaned=orphaned.set)

        assert orphaned.wait(connections.SHARE * 0.05)
