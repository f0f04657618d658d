"""The page of figures that Prometheus reads, served by a process of its own, beside the workers.

Not by a thread of the main process: that starts workers as copies of itself, also later, and a copy has only
one of its threads. The process has what the main process has loaded, opens no book, and ends with it.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tradebook.web.metrics import BUCKETS, Board, Family

PATH = "/metrics"
CLIENT_SECONDS_MAX = 5.0
LOOK_SECONDS = 0.5
READY_SECONDS_MAX = 2.0


def start(
    listener: socket.socket, board: Board, *, files: Mapping[str, Path], served_at: tuple[str, int]
) -> None:
    """Start the process, which ends when this one does. `files` are told by their size."""
    arguments = (listener, board, files, served_at, os.getpid())
    get_context("fork").Process(target=_serve, args=arguments, name="metrics", daemon=True).start()
    listener.close()


def listener_at(host: str, port: int) -> socket.socket:
    """Listen on an address; OSError where that can't be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    listener.set_inheritable(False)
    return listener


def _serve(
    listener: socket.socket,
    board: Board,
    files: Mapping[str, Path],
    served_at: tuple[str, int],
    parent: int,
) -> None:
    # Late: this process alone needs it.
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.exposition import CONTENT_TYPE_LATEST  # noqa: PLC0415

    # Ctrl-C reaches this process too; the main process ends it, when the workers have ended.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with(parent)
    registry = CollectorRegistry()
    registry.register(_Figures(board, files, served_at))

    def page() -> tuple[str, bytes]:
        return CONTENT_TYPE_LATEST, generate_latest(registry)

    server = ThreadingHTTPServer(listener.getsockname()[:2], _handler(page), bind_and_activate=False)
    server.daemon_threads = True
    server.socket.close()
    server.socket = listener
    server.serve_forever()


def _end_with(parent: int) -> None:
    def look_on() -> None:
        pause = threading.Event()
        while os.getppid() == parent:
            pause.wait(LOOK_SECONDS)
        os._exit(0)

    threading.Thread(target=look_on, daemon=True).start()


def _handler(page: Callable[[], tuple[str, bytes]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = CLIENT_SECONDS_MAX
        server_version, sys_version = "Tradebook", ""

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != PATH:
                self.send_error(404, explain=f"Only {PATH} is served here.")
                return
            kind, body = page()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: Prometheus comes every few seconds."""

    return Handler


class _Figures:
    """Makes the figures of the moment, as prometheus-client wants them."""

    def __init__(self, board: Board, files: Mapping[str, Path], served_at: tuple[str, int]) -> None:
        self._board = board
        self._files = files
        self._served_at = served_at

    def collect(self) -> Iterable[Any]:
        """Yield all families."""
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

        parts = list(self._board.parts())
        for family in self._board.layout.families:
            if family.name != _PROCESS:
                yield _made(family, self._board.layout.cells_of(family.name), parts)
        (cell,) = self._board.layout.cells_of(_PROCESS).values()
        workers = {number: int(cells[cell]) for number, cells, is_taken in parts if is_taken}
        yield GaugeMetricFamily("tradebook_workers", "Worker processes that live.", value=len(workers))
        memory = GaugeMetricFamily(
            "tradebook_worker_memory_bytes", "Memory of a worker, without mapped files.", labels=["worker"]
        )
        for number, process in workers.items():
            with suppress(OSError):
                memory.add_metric([str(number)], _memory_of(process))
        yield memory
        for name, path in self._files.items():
            size = path.stat().st_size if path.exists() else 0
            yield GaugeMetricFamily(f"tradebook_{name}_bytes", f"Size of {path.name}.", value=size)
        ready = GaugeMetricFamily("tradebook_ready", "1 while /readyz answers 200, else 0.")
        ready.add_metric([], _is_ready(*self._served_at))
        yield ready


_PROCESS = "tradebook_worker_process_id"


def _made(family: Family, cells: Mapping[tuple[str, ...], int], parts: list[Any]) -> Any:
    from prometheus_client import core  # noqa: PLC0415

    labels = [name for name, _ in family.labels]
    if family.kind == "histogram":
        histogram = core.HistogramMetricFamily(family.name, family.help, labels=labels)
        for values, first in cells.items():
            width = family.width
            sums = [sum(part[first + place] for _, part, _ in parts) for place in range(width)]
            if any(sums) or len(cells) < _MANY:
                bounds = (*map(str, BUCKETS), "+Inf")
                histogram.add_metric(
                    values, list(zip(bounds, accumulate(sums[:-1]), strict=True)), sum_value=sums[-1]
                )
        return histogram
    kind = core.CounterMetricFamily if family.kind == "counter" else core.GaugeMetricFamily
    made = kind(family.name, family.help, labels=labels)
    for values, cell in cells.items():
        value = _together(family, [(part[cell], is_taken) for _, part, is_taken in parts])
        if value or len(cells) < _MANY:
            made.add_metric(values, value)
    return made


_MANY = 50
"""Of so many combinations most never occur, and only those are shown that have. The others are shown from the
start: a first fault that comes with its figure is no increase to Prometheus."""


def _together(family: Family, cells: Iterable[tuple[float, bool]]) -> float:
    if family.kind == "counter":
        return sum(value for value, _ in cells)
    if family.kind == "highest":
        return max((value for value, _ in cells), default=0)
    return sum(value for value, is_taken in cells if is_taken)


def _memory_of(process: int) -> int:
    """Read how much memory a process has for itself; the book, which is mapped, is not counted."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:")))


def _is_ready(host: str, port: int) -> int:
    connection = HTTPConnection(_reached_by(host), port, timeout=READY_SECONDS_MAX)
    try:
        connection.request("GET", "/readyz")
        return int(connection.getresponse().status == 200)
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def _reached_by(host: str) -> str:
    """Return the address at which a server is reached that listens on all of them."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
