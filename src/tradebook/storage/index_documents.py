"""Collects what an index holds of each row: its folded text and its facts, the same on every engine."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from tradebook.storage.index import Facet, ListIndex, Source
from tradebook.text import fold, fold_phone, phone_form

FIELD_END = "\n"
MIDDLE_LENGTH = 12
"""How many characters of a long word an index is asked for first."""

_FIELDS_KEPT = 5_000
_WORDS_KEPT = 1_000
RowsToIndex = list[list[Sequence[Any]]]
"""Rows of each source of an index, which begin with the key of the indexed row."""

Linked = Mapping[int, Sequence[Mapping[str, Any]]]
"""All rows of a source of each of some keys, by the names of its columns."""


class Document:
    """What the index holds of one row: its folded fields, and its facts as pairs of facet and values."""

    __slots__ = ("facts", "fields")

    def __init__(self) -> None:
        # A dictionary as an ordered set: a customer and its address often have the same name.
        self.fields: dict[str, None] = {}
        self.facts: list[tuple[Facet, tuple[Any, ...]]] = []

    @property
    def folded(self) -> str:
        """The folded fields, each with an end mark, so that a word can't match across two fields."""
        return FIELD_END.join(self.fields)


class _Columns:
    """The places of texts, phones and facets in a source's rows, computed once and not for every row."""

    def __init__(self, source: Source) -> None:
        # The row begins with the indexed row's key.
        place = {column: at for at, column in enumerate(source.columns, 1)}
        self.texts = [place[column] for column in source.texts]
        self.phones = [place[column] for column in source.phones]
        self.codes = [place[column] for column in source.codes]
        self.facets = [(facet, [place[column] for column in facet.columns]) for facet in source.facets]

    def add(self, document: Document, row: Sequence[Any]) -> None:
        """Add one row of the source to a document."""
        fields = document.fields
        for at in self.texts:
            if row[at]:
                fields[_folded_field(row[at])] = None
        for at in self.phones:
            if row[at]:
                fields[_folded_field(row[at])] = None
                fields[fold_phone(row[at])] = None
        for at in self.codes:
            if row[at] and not row[at].isalnum():
                fields["".join(fold(row[at]).split())] = None
        document.facts += [(facet, tuple([row[at] for at in places])) for facet, places in self.facets]


@cache
def _columns_of(source: Source) -> _Columns:
    return _Columns(source)


# Kept, because a customer's name stands in its address too, and towns and countries stand everywhere.
@lru_cache(_FIELDS_KEPT)
def _folded_field(text: str) -> str:
    return " ".join(fold(text).split())


@lru_cache(_WORDS_KEPT)
def forms_of(word: str) -> tuple[str, ...]:
    """List the forms in which a folded word may occur: itself, and as digits of a phone number."""
    phone = phone_form(word)
    return (word,) if phone is None else (word, phone)


def middle_of(word: str) -> str:
    """Return the middle of a long word, which an index is asked for first, and other words as they are.

    It is nearly as rare as the whole, and has a part of its pieces. Addresses of mail and of the web begin
    and end alike.
    """
    return word[max(0, (len(word) - MIDDLE_LENGTH) // 2) :][:MIDDLE_LENGTH]


def documents(index: ListIndex, rows_of: Any, keys: Sequence[int]) -> dict[int, Document]:
    """Read what is to be indexed of these rows; rows that are gone have no document."""
    return documents_of(index, rows_to_index(index, rows_of, keys))


def rows_to_index(
    index: ListIndex,
    rows_of: Any,
    keys: Sequence[int],
    at_hand: Sequence[Linked] = (),
) -> RowsToIndex:
    """Read the rows that documents are made of: of each source in turn, without those at hand."""
    found = rows_at_hand(index, at_hand)
    for number, source in enumerate(index.sources):
        given = at_hand[number] if number < len(at_hand) else {}
        missing = [key for key in keys if key not in given]
        if missing:
            found[number] += rows_of(source.statement, ids=missing)
    return found


def rows_at_hand(index: ListIndex, at_hand: Sequence[Linked]) -> RowsToIndex:
    """Return the rows that documents are made of, of each source in turn, where nothing has to be read."""
    found: RowsToIndex = []
    for number, source in enumerate(index.sources):
        given = at_hand[number] if number < len(at_hand) else {}
        names = [column.name for column in source.columns]
        found.append(
            [(key, *[row[name] for name in names]) for key, listed in given.items() for row in listed]
        )
    return found


def documents_of(index: ListIndex, listed: RowsToIndex) -> dict[int, Document]:
    """Make the documents of rows."""
    found: dict[int, Document] = {}
    for number, (source, rows) in enumerate(zip(index.sources, listed, strict=True)):
        columns = _columns_of(source)
        for row in rows:
            # The first source is the row itself. If it does not exist, what other rows say about it is
            # ignored.
            document = found.setdefault(row[0], Document()) if number == 0 else found.get(row[0])
            if document is not None:
                columns.add(document, row)
    return found
