"""The text of a row that is searched: how it is written, and how a word stands in it."""

from functools import lru_cache

from tradebook.storage.index_documents import FIELD_END, Document, forms_of, middle_of

_MARK_DIGITS = 8
_SHORT = 2
"""Words up to this length have no trigram, so the text also contains all pieces of this length."""

_FIELDS_KEPT, _PIECES_KEPT = 500, 20_000

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ \n")
_COMMON_LAST = "zqxjkvwyfbghmpdculsntroiae"
"""The letters of names and places, rare ones first; whatever else there is comes before them."""

_CODE = 4
"""Up to how many characters a word with digits may be an area code, or the beginning of many numbers."""

_FIRST, _OTHERS = "KLMNOPQR", "STUVWXYZ"


class _Spelling(dict[int, str]):
    """Writes every character in letters and digits, so that the trigrams do not depend on a locale.

    A character that is not a plain letter or digit is written as its number in octal, after a letter that
    says how many digits follow. So no spelling begins inside another one, and none is the beginning of
    another.
    """

    def __missing__(self, code: int) -> str:
        digits = f"{code:o}"
        own = _FIRST[len(digits) - 1] + "".join(_OTHERS[int(digit)] for digit in digits)
        spelled = self[code] = chr(code) if chr(code) in _PLAIN else own
        return spelled


_spelling = _Spelling()


def spell(text: str) -> str:
    """Write folded text in letters and digits that every locale treats alike."""
    return text.translate(_spelling)


def searchable(document: Document, account_id: int) -> str:
    """Write the searched text of a row: a mark of its account, its fields, and its short pieces."""
    fields = [_spelled(field) for field in document.fields]
    short = sorted(set().union(*(pieces for _, pieces in fields)))
    spelled = FIELD_END.join([text for text, _ in fields])
    return f"{account_mark(account_id)}{spelled}\n {' '.join(map(_spelled_piece, short))} "


# Kept, because an address that serves many customers stands in the text of each.
@lru_cache(_FIELDS_KEPT)
def _spelled(field: str) -> tuple[str, frozenset[str]]:
    """Spell a field, and list its short pieces, in which no field ends and no word."""
    pieces = {field[at : at + size] for size in (1, _SHORT) for at in range(len(field) - size + 1)}
    return spell(field), frozenset(piece for piece in pieces if " " not in piece and FIELD_END not in piece)


@lru_cache(_PIECES_KEPT)
def _spelled_piece(piece: str) -> str:
    return spell(piece)


def account_mark(account_id: int) -> str:
    """Write what the texts of an account begin with."""
    # A part of the account's key, among the trigrams: rows of other accounts hardly get out of the index. In
    # letters that stand only behind others in the spelling of a character, so no spelled word is found in it.
    digits = f"{account_id % 8**_MARK_DIGITS:0{_MARK_DIGITS}o}"
    return "".join(_OTHERS[int(digit)] for digit in digits) + "\n"


def rarity(word: str) -> tuple[int, int]:
    """Order words by how rare they may be: the longest first, among equals those with rare letters."""
    return -len(word), min([_COMMON_LAST.find(letter) for letter in word])


def is_of_few(word: str) -> bool:
    """Tell whether a word may be a number, a phone or an address of mail, which hardly any row contains."""
    name, _, domain = word.partition("@")
    return len(word) > _CODE and (
        sum(map(str.isdigit, word)) > len(word) // 2 or (bool(name) and len(domain) > _CODE)
    )


def pieces_of(word: str) -> list[str]:
    """Write what a text contains that contains the word: one of these."""
    return [f" {spell(form)} " if len(form) <= _SHORT else spell(form) for form in forms_of(word)]


def middles_of(word: str) -> list[str]:
    """Write the middle of each of `pieces_of`, which is all of it where it is not long."""
    middles = map(middle_of, forms_of(word))
    return [f" {spell(form)} " if len(form) <= _SHORT else spell(form) for form in middles]
