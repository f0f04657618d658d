"""The letters in which PostgreSQL keeps folded text: what occurs in the one occurs in the other, and nothing else."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tradebook.storage.index_documents import FIELD_END, Document
from tradebook.storage.postgres.searched_text import (
    FOLLOWING,
    account_mark,
    is_pair,
    pieces_of,
    searchable,
    spell,
)
from tradebook.text import fold, fold_phone

letters = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12).map(fold)
few = st.text("ab%_\\'é東😀0-. ", max_size=10)
texts = st.one_of(letters, few, few.map(fold_phone))
words = texts.map(lambda text: "".join(text.split())).filter(bool)


@given(text=texts, word=words)
def test_a_word_occurs_in_the_spelling_where_it_occurs_in_the_text(text, word):
    assert (spell(word) in spell(text)) == (word in text)


@given(text=texts, at=st.integers(0, 11), length=st.integers(1, 5))
def test_every_part_of_a_text_is_found(text, at, length):
    part = text[at : at + length]

    assert spell(part) in spell(text)


@given(text=texts)
def test_the_spelling_is_letters_digits_and_spaces_alone(text):
    spelled = spell(text)

    assert all(c.isascii() and (c.isalnum() or c in " \n") for c in spelled)
    # Its small letter is another one in a Turkish database, where no trigram with it would be found.
    assert "I" not in spelled


@given(fields=st.lists(texts, max_size=4), word=words.map(lambda word: word[:2]))
def test_a_short_word_is_found_where_it_occurs_in_a_field(fields, word):
    text = text_of(fields)
    (piece, *_) = pieces_of(word)
    found = re.search(f"{piece}{FOLLOWING}", text) if is_pair(piece) else piece in text

    assert bool(found) == any(word in field for field in fields)


@given(word=words.map(lambda word: word[:2]))
def test_what_the_index_is_asked_for_has_a_trigram(word):
    (piece, *_) = pieces_of(word)

    assert is_pair(piece) or len(piece) > 2 or (piece[0] == " " and len(piece) == 2)


@given(fields=st.lists(texts, max_size=4))
def test_one_character_stands_by_itself_only_where_it_begins_no_word(fields):
    *_, alone = text_of(fields).rpartition(FIELD_END)
    lone = set(alone.split())
    beginnings = {word[0] for field in fields for word in field.split()}

    for letter in {*"".join("".join(fields).split())}:
        is_plain = len(spell(letter)) == 1
        assert (spell(letter) in lone) == (is_plain and letter not in beginnings)


def text_of(fields):
    document = Document()
    document.fields = dict.fromkeys(" ".join(field.split()) for field in fields)
    return searchable(document, 5).removeprefix(account_mark(5))


@given(word=words, account=st.integers(0, (1 << 63) - 1))
def test_no_word_is_found_in_the_mark_of_an_account(word, account):
    assert all(piece not in account_mark(account) for piece in pieces_of(word))


def test_a_spelling_that_runs_together_is_noticed():
    """The tooth: with numbers of any length and no first letter of their own, parts of codes would match."""

    def loose(text: str) -> str:
        return "".join(c if c.isalnum() and c.isascii() else f"x{ord(c):x}" for c in text)

    assert loose("é") in loose("éa") and loose("x") in loose("é")
