"""The server is restarted, told to read its settings anew, interrupted and killed, while clients go on."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.fixtures import plain_http
from tests.fixtures.book import Book, walk
from tests.fixtures.engines import Sqlite
from tests.fixtures.lengths import length
from tests.fixtures.load import CUT, keep_asking, statuses, write_request
from tests.fixtures.server import DEADLINE_SECONDS, Server, free_port, wait_until
from tests.reliability.journal import workers_of

GROUPS = "/v1/sales/account-groups"
RESTARTS, RELOADS = length((2, 1), (20, 10))
PAUSE_SECONDS = length(0.005, 0)
CLIENTS = length(1, 4)
"""So many that read and so many that write, on kept connections and on new ones each."""


class Place:
    """Where a server is started again and again: its folder, its book, its port."""

    def __init__(self, folder):
        self.folder, self.database, self.port = folder, Sqlite().new(folder), free_port()
        self.processes = []


@pytest.fixture
def place(tmp_path):
    """Nothing that was started there outlives the test."""
    made = Place(tmp_path)
    yield made
    for process in made.processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def serve(place, *arguments, workers=1):
    """Start a server on the place's port, in a process group of its own, and wait until it answers."""
    folder, database, port = place.folder, place.database, place.port
    log = folder / "server.log"
    command = [sys.executable, "-m", "tradebook", *(arguments or ("serve", "--workers", str(workers)))]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            env={
                "TRADEBOOK_RATE_LIMIT": "0",
                **os.environ,
                "TRADEBOOK_DATABASE": database,
                "TMPDIR": str(folder),
            },
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    place.processes.append(process)
    server = Server(f"http://127.0.0.1:{port}", database, log, process)
    wait_until(lambda: is_ready(server), "the server's readiness")
    return server


def is_ready(server):
    assert server.process.poll() is None, server.log.read_text()
    try:
        return plain_http.get(f"{server.url}/readyz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def stop(server, number=signal.SIGTERM):
    server.process.send_signal(number)
    return server.process.wait(DEADLINE_SECONDS)


class Clients:
    """Readers and writers on kept and on new connections, until they are told to end."""

    def __init__(self, url, key):
        self._url, self._key, self._is_over = url, key, False
        self.outcomes = []

    async def _work(self, name, data, *, is_kept):
        until = _Until(lambda: self._is_over)
        self.outcomes += await keep_asking(
            self._url, data, until, name, is_kept=is_kept, pause_seconds=PAUSE_SECONDS
        )

    async def _all(self):
        read = write_request(self._key, GROUPS)

        def write(name):
            def make(n):
                body = {"name": f"{name} {n}", "type": "type_group"}
                return write_request(self._key, GROUPS, "POST", json.dumps(body).encode())

            return make

        await asyncio.gather(
            *(
                self._work(name, data, is_kept=is_kept)
                for n in range(CLIENTS)
                for is_kept in (True, False)
                for name, data in (
                    (f"reader {n} {is_kept}", lambda _: read),
                    (f"writer {n} {is_kept}", write(f"{n} {is_kept}")),
                )
            )
        )

    @contextmanager
    def asking(self):
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(asyncio.run, self._all())
            try:
                yield
            finally:
                self._is_over = True
            done.result(DEADLINE_SECONDS * 2)


class _Until:
    """A moment that has come when something is so."""

    def __init__(self, is_so):
        self._is_so = is_so

    def __gt__(self, _now):
        return not self._is_so()


def wait_for_answers(book, count=40):
    """Let the clients be answered for a while: each look is a request of our own."""
    for _ in range(count):
        assert book.client.get(GROUPS, params={"limit": 1}).status_code == 200


def check(clients, book, times, figures, cycles):
    outcomes = clients.outcomes
    failed = [each for each in outcomes if not each.is_good]
    lost = sum(each.client.startswith("writer") for each in outcomes if each.is_good) - len(
        list(walk(book.client, GROUPS, limit=1000))
    )
    cut_kept = sum(each.status == CUT and each.client.endswith("True") for each in failed)
    figures(
        cycles, len(outcomes), len(failed) + max(0, lost), cut_kept=cut_kept, failed=dict(statuses(failed)),
        ended_in=f"{max(times, default=0):.1f} s at most",
    )  # fmt: skip
    assert [(each.client, each.status, each.body.partition(b"message")[2][:90]) for each in failed] == []
    assert lost <= 0
    assert len(outcomes) > cycles * 20


def test_restarts_cut_no_request(place, figures):
    """On kept connections the last answer says that it is the last one; on new ones nobody listens, or somebody answers."""
    server, times = serve(place), []
    with closing(Book(server)) as book:
        clients = Clients(server.url, book.key)
        with clients.asking():
            for _ in range(RESTARTS):
                wait_for_answers(book)
                began = time.monotonic()
                assert stop(server) == 0, server.log.read_text()[-2_000:]
                times.append(time.monotonic() - began)
                book.client.close()
                server = serve(place)
                book.client = plain_http.Client(base_url=server.url, headers=book.client.headers, timeout=30)
            wait_for_answers(book)

        check(clients, book, times, figures, RESTARTS)
    assert stop(server) == 0
    # The book is whole without its log.
    log = Path(f"{place.folder / 'book.db'}-wal")
    assert not log.exists() or log.stat().st_size == 0


def test_new_workers_cut_no_request(place, figures):
    """SIGHUP: each worker is replaced by one that reads the settings anew."""
    server = serve(place, workers=2)
    with closing(Book(server)) as book:
        clients = Clients(server.url, book.key)
        with clients.asking():
            for _ in range(RELOADS):
                wait_for_answers(book)
                before = set(workers_of(server.process.pid))
                server.process.send_signal(signal.SIGHUP)
                wait_until(lambda before=before: is_replaced(server, before), "new workers")
            wait_for_answers(book)

        check(clients, book, [], figures, RELOADS)
    assert stop(server) == 0


def is_replaced(server, before):
    now = set(workers_of(server.process.pid))
    return len(now) == len(before) and not now & before


@pytest.mark.parametrize("command", ["serve", "demo"])
@pytest.mark.parametrize("with_connection", length([True], [False, True]))
def test_ctrl_c_ends_an_idle_server_at_once(place, command, with_connection):
    """It reaches the main process and its workers alike, all at once."""
    server = serve(place, command)
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) if with_connection else closing(socket.socket()):
        began = time.monotonic()
        os.killpg(server.process.pid, signal.SIGINT)
        code = server.process.wait(DEADLINE_SECONDS)
        ended = time.monotonic() - began

    # A second, and more for a machine with other things to do; without care it would be ten.
    assert ended < 4, server.log.read_text()[-2_000:]
    assert code in (0, 130)
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("workers", length([2], [1, 2]))
def test_a_main_process_that_is_killed_leaves_nobody_on_the_port(place, workers):
    server = serve(place, workers=workers)
    left = workers_of(server.process.pid)

    server.process.kill()
    server.process.wait()

    wait_until(lambda: not is_listened_on(server), "the end of its workers", 10)
    again = serve(place)
    with closing(Book(again)) as book:
        assert book.get(GROUPS)["data"] == []
    assert stop(again) == 0
    assert len(left) >= workers


