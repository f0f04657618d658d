"""The text of a row that is searched: how it is written, and how a word stands in it."""

from functools import lru_cache

from tradebook.storage.index_documents import FIELD_END, Document, forms_of, middle_of

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ")
"""What is spelled as one letter or digit; the large ones are the digits of phones."""

_FIELD = f"{FIELD_END} "
FOLLOWING = "[a-zA-Z0-9 \n]"
"""What may follow two characters in a text, as a regular expression: with each they are a trigram."""

_COMMON_LAST = "zqxjkvwyfbghmpdculsntroiae"
"""The letters of names and places, rare ones first; whatever else there is comes before them."""

_CODE = 4
"""Up to how many characters a word with digits may be an area code, or the beginning of many numbers."""

_FIRST, _OTHERS, _EIGHT = "KLMNOPQ", "STUVWXYZ", "R"
"""Trigrams are in small letters, and the small letter of `I` is another one where the database is Turkish. So
the digit of a phone that is written as `I` is another letter here."""


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


_spelling = _Spelling({ord(" "): " ", ord("\n"): "\n", ord("I"): _EIGHT})


def spell(text: str) -> str:
    """Write folded text in letters and digits that every locale treats alike."""
    return text.translate(_spelling)


def searchable(document: Document, account_id: int) -> str:
    """Write the searched text of a row: a mark of its account, its fields, and characters that begin no word.

    Where a plain character begins a word, a space comes before it. With that it has a trigram.
    """
    fields = _FIELD.join(document.fields)
    # Each is two more trigrams, which are most of what it costs to write a row.
    lone = _PLAIN.intersection(fields).difference([word[0] for word in fields.split()])
    return f"{account_mark(account_id)}{_FIELD}{spell(fields)}{_FIELD}{spell(' '.join(sorted(lone)))} "


@lru_cache
def account_mark(account_id: int) -> str:
    """Write what the texts of an account begin with: three letters, which are one trigram."""
    # A part of the account's key, among the trigrams: rows of other accounts hardly get out of the index. In
    # letters that stand only behind others in the spelling of a character, so no spelled word is found in it.
    return "".join(_OTHERS[int(digit)] for digit in f"{account_id % 8**3:03o}")


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
    return list(map(_piece, forms_of(word)))


def middles_of(word: str) -> list[str]:
    """Write the middle of each of `pieces_of`, which is all of it where it is not long."""
    return [_piece(middle_of(form)) for form in forms_of(word)]


def is_pair(piece: str) -> bool:
    """Tell whether a piece is two characters, which have no trigram of their own."""
    return len(piece) == 2 and not piece.startswith(" ")


def _piece(form: str) -> str:
    spelled = spell(form)
    return f" {spelled}" if len(spelled) == 1 else spelled
