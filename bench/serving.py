"""Repeated pages over HTTP against the same server answering constant bytes; the worker's memory."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from bench.books import BenchBook
from bench.measuring import Result, at_least

SECONDS = 3.0
ROUNDS = 5
PATH = "/v1/sales/customers"


def measure_serving(book: BenchBook) -> Iterator[Result]:
    """Start both servers, take turns, compare the medians; then look at the memory."""
    page, size = None, 0
    with _Running("tradebook.app", book) as ours:
        size = len(ours.get(PATH)[1])
        os.environ["BENCH_BYTES"] = str(size)
        with _Running("bench.constant", book) as constant:
            rates: tuple[list[float], list[float]] = ([], [])
            for _ in range(ROUNDS):
                rates[0].append(ours.rate(PATH))
                rates[1].append(constant.rate(PATH))
            page, base = (sorted(listed)[ROUNDS // 2] for listed in rates)
        yield at_least(
            "repeated page over HTTP against constant bytes",
            page,
            base,
            0.8,
            "requests/s",
            f"{size:,} bytes; one connection, client on the other core",
        )
        for query in (
            "?limit=1000",
            "?limit=1000&include=child_accounts,price_groups,bill_to_address",
            "?q=a",
        ):
            for _ in range(20):
                ours.get(PATH + query)
        own = ours.memory_mib()
        yield Result("memory of a worker of its own", own, "MiB", bar="≤ 120 MiB", met=own <= 120)


class _Running:
    """The server with one worker that a module makes, and one keep-alive connection to it."""

    def __init__(self, module: str, book: BenchBook) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._secret = book.secret
        environment = {
            **os.environ,
            "TRADEBOOK_DATABASE": book.url,
            "TRADEBOOK_RATE_LIMIT": "0",
            "TRADEBOOK_LOG_REQUESTS": "false",
        }
        code = (
            f"import tradebook.cli.serving as serving, {module} as made;"
            "serving.create_worker = made.create_worker;"
            f"serving.serve_forever('127.0.0.1', {self.port}, 1, lambda: None)"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parent.parent,
        )

    def __enter__(self) -> Self:
        end = time.monotonic() + 20
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self.process.terminate()
        self.process.wait(20)

    def get(self, path: str) -> tuple[bytes, bytes]:
        """One request on the connection: head and body."""
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self._secret}\r\n\r\n".encode()
        )
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._socket.recv(1 << 20)
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(re.search(rb"content-length: (\d+)", head, re.IGNORECASE)[1])
        parts = [body]
        missing = length - len(body)
        while missing:
            parts.append(self._socket.recv(1 << 20))
            missing -= len(parts[-1])
        return head, b"".join(parts)

    def rate(self, path: str) -> float:
        """Requests a second over some seconds."""
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < SECONDS / ROUNDS:
            self.get(path)
            count += 1
        return count / (time.perf_counter() - start)

    def memory_mib(self) -> float:
        """Memory of the worker that is no mapped file: the largest child process."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        sizes = []
        for pid in found:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            sizes.append(int(re.search(r"Anonymous:\s+(\d+)", text)[1]) / 1024)
        return round(max(sizes), 1)
