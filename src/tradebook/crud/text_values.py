"""Checks of text: what a field of a body, or a cell of a file, may hold.

Every check returns the text to store. ValueError says what is wrong, in words for the person who sent it.
"""

import re
import unicodedata
from typing import Any

TEXT_LENGTH_MAX = 255
EMAIL_LENGTH_MAX = 254
"""What RFC 5321 leaves for an address between its angle brackets."""

DECOMPOSED_MAX = 4
"""How many characters one may be written as, a letter and its marks. What is longer isn't looked at."""

NOTE_LENGTH_MAX = 10_000
URL_LENGTH_MAX = 2_000

_LINE_END = re.compile("\r\n|[\r\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_NOTE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_UNSEEN = {"Cf", "Zs", "Zl", "Zp"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_EMAIL = re.compile(r"[^@\s,;:<>]+@[^@\s,;:<>]+")
_URL = re.compile(r"(?:https?://\S+|[^\s:/?#]+(?::\d+)?(?:[/?#]\S*)?)", re.IGNORECASE)


def check_text(value: Any, *, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Accept one line of text, without the white space around it."""
    text: str = value.strip() if isinstance(value, str) else value
    # The fast way for nearly every cell.
    if text.__class__ is str and len(text) <= length_max and text.isprintable():
        return text
    if _CONTROL.search(_require_text(text, length_max)):
        raise ValueError("has a line break or another control character")
    if text and all(unicodedata.category(letter) in _UNSEEN for letter in text):
        raise ValueError("has nothing in it that can be seen")
    return text


def check_note(value: Any) -> str:
    """Accept text of several lines, without the white space around it; line ends become line feeds."""
    text = _require_text(value.strip() if isinstance(value, str) else value, NOTE_LENGTH_MAX)
    if not text.isprintable():
        text = _LINE_END.sub("\n", text)
        if _CONTROL_IN_NOTE.search(text):
            raise ValueError("has a control character")
    return text


def check_email(value: Any) -> str:
    """Accept what looks like an e-mail address."""
    text = check_text(value, length_max=EMAIL_LENGTH_MAX)
    if not _EMAIL.fullmatch(text):
        raise ValueError("is not an e-mail address: it takes one @, no spaces, and none of , ; : < >")
    return text


def check_url(value: Any) -> str:
    """Accept a web address as it is written, with or without `https://`."""
    text = check_text(value, length_max=URL_LENGTH_MAX)
    if not _URL.fullmatch(text):
        raise ValueError("is not a web address such as https://example.com or example.com")
    return text


def length_of(text: str, length_max: int) -> int:
    """Count the characters of a text, however its accents are written, if there may be too many."""
    if length_max < len(text) <= DECOMPOSED_MAX * length_max and not text.isascii():
        return len(unicodedata.normalize("NFC", text))
    return len(text)


def _require_text(value: Any, length_max: int) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    if (length := length_of(value, length_max)) > length_max:
        raise ValueError(f"has {length:,} characters, more than {length_max:,}")
    if not value.isascii() and _SURROGATE.search(value):
        raise ValueError("has half a character (a lone surrogate)")
    return value
