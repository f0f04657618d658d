"""Which pieces of a word the index of words is asked for."""

from collections.abc import Iterator

import pytest

from tests.fixtures.ledgers import Ledger
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.resources.customers import INDEX
from tradebook.settings import Settings
from tradebook.storage.index import Query
from tradebook.storage.postgres.index import questions
from tradebook.storage.postgres.pieces import SAMPLE, SAMPLES_MAX, Pieces
from tradebook.storage.postgres.searched_text import account_mark, pieces_of
from tradebook.storage.transactions import reading

ADDRESS = "ordersMTSSnorthsupplyLXYexample"
COMMON = ["ordersMTSS", "LXYexample", "north", "supply"]
TEXT = "\n".join(COMMON)
SPAN = {"above": 0, "below": 1 << 62, "descending": True, "limit": 101}


def learned(*texts: str) -> Pieces:
    pieces = Pieces()
    pieces.learn("an account", texts * (SAMPLE // len(texts)))
    return pieces


def test_the_rarest_pieces_are_asked_for():
    """Where two words meet, no text has the pieces."""
    assert learned(TEXT).of_word(ADDRESS, 1) == ["hsu", "SSn", "yLX", "Sno", "ths", "lyL"]


def test_what_is_rare_comes_first():
    pieces = learned("north", "supplies")

    assert pieces.of_word("northsup", 1) == ["ths", "hsu", "nor"]


def test_of_an_unknown_text_it_is_what_lies_apart_in_the_middle():
    assert Pieces().of_word("abcdefghijklmnopqrstu", 1) == ["jkl", "ghi", "mno", "def", "pqr", "abc"]


@pytest.mark.parametrize(("words", "count"), [(1, 6), (2, 3), (3, 2), (9, 2)])
def test_of_several_words_it_is_less_of_each(words, count):
    assert len(Pieces().of_word("abcdefghijklmnopqrstu", words)) == count


@pytest.mark.parametrize("word", ["a b", "gmbh", "anananan"])
def test_a_word_of_few_pieces_is_asked_for_as_it_is(word):
    assert learned(TEXT).of_word(word, 1) == [word]


def test_few_texts_tell_nothing_and_are_not_asked_for_again():
    pieces = Pieces()
    pieces.learn("an account", [TEXT] * (SAMPLE - 1))

    assert pieces.commonness("ort") == 0
    assert not pieces.wants("an account")
    assert pieces.wants("another")


def test_some_accounts_tell_it_for_all():
    pieces = Pieces()
    for account in range(SAMPLES_MAX):
        assert pieces.wants(account)
        pieces.learn(account, [TEXT] * SAMPLE)

    assert not pieces.wants("one more")


@pytest.fixture(scope="module")
def ledger(postgres) -> Iterator[Ledger]:
    """As many customers as tell something, with addresses of mail that are made of their names."""
    made = Ledger(open_database(Settings(database=postgres.new(None))))
    made.take(*demo_customers(SAMPLE))
    yield made
    made.database.close()


def test_a_process_learns_with_its_first_search(ledger, monkeypatch):
    """In the same round trip, once."""
    sent = []
    with ledger.database.read(ledger.key) as reader:
        ask = reader._transaction.begin
        monkeypatch.setattr(
            reader._transaction, "begin", lambda *given: sent.append(len(given)) or ask(*given)
        )
        assert reader.keys(INDEX, Query((), ("orders@nobody.example",)), **SPAN) == []
    reading(ledger.database, ledger.key, lambda r: r.keys(INDEX, Query((), ("nobody",)), **SPAN))

    pieces = ledger.database._learned.pieces
    assert sent == [2]
    assert pieces.commonness("exa") > SAMPLE // 2 > pieces.commonness("gmb") > 0


def test_an_address_is_found_by_what_few_rows_have(ledger):
    """And not by its middle, nor by the account's mark, which all rows have: that is looked for at last."""
    reading(ledger.database, ledger.key, lambda r: r.keys(INDEX, Query((), ("nobody",)), **SPAN))
    pieces, ways = ledger.database._learned.pieces, {"descending": True, "limit": SPAN["limit"]}
    mark = account_mark(ledger.key)
    emails = [row[1] for row in ledger.sql("SELECT account_id, email FROM customers WHERE email IS NOT NULL")]
    texts = [row[1] for row in ledger.sql("SELECT account_id, folded FROM customer_search")]
    for_nothing = []
    for email in emails:
        question = next(questions(INDEX, Query((), (email,)), ledger.key, pieces=pieces, **ways))
        *asked, last = [value[1:-1] for value in question.values.values() if value.startswith("%")]
        assert last == mark
        (whole,) = pieces_of(email)
        found = [text for text in texts if all(piece in text for piece in asked)]
        assert any(whole in text for text in found)
        for_nothing += [text for text in found if whole not in text]

    assert len(for_nothing) <= len(emails) // 20
