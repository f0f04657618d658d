"""Text: what it becomes before it is searched, for what is kept and what is asked alike, and cut short."""

import codecs
import re
import unicodedata

FOLDING = 2
"""The number of these rules. Raise it when `fold` or `fold_phone` begin to answer otherwise."""

# What people and their keyboards write for one and the same sign.
_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0xFF0D], "-")
_APOSTROPHES = dict.fromkeys(
    [0x2018, 0x2019, 0x201B, 0x2032, 0x02B9, 0x02BB, 0x02BC, 0x00B4, 0x0060, 0xFF40], "'"
)
_SIGNS = _DASHES | _APOSTROPHES
# Letters with a stroke, and joined letters: Unicode takes accents apart, but not these.
_STROKES = _APOSTROPHES | str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\u0131": "i",
        "ł": "l",
        "ŧ": "t",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
_PHONE_WORD = re.compile(r"[0-9+\-./()]*[0-9][0-9+\-./()]*", re.ASCII)
_MARK, _MARK_LAST = 0xDC00, 0xDCFF
_HALVES = re.compile("[\ud800-\udfff]")
MARKED = "tradebook.marked"
"""The name of `mark_bytes` among the ways to treat what can't be decoded."""
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_NOT_DIGITS = re.compile(r"[^0-9]+", re.ASCII)
# Folded text has no capitals. So a digit that is written as a capital can only belong to a phone number.
_PHONE_DIGITS = str.maketrans("0123456789", "ABCDEFGHIJ")


def fold(text: str) -> str:
    """Reduce text to what a search compares: without case, accents, width and ligatures, signs as typed."""
    if text.isascii():
        return text.lower().replace("`", "'")
    text = text.translate(_SIGNS)
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text.casefold())
    # A second time: normalizing turns half of the mathematical letters into capitals, after casefold.
    folded = unicodedata.normalize("NFKD", folded.casefold())
    bare = _NOT_ASCII.sub(_unless_mark, folded)
    if bare.isascii():
        return bare.replace("`", "'")
    return unicodedata.normalize("NFC", bare.translate(_STROKES))


def _unless_mark(found: re.Match[str]) -> str:
    letter = found[0]
    return "" if unicodedata.combining(letter) else letter


def fold_case(text: str) -> str:
    """Reduce text to what counts where capitals don't; accents do, however they are written."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def counted(number: int, noun: str) -> str:
    """Write how many there are of something whose plural ends with s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def composed(text: str) -> str:
    """Write each letter with its accents as one: a Mac writes ü as u and two dots."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def as_read(text: str) -> str:
    """Reduce text to what a person reads in it: blanks of any kind as one, and nothing that can't be seen."""
    if not text.isascii():
        text = "".join(letter for letter in composed(text) if unicodedata.category(letter) != "Cf")
    return " ".join(text.split())


def fold_phone(text: str) -> str:
    """Reduce a phone number to its digits, in letters that no folded text contains."""
    return _NOT_DIGITS.sub("", fold(text)).translate(_PHONE_DIGITS)


def phone_form(word: str) -> str | None:
    """Write a folded word as `fold_phone` does; None if it is no part of a phone number."""
    return fold_phone(word) if _PHONE_WORD.fullmatch(word) else None


def words_of(query: str) -> list[str]:
    """Split a query at white space into distinct folded words; words of accents only are left out."""
    return list(dict.fromkeys(word for word in fold(query).split() if word))


def shown(text: str) -> str:
    """Write what can't be seen, or would steer a terminal, as its escape sequence."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def quoted(text: str) -> str:
    """Write a value in quotes, as one can see it."""
    return f'"{shown(text)}"' if "'" in text and '"' not in text else f"'{shown(text)}'"


def encodable(text: str) -> str:
    """Write halves of characters as escape sequences: they are no text, and no encoding takes them."""
    return _HALVES.sub(lambda match: _escape(match[0]), text)


def mark_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """Decode each byte that is no text as U+DC00 and its value, and encode that as the byte again.

    What else an encoding doesn't have becomes its escape sequence.
    """
    if isinstance(error, UnicodeDecodeError):
        return "".join(chr(_MARK + byte) for byte in error.object[error.start : error.end]), error.end
    if isinstance(error, UnicodeEncodeError):
        wrong = error.object[error.start : error.end]
        if all(_MARK <= ord(c) <= _MARK_LAST for c in wrong):
            return bytes(ord(c) - _MARK for c in wrong), error.end
        return wrong.encode("ascii", "backslashreplace").decode(), error.end
    raise error


def _escape(letter: str) -> str:
    if _MARK <= ord(letter) <= _MARK_LAST:
        return f"\\x{ord(letter) - _MARK:02x}"
    return repr(letter)[1:-1]


def shortened(text: str, length_max: int = 100) -> str:
    """Cut text that is only shown, so that a message stays one: the last character then is `…`."""
    return text if len(text) <= length_max else f"{text[: length_max - 1]}…"


codecs.register_error(MARKED, mark_bytes)
