"""Searches whose pieces are everywhere: exact by whichever way rows are read, and bounded where a word is nowhere."""

import random

import pytest

from tests.fixtures.lengths import length
from tradebook.resources.customers import INDEX
from tradebook.resources.customers.index import STATUS
from tradebook.storage.index import Condition, Query
from tradebook.storage.index_documents import FIELD_END, documents, forms_of
from tradebook.storage.sqlite import searching
from tradebook.text import words_of

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

ROUNDS = length(120, 5_000)
PIECES = "abcd bcde cdef defg"
"""All pieces of `abcdefg`, without the word."""

HOPELESS = "abcdefg"


def filled(ledger, count):
    """Customers with all the pieces, some of them with the word."""
    chance = random.Random(count)
    ledger.take(
        *(
            {
                "number": str(n),
                "name": f"{PIECES} {chance.choice(('', '', '', 'abcdef', 'abcdef bcdefg'))} {n}",
                "status": chance.choice(("normal", "normal", "hold_all")),
            }
            for n in range(1, count + 1)
        )
    )
    return ledger


def matching(reader, query, keys):
    """What a search is to find, by the documents alone."""
    found = []
    for key, document in documents(INDEX, reader.rows, keys).items():
        fields, facts = document.folded.split(FIELD_END), document.facts
        has_words = all(any(f in field for field in fields for f in forms_of(w)) for w in query.words)
        if has_words and all(any((c.facet, v) in facts for v in c.values) for c in query.conditions):
            found.append(key)
    return sorted(found)


def walked(reader, query, limit, *, descending):
    """All keys of a walk, page by page."""
    found, above, below = [], 0, 1 << 62
    while True:
        page = reader.keys(INDEX, query, above=above, below=below, descending=descending, limit=limit)
        found += page
        if len(page) < limit:
            return found
        above, below = (above, page[-1]) if descending else (page[-1] + 1, below)


def test_whichever_way_rows_are_read_a_walk_finds_the_same(ledger, monkeypatch):
    chance = random.Random(7)
    filled(ledger, 150)
    queries = [
        Query((Condition(STATUS, ((status,),)),) if status else (), tuple(words_of(words)))
        for words in (HOPELESS, "abcdef", "abcdef bcdefg", "abcd 1", "bcdefg 1 cdef")
        for status in (None, 3)
    ]
    with ledger.database.read(ledger.key) as reader:
        every = reader.keys(INDEX, Query(), above=0, below=1 << 62, descending=False, limit=1000)
        expected = {query: matching(reader, query, every) for query in queries}
        assert [len(found) > 0 for found in expected.values()] == [False] * 2 + [True] * 8
        for _ in range(ROUNDS):
            monkeypatch.setattr(searching, "CANDIDATES_AT_ONCE", chance.choice((0, 1, 5, 500)))
            monkeypatch.setattr(searching, "ROWS_FOR_A_CANDIDATE", chance.choice((0, 1, 3, 20)))
            monkeypatch.setattr(searching, "ROWS_AT_ONCE", chance.choice((1, 4, 60, 10_000)))
            query, descending = chance.choice(queries), chance.choice((True, False))
            found = walked(reader, query, chance.choice((1, 2, 7, 1000)), descending=descending)
            assert found == sorted(expected[query], reverse=descending)


def test_a_word_that_is_nowhere_is_looked_for_in_the_texts_after_some_candidates(ledger, monkeypatch):
    filled(ledger, 1_500)
    calls = []
    for name in ("_check_candidates", "_read_rows"):
        function = getattr(searching.Search, name)
        monkeypatch.setattr(
            searching.Search,
            name,
            lambda *given, function=function, name=name: calls.append(name) or function(*given),
        )

    with ledger.database.read(ledger.key) as reader:
        words = (HOPELESS, *(f"abcd{letter}" for letter in "fghijklmnopqrstuvw"))
        assert walked(reader, Query((), (HOPELESS,)), 101, descending=True) == []
        assert calls == ["_check_candidates", "_read_rows"]
        assert walked(reader, Query((), words), 101, descending=True) == []


def test_a_search_with_very_many_words_is_exact(ledger):
    """Only some of them are asked of the index; the others are checked."""
    texts = [f"{a}{b}{c}" for a in "kl" for b in "mno" for c in "pqr"]
    ledger.take(
        {"number": "1", "name": " ".join(texts)},
        {"number": "2", "name": " ".join(texts[:-1])},
        {"number": "3", "name": " ".join(texts[1:])},
    )

    assert ledger.found(" ".join(texts)) == {"1"}
    assert ledger.found(" ".join(texts[1:])) == {"1", "3"}
    assert ledger.found(" ".join([*texts[1:-1], "kmpkmq"])) == set()


def test_long_words_with_one_middle_are_told_apart(ledger, monkeypatch):
    """The middle is asked for at first; where it finds others, the whole words are."""
    names = {str(n): f"{n}{'middle' * 3}{n}" for n in range(10, 40)}
    ledger.take(*({"number": number, "name": name} for number, name in names.items()))

    for candidates in (1, 500):
        monkeypatch.setattr(searching, "CANDIDATES_AT_ONCE", candidates)
        assert all(ledger.found(name) == {number} for number, name in names.items())
        assert ledger.found("middle" * 3) == set(names)
        assert ledger.found("middle" * 4) == set()


def test_going_on_in_the_wrong_place_is_noticed(ledger, monkeypatch):
    """The planted fault: a row is lost where one way of reading follows on the other."""
    filled(ledger, 150)
    query = Query((), ("abcdef",))
    behind = searching.Search._behind

    def too_far(search, key, bounds):
        above, below = behind(search, key, bounds)
        return (above, below - (1 << 40)) if search._descending else (above + 1, below)

    monkeypatch.setattr(searching, "CANDIDATES_AT_ONCE", 0)
    monkeypatch.setattr(searching, "ROWS_AT_ONCE", 4)
    with ledger.database.read(ledger.key) as reader:
        every = reader.keys(INDEX, Query(), above=0, below=1 << 62, descending=False, limit=1000)
        expected = matching(reader, query, every)
        right = walked(reader, query, 7, descending=True)
        monkeypatch.setattr(searching.Search, "_behind", too_far)
        wrong = walked(reader, query, 7, descending=True)

    assert sorted(right) == expected != sorted(wrong)


def test_every_sign_is_itself_and_nothing_else(ledger):
    """The tokenizer splits at no sign, and no digit of a phone number is a letter."""
    signs = [chr(code) for code in range(33, 127) if not chr(code).isalnum() and chr(code) != "`"]
    ledger.take(*({"number": f"n{place}", "name": f"x{sign}y"} for place, sign in enumerate(signs)))
    ledger.take({"number": "phone", "name": "Long", "phone": "0-1-2-3-4-5-6-7-8-9"})

    for place, sign in enumerate(signs):
        holders = {f"n{place}", *(["phone"] if sign == "-" else [])}
        assert ledger.found(sign) == holders
        assert ledger.found(f"x{sign}") == ledger.found(f"x{sign}y") == {f"n{place}"}
    for letters in ("abc", "b", "bcd", "fgh"):
        assert ledger.found(letters) == set()
    assert ledger.found("012") == ledger.found("789") == ledger.found("3456789") == {"phone"}
