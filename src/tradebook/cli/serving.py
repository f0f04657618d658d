"""Runs the server: Granian's worker processes, each with the WSGI application of `create_app`."""

import os
import socket
from collections.abc import Callable

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from tradebook.cli.opening import DATABASE_VARIABLE
from tradebook.settings import load_settings
from tradebook.storage.location import locate

HEADER_TIMEOUT_MS = 10_000
HEAD_BYTES_MAX = 32_768
"""For request line and headers together; the server refuses more before the application sees it."""


class PortTaken(OSError):
    """The address can't be listened on."""


def serve_forever(host: str, port: int, workers: int, on_listening: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM. Requests that have begun are finished first."""
    _require_free(host, port)
    # Workers are processes of their own and read the book's URL from the environment. It has to be the
    # absolute one, whatever folder they start in.
    os.environ[DATABASE_VARIABLE] = locate(load_settings().database).url
    server = Granian(
        "tradebook.app:create_app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        # One thread a process: with more, they would wait for each other's lock, not for the disk.
        blocking_threads=1,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=HEAD_BYTES_MAX),
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    )
    server.on_startup(on_listening)
    server.serve()


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise PortTaken(f"Can't listen on {host}:{port}: {reason}.") from None
