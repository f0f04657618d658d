"""Two servers on one book: no lost update, one row for each key, and nobody is told that the book is busy."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures import plain_http
from tests.fixtures.book import walk
from tests.fixtures.samples import Maker
from tests.fixtures.server import serving
from tradebook.resources.customers.fields import CREATE

CUSTOMERS = "/v1/sales/customers"


@pytest.fixture(scope="module")
def pair(server):
    """Two servers on the same book."""
    with serving(server.log.parent, database=server.database) as second:
        yield server, second


@contextmanager
def clients_of(book, pair, count):
    """Clients of both servers in turn."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                plain_http.Client(base_url=pair[n % 2].url, headers=book.client.headers, timeout=60)
            )
            for n in range(count)
        ]


def test_a_counter_that_many_raise_by_tag_loses_nothing(book, pair):
    """Read, add one, write if nobody else has: the sum is what was added."""
    customer = Maker(book).of_prefix("ac", note="0")
    path, rounds = f"{CUSTOMERS}/{customer}", 12
    refused = Counter()

    def raise_it(client):
        done = 0
        while done < rounds:
            read = client.get(path)
            written = client.patch(
                path,
                json={"note": str(int(read.json()["note"]) + 1)},
                headers={"If-Match": read.headers["etag"]},
            )
            if written.status_code == 412:
                check_envelope(written, 412, None, "precondition_failed")
                refused["412"] += 1
            else:
                assert written.status_code == 200, written.text
                done += 1

    with ThreadPoolExecutor(4) as pool, clients_of(book, pair, 4) as clients:
        list(pool.map(raise_it, clients))

    assert book.get(path)["note"] == str(4 * rounds)
    assert refused["412"] > 0


def test_without_tags_the_same_loses_some(book, pair):
    """The tooth of the test above: it is the tag that keeps updates from being lost."""
    customer = Maker(book).of_prefix("ac", note="0")
    path, meet = f"{CUSTOMERS}/{customer}", threading.Barrier(2)

    def raise_it(client):
        note = int(client.get(path).json()["note"])
        meet.wait(10)
        client.patch(path, json={"note": str(note + 1)})

    with ThreadPoolExecutor(2) as pool, clients_of(book, pair, 2) as clients:
        list(pool.map(raise_it, clients))

    assert book.get(path)["note"] == "1"


def test_fifty_under_one_key_on_two_servers_make_one_row(book, pair):
    maker = Maker(book)
    body = maker.body(CREATE, only_required=True)

    def send(client):
        while True:
            answer = client.post(CUSTOMERS, json=body, headers={"Idempotency-Key": "fifty"})
            if answer.status_code != 409:
                assert answer.status_code == 201, answer.text
                return answer.content
            check_envelope(answer, 409, "Idempotency-Key", "idempotency_in_progress")

    with ThreadPoolExecutor(25) as pool, clients_of(book, pair, 50) as clients:
        answers = set(pool.map(send, clients))

    assert len(answers) == 1
    assert len(list(walk(book.client))) == 1


def test_writers_of_one_account_take_turns(book, pair):
    """Many at once on both servers: all are done, in one sequence of numbers."""
    maker = Maker(book)
    body = maker.body(CREATE, only_required=True)

    def send(client):
        return [client.post(CUSTOMERS, json=body).status_code for _ in range(5)]

    with ThreadPoolExecutor(8) as pool, clients_of(book, pair, 8) as clients:
        statuses = [status for each in pool.map(send, clients) for status in each]

    assert Counter(statuses) == {201: 40}
    assert sorted(int(customer["number"]) for customer in walk(book.client)) == list(range(1, 41))
