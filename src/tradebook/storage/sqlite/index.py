"""The index of a list on SQLite: one FTS5 table per account, its tokens made here.

Every distinct piece of one, two and three characters of a word of a row's folded text is a token, and so is
every facet value. A query is an AND of tokens. FTS5 answers it from an ordered list of keys for each token.
FTS5 stores neither the text nor positions, so a word longer than three characters is confirmed against the
folded text (docs/decisions/0002 has the measurements).

The rowid of an entry is its row's key, negated. FTS5 walks its lists forwards: to begin in the midst of one
and go backwards costs ten times as much, and lists are asked for from their newest row on.

FTS5 can't add to an entry, it writes the whole entry again. So that one more address costs the same however
many there are, an entry has the pieces of so much text at most. A row with more has a token that says so, and
is found by its folded text alone.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import combinations
from operator import add
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.ids import encode_body
from tradebook.storage.index import Condition, Facet, ListIndex, Query
from tradebook.storage.index_documents import MIDDLE_LENGTH, Document, forms_of, middle_of
from tradebook.storage.index_versions import digest_of
from tradebook.storage.sqlite.dialect import DIALECT

FORM = 4
"""The number of how a document is written here. Raise it when `tokens` begins to write another text."""

PIECE_LENGTH = 3
# More pieces of long words would hardly rule out further rows; the folded text is checked anyway.
PIECES_MAX = 24
"""How many pieces of all long words together the index is asked for."""

PIECES_OF_MIDDLE = 6
"""How many pieces of the middle of a long word it is asked for: all ten take half as long again."""

WORDS_MAX = 12
"""How many words it is asked for. Who has these, the longest ones, is checked for the others."""
TEXT_LENGTH_MAX = 2_000
"""How much text of a row has its pieces in the index. Nearly all rows have much less."""

# No text has these signs, and none of them is white space.
FACET, MORE = "\x01", "\x02"
"""What the tokens of facets begin with, and the token of a row that has more text."""

_PHONE_DIGITS = str.maketrans("ABCDEFGHIJ", "\x03\x04\x05\x06\x07\x08\x0e\x0f\x10\x11")
"""The letters of phone numbers: FTS5 would take them for those of words."""

_SIGNS = "".join(sign for sign in map(chr, range(1, 128)) if not sign.isalnum() and sign != " ")
TOKENIZER = "ascii tokenchars '" + _SIGNS.replace("'", "''") + "'"
"""The tokenizer for texts of tokens: it splits them at the spaces, and at nothing else."""

_FACETS_KEPT = 20_000


@cache
def version_of(index: ListIndex) -> str:
    """Sum up what the index is made from: the texts and the facets."""
    return digest_of(index, DIALECT, form=FORM)


def tokens(document: Document, known: dict[str, set[str]] | None = None) -> str:
    """Write all tokens of a row as one text, which FTS5 splits at the spaces.

    `known` remembers the pieces of words, for rows that share their text, as the customers of an address do.
    Without it all pieces of a row are made at once, in two thirds of the time where texts are new.
    """
    fields = _first_fields(document)
    found = _pieces_of(" ".join(fields)) if known is None else _known_pieces(fields, known)
    if len(fields) < len(document.fields):
        found.add(MORE)
    for facet, values in document.facts:
        found.update(facet_tokens(facet, values))
    return " ".join(found)


def _first_fields(document: Document) -> Collection[str]:
    """Choose the fields whose pieces are indexed: the same ones in whatever order they were read."""
    if sum(map(len, document.fields)) <= TEXT_LENGTH_MAX:
        return document.fields
    left = TEXT_LENGTH_MAX
    chosen = []
    for field in sorted(document.fields):
        left -= len(field)
        if left < 0:
            break
        chosen.append(field)
    return chosen


def _known_pieces(fields: Iterable[str], known: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    for field in fields:
        for word in field.split(" "):
            pieces = known.get(word)
            if pieces is None:
                pieces = known[word] = _pieces_of(word)
            found |= pieces
    return found


def _pieces_of(text: str) -> set[str]:
    # Word by word: no piece has a space in it, and each word is taken apart once.
    found: set[str] = set()
    for word in {*_written(text).split(" ")}:
        pairs = list(map(add, word, word[1:]))
        found.update(word, pairs, map(add, pairs, word[2:]))
    return found


def _written(text: str) -> str:
    """Write folded text as it is in the index: a capital in it can only be a digit of a phone number."""
    return text.translate(_PHONE_DIGITS)


@lru_cache(_FACETS_KEPT)
def facet_tokens(facet: Facet, values: tuple[Any, ...]) -> tuple[str, ...]:
    """List the tokens under which a row with these values is found.

    A filter may ask for any combination of several columns, so each combination has its own token.
    """
    if len(values) == 1:
        return () if values[0] is None else (_token(facet, values),)
    present = [place for place, value in enumerate(values) if value is not None]
    chosen = [set(places) for n in range(1, len(present) + 1) for places in combinations(present, n)]
    return tuple(
        _token(facet, tuple(v if place in places else None for place, v in enumerate(values)))
        for places in chosen
    )


def _token(facet: Facet, values: tuple[Any, ...]) -> str:
    if len(values) == 1 and isinstance(values[0], int):
        return f"{FACET}{facet.letter}{values[0]:x}"
    # 128 bits: nobody finds two values with the same token, neither by chance nor on purpose.
    return FACET + facet.letter + blake2b(msgspec.json.encode(values), digest_size=16).hexdigest()


def index_name(index: ListIndex, account_id: int) -> str:
    """Name an account's own index table."""
    return f"{index.name}_{encode_body(account_id)}"


