"""The letters in which PostgreSQL keeps folded text: what occurs in the one occurs in the other, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from tradebook.storage.index_documents import FIELD_END, Document
from tradebook.storage.postgres.searched_text import account_mark, pieces_of, searchable, spell
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


@given(fields=st.lists(texts, max_size=4), word=words.map(lambda word: word[:2]))
def test_a_short_word_stands_by_itself_where_it_occurs_in_a_field(fields, word):
    document = Document()
    document.fields = dict.fromkeys(" ".join(field.split()) for field in fields)
    text = searchable(document, 5).removeprefix(account_mark(5))

    assert (pieces_of(word)[0] in text) == (word in document.folded.replace(FIELD_END, "\x01"))


@given(fields=st.lists(texts, max_size=4))
def test_one_character_stands_by_itself_only_where_it_begins_no_pair(fields):
    document = Document()
    document.fields = dict.fromkeys(" ".join(field.split()) for field in fields)
    *_, short = searchable(document, 5).rpartition(FIELD_END)
    pieces = set(short.split())

    for letter in set("".join(document.fields)) - {" "}:
        begins = any(piece.startswith(spell(letter)) and piece != spell(letter) for piece in pieces)
        assert begins != (spell(letter) in pieces)


@given(word=words, account=st.integers(0, (1 << 63) - 1))
def test_no_word_is_found_in_the_mark_of_an_account(word, account):
    assert all(piece not in account_mark(account) for piece in pieces_of(word))


def test_a_spelling_that_runs_together_is_noticed():
    """The tooth: with numbers of any length and no first letter of their own, parts of codes would match."""

    def loose(text: str) -> str:
        return "".join(c if c.isalnum() and c.isascii() else f"x{ord(c):x}" for c in text)

    assert loose("é") in loose("éa") and loose("x") in loose("é")
