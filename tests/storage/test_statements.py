"""How many statements an answer takes: a constant for each step, whatever is included."""

from functools import partial
from itertools import combinations

import pytest
from msgspec import structs

from tests.fixtures.book import Book, filled
from tests.fixtures.server import Server
from tradebook.crud import listing
from tradebook.crud.cursor import Position, load_cursors
from tradebook.crud.kinds import Id
from tradebook.crud.list_requests import RequestParser
from tradebook.crud.listing import list_page
from tradebook.crud.resource import View
from tradebook.demo.book import demo_customers
from tradebook.resources import customers
from tradebook.resources.customers.shape import ID_PREFIX
from tradebook.storage.derived import Values
from tradebook.web.query_string import page_url

ROUTE = customers.resource.routes[0]
STATEMENTS_MAX = 18
"""Keys, rows, and at most one or two for each relation."""


class Counting:
    """A reader that counts what it is asked."""

    def __init__(self, reader) -> None:
        self._reader = reader
        self.cache = Values()
        self.account_id = reader.account_id
        self.count = 0

    def rows(self, statement, **values):
        self.count += 1
        return self._reader.rows(statement, **values)

    def expect(self, statement):
        self._reader.expect(statement)

    def is_whole(self, name):
        return self._reader.is_whole(name)

    def keys(self, *arguments, **options):
        self.count += 1
        return self._reader.keys(*arguments, **options)


@pytest.fixture(scope="module")
def book(server: Server):
    """Enough customers for every relation to be there many times."""
    with filled(server, *demo_customers(300)) as made:
        yield made


def statements(book: Book, load=None, before: Position | None = None, **parameters) -> int:
    """Count the statements of one cold page, the first or the one before a position."""
    cursors = load_cursors(book.database)
    request = RequestParser(ROUTE).list_request(list(parameters.items()), book.account_key, cursors)
    request = structs.replace(request, position=before)
    with book.database.read(book.account_key) as reader:
        counting = Counting(reader)
        list_page(View(counting, request.include, partial(page_url, cursors)), ROUTE, request)
        if load:
            load(counting)
    return counting.count


def test_a_page_without_includes_takes_one_statement(book):
    assert statements(book) == 1


def test_a_filtered_page_takes_two(book):
    assert statements(book, status_codes="normal") == 2


@pytest.fixture(scope="module")
def key(book):
    """The key of a customer of many, with others on both sides."""
    return Id(ID_PREFIX).read(book.get(limit=300, status_codes="normal")["data"][200]["id"])


@pytest.fixture(params=[False, True], ids=["next", "previous"])
def position(request, key):
    """Where a later page begins: beside a row that is there."""
    return Position(key + request.param, backwards=request.param)


def test_a_later_page_takes_no_more_than_the_first(book, position):
    assert statements(book, before=position) == 1
    assert statements(book, before=position, status_codes="normal") == 2


def test_what_lies_before_is_asked_for_when_the_row_beside_the_page_is_gone(book, position):
    beside = structs.replace(position, key=position.key + 1 if position.backwards else position.key - 1)
    assert statements(book, before=beside) == 2


def test_a_look_at_what_lies_before_is_noticed(book, position, monkeypatch):
    """The planted fault: the row beside the page is not read with it."""
    monkeypatch.setattr(listing._Walk, "_first", lambda walk, read, _, count: read(walk.position, count))

    assert statements(book, before=position) == 2


@pytest.mark.parametrize(("limit", "steps"), [("1", 1), ("10", 1), ("100", 1), ("1000", 3)])
def test_all_includes_take_a_bounded_number(book, limit, steps):
    """600 customers are three steps, so that no more of them are in memory at once."""
    assert statements(book, include=",".join(ROUTE.includes), limit=limit) <= STATEMENTS_MAX * steps


def test_any_two_includes_take_a_bounded_number(book):
    counts = [statements(book, include=",".join(two)) for two in combinations(ROUTE.includes, 2)]

    assert max(counts) <= 7


def test_a_statement_for_each_row_is_noticed(book):
    def one_by_one(reader):
        keys = reader.keys(customers.INDEX, _EVERYTHING, above=0, below=1 << 62, descending=True, limit=100)
        for key in keys:
            customers.load(View(reader), [key])

    assert statements(book, load=one_by_one) > STATEMENTS_MAX


_EVERYTHING = RequestParser(ROUTE).list_request([], 1, None).query
