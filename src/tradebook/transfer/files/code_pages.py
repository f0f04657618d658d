"""Which code page of one byte a letter a text has: Windows-1252, unless its words look wrong so."""

import re
from collections.abc import Iterable

USUAL = ("cp1252", "Windows-1252")
_OTHERS = (
    ("cp1250", "Windows-1250"),
    ("cp1251", "Windows-1251"),
    ("cp1253", "Windows-1253"),
    ("mac_roman", "Mac Roman"),
    ("cp850", "code page 850"),
    ("cp866", "code page 866"),
    ("koi8_r", "KOI8-R"),
)
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_WORDS_MAX = 5_000
_BESIDE = frozenset("’‘“”„«»‹›–—…•·™®©°ºª¡¿²³´\xa0\xad")  # noqa: RUF001 - they are meant
"""What stands before or behind letters also where a text was read rightly."""
_BETWEEN = frozenset("’‘´·–—\xa0\xad")  # noqa: RUF001 - they are meant
_ODD_MAX = 0.2
_GOOD_MAX = 0.05


def likely_code_page(blocks: Iterable[bytes]) -> tuple[str, str]:
    """Name the codec, and how it is told."""
    words = _words_of(blocks)
    odd = _odd_share(words, USUAL[0])
    if odd <= _ODD_MAX:
        return USUAL
    best = min(_OTHERS, key=lambda page: _odd_share(words, page[0]))
    return best if _odd_share(words, best[0]) <= min(_GOOD_MAX, odd / 4) else USUAL


def _words_of(blocks: Iterable[bytes]) -> list[bytes]:
    words = []
    for block in blocks:
        for match in _WORD.finditer(block):
            words.append(match[0])
            if len(words) >= _WORDS_MAX:
                return words
    return words


def _odd_share(words: list[bytes], codec: str) -> float:
    return sum(_is_odd(word.decode(codec, "replace")) for word in words) / max(1, len(words))


def _is_odd(word: str) -> bool:
    """Tell whether nobody writes such a word: signs among its letters, capitals inside, or accents alone."""
    letters = [letter for letter in word if letter.isalpha()]
    if not letters:
        return False
    inside = word.strip("".join(_BESIDE))
    if any(not letter.isalpha() and letter not in _BETWEEN for letter in inside):
        return True
    kinds = {_script(letter) for letter in letters}
    if len(kinds) > 1:
        return True
    if kinds == {"latin"}:
        accents = sum(not letter.isascii() for letter in letters)
        if len(letters) >= 5 and accents > len(letters) * 0.6:
            return True
    return any(
        not letter.isascii() and letter.isupper() and (word[at - 1].islower() or _lower_after(word, at))
        for at, letter in enumerate(word)
        if at
    )


def _lower_after(word: str, at: int) -> bool:
    return at + 1 < len(word) and word[at - 1].isalpha() and word[at + 1].islower()


def _script(letter: str) -> str:
    if letter < "\u0250" or "\u1e00" <= letter <= "\u1eff":
        return "latin"
    return (
        "greek"
        if "\u0370" <= letter <= "\u03ff"
        else "cyrillic"
        if "\u0400" <= letter <= "\u04ff"
        else "other"
    )
