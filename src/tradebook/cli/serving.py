"""Runs the server: Granian's worker processes, each with the WSGI application of `create_app`."""

import os
import sys
from collections.abc import Callable

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

import tradebook.app  # noqa: F401 - before the workers fork, which then share it in memory
from tradebook.cli.listening import PortTaken, require_free
from tradebook.settings import DATABASE_VARIABLE, load_settings
from tradebook.storage.location import locate

HEADER_TIMEOUT_MS = 10_000
HEAD_BYTES_MAX = 32_768
"""For request line and headers together; the server refuses more before the application sees it."""


def serve_forever(host: str, port: int, workers: int, on_listening: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM. Requests that have begun are finished first."""
    require_free(host, port)
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


def main() -> None:
    """Serve as the command `serve` asks for, in a process that has loaded nothing else."""
    host, port, workers = sys.argv[1:]

    def tell() -> None:
        print(f"Tradebook listens on http://{host}:{port}", file=sys.stderr)

    try:
        serve_forever(host, int(port), int(workers), tell)
    except PortTaken as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
