"""However small the bounds are at which PostgreSQL is asked in another way: its keys are SQLite's keys."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.engines import Sqlite
from tests.fixtures.ledgers import Ledger
from tests.fixtures.lengths import length
from tests.storage.questions import queries
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.ids import KEY_MAX, encode_body, encode_id
from tradebook.resources import INDEXES
from tradebook.resources.customers import INDEX, index
from tradebook.settings import Settings
from tradebook.storage.index import Condition, ListIndex, Query
from tradebook.storage.index_versions import KEEP_VERSIONS, NO_VERSIONS
from tradebook.storage.postgres import bounds, facts, handles, searched_text, statements
from tradebook.storage.postgres.index import Questions, questions
from tradebook.storage.postgres.searched_text import account_mark
from tradebook.storage.postgres.statements import NO_BOUND
from tradebook.storage.postgres.stretches import WIDTHS, Reach
from tradebook.text import words_of

BOUNDED = (
    "WALKED_ROWS",
    "CANDIDATES",
    "CANDIDATES_OF_A_PAGE",
    "PART",
    "PARTS",
    "WORDS_ASKED",
)
BOUNDS = {
    "as they are": tuple(getattr(bounds, name) for name in BOUNDED),
    "parts grow slowly": (5, 1_000, 4, 3, 8, 1),
    "parts are too long": (5, 6, 1, 60, 8, 12),
    "there are some among the first": (40, 20, 1, 2, 3, 1),
    "everything is too much": (3, 2, 0, 30, 4, 1),
    "one row": (1, 1, 0, 9, 1, 1),
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
TURNS = {name: place for place, name in enumerate(BOUNDS)}
"""In a short run a query is asked in one way under each of the bounds, each time in the next one."""


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
    """What SQLite finds, by the turn."""
    return {turn: answers(both[0], turn) for turn in length(TURNS.values(), (0,))}


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
        "status": Condition(index.STATUS, ((0,),)),
        "two statuses": Condition(index.STATUS, ((1,), (2,))),
        "one type": Condition(index.TYPE, ((kinds[0],),)),
        "all types": Condition(index.TYPE, tuple((kind,) for kind in kinds)),
        "groups": Condition(index.PRICE_GROUP, tuple((group,) for group in groups[:3])),
        "one group": Condition(index.PRICE_GROUP, ((groups[0],),)),
        "state": Condition(index.PLACE, ((None, state, None),)),
        "city and state": Condition(index.PLACE, ((city, state, None),)),
        "state and code": Condition(index.PLACE, ((None, state, code),)),
        "no carrier": Condition(index.CARRIER, ((1,),)),
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


def answers(ledger: Ledger, turn: int) -> dict[tuple[Any, ...], list[str]]:
    """What a book finds, in one transaction; queries take turns with the ways."""
    rows = sorted((row[1], row[2]) for row in ledger.sql("SELECT account_id, id, number FROM customers"))
    keys, numbers = [key for key, _ in rows], dict(rows)
    asked, found = all_queries(ledger), {}
    with ledger.database.read(ledger.key) as reader:
        for place, (name, query) in enumerate(asked.items()):
            for descending, limit, is_part in length([WAYS[(place + turn) % len(WAYS)]], WAYS):
                above, below = (keys[SIZE // 5], keys[-SIZE // 4]) if is_part else (0, 1 << 62)
                rows = reader.keys(INDEX, query, above=above, below=below, descending=descending, limit=limit)
                found[name, descending, limit, is_part] = [numbers[key] for key in rows]
    return found


@pytest.mark.parametrize("chosen", BOUNDS)
def test_postgresql_finds_what_sqlite_finds(both, expected, monkeypatch, chosen):
    for name, bound in zip(BOUNDED, BOUNDS[chosen], strict=True):
        monkeypatch.setattr(bounds, name, bound)
    turn = length(TURNS[chosen], 0)
    found, right = answers(both[1], turn), expected[turn]

    assert list(found) == list(right)
    assert {asked: numbers for asked, numbers in found.items() if numbers != right[asked]} == {}
    assert sum(map(len, found.values())) > length(1_000, 8_000)


def test_a_bound_that_cuts_an_answer_is_noticed(both, expected, monkeypatch):
    """The planted fault: too many rows to test, and nobody says so."""
    monkeypatch.setattr(statements, "TOO_MANY", 1)

    with pytest.raises((AssertionError, KeyError)):
        test_postgresql_finds_what_sqlite_finds(both, expected, monkeypatch, "everything is too much")


EXAMPLE = Query(words=("example",))


def pages_of_a_search(
    ledger: Ledger, *, descending: bool, query: Query = EXAMPLE
) -> tuple[list[int], list[int]]:
    """Three pages, one after the other, and the same in one."""
    asked = {"query": query, "descending": descending}
    span, pages = {"above": 0, "below": KEY_MAX}, []
    with ledger.database.read(ledger.key) as reader:
        for _ in range(3):
            pages += (page := reader.keys(INDEX, **asked, limit=30, **span))
            span["below" if descending else "above"] = page[-1] + (not descending)
    with ledger.database.read(ledger.key) as reader:
        return pages, reader.keys(INDEX, **asked, limit=90, above=0, below=KEY_MAX)


NORMAL = Condition(index.STATUS, ((0,),))
SEARCHES = {
    "a word": EXAMPLE,
    "two filters": Query((NORMAL, Condition(index.IS_PARENT, ((0,),)))),
    "a word and a filter": Query((NORMAL,), ("example",)),
}


@pytest.mark.parametrize("descending", [True, False], ids=["forwards", "backwards"])
@pytest.mark.parametrize("query", SEARCHES.values(), ids=SEARCHES)
def test_the_next_pages_of_a_search_are_asked_for_once(both, monkeypatch, query, descending):
    """The page before has told how far apart its matches are: nobody looks at the first rows again."""
    monkeypatch.setattr(bounds, "WALKED_ROWS", 20)
    asked: list[list] = []
    monkeypatch.setattr(handles, "questions", lambda *a, **k: noted(asked, questions(*a, **k)))

    pages, alike = pages_of_a_search(both[1], descending=descending, query=query)

    assert pages == alike
    assert [len(each) for each in asked[1:3]] == [1, 1]


@pytest.mark.parametrize("descending", [True, False], ids=["forwards", "backwards"])
def test_words_that_the_first_rows_lack_are_looked_for_in_a_part_of_the_list(both, monkeypatch, descending):
    """Not in all of it: what is found there tells how far the page should reach."""
    span = {"above": 0, "below": KEY_MAX, "descending": descending}
    asked: list[list] = []
    with both[1].database.read(both[1].key) as reader:
        keys = reader.keys(INDEX, Query(), **span, limit=SIZE)
        half = abs(keys[SIZE // 2] - keys[0]) // abs(keys[2] - keys[0])
        monkeypatch.setattr(bounds, "WALKED_ROWS", 3)
        monkeypatch.setattr(bounds, "PART", half)
        for word in ("llc", "supply", "inc", "hardware", "general"):
            whole = reader.keys(INDEX, Query(words=(word,)), **span, limit=SIZE)
            if not {*whole} & {*keys[:3]}:
                monkeypatch.setattr(handles, "questions", lambda *a, **k: noted(asked, questions(*a, **k)))
                assert reader.keys(INDEX, Query(words=(word,)), **span, limit=4) == whole[:4]
                break

    ((first_rows, *parts),) = asked
    assert "&&" not in first_rows.sql
    assert parts
    assert all("&&" in question.sql for question in parts)


@pytest.mark.parametrize("limit", [1, 3, 20])
@pytest.mark.parametrize("query", [*SEARCHES.values(), Query((), ("10240",))], ids=[*SEARCHES, "a number"])
def test_an_empty_part_of_the_list_is_answered_whatever_is_known(both, monkeypatch, query, limit):
    """Also where more is found elsewhere than is tested."""
    monkeypatch.setattr(bounds, "CANDIDATES", 0)
    monkeypatch.setattr(bounds, "CANDIDATES_OF_A_PAGE", 0)
    with both[1].database.read(both[1].key) as reader:
        keys = reader.keys(INDEX, Query(), above=0, below=KEY_MAX, descending=True, limit=SIZE)
        for descending, limit_known in product((True, False), (limit, 20)):
            span = {"descending": descending, "limit": limit_known}
            reader.keys(INDEX, query, above=keys[-1], below=keys[0], **span)
            for above, below in ((5, 9), (keys[0] + 1, KEY_MAX), (9, 5)):
                assert reader.keys(INDEX, query, above=above, below=below, **span) == []


@pytest.fixture(scope="module")
def uneven(postgres):
    """Four imports, years apart, each within seconds and of a status of its own."""
    ledger = Ledger(open_database(Settings(database=postgres.new(None))))
    for place, status in enumerate(("normal", "preferred", "hold_shipment", "hold_all")):
        ledger.take(
            *(
                {
                    "number": f"{place}{n:03}",
                    "name": "Wool" if n % 2 else "Silk",
                    "status": status,
                    "freight_policy": "free_freight" if n % 3 else "billed_freight",
                    "created_at": f"{2010 + 4 * place}-05-01T00:00:{n // 10:02}.{n % 10}00Z",
                }
                for n in range(150)
            )
        )
    yield ledger
    ledger.database.close()


@pytest.mark.parametrize("descending", [True, False], ids=["forwards", "backwards"])
@pytest.mark.parametrize("status", range(4))
def test_an_uneven_list_is_not_walked(uneven, monkeypatch, status, descending):
    """What lies together behind a gap of years is found by as many rows as fill a page."""
    small = {"WALKED_ROWS": 5, "CANDIDATES": 40, "CANDIDATES_OF_A_PAGE": 2}
    for name, bound in small.items():
        monkeypatch.setattr(bounds, name, bound)
    asked: list[list] = []
    monkeypatch.setattr(handles, "questions", lambda *a, **k: noted(asked, questions(*a, **k)))
    numbers = {row[1]: row[2] for row in uneven.sql("SELECT account_id, id, number FROM customers")}
    right = sorted(each for each in numbers.values() if each[0] == str(status) and int(each[1:]) % 3 == 0)
    with uneven.database.read(uneven.key) as reader:
        for words in ((), ("wool",)):
            query = Query(
                (Condition(index.STATUS, ((status,),)), Condition(index.FREIGHT_POLICY, ((1,),))), words
            )
            found = reader.keys(INDEX, query, above=0, below=KEY_MAX, descending=descending, limit=6)
            wanted = [number for number in right if not words or int(number) % 2]
            assert [numbers[key] for key in found] == (wanted[::-1] if descending else wanted)[:6]

    walked = [question for each in asked for question in each if f"LIMIT {NO_BOUND}" in question.sql]
    assert walked == []


def test_a_stretch_that_is_not_asked_for_is_noticed(both, monkeypatch):
    """The planted fault: a page is filled, and rows that belong between its rows are not there."""
    whole = Reach.stretches
    monkeypatch.setattr(Reach, "stretches", lambda reach, account: whole(reach, account)[:-3])
    pages, _ = pages_of_a_search(both[1], descending=True)
    monkeypatch.undo()

    assert pages != pages_of_a_search(both[1], descending=True)[1]


def noted(asked: list[list], asking: Questions) -> Questions:
    """Ask the same, and note the questions."""
    own: list = []
    asked.append(own)
    found = None
    with suppress(StopIteration):
        while True:
            own.append(asking.send(found))
            found = yield own[-1]


@given(st.data())
def test_stretches_cover_what_lies_between_two_keys(data):
    """In any width, and no key of another account is in them."""
    keys = st.integers(0, KEY_MAX)
    reach = Reach(*sorted((data.draw(keys), data.draw(keys))))
    key = data.draw(st.integers(*reach))
    is_exact = data.draw(st.booleans())
    asked = {*reach.exact_stretches(5)} if is_exact else {*reach.stretches(5)}
    own, other = ({(key >> bits << 6 | bits) ^ account for bits in WIDTHS} for account in (5, 9 << 41))

    assert asked & own
    assert not asked & other
    assert len(asked) <= (700 if is_exact else 64)
    if is_exact:
        beside = key_beside(data, reach)
        assert not asked & {(beside >> bits << 6 | bits) ^ 5 for bits in WIDTHS}


def key_beside(data, reach: Reach) -> int:
    """A key that is farther from a part than the narrowest stretch is long; at the ends of all keys, its own account's
    key of no row."""
    far = data.draw(st.integers(1 << WIDTHS[0], KEY_MAX))
    return max(-1, reach.lowest - far) if data.draw(st.booleans()) else reach.highest + far


ROWS_PULLED_APART = 2
LENGTHS = (1, 2, 3, 5)


def pieces(text: str) -> set[str]:
    """Parts of a text, of several lengths, from everywhere in it."""
    return {text[at : at + length] for length in LENGTHS for at in range(len(text) - length + 1)}


def stored_pieces(both, index: ListIndex) -> set[str]:
    """Pieces of all that is stored for a search on either engine, and of the ids of what it belongs to."""
    found: set[str] = set()
    for ledger in both:
        texts = f"SELECT account_id, {index.folded_key}, folded FROM {index.folded.name} ORDER BY 1, 2"
        for _, key, text in ledger.sql(texts)[:ROWS_PULLED_APART]:
            found |= pieces(text) | pieces(encode_id("ac", key)) | {str(key), f"{key:x}"}
        for key in (ledger.key, ledger.key % 8**8):
            found |= pieces(encode_id("ac", key)) | pieces(str(key)) | pieces(f"{key:o}") | pieces(f"{key:x}")
    return found


def places_found(ledger: Ledger, index: ListIndex, words: set[tuple[str, ...]]) -> dict:
    """What each search finds, as places in the list."""
    listed = sorted(row[1] for row in ledger.sql(f"SELECT account_id, id FROM {index.table.name}"))
    places = {key: place for place, key in enumerate(listed)}
    span = {"above": 0, "below": KEY_MAX, "descending": False, "limit": len(listed)}
    with ledger.database.read(ledger.key) as reader:
        return {
            asked: [places[key] for key in reader.keys(index, Query(words=asked), **span)] for asked in words
        }


def answers_to_pieces(both, index: ListIndex) -> tuple[dict, dict]:
    """What each engine finds of every piece."""
    words = {tuple(words_of(piece)) for piece in stored_pieces(both, index)} - {()}
    first, second = (places_found(ledger, index, words) for ledger in both)
    return first, second


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: index.table.name)
def test_no_piece_of_anything_stored_finds_more_on_one_engine(both, index):
    """Of texts, of the marks and the spelling in them, of ids and keys."""
    first, second = answers_to_pieces(both, index)

    assert {asked: (found, second[asked]) for asked, found in first.items() if found != second[asked]} == {}
    assert len(first) > 300
    assert sum(map(bool, first.values())) > 50


def make_anew(ledger: Ledger) -> None:
    """Make the indexes of an account anew."""
    with ledger.database.write(ledger.key) as writer:
        writer.run(KEEP_VERSIONS, kept=NO_VERSIONS)
    while ledger.database.remake_indexes(ledger.key):
        pass


@contextmanager
def one_number_for_each_filter(ledger: Ledger) -> Iterator[None]:
    """Every value of a filter has the same number: whoever asks for one is told of all."""
    with pytest.MonkeyPatch.context() as planted:
        planted.setattr(facts, "_number", lambda facet, *_: ord(facet.letter))
        facts._numbers.cache_clear()
        make_anew(ledger)
        yield
    facts._numbers.cache_clear()
    make_anew(ledger)


def test_values_that_have_the_same_number_are_told_apart(both, expected):
    """Whoever is found by a number is tested for the value."""
    with one_number_for_each_filter(both[1]):
        kept = both[1].sql("SELECT account_id, facts FROM customer_search")
        found = answers(both[1], 0)

    assert {number for _, numbers in kept for number in numbers} == {*map(ord, "ghilmoprstuw")}
    assert found == expected[0]


def test_a_value_that_is_not_tested_is_noticed(both, expected, monkeypatch):
    """The planted fault: who has the number is believed to have the value."""
    monkeypatch.setattr(statements.Statements, "_has_condition", lambda *_: "true")
    with one_number_for_each_filter(both[1]):
        assert answers(both[1], 0) != expected[0]


@pytest.mark.parametrize("index", length(INDEXES[:1], INDEXES), ids=lambda index: index.table.name)
def test_a_mark_that_can_be_searched_is_noticed(both, monkeypatch, index):
    """The planted fault, as it was: the account's mark in the letters of folded text."""
    on_postgresql = both[1]
    with monkeypatch.context() as planted:
        planted.setattr(searched_text, "account_mark", lambda account: encode_body(account)[-6:])
        make_anew(on_postgresql)
        first, second = answers_to_pieces(both, index)
    make_anew(on_postgresql)

    too_many = {asked[0] for asked in first if first[asked] != second[asked]}
    assert {piece for piece in too_many if piece in encode_body(on_postgresql.key)[-6:]}


def test_the_mark_still_narrows_a_search_to_the_account(both):
    """By a trigram that hardly any other account's mark has."""
    marks = {account_mark(key) for key in range(5, 5 + 4096 * 97, 97)}
    shown = both[1].sql(f"SELECT {both[1].key}, show_trgm('{account_mark(5)}')")

    assert len(marks) == 512
    assert all(re.fullmatch("[S-Z]{3}", mark) for mark in marks)
    assert account_mark(5).lower() in shown[0][1]
