"""Servers under measurement: one worker on one core, its processor time, and rounds taken in turn."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from typing import Self

import msgspec

from bench.books import BenchBook
from bench.load import Generator, Job, core
from bench.processes import cpu_seconds, memory_mib

ROOT = Path(__file__).parent.parent
STARTING_SECONDS_MAX = 60
LIMIT = str(10**9)
"""The rate limit that requests are counted against: none of them is refused, and each is counted."""

AT_MOST = 20_000
"""How many requests a round can send."""

PATIENCE_MS = "10000"
"""How long requests may stand in line: peers let them wait, where Tradebook would soon say 503."""


class Server:
    """A server process with all that it starts, pinned to the first core, on a port of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        path: str = "/",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self._path, self.headers = name, path, dict(headers or {})
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._command = [part.replace("{port}", str(self.port)) for part in command]
        self._environment = {**os.environ, **(environment or {})}

    def __enter__(self) -> Self:
        self._told = TemporaryFile()
        self.process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=self._told,
            cwd=ROOT,
        )
        # It has started nothing yet: what it starts stays on the same core.
        os.sched_setaffinity(self.process.pid, {core(0)})
        end = time.monotonic() + STARTING_SECONDS_MAX
        while True:
            try:
                self.get(self._path)
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    self._told.seek(0)
                    told = self._told.read()[-2000:].decode(errors="replace")
                    self.__exit__()
                    raise RuntimeError(f"{self.name} does not serve: {told}") from error
                time.sleep(0.05)
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._told.close()

    def request(self, path: str, body: bytes | None = None) -> bytes:
        """Write a request as it goes over the wire."""
        method = "GET" if body is None else "POST"
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + (body or b"")

    def get(self, path: str) -> bytes:
        """Ask once, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers=self.headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, (self.name, path, answer.status, body[:400])
        return body

    def cpu_seconds(self) -> float:
        """Processor time of the whole tree so far."""
        return cpu_seconds(self.process.pid)

    def memory_mib(self) -> float:
        """Memory of the worker that is no mapped file."""
        return memory_mib(self.process.pid)


def tradebook(book: BenchBook, module: str = "tradebook.app", name: str = "Tradebook", **more: str) -> Server:
    """Return the product's server with one worker, log and limits at work, or what `module` makes instead."""
    code = (
        f"import tradebook.cli.serving as serving, {module} as made;"
        "serving.create_worker = made.create_worker;"
        "serving.serve_forever('127.0.0.1', {port}, 1, lambda: None)"
    )
    settings = {
        "TRADEBOOK_DATABASE": book.url,
        "TRADEBOOK_RATE_LIMIT": LIMIT,
        "TRADEBOOK_ACCOUNT_RATE_LIMIT": LIMIT,
        "TRADEBOOK_READ_QUEUE_MS": PATIENCE_MS,
        "TRADEBOOK_WRITE_QUEUE_MS": PATIENCE_MS,
        **more,
    }
    return Server(
        name,
        [sys.executable, "-c", code],
        settings,
        path="/v1/sales/customers",
        headers={"Authorization": f"Bearer {book.secret}"},
    )


class Measured(msgspec.Struct):
    """Medians over the rounds: requests a second, microseconds a request; milliseconds of all answers."""

    rate: float
    cpu: float
    database_cpu: float | None
    p50: float
    p99: float
    requests: int


class Entry(msgspec.Struct):
    """A server that takes part, and what it is asked: no request twice, but one alone again and again."""

    server: Server
    requests: list[bytes]


def in_rounds(
    generate: Generator,
    entries: Sequence[Entry],
    *,
    rounds: int,
    seconds: float,
    connections: int,
    database: int | None = None,
) -> list[Measured | None]:
    """Let the servers take turns, so that a slow moment of the machine hits all.

    None for one that was asked nothing. `database` is the process of the database server, told apart.
    """
    samples: list[list[tuple[float, float, float]]] = [[] for _ in entries]
    latencies: list[list[float]] = [[] for _ in entries]
    repeated = [len(entry.requests) == 1 for entry in entries]
    for _ in range(rounds):
        for at, entry in enumerate(entries):
            server, requests = entry.server, entry.requests
            if not requests:
                continue
            before = server.cpu_seconds(), cpu_seconds(database) if database else 0.0
            got = generate(Job(server.port, requests[:AT_MOST], connections, seconds, repeated[at]))
            after = server.cpu_seconds(), cpu_seconds(database) if database else 0.0
            count = len(got.latencies)
            if not repeated[at]:
                entry.requests = requests[count:]
            latencies[at] += got.latencies
            used = [(end - start) / count * 1e6 for start, end in zip(before, after, strict=True)]
            samples[at].append((count / got.seconds, *used))
    return [
        _summed(taken, latencies[at], is_apart=database is not None) if taken else None
        for at, taken in enumerate(samples)
    ]


def _summed(taken: list[tuple[float, float, float]], latencies: list[float], *, is_apart: bool) -> Measured:
    rates, cpus, databases = zip(*taken, strict=True)
    in_order = sorted(latencies)
    return Measured(
        round(median(rates), 1),
        round(median(cpus), 1),
        round(median(databases), 1) if is_apart else None,
        *(round(in_order[min(len(in_order) - 1, len(in_order) * share // 100)], 2) for share in (50, 99)),
        len(in_order),
    )
