"""Requests that mean harm, in numbers: no fault, no hang, no lost connection, and the worker stays as it is."""

import asyncio
import json
import random
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixtures.book import Book
from tests.fixtures.engines import ENGINES
from tests.fixtures.hostile import Hostile
from tests.fixtures.lengths import IS_SOAK, length
from tests.fixtures.load import CUT, GIVEN_UP, Outcome, ask, connect
from tests.fixtures.samples import Maker
from tests.fixtures.server import serving
from tests.reliability.journal import workers_of

REQUESTS = length(600, 150_000)
"""On each engine."""
CLIENTS = 4
SEED = random.SystemRandom().randrange(2**32) if IS_SOAK else 1
PATIENCE_SECONDS = 20
GROWTH_BYTES = 50_000_000


@pytest.fixture
def server(tmp_path, engine):
    """A server of its own, whose one worker is watched."""
    with serving(tmp_path, database=engine.new(tmp_path)) as running:
        yield running


def memory_of(process):
    """How many bytes a process holds that are its own."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(("Private_", "Anonymous:")))


def fault_of(outcome):
    """Say what is wrong with an answer, whatever was asked."""
    if outcome.status in (CUT, GIVEN_UP):
        return {CUT: "cut", GIVEN_UP: "no answer"}[outcome.status]
    if outcome.status >= 500 and outcome.status != 501:
        return f"{outcome.status} {outcome.body[:200]!r}"
    if not (b"\r\nx-request-id: " in outcome.head and b"\r\nrequest-id: " in outcome.head):
        # The server itself refuses what is no HTTP, before anything of ours sees it.
        return "" if outcome.status in (400, 414, 431) and not outcome.body else "no request id"
    if outcome.status >= 400:
        try:
            error = json.loads(outcome.body)["error"]
        except (ValueError, LookupError):
            return f"no envelope: {outcome.body[:200]!r}"
        if "Traceback" in error["message"] or len(error["message"]) > 1_000:
            return f"says too much: {outcome.body[:200]!r}"
    return ""


async def attack(url, hostile, count):
    """Send so many, from several clients at once; returns the faults, with the requests that met them."""
    faults, sent = [], 0

    async def work():
        nonlocal sent
        wire = None
        while sent < count and len(faults) < 20:
            sent += 1
            request = hostile.request()
            if wire is None or not wire.is_open:
                wire = await connect(url)
            outcome = await ask(wire, request, patience_seconds=PATIENCE_SECONDS)
            if fault := fault_of(outcome):
                faults.append((fault, request[:600]))
        if wire is not None:
            wire.close()

    await asyncio.gather(*(work() for _ in range(CLIENTS)))
    return faults


@pytest.mark.parametrize("engine", length(["sqlite"], ENGINES), indirect=True)
def test_no_request_makes_a_fault(server, figures):
    with closing(Book(server)) as book:
        hostile = Hostile(Maker(book), SEED)
        workers = workers_of(server.process.pid)
        asyncio.run(attack(server.url, hostile, REQUESTS // 10))
        before, began = [memory_of(worker) for worker in workers], time.monotonic()

        faults = asyncio.run(attack(server.url, hostile, REQUESTS))

        growth = max(memory_of(worker) - was for worker, was in zip(workers, before, strict=True))
        assert book.client.get("/v1/sales/account-groups").status_code == 200
    figures(
        1, REQUESTS, len(faults), seed=SEED, rate=f"{REQUESTS / (time.monotonic() - began):.0f}/s",
        growth=f"{growth / 1e6:.0f} MB",
    )  # fmt: skip
    assert faults == []
    assert workers_of(server.process.pid) == workers
    assert "Traceback" not in server.log.read_text()
    assert growth < GROWTH_BYTES


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"\r\nx-request-id: a\r\nrequest-id: a\r\n", b"{}"),
        (400, b"\r\nx-request-id: a\r\nrequest-id: a\r\n", b"nonsense"),
        (400, b"\r\n\r\n", b"{}"),
        (CUT, b"", b""),
        (GIVEN_UP, b"", b""),
    ],
)
def test_a_fault_is_noticed(answer):
    """The tooth."""
    status, head, body = answer
    assert fault_of(Outcome("", status, 0, 0, head, body))
