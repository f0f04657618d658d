"""Clients that write down what they were promised, and a server that is killed under them."""

import os
import random
import signal
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.fixtures import plain_http
from tests.fixtures.book import Book, walk
from tests.fixtures.samples import Maker
from tests.fixtures.server import Server, start_server, wait_until
from tradebook.resources.customers.fields import CREATE

CUSTOMERS = "/v1/sales/customers"
INCLUDE = (
    "type,price_groups,bill_to_address.geolocation,ship_to_address.geolocation,contact_info,credit_limit"
)
CLIENTS = 8
PAUSE_SECONDS = 0.05
"""How long a client waits after it had no answer, or 503."""


class Write(NamedTuple):
    """One request: a customer that is to be there once and whole."""

    key: str
    body: dict


class Journal:
    """What was sent, and what of it was answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.answered: list[Write] = []
        self.unanswered: list[Write] = []

    def note(self, write: Write, *, is_answered: bool) -> None:
        """Write down how a request ended, before the next one is sent."""
        with self._lock:
            (self.answered if is_answered else self.unanswered).append(write)


class Writers:
    """Clients that create customers until their server is gone."""

    def __init__(self, book: Book, seed: int) -> None:
        maker = Maker(book)
        self._book, self._random = book, random.Random(seed)
        self._plain = maker.body(CREATE, only_required=True)
        self._groups = [maker.of_prefix("acgr", type="pricing_group") for _ in range(2)]
        self.checked = self.replayed = 0

    def write_until(self, cycle: int, server: Server, kill) -> Journal:
        """Write with all clients, and kill the server when some of them have had an answer."""
        journal, stopped = Journal(), threading.Event()
        moment = self._random.randrange(1, 40)

        def work(number: int) -> None:
            with plain_http.Client(
                base_url=server.url, headers=self._book.client.headers, timeout=10
            ) as client:
                for n in range(10_000):
                    if stopped.is_set():
                        return
                    write = self._new(f"cycle{cycle:04d} client{number} write{n}")
                    answered = is_done(send(client, write))
                    journal.note(write, is_answered=answered)
                    if not answered:
                        # Each is sent again later: in an outage there would be thousands.
                        stopped.wait(PAUSE_SECONDS)

        with ThreadPoolExecutor(CLIENTS) as pool:
            done = [pool.submit(work, number) for number in range(CLIENTS)]
            try:
                wait_until(
                    lambda: len(journal.answered) >= moment or any(d.done() for d in done), "some writes"
                )
                kill(server)
            finally:
                stopped.set()
            for each in done:
                each.result()
        return journal

    def _new(self, name: str) -> Write:
        address = {"name": name, "country": "DE", "locality": name.split(maxsplit=1)[0]}
        body = self._plain | {
            "name": name,
            "email": f"{name.replace(' ', '.')}@example.com",
            "credit_limit": {"value": "1.10"},
            "customer_price_group_ids": self._groups,
            "bill_to_address": address,
            "ship_to_address": address,
        }
        return Write(name, body)

    def check(self, cycle: int, server: Server, journal: Journal) -> list[str]:
        """Name everything that is lost, half there, or there twice."""
        with plain_http.Client(base_url=server.url, headers=self._book.client.headers, timeout=30) as client:
            before = self._found(client, cycle)
            violations = [f"lost: {write.key}" for write in journal.answered if write.key not in before]
            known = {write.key for write in (*journal.answered, *journal.unanswered)}
            violations += [f"never sent: {name}" for name in before if name not in known]
            for write in journal.unanswered:
                wait_until(lambda write=write: self._retry(client, write), f"the answer to {write.key}")
            after = self._found(client, cycle)
        for name, found in after.items():
            if len(found) != 1:
                violations.append(f"{len(found)} times: {name}")
            violations += [f"half there: {name}" for customer in found if not self._is_whole(customer)]
        violations += [f"lost after all: {name}" for name in known if name not in after]
        self.checked += len(known)
        return violations

    def _retry(self, client: httpx.Client, write: Write) -> bool:
        answer = send(client, write)
        if is_done(answer) and "idempotent-replayed" in answer.headers:
            self.replayed += 1
        return is_done(answer)

    def _found(self, client: httpx.Client, cycle: int) -> dict[str, list[dict]]:
        found: dict[str, list[dict]] = {}
        for customer in walk(client, q=f"cycle{cycle:04d}", include=INCLUDE, limit=500):
            found.setdefault(customer["name"], []).append(customer)
        return found

    def _is_whole(self, customer: dict) -> bool:
        name = customer["name"]
        places = [customer[f"{part}_to_address"] for part in ("bill", "ship")]
        return (
            customer["type"]["id"] == self._plain["customer_type_group_id"]
            and {group["id"] for group in customer["price_groups"]["data"]} == set(self._groups)
            and all(place and place["geolocation"]["locality"] == name.split()[0] for place in places)
            and customer["contact_info"]["email"] == f"{name.replace(' ', '.')}@example.com"
            and customer["credit_limit"]["value"] == "1.10"
        )


def send(client: httpx.Client, write: Write) -> httpx.Response | None:
    """Send a request; None where it was not answered."""
    try:
        answer = client.post(CUSTOMERS, json=write.body, headers={"Idempotency-Key": write.key})
    except httpx.TransportError:
        return None
    assert answer.status_code in (201, 409, 503), answer.text
    return answer


def is_done(answer: httpx.Response | None) -> bool:
    """Tell whether a request was answered with success."""
    return answer is not None and answer.status_code == 201


def workers_of(process: int) -> list[int]:
    """List the workers that a server has started, and not the process of imports."""
    return [child for child in children_of(process) if not _is_of_imports(child)]


def children_of(process: int) -> list[int]:
    """List the processes that a process has started."""
    found: list[int] = []
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        # A thread may end while it is looked at.
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, children.read_text().split())
    return sorted(found)


def _is_of_imports(process: int) -> bool:
    try:
        return b"tradebook.cli.import_process" in Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        # It has ended, before or while it was looked at.
        return True


def kill_all(server: Server) -> None:
    """End the server and its workers at once, without a chance to tidy up."""
    children = children_of(server.process.pid)
    server.process.kill()
    for child in children:
        # That of imports ends by itself.
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    server.process.wait()


def kill_one(server: Server) -> None:
    """End one worker; the server starts another."""
    workers = workers_of(server.process.pid)
    os.kill(workers[-1], signal.SIGKILL)
    wait_until(lambda: set(workers_of(server.process.pid)) - set(workers), "a new worker")


def start(folder: Path, database: str) -> Server:
    """Start a server of two workers."""
    return start_server(folder, workers=2, database=database)


def plant(monkeypatch, folder, code):
    """Have every server that is started from now on run this code first."""
    planted = folder / "planted"
    planted.mkdir()
    (planted / "sitecustomize.py").write_text(textwrap.dedent(code))
    monkeypatch.setenv("PYTHONPATH", f"{planted}:{os.environ.get('PYTHONPATH', '')}")
