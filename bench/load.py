"""The load generator: a process of its own that keeps connections busy, each with one request at a time.

It reads jobs from its standard input and answers each with a sample. Plain sockets, and no parsing beyond
lengths: so that it costs less than what it measures.
"""

import os
import re
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Self

import msgspec

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
CLOSING = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
SILENT_SECONDS_MAX = 60


class Job(msgspec.Struct):
    """What to ask a port for, by how many connections at once, and for how long at most."""

    port: int
    requests: list[bytes]
    connections: int
    seconds: float
    is_repeated: bool = False


class Sample(msgspec.Struct):
    """How many answers came in how many seconds, each one's milliseconds, and what went wrong."""

    latencies: list[float]
    seconds: float
    wrong: str = ""


class _Connection:
    """One connection: sends the next request when the answer to the last one is complete."""

    def __init__(self, port: int, polled: selectors.BaseSelector) -> None:
        self._port, self._polled = port, polled
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), SILENT_SECONDS_MAX)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._polled.register(self._socket, selectors.EVENT_READ, self)

    def close(self) -> None:
        self._polled.unregister(self._socket)
        self._socket.close()

    def ask(self, request: bytes) -> None:
        self._request, self._begun = request, time.perf_counter()
        self._received, self._whole, self._is_chunked = bytearray(), 0, False
        self._socket.sendall(request)

    def read(self) -> float | None:
        """Take what has come: the milliseconds of the answer once it is complete."""
        try:
            chunk = self._socket.recv(1 << 20)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            if self._received:
                raise ValueError("The connection ended within an answer.")
            # The server closed a connection that it had kept: asked again on a new one, as clients do.
            self.close()
            self._connect()
            self._socket.sendall(self._request)
            return None
        self._received += chunk
        if not self._whole and not self._is_chunked and not self._read_head():
            return None
        if not (
            self._received.endswith(b"0\r\n\r\n") if self._is_chunked else len(self._received) >= self._whole
        ):
            return None
        taken = (time.perf_counter() - self._begun) * 1000
        if CLOSING.search(self._received, 0, self._received.find(HEAD_END) + 2):
            self.close()
            self._connect()
        return taken

    def _read_head(self) -> bool:
        end = self._received.find(HEAD_END)
        if end < 0:
            return False
        if not self._received.startswith(b"HTTP/1.1 2"):
            raise ValueError(f"{bytes(self._request[:200])!r} was answered {bytes(self._received[:900])!r}")
        if length := LENGTH.search(self._received, 0, end):
            self._whole = end + len(HEAD_END) + int(length[1])
        else:
            self._is_chunked = CHUNKED.search(self._received, 0, end) is not None
        return True


def sample(job: Job) -> Sample:
    """Keep all connections busy until the time is up or every request was sent once."""
    requests, latencies = iter(cycle(job.requests) if job.is_repeated else job.requests), []
    with selectors.DefaultSelector() as polled:
        connections = [_Connection(job.port, polled) for _ in range(job.connections)]
        start = ended = time.perf_counter()
        try:
            busy = sum(_next(connection, requests) for connection in connections)
            while busy:
                ready = polled.select(SILENT_SECONDS_MAX)
                if not ready:
                    return Sample(latencies, ended - start, f"No answer for {SILENT_SECONDS_MAX} s.")
                for key, _ in ready:
                    taken = key.data.read()
                    if taken is not None:
                        latencies.append(round(taken, 3))
                        ended = time.perf_counter()
                        busy -= ended - start >= job.seconds or not _next(key.data, requests)
        except (OSError, ValueError) as wrong:
            return Sample(latencies, ended - start, str(wrong))
        finally:
            for connection in connections:
                connection.close()
    return Sample(latencies, ended - start)


def _next(connection: _Connection, requests: Iterator[bytes]) -> bool:
    request = next(requests, None)
    if request is not None:
        connection.ask(request)
    return request is not None


class Generator:
    """The process, seen from the one that measures."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
        )
        os.sched_setaffinity(self._process.pid, {core(1)})
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(20)

    def __call__(self, job: Job) -> Sample:
        """Have a job done. A wrong answer ends the run: its figures would mean nothing."""
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        self._process.stdin.flush()
        got = msgspec.json.decode(self._process.stdout.readline(), type=Sample)
        if got.wrong:
            raise ValueError(got.wrong)
        return got


def core(number: int) -> int:
    """Return one of the processor's cores: servers are on the first, what asks them on the second."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[number % len(cores)]


if __name__ == "__main__":
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(sample(msgspec.json.decode(line, type=Job))) + b"\n")
        sys.stdout.buffer.flush()
