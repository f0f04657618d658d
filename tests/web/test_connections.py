"""Connections are looked at again and again, for as long as the process that has started the server lives."""

import socket
import threading
import time

from tradebook.web import connections
from tradebook.web.connections import Connections


def test_to_wait_for_a_processor_is_no_reason_to_look_less_often(monkeypatch):
    looks, orphaned = [], threading.Event()
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.01)
    # For it, its parent is gone after several looks.
    monkeypatch.setattr(connections.os, "getppid", lambda: len(looks) // 3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        looked_at = Connections(
            listener.getsockname()[1],
            per_address_max=9,
            in_all_max=9,
            send_seconds_max=9,
            unread_bytes_max=9,
        )
        monkeypatch.setattr(looked_at, "look", lambda: looks.append(time.sleep(0.05)))

        looked_at.watch(0, on_listening=lambda: None, on_orphaned=orphaned.set)

        assert orphaned.wait(connections.SHARE * 0.05)
