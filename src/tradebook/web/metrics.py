"""What a server counts while it serves, in memory that all its processes share.

The main process makes the memory before the first worker starts. Each worker takes a part of it for as long
as it lives, and the process that shows the figures reads all parts (`metrics_page`). Nothing of it is a file:
a full disk can't take it away under a worker, which would be a fatal signal. What a worker has counted stays
when it ends.

Without `--metrics` there is no such memory, and the functions here do nothing.
"""

import fcntl
import mmap
import os
import re
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from itertools import product
from typing import Literal, cast, get_args

import msgspec

from tradebook.errors import CATALOGUE, ServiceUnavailable
from tradebook.storage.database import Figures, ReplicaFigures

Kind = Literal["counter", "gauge", "highest", "histogram"]
"""How a figure of several workers becomes one: all but the highest are added up; gauges of the living."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
STATUSES = tuple(map(str, (200, 201, 204, 304, *sorted({error.status for error in CATALOGUE} | {500}))))
OTHER = "other"
"""The value of a label for everything that has none of its own."""

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The bounds of the histograms, in seconds."""

SAMPLE_SECONDS = 1.0
"""How often a worker writes down what is not counted but looked at, such as the length of its queue."""

Queue = Literal["read", "write", "agent"]
"""The lines in which requests wait for their turn."""

Cells = MutableSequence[float]

_CELL_BYTES = 8
_PLACE = re.compile(r"\{[^}]*\}")


class Family(msgspec.Struct, frozen=True):
    """A figure: for each combination of its labels' values there is a cell, or a histogram."""

    name: str
    kind: Kind
    help: str
    labels: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def combinations(self) -> list[tuple[str, ...]]:
        """All combinations of values, in the order of the cells."""
        return list(product(*(values for _, values in self.labels)))

    @property
    def width(self) -> int:
        """How many cells a combination has: a histogram has one for each bucket, one more, and the sum."""
        return len(BUCKETS) + 2 if self.kind == "histogram" else 1


def route_of(template: str) -> str:
    """Name a route as it is shown: what its ids are called is no difference."""
    return _PLACE.sub("{id}", template)


def families_of(templates: Iterable[str], replicas: int) -> tuple[Family, ...]:
    """List everything that is counted, for a server with these routes and so many replicas."""
    route = ("route", (*dict.fromkeys(map(route_of, templates)), OTHER))
    replica = ("replica", tuple(str(number) for number in range(1, replicas + 1)))
    queue = ("queue", get_args(Queue))
    return (
        Family(
            "tradebook_requests",
            "counter",
            "Requests that were answered by a route, by method and status.",
            (("method", (*METHODS, OTHER)), route, ("status", (*STATUSES, OTHER))),
        ),
        Family(
            "tradebook_request_duration_seconds",
            "histogram",
            "From the head of a request to its finished answer, waiting included.",
            (route,),
        ),
        Family(
            "tradebook_refusals",
            "counter",
            "Requests that were refused, by the code of the error.",
            (("code", (*(error.code for error in CATALOGUE), OTHER)),),
        ),
        Family(
            "tradebook_unavailable",
            "counter",
            "Requests that were answered with service_unavailable, by the reason.",
            (("reason", ("database", "load")),),
        ),
        Family("tradebook_queue_length", "gauge", "Requests that wait for their turn.", (queue,)),
        Family("tradebook_queue_wait_seconds", "histogram", "How long requests waited in line.", (queue,)),
        Family("tradebook_connections", "gauge", "Connections of clients that are open."),
        Family(
            "tradebook_connections_closed",
            "counter",
            "Connections that the server has closed, as there were too many, or an answer was not read.",
            (("reason", ("too_many", "unread")),),
        ),
        Family("tradebook_commits", "counter", "Transactions of accounts that were committed."),
        Family(
            "tradebook_last_commit_timestamp_seconds", "highest", "When the last transaction was committed."
        ),
        Family(
            "tradebook_database_connections",
            "gauge",
            "Connections to the PostgreSQL server.",
            (("state", ("idle", "in_use")),),
        ),
        Family(
            "tradebook_replica_reads",
            "counter",
            "Reads that a replica was asked for, by what came of it.",
            (replica, ("outcome", ("answered", "behind", "failed"))),
        ),
        Family(
            "tradebook_replica_lag_seconds",
            "highest",
            "How much older the account was on the replica at the last read that it was asked for.",
            (replica,),
        ),
        Family("tradebook_worker_starts", "counter", "Worker processes that were started."),
        Family("tradebook_worker_process_id", "gauge", "The process of a worker."),
    )