def more_statement(index: ListIndex, account_id: int) -> str:
    """Write the statement that tells whether any row of an index has more text than its entry."""
    name = index_name(index, account_id)
    return f"SELECT 1 FROM {name} WHERE {name} MATCH '{quoted(MORE)}' LIMIT 1"


@cache
def walk_statement(key: sa.Column[int], *, descending: bool) -> str:
    """Write the statement that walks all rows by their key; it takes then: account, above, below, limit."""
    order, name = "DESC" if descending else "ASC", key.name
    return (
        f"SELECT {name} FROM {key.table.name} WHERE account_id = ? AND {name} >= ? AND {name} < ?"
        f" ORDER BY {name} {order} LIMIT ?"
    )


def keys_statement(
    index: ListIndex,
    query: Query,
    account_id: int,
    *,
    descending: bool,
    has_more: bool = False,
    by_middle: bool = False,
) -> tuple[str, tuple[Any, ...]]:
    """Write the statement that walks an index; it takes then: above, below, limit.

    `has_more` says that some rows have more text than their entries. Where words are to be confirmed, each
    key comes with whether its text has them. `by_middle` asks the index for the middle of long words alone.
    """
    order = "ASC" if descending else "DESC"
    expression = match_expression(query, has_more=has_more, by_middle=by_middle)
    name = index_name(index, account_id)
    walk = f"{name} MATCH ? AND {name}.rowid <= -? AND {name}.rowid > -?"
    confirmed = words_to_confirm(query, has_more=has_more)
    if not confirmed:
        return (
            f"SELECT -rowid FROM {name} WHERE {walk} ORDER BY rowid {order} LIMIT ?",
            (expression,),
        )
    text, words = text_test(word for word, *_ in confirmed)
    # CROSS JOIN keeps the order of the loops: the index first, then the text of what it found.
    return (
        (
            f"SELECT f.{index.folded_key}, {text} FROM {name} CROSS JOIN {index.folded.name} AS f"
            f" ON f.account_id = ? AND f.{index.folded_key} = -{name}.rowid WHERE {walk}"
            f" ORDER BY {name}.rowid {order} LIMIT ?"
        ),
        (*words, account_id, expression),
    )


def text_test(words: Iterable[str]) -> tuple[str, list[str]]:
    """Write the test that a folded text `f` has all words, and the values for it."""
    listed = [forms_of(word) for word in words]
    tests = ["(" + " OR ".join(["instr(f.folded, ?)"] * len(forms)) + ")" for forms in listed]
    return " AND ".join(tests), [form for forms in listed for form in forms]


def has_middle(query: Query) -> bool:
    """Tell whether a word is so long that the index can be asked for its middle alone."""
    return any(len(form) > MIDDLE_LENGTH for word in query.words for form in forms_of(word))


def match_expression(query: Query, *, has_more: bool = False, by_middle: bool = False) -> str:
    """Write a query as an FTS5 expression; empty if it has no condition and no word."""
    more = (quoted(MORE),) if has_more else ()
    parts = [_any(_token_of(c, value) for value in c.values) for c in query.conditions]
    asked = _asked_words(query)
    count = PIECES_MAX // max(1, len(asked))
    if by_middle:
        count = min(count, PIECES_OF_MIDDLE)
    for word in asked:
        forms = map(middle_of, forms_of(word)) if by_middle else forms_of(word)
        parts.append(_any((*(_all(_pieces(form, count)) for form in forms), *more)))
    return _all(parts)


def _asked_words(query: Query) -> Sequence[str]:
    """Choose the words that the index is asked for."""
    if len(query.words) <= WORDS_MAX:
        return query.words
    return sorted(query.words, key=len, reverse=True)[:WORDS_MAX]


def _token_of(condition: Condition, value: tuple[Any, ...]) -> str:
    return quoted(_token(condition.facet, value))


def quoted(token: str) -> str:
    """Write a token so that FTS5 takes it for nothing else, whatever signs it has."""
    return '"' + token.replace('"', '""') + '"'


def words_to_confirm(query: Query, *, has_more: bool = False) -> list[Sequence[str]]:
    """List the words, with all their forms, that must be checked against the text as well."""
    asked = _asked_words(query)
    return [
        forms
        for word, forms in ((word, forms_of(word)) for word in query.words)
        if has_more or word not in asked or any(len(form) > PIECE_LENGTH for form in forms)
    ]


def _pieces(word: str, count: int) -> list[str]:
    word = _written(word)
    last = len(word) - PIECE_LENGTH
    if last <= 0:
        return [quoted(word)]
    step = max(1, -(-(last + 1) // count))
    starts = sorted({*range(0, last + 1, step), last})
    return list(dict.fromkeys(quoted(word[at : at + PIECE_LENGTH]) for at in starts))


def _any(parts: Iterable[str]) -> str:
    listed = list(parts)
    return listed[0] if len(listed) == 1 else f"({' OR '.join(listed)})"


def _all(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({' AND '.join(parts)})" if parts else ""
