"""A server that dies under many threads: every call ends well, and what it makes is there once."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.client.forms import fields_of_a_customer
from tests.fixtures.book import filled
from tests.fixtures.lengths import length
from tests.fixtures.server import stop_server, wait_until
from tests.reliability.journal import kill_one, start
from tradebook_client import AsyncTradebook, Tradebook

THREADS, EACH = 6, length(20, 200)


@pytest.fixture
def own_book(tmp_path, engine):
    """A book on a server of its own, which may be killed."""
    server = start(tmp_path, engine.new(tmp_path))
    with filled(server) as made:
        yield made
    stop_server(server)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_many_threads_make_while_a_worker_is_killed_is_there_once(own_book):
    names = [[f"Customer {thread} {n}" for n in range(EACH)] for thread in range(THREADS)]
    made, walked = [], []

    async def walk_on():
        async with AsyncTradebook(own_book.server.url, own_book.key) as reader:
            while len(made) < THREADS * EACH:
                before = set(made)
                found = [customer.id async for customer in reader.customers.list(limit=7)]
                walked.append(before <= set(found) and len(found) == len(set(found)))

    with Tradebook(own_book.server.url, own_book.key) as client, ThreadPoolExecutor(THREADS + 1) as pool:
        fields = fields_of_a_customer(client)

        def work(listed):
            for name in listed:
                made.append(client.customers.create(name=name, **fields).id)

        running = [pool.submit(work, listed) for listed in names]
        running.append(pool.submit(asyncio.run, walk_on()))
        wait_until(lambda: len(made) > THREADS, "some customers")
        kill_one(own_book.server)
        for each in running:
            each.result()
        there = Counter(customer.name for customer in client.customers.list(limit=1000))

    assert there == Counter(name for listed in names for name in listed)
    assert walked
    assert all(walked)
