"""What is remembered of requests is bounded by what it takes up, and the same request is one entry, however written."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fixtures.application import application, client_of
from tradebook.resources import api_keys
from tradebook.web import reading
from tradebook.web.page_cache import TEXT_LENGTH_MAX, TEXTS_BYTES_MAX, PageCache
from tradebook.web.recent import Recent

CUSTOMERS = "/v1/sales/customers"


def counted(monkeypatch, place, name):
    """Count the calls of a function where it is used."""
    calls, function = [], getattr(place, name)
    monkeypatch.setattr(place, name, lambda *given: calls.append(given) or function(*given))
    return calls


def test_a_page_is_found_by_what_is_asked_and_not_by_how_it_is_written(book, monkeypatch):
    calls = counted(monkeypatch, reading, "list_page")
    queries = ["q=%C3%A9", "q=%c3%a9&", "&&q=%c3%A9", *("q=%C3%A9" + "&" * n for n in range(1, 3_000, 500))]
    with client_of(application(book.database, book.server.database), book.key) as client:
        answers = [client.get(f"{CUSTOMERS}?{query}") for query in queries]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["etag"] for answer in answers}) == 1
    assert len(calls) == 1


def test_another_order_of_parameters_is_another_page(book, monkeypatch):
    """Its URLs repeat them in the client's order."""
    calls = counted(monkeypatch, reading, "list_page")
    with client_of(application(book.database, book.server.database), book.key) as client:
        for query in ("q=a&limit=1", "limit=1&q=a"):
            client.get(f"{CUSTOMERS}?{query}")

    assert len(calls) == 2


@pytest.mark.parametrize("text", ["x" * (TEXT_LENGTH_MAX + 1), "&" * 31_000], ids=len)
def test_a_long_query_string_is_not_remembered(text):
    pages = PageCache(1_000_000)

    pages.remember(text, ())

    assert pages.pairs_of(text) is None


def test_what_is_remembered_of_query_strings_is_bounded_by_what_it_takes_up():
    pages = PageCache(1_000_000)
    pairs = tuple((str(n), "") for n in range(500))
    for n in range(1_000):
        pages.remember(f"{n}", pairs)

    kept = sum(pages.pairs_of(f"{n}") is not None for n in range(1_000))

    assert pages.pairs_of("999") == pairs
    assert kept * 500 * 200 <= TEXTS_BYTES_MAX


def test_a_key_is_looked_up_once_whatever_stands_around_it(book, monkeypatch):
    calls = counted(monkeypatch, api_keys, "authenticate")
    with client_of(application(book.database, book.server.database), book.key) as client:
        statuses = {
            client.get(CUSTOMERS, headers={"Authorization": f"Bearer{' ' * n}{book.key}"}).status_code
            for n in range(1, 200, 20)
        }

    assert statuses == {200}
    assert len(calls) == 1


def test_what_was_asked_for_lately_stays_and_the_rest_goes():
    recent = Recent(100)
    recent.put("kept", 1)
    for n in range(1_000):
        recent.put(n, n)
        assert recent.get("kept") == 1

    assert recent.get(0) is None
    assert sum(recent.get(n) is not None for n in range(1_000)) <= 100


def test_several_threads_may_remember_at_once():
    recent = Recent(50)
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work(place):
        for n in range(3_000):
            recent.put((place, n % 80), n)
            found = recent.get((place, n % 80))
            assert found is None or found % 80 == n % 80

    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, range(2)))
    finally:
        sys.setswitchinterval(switch)
    assert len(recent._new) + len(recent._old) <= 52
