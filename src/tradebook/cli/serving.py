"""Runs the server: Granian's worker processes, each with what `create_worker` makes."""

import gc
import multiprocessing
import os
import resource
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import ceil
from threading import Event, Timer
from typing import Any, cast

from granian import loops
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from tradebook.app import create_worker, templates
from tradebook.cli.import_watch import LOOK_SECONDS, ImportWatch
from tradebook.cli.listening import PortTaken, address_of, require_free, url_host
from tradebook.settings import DATABASE_VARIABLE, Settings, load_settings
from tradebook.storage.location import locate
from tradebook.storage.sqlite.location import SqliteLocation
from tradebook.web.loops import WorkerLoop
from tradebook.web.rsgi import Worker

LOOP = "tradebook"
BACKLOG = 4_096
"""How many connections the system keeps for a worker that can't accept more."""

CONNECTIONS_SPARE = 16
"""How many more a worker accepts than it may keep, until it has closed the most silent ones."""

ENDING_SECONDS_MAX = 10
"""How long a worker may take to finish what it has begun."""

LISTENING_SECONDS = 0.05
"""How often it is looked whether the server is told to end, before a worker listens."""

OTHER_DESCRIPTORS = 64
"""For the book, the log and the server itself."""

HEADER_TIMEOUT_MS = 10_000
HEAD_BYTES_MAX = 32_768
"""For request line and headers together; the server refuses more before the application sees it."""


def serve_forever(
    host: str,
    port: int,
    workers: int,
    on_listening: Callable[[], None],
    metrics_at: tuple[str, int] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. Requests that have begun are finished first."""
    require_free(host, port)
    # Workers are processes of their own and read the book's URL from the environment. It has to be the
    # absolute one, whatever folder they start in.
    settings = load_settings()
    os.environ[DATABASE_VARIABLE] = locate(settings.database).url
    connections = ceil(possible_connections(settings.connections_max) / workers)
    # They share what this process has loaded. Python 3.14 would start them empty.
    multiprocessing.set_start_method("fork")
    loops.register(LOOP)(WorkerLoop)
    if metrics_at is not None:
        _show_metrics(metrics_at, (host, port), workers, settings)
    listening, told = os.pipe()
    server = _Server(
        "tradebook.app:create_worker",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        loop=cast("Loops", LOOP),
        workers=workers,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=HEAD_BYTES_MAX),
        websockets=False,
        backlog=BACKLOG,
        backpressure=connections + CONNECTIONS_SPARE,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
    )
    server.tell_when(listening, on_listening)
    server.watch_imports(ImportWatch(load_settings()))
    # Workers share what is loaded by now. To look through it for garbage would make a copy for each of them.
    gc.freeze()
    # It asks for a callable, and calls the method of RSGI where there is one.
    server.serve(target_loader=partial(_worker, port, connections, os.getpid(), told), wrap_loader=False)  # type: ignore[arg-type]


def _show_metrics(
    metrics_at: tuple[str, int], served_at: tuple[str, int], workers: int, settings: Settings
) -> None:
    """Make the memory for the figures of the workers that are started from now on, and show it."""
    # Late: most servers show none.
    from tradebook.web import metrics, metrics_page  # noqa: PLC0415

    require_free(*metrics_at)
    families = metrics.families_of(templates(), len(settings.replicas.split()))
    # A worker that is replaced may live on beside the new one for a while.
    metrics.board = metrics.Board(families, 2 * workers + 2)
    location = locate(settings.database)
    path = location.path if isinstance(location, SqliteLocation) else None
    files = {} if path is None else {"book": path, "wal": path.with_name(f"{path.name}-wal")}
    listener = metrics_page.listener_at(*metrics_at)
    metrics_page.start(listener, metrics.board, files=files, served_at=served_at)


def _worker(port: int, connections: int, parent: int, told: int) -> Worker:
    """Make what a worker serves, in its own process."""
    # The main process's handler is here too, and would only note the order to end where nobody looks. Later
    # the loop has one of its own.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    return create_worker(port, connections, parent, lambda: os.write(told, b"."))


class LookingEvent(Event):
    """What the main process waits for, with a look at the imports now and then.

    A signal's handler sets it, in the thread that waits. The lock of an ordinary event may be held by that
    thread at this moment, and the process would wait for itself for ever. A pipe has no lock.
    """

    def __init__(self, look: Callable[[], object]) -> None:
        super().__init__()
        self._look = look
        self._told, self._tell = os.pipe()
        os.set_blocking(self._told, False)
        os.set_blocking(self._tell, False)

    def is_set(self) -> bool:
        """Tell whether it was set."""
        return self.wait(0)

    def set(self) -> None:
        """Wake who waits."""
        # Where the pipe is full, it is set.
        with suppress(BlockingIOError):
            os.write(self._tell, b".")

    def clear(self) -> None:
        """Have it be waited for again."""
        with suppress(BlockingIOError):
            while os.read(self._told, select.PIPE_BUF):
                pass

    def wait(self, timeout: float | None = None) -> bool:
        """Wait; without a time, for as long as it takes."""
        if timeout is not None:
            return bool(select.select([self._told], [], [], timeout)[0])
        while not self.wait(LOOK_SECONDS):
            self._look()
        return True


class _Server(MPServer):
    """Granian, with a limit of its own for workers that don't end, which tells when it can be reached.

    Granian's own limit sometimes takes a worker that has just ended for one that goes on, and its own hook is
    called before a worker listens.
    """

    def tell_when(self, listening: int, tell: Callable[[], None]) -> None:
        """Call `tell` as soon as a worker has written into a pipe, of which `listening` is the other end."""
        self._listening, self._tell = listening, tell

    def watch_imports(self, watch: ImportWatch) -> None:
        """Look for imports now and then, in the thread that starts workers: none is forked meanwhile."""
        self._import_watch = watch
        self.main_loop_interrupt = LookingEvent(watch.look)

    def _spawn_worker(self, *arguments: Any, **named: Any) -> Any:
        self._import_watch.let_go()
        return super()._spawn_worker(*arguments, **named)

    def _spawn_workers(self, *arguments: Any) -> None:
        super()._spawn_workers(*arguments)  # type: ignore[no-untyped-call]
        while not self.main_loop_interrupt.is_set():
            if select.select([self._listening], [], [], LISTENING_SECONDS)[0]:
                # If nobody listens to it, it serves nevertheless.
                with suppress(OSError):
                    self._tell()
                return

    def _stop_workers(self) -> None:
        self._import_watch.begin_to_end()
        overdue = Timer(ENDING_SECONDS_MAX, self._kill_workers)
        overdue.start()
        super()._stop_workers()  # type: ignore[no-untyped-call]
        overdue.cancel()
        self._import_watch.end()

    def _kill_workers(self) -> None:
        for worker in self.wrks:
            worker.kill()  # type: ignore[no-untyped-call]


def possible_connections(wanted: int) -> int:
    """Raise the limit of descriptors as far as it goes, and tell how many connections that is enough for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + CONNECTIONS_SPARE + OTHER_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(1, min(wanted, soft - CONNECTIONS_SPARE - OTHER_DESCRIPTORS))
    return wanted


def main() -> None:
    """Serve as the command `serve` asks for, in a process that has loaded nothing else."""
    host, port, workers, *metrics_at = sys.argv[1:]

    def tell() -> None:
        print(f"Tradebook listens on http://{url_host(host)}:{port}", file=sys.stderr)

    try:
        serve_forever(host, int(port), int(workers), tell, *map(address_of, metrics_at))
    except PortTaken as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
