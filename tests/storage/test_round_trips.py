"""How often an answer waits for the server: once where one look is enough."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.fixtures.application import application, client_of
from tests.fixtures.book import filled
from tests.fixtures.ledgers import Ledger
from tests.fixtures.samples import Maker
from tradebook.app import open_database
from tradebook.crud import listing
from tradebook.crud.cursor import Position, load_cursors
from tradebook.crud.list_requests import RequestParser, list_scope
from tradebook.crud.listing import list_page
from tradebook.crud.resource import View
from tradebook.demo.book import demo_customers
from tradebook.ids import KEY_MAX
from tradebook.resources import customers
from tradebook.resources.customers import reads
from tradebook.resources.customers.fields import CREATE
from tradebook.settings import Settings
from tradebook.storage.postgres.connections import PatientConnection
from tradebook.web.query_string import page_url

CUSTOMERS = "/v1/sales/customers"

ROUTE = customers.resource.routes[0]
SIZE, LIMIT = 60, 20
FIRST, NEXT, PREVIOUS = (), (SIZE // 2, False), (SIZE // 2, True)


@pytest.fixture(scope="module")
def ledger(postgres):
    """A few pages of customers."""
    made = Ledger(open_database(Settings(database=postgres.new(None))))
    made.take(*demo_customers(SIZE))
    yield made
    made.database.close()


@pytest.fixture
def waits(ledger, monkeypatch):
    """Grows with every wait for an answer that was not sent for by who had the connection before."""
    with ledger.database.read(ledger.key) as reader:
        assert reader.revision
    noted, wait, settle = [], PatientConnection.wait, PatientConnection.settle

    def waited(connection, *arguments, **options):
        noted.append(connection)
        return wait(connection, *arguments, **options)

    def settled(connection):
        before = len(noted)
        settle(connection)
        del noted[before:]

    monkeypatch.setattr(PatientConnection, "wait", waited)
    monkeypatch.setattr(PatientConnection, "settle", settled)
    return noted


def page(ledger: Ledger, place: tuple = (), **parameters: str) -> Callable[[], bytes]:
    """What answers a page of the list, from the middle of it or from its beginning."""
    cursors = load_cursors(ledger.database)
    request = {"limit": str(LIMIT), **parameters}
    if place:
        keys = sorted(row[1] for row in ledger.sql("SELECT account_id, id FROM customers"))
        at, backwards = place
        asked = RequestParser(ROUTE).list_request(list(request.items()), ledger.key, cursors)
        scope = asked.scope or list_scope(ledger.key, ROUTE.path)
        request["cursor"] = cursors.encode(Position(keys[at] + backwards, backwards=backwards), scope)
    asked = RequestParser(ROUTE).list_request(list(request.items()), ledger.key, cursors)

    def answer() -> bytes:
        with ledger.database.read(ledger.key) as reader:
            made = list_page(View(reader, asked.include, partial(page_url, cursors)), ROUTE, asked)
            assert reader.revision
            return made

    return answer


@pytest.mark.parametrize("place", [FIRST, NEXT, PREVIOUS], ids=["first", "next", "previous"])
@pytest.mark.parametrize("asked", [{}, {"status_codes": "normal"}], ids=["all", "filter"])
def test_a_page_takes_one_round_trip(ledger, waits, place, asked):
    answer = page(ledger, place, **asked)
    waits.clear()
    made = answer()

    assert len(waits) == 1
    assert b'"has_next_page":true' in made


def test_the_revision_takes_one(ledger, waits):
    assert ledger.database.revision(ledger.key)
    assert len(waits) == 1


def test_a_transaction_in_which_nothing_is_asked_takes_none(ledger, waits):
    with ledger.database.read(ledger.key):
        pass

    assert not waits


def test_a_look_too_many_is_noticed(ledger, waits, monkeypatch):
    """The planted fault: what lies beyond the page is not looked for together with the page."""
    answer = page(ledger, NEXT)
    monkeypatch.setattr(listing._Walk, "_first", lambda walk, read, _, count: read(walk.position, count))
    waits.clear()
    answer()

    assert len(waits) == 2


def test_what_was_foreseen_is_of_the_same_snapshot(ledger):
    span = {"above": 0, "below": KEY_MAX, "limit": 2 * SIZE}
    with ledger.database.read(ledger.key) as reader:
        reader.foresee(reads._PLAIN.falling, **span)
        customers.load(View(reader), [1])
        ledger.take(*({**record, "number": "One more"} for record in demo_customers(1)))
        rows = reader.rows(reads._PLAIN.falling, **span)
        assert reader.rows(reads._PLAIN.falling, **span) == rows
        revision = reader.revision

    assert len(rows) == SIZE
    assert ledger.database.revision(ledger.key) > revision


def test_a_transaction_that_has_read_ends_without_being_waited_for(ledger, waits):
    with ledger.database.read(ledger.key) as reader:
        assert reader.revision
        connection = reader._connection
    assert connection.is_ending
    with ledger.database.read(ledger.key) as reader:
        assert reader._connection is connection
        assert not connection.is_ending
    assert len(waits) == 2


@pytest.fixture(scope="module")
def book(postgres, servers):
    """A book on PostgreSQL, with a server."""
    with filled(servers.of(postgres)) as made:
        yield made


def test_a_customer_is_made_in_two_round_trips(book, waits):
    """The beginning with its key, and what it refers to; its rows with the commit."""
    body, database = (
        Maker(book).body(CREATE, only_required=True),
        open_database(Settings(database=book.server.database)),
    )
    ask = client_of(application(database, book.server.database), book.key).post
    headers = {"Idempotency-Key": "two"}
    # The first one notes when the key was used, and takes other connections.
    assert ask(CUSTOMERS, json={**body, "number": "1"}).status_code == 201
    waits.clear()
    made = ask(CUSTOMERS, json={**body, "number": "2"}, headers=headers)

    assert made.status_code == 201, made.text
    assert len(waits) == 2
    database.close()
