"""The server's floor is made of what a worker is made of: it has to go on starting."""

import asyncio
import os

from bench.asking import PATH
from bench.constant import create_worker
from tests.fixtures.rsgi import Scope, Transport


def test_it_answers_constant_bytes(monkeypatch):
    monkeypatch.setenv("BENCH_BYTES", "1000")
    worker, transport = create_worker(1, 10, os.getppid()), Transport()

    asyncio.run(worker.__rsgi__(Scope(("host", "x"), method="GET", url=PATH), transport))

    assert (transport.answer[0], len(transport.answer[2])) == (200, 1000)
