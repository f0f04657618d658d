"""A server that is killed while it plans or applies an import, and one whose process for that is: it goes on."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.fixtures.book import Book, walk
from tests.fixtures.engines import ENGINES
from tests.fixtures.lengths import length
from tests.fixtures.server import start_server, stop_server, wait_until
from tests.fixtures.uploads import act, settled, upload
from tests.reliability.journal import children_of

pytestmark = pytest.mark.parametrize("engine", length(["sqlite"], ENGINES), indirect=True)
ROUNDS = length(1, 12)
ROWS = length(500, 20_000)
WAIT_SECONDS_MAX = length(0.4, 4)


def file_of(rows):
    head = b"number,name,type,bill_to.country,bill_to.locality\n"
    return head + b"".join(b"%d,Customer %d,Group %d,IE,Cork\n" % (n, n, n % 7) for n in range(1, rows + 1))


def process_of_imports(server):
    """The process that works at imports, if there is one."""
    for each in children_of(server.process.pid):
        command = Path(f"/proc/{each}/cmdline").read_bytes()
        if b"import_process" in command:
            return each
    return None


def kill(server, *, whole):
    """End the process of imports, or the whole server, at once."""
    doomed = children_of(server.process.pid) if whole else [process_of_imports(server)]
    if whole:
        server.process.kill()
        server.process.wait()
    for each in doomed:
        if each is not None:
            os.kill(each, signal.SIGKILL)


def test_an_import_is_planned_and_applied_whatever_is_killed(engine, tmp_path):
    chance, rows = random.Random(7), file_of(ROWS)
    database = engine.new(tmp_path)
    server = start_server(tmp_path, database=database)
    book = Book(server)
    for number in range(ROUNDS):
        at = upload(book.client, rows).headers["location"]
        for state, whole in (("planning", number % 2 == 0), ("applying", number % 2 == 1)):
            wait_until(
                lambda running=server: process_of_imports(running) is not None, "the process of imports", 60
            )
            # Nothing is waited for: it is any moment.
            time.sleep(chance.uniform(0, WAIT_SECONDS_MAX))
            kill(server, whole=whole)
            if whole:
                server = start_server(tmp_path, database=database)
                book.client.base_url = server.url
            found = settled(book.client, at)
            assert found["state"] == {"planning": "planned", "applying": "applied"}[state], found
            if state == "planning":
                act(book.client, at, "apply")
    numbers = [int(customer["number"]) for customer in walk(book.client, limit=1000)]
    assert sorted(numbers) == list(range(1, ROWS + 1))
    groups = [each["name"] for each in walk(book.client, "/v1/sales/account-groups")]
    assert len(groups) == 7
    book.close()
    stop_server(server)
    assert not any(path.is_file() for folder in tmp_path.glob("*imports*") for path in folder.rglob("*"))