class Layout:
    """Where each figure stands in a worker's part of the memory."""

    def __init__(self, families: Sequence[Family]) -> None:
        self.families = families
        self._first: dict[str, int] = {}
        self._cells: dict[str, dict[tuple[str, ...], int]] = {}
        end = 0
        for family in families:
            self._first[family.name] = end
            combinations = family.combinations
            self._cells[family.name] = {
                values: end + place * family.width for place, values in enumerate(combinations)
            }
            end += len(combinations) * family.width
        self.size = end

    def cells_of(self, name: str) -> dict[tuple[str, ...], int]:
        """Return the first cell of each combination of a figure's labels."""
        return self._cells[name]


class Board:
    """The memory, with a part for each worker. Locks tell which are taken, as they end with their process."""

    def __init__(self, families: Sequence[Family], parts: int) -> None:
        self.layout = Layout(families)
        self._parts = parts
        size = self.layout.size * _CELL_BYTES * parts
        self._descriptor = os.memfd_create("tradebook-metrics")
        # All of it now: memory that can't be had is told here, and not by a signal later.
        os.posix_fallocate(self._descriptor, 0, size)
        self._cells = cast("Cells", memoryview(mmap.mmap(self._descriptor, size)).cast("d"))

    def take(self) -> Cells | None:
        """Take a part that no living process has; None if there is none."""
        for number in range(self._parts):
            if self._lock(number):
                return self._part(number)
        return None

    def parts(self) -> Iterator[tuple[int, Cells, bool]]:
        """Yield all parts: the number, the cells, and whether a living process has it."""
        for number in range(self._parts):
            is_taken = not self._lock(number)
            if not is_taken:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, number)
            yield number, self._part(number), is_taken

    def _lock(self, number: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            return False
        return True

    def _part(self, number: int) -> Cells:
        return self._cells[number * self.layout.size : (number + 1) * self.layout.size]


class Recorder:
    """Writes the figures of one worker. Its threads take turns: an addition is a read and a write."""

    def __init__(self, layout: Layout, cells: Cells) -> None:
        self._cells = cells
        self._lock = threading.Lock()
        self._places = {family.name: layout.cells_of(family.name) for family in layout.families}
        self._requests = self._places["tradebook_requests"]
        self._durations = self._places["tradebook_request_duration_seconds"]
        self._routes: dict[str | None, str] = {}

    def observe(self, method: str, template: str | None, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        route = self._routes.get(template)
        if route is None:
            named = route_of(template) if template else OTHER
            route = self._routes[template] = named if (named,) in self._durations else OTHER
        key = (method, route, str(status))
        place = self._requests.get(key)
        if place is None:
            place = self._requests[_known(METHODS, method), route, _known(STATUSES, key[2])]
        first = self._durations[route,]
        with self._lock:
            self._cells[place] += 1.0
            self._cells[first + bisect_left(BUCKETS, seconds)] += 1.0
            self._cells[first + len(BUCKETS) + 1] += seconds

    def note(self, name: str, seconds: float, *labels: str) -> None:
        """Add a duration to a histogram."""
        first = self._places[name][labels]
        with self._lock:
            self._cells[first + bisect_left(BUCKETS, seconds)] += 1.0
            self._cells[first + len(BUCKETS) + 1] += seconds

    def add(self, name: str, number: float, *labels: str) -> None:
        """Count so many."""
        with self._lock:
            self._cells[self._places[name][labels]] += number

    def set(self, name: str, value: float, *labels: str) -> None:
        """Write down how much it is now."""
        self._cells[self._places[name][labels]] = value


def _known(values: Sequence[str], value: str) -> str:
    return value if value in values else OTHER


board: Board | None = None
"""The memory, in a server that shows its figures."""

recorder: Recorder | None = None
"""What a worker of such a server writes with."""


def observe(method: str, template: str | None, status: int, seconds: float) -> None:
    """Count a request that was answered by a route."""
    if recorder is not None:
        recorder.observe(method, template, status, seconds)


def refused(code: str) -> None:
    """Count a refusal."""
    if recorder is not None:
        recorder.add("tradebook_refusals", 1, code)


def unavailable(reason: Literal["database", "load"]) -> None:
    """Count why a request can't be answered now: the database is away, or more comes than can be answered."""
    if recorder is not None:
        recorder.add("tradebook_unavailable", 1, reason)


def shed() -> None:
    """Count a request that was refused before anything was done for it."""
    unavailable("load")
    if recorder is not None:
        recorder.observe(OTHER, None, ServiceUnavailable.status, 0.0)
        recorder.add("tradebook_refusals", 1, ServiceUnavailable.code)


def waited(queue: Queue, seconds: float) -> None:
    """Count a request that has waited for its turn."""
    if recorder is not None:
        recorder.note("tradebook_queue_wait_seconds", seconds, queue)


def closed(reason: Literal["too_many", "unread"], number: int) -> None:
    """Count connections that the server has closed."""
    if recorder is not None:
        recorder.add("tradebook_connections_closed", number, reason)


Look = Callable[[], tuple[Sequence[int], int, Figures]]
"""Tells how many requests wait in each queue, how many connections are open, and what the database counted
since the worker has started."""


def begin(look: Look) -> None:
    """Begin to count, in a worker that was just started; `look` is called in a thread, now and then."""
    global recorder  # noqa: PLW0603 - a worker begins once
    cells = board.take() if board is not None else None
    if board is None or cells is None:
        return
    recorder = Recorder(board.layout, cells)
    recorder.add("tradebook_worker_starts", 1)
    recorder.set("tradebook_worker_process_id", os.getpid())
    sampling = _Sampling(recorder, look)
    threading.Thread(target=sampling.go_on, name="metrics", daemon=True).start()


class _Sampling:
    """Writes down, again and again, what can only be looked at."""

    def __init__(self, into: Recorder, look: Look) -> None:
        self._into, self._look = into, look
        self._before = Figures()

    def go_on(self) -> None:
        while True:
            self.sample()
            time.sleep(SAMPLE_SECONDS)

    def sample(self) -> None:
        into = self._into
        lengths, connections, figures = self._look()
        for queue, length in zip(get_args(Queue), lengths, strict=True):
            into.set("tradebook_queue_length", length, queue)
        into.set("tradebook_connections", connections)
        into.set("tradebook_database_connections", figures.idle, "idle")
        into.set("tradebook_database_connections", figures.in_use, "in_use")
        into.add("tradebook_commits", figures.commits - self._before.commits)
        if figures.last_commit_ms:
            into.set("tradebook_last_commit_timestamp_seconds", figures.last_commit_ms / 1000)
        before = self._before.replicas or [ReplicaFigures()] * len(figures.replicas)
        for number, (now, then) in enumerate(zip(figures.replicas, before, strict=True), 1):
            replica = str(number)
            into.set("tradebook_replica_lag_seconds", now.lag_ms / 1000, replica)
            into.add("tradebook_replica_reads", now.answered - then.answered, replica, "answered")
            into.add("tradebook_replica_reads", now.behind - then.behind, replica, "behind")
            into.add("tradebook_replica_reads", now.failed - then.failed, replica, "failed")
        self._before = figures