def is_listened_on(server):
    try:
        plain_http.get(f"{server.url}/healthz", timeout=2)
    except httpx.ConnectError:
        return False
    except httpx.TransportError:
        return True
    return True


@pytest.mark.parametrize("workers", length([2], [1, 2]))
def test_a_server_can_be_reached_when_it_says_so_and_be_stopped_at_once(place, workers):
    """Its workers have just begun then, and the order to end must not be lost between two handlers."""
    folder, database, port = place.folder, place.database, place.port
    for pause in (0.0, 0.02, 0.1):
        command = [sys.executable, "-m", "tradebook", "serve", "--port", str(port), "--workers", str(workers)]
        process = subprocess.Popen(
            command, env={**os.environ, "TRADEBOOK_DATABASE": database}, cwd=folder, stderr=subprocess.PIPE
        )
        with process, process.stderr as said:
            try:
                assert b"listens on" in said.readline()
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                time.sleep(pause)
                began = time.monotonic()
                process.terminate()
                assert process.wait(DEADLINE_SECONDS) == 0
            finally:
                # Else a failure would wait for a server that nobody ends.
                process.kill()
        # Ten seconds is when a worker that has not heard it is killed.
        assert time.monotonic() - began < 8


def test_a_log_that_nobody_reads_costs_no_answer(place):
    folder, database, port = place.folder, place.database, place.port
    command = [sys.executable, "-m", "tradebook", "serve", "--port", str(port)]
    process = subprocess.Popen(
        command, env={**os.environ, "TRADEBOOK_DATABASE": database}, cwd=folder, stderr=subprocess.PIPE
    )
    server = Server(f"http://127.0.0.1:{port}", database, folder / "server.log", process)
    wait_until(lambda: is_ready(server), "the server's readiness")
    try:
        process.stderr.close()
        with closing(Book(server)) as book:
            made = book.client.post(GROUPS, json={"name": "unread", "type": "type_group"})
            assert made.status_code == 201
            assert [group["name"] for group in book.get(GROUPS)["data"]] == ["unread"]
        assert plain_http.get(f"{server.url}/healthz").status_code == 200
    finally:
        process.terminate()
        process.wait(DEADLINE_SECONDS)
