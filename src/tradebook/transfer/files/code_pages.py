"""Which code page of one byte a letter a text has: Windows-1252, unless its words look wrong so."""

import re
from collections.abc import Iterable, Sequence

from tradebook.transfer.files.alphabets import PAGES, page_by_alphabets

USUAL = ("cp1252", "Windows-1252")
LATIN_9 = ("iso8859_15", "ISO 8859-15")
HEBREW = ("cp1255", "Windows-1255")
_OTHERS = (
    ("cp1250", "Windows-1250"),
    ("cp1251", "Windows-1251"),
    ("cp1253", "Windows-1253"),
    ("mac_roman", "Mac Roman"),
    ("cp850", "code page 850"),
    ("cp866", "code page 866"),
    ("koi8_r", "KOI8-R"),
    ("iso8859_2", "ISO 8859-2"),
)
GUESSED = frozenset(codec for codec, _ in (LATIN_9, HEBREW, *PAGES, *_OTHERS))
"""The codecs that are found by many words, and may not be found again by a few of them."""
_LATIN = frozenset({"cp1250", "mac_roman", "cp850", "iso8859_2", "iso8859_15"})
_OF_LATIN_9 = re.compile(rb"\xa4|[a-z][\xa8\xb8\xbd][a-z]|(?<![a-z0-9])\xbc[a-z]", re.IGNORECASE)
"""Its sign for the euro, and letters amidst others, where Windows-1252 has a currency sign and fractions."""
_NOT_OF_LATIN_9 = re.compile(rb"[\x80-\x9f]|[0-9] ?[\xbc-\xbe]")
_EAST_ASIAN = ("cp932", "gb18030", "big5", "euc_kr")
_WIDE_FROM = "\u2e80"
_FITS_MIN = 0.8
_LINES_MAX = 500
_WRONG_MIN = 0.5
_WRONG_WORDS_MIN = 3
"""From how many words on it counts that most of them look wrong."""
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_HEBREW, _HEBREW_MIN = re.compile(rb"[\xe0-\xfa]{2,}"), 0.9
_WORDS_MAX = 5_000
_BESIDE = frozenset("’‘“”„«»‹›–—…•·™®©°ºª¡¿²³´\xa0\xad")  # noqa: RUF001 - they are meant
"""What stands before or behind letters also where a text was read rightly."""
_BETWEEN = frozenset("’‘´·–—\xa0\xad")  # noqa: RUF001 - they are meant
_ODD_MAX = 0.2
_GOOD_MAX = 0.05


def likely_code_page(blocks: Sequence[bytes]) -> tuple[str, str] | None:
    """Name the codec, and how it is told; None where the words look wrong in all of them."""
    words = _words_of(blocks)
    odd, is_latin_9 = _odd_share(words, USUAL[0]), _is_latin_9(blocks)
    if _are_hebrew(words):
        return HEBREW
    if odd <= _ODD_MAX:
        return page_by_alphabets(words) or (LATIN_9 if is_latin_9 else USUAL)
    best = min((*_OTHERS, LATIN_9) if is_latin_9 else _OTHERS, key=lambda page: _odd_share(words, page[0]))
    is_good = _odd_share(words, best[0]) <= min(_GOOD_MAX, odd / 4)
    if is_good and (best[0] not in _LATIN or not _may_be_east_asian(blocks)):
        return best
    is_wrong = is_good or (odd > _WRONG_MIN and len(words) >= _WRONG_WORDS_MIN) or _may_be_east_asian(blocks)
    return None if is_wrong else USUAL


def _is_latin_9(blocks: Iterable[bytes]) -> bool:
    """Tell whether a text has signs of ISO 8859-15, and none of those that it doesn't have."""
    return any(map(_OF_LATIN_9.search, blocks)) and not any(map(_NOT_OF_LATIN_9.search, blocks))


def _are_hebrew(words: Sequence[bytes]) -> bool:
    """Tell whether words have no letters but those of Hebrew, as which other scripts have one case alone."""
    hebrew = sum(bool(_HEBREW.fullmatch(word)) for word in words)
    return hebrew >= _WRONG_WORDS_MIN and hebrew > len(words) * _HEBREW_MIN


def _may_be_east_asian(blocks: Iterable[bytes]) -> bool:
    """Tell whether a code page of two bytes a letter has letters side by side all through a text."""
    lines = [line for block in blocks for line in block.splitlines() if not line.isascii()][:_LINES_MAX]
    return any(
        sum(_is_written_in(line, codec) for line in lines) > len(lines) * _FITS_MIN for codec in _EAST_ASIAN
    )


def _is_written_in(line: bytes, codec: str) -> bool:
    try:
        text = line.decode(codec)
    except UnicodeDecodeError:
        return False
    wide = [letter >= _WIDE_FROM for letter in f" {text} "]
    side_by_side = sum(is_wide and (wide[at - 1] or wide[at + 1]) for at, is_wide in enumerate(wide))
    return side_by_side > sum(wide) * _FITS_MIN


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
