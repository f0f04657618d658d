"""However small the bounds are at which PostgreSQL is asked in another way: its keys are SQLite's keys."""

from itertools import product
from typing import Any

import pytest

from tests.fixtures.engines import Sqlite
from tests.fixtures.ledgers import Ledger
from tests.fixtures.lengths import length
from tests.storage.questions import queries
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.resources.customers import tables
from tradebook.resources.customers.tables import INDEX
from tradebook.settings import Settings
from tradebook.storage.index import Condition, Query
from tradebook.storage.postgres import index as postgres_index

BOUNDS = {
    "as they are": (10_000, 20_000, 50_000),
    "the conditions leave few": (5, 1_000, 2),
    "the words leave few": (5, 2, 1_000),
    "everything is too much": (3, 2, 2),
    "one row": (1, 1, 1),
}
WORDS = (
    "a",
    "in",
    "gmbh",
    "co",
    "example",
    "5",
    "north supply",
    "inc e",
    "zzz",
    "q7",
    "+1",
    "(555)",
    "o'",
    "é",
)
SIZE = 240
WAYS = list(product((True, False), (2, 101), (False, True)))
"""How each query is asked: newest first or last, few or many, among all or among a part of the keys."""
HALVES = [[way for place, way in enumerate(WAYS) if place.bit_count() % 2 == odd] for odd in (0, 1)]
"""In each half any two of the three meet in every combination."""


@pytest.fixture(scope="module")
def both(tmp_path_factory, postgres):
    """The same customers on each engine, with their keys in order."""
    urls = Sqlite().new(tmp_path_factory.mktemp("questions")), postgres.new(None)
    ledgers = [Ledger(open_database(Settings(database=url))) for url in urls]
    for ledger in ledgers:
        ledger.take(*demo_customers(SIZE))
    yield ledgers
    for ledger in ledgers:
        ledger.database.close()


@pytest.fixture(scope="module")
def expected(both):
    """What SQLite finds."""
    return answers(both[0])


def conditions(ledger: Ledger) -> dict[str, Condition]:
    """Conditions that some of the customers meet: common, rare, of several values, of a place."""
    rows = ledger.sql(
        "SELECT account_id, number, type_id, carrier_id, sales_rep_id FROM customers ORDER BY account_id, number"
    )
    kinds = sorted({row[2] for row in rows if row[2]})
    groups = sorted({row[1] for row in ledger.sql("SELECT account_id, group_id FROM customer_price_groups")})
    places = ledger.sql(
        "SELECT account_id, locality, state, postal_code FROM customer_addresses WHERE state IS NOT NULL"
        " ORDER BY account_id, locality, state, postal_code"
    )
    _, city, state, code = places[len(places) // 2]
    return {
        "status": Condition(tables.STATUS, ((0,),)),
        "two statuses": Condition(tables.STATUS, ((1,), (2,))),
        "one type": Condition(tables.TYPE, ((kinds[0],),)),
        "all types": Condition(tables.TYPE, tuple((kind,) for kind in kinds)),
        "groups": Condition(tables.PRICE_GROUP, tuple((group,) for group in groups[:3])),
        "one group": Condition(tables.PRICE_GROUP, ((groups[0],),)),
        "state": Condition(tables.PLACE, ((None, state, None),)),
        "city and state": Condition(tables.PLACE, ((city, state, None),)),
        "state and code": Condition(tables.PLACE, ((None, state, code),)),
        "no carrier": Condition(tables.CARRIER, ((1,),)),
    }


def all_queries(ledger: Ledger) -> dict[str, Query]:
    """Words alone, conditions alone and in pairs, each with words, and whatever the plans are asked."""
    known = conditions(ledger)
    made = {word: Query(words=tuple(word.split())) for word in WORDS}
    made |= {name: Query((condition,)) for name, condition in known.items()}
    for first, second in product(known, known):
        if first < second and known[first].facet is not known[second].facet:
            made[f"{first} and {second}"] = Query((known[first], known[second]))
    for name, word in product(known, WORDS):
        made[f"{name} and {word}"] = Query((known[name],), tuple(word.split()))
    made |= {str(asked): query for asked, query in queries()}
    return made


def answers(ledger: Ledger) -> dict[tuple[Any, ...], list[str]]:
    """What a book finds, in one transaction; queries take turns with the halves of the ways."""
    rows = sorted((row[1], row[2]) for row in ledger.sql("SELECT account_id, id, number FROM customers"))
    keys, numbers = [key for key, _ in rows], dict(rows)
    asked, found = all_queries(ledger), {}
    with ledger.database.read(ledger.key) as reader:
        for place, (name, query) in enumerate(asked.items()):
            for descending, limit, is_part in length(HALVES[place % 2], WAYS):
                above, below = (keys[SIZE // 5], keys[-SIZE // 4]) if is_part else (0, 1 << 62)
                rows = reader.keys(INDEX, query, above=above, below=below, descending=descending, limit=limit)
                found[name, descending, limit, is_part] = [numbers[key] for key in rows]
    return found


@pytest.mark.parametrize("bounds", BOUNDS.values(), ids=BOUNDS)
def test_postgresql_finds_what_sqlite_finds(both, expected, monkeypatch, bounds):
    names = ("WALKED_ROWS", "CANDIDATES_OF_CONDITIONS", "CANDIDATES_OF_WORDS")
    for name, bound in zip(names, bounds, strict=True):
        monkeypatch.setattr(postgres_index, name, bound)
    found = answers(both[1])

    assert list(found) == list(expected)
    assert {asked: numbers for asked, numbers in found.items() if numbers != expected[asked]} == {}
    assert sum(map(len, found.values())) > 4_000


def test_a_bound_that_cuts_an_answer_is_noticed(both, expected, monkeypatch):
    """The planted fault: too many rows to test, and nobody says so."""
    monkeypatch.setattr(postgres_index, "TOO_MANY", -2)

    with pytest.raises((AssertionError, KeyError)):
        test_postgresql_finds_what_sqlite_finds(both, expected, monkeypatch, (3, 2, 2))
