"""Numbers, e-mails and phones made comparable: what only looks as if it told customers apart goes."""

import re
import unicodedata

from tradebook.text import fold_case

UNSEEN = re.compile(
    "[\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u202a-\u202f"
    "\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""Characters that nobody sees, and blanks that look like another."""

_DECIMALS = re.compile(r"([0-9]+)[.,]0+", re.ASCII)
_NOT_DIGITS = re.compile(r"[^0-9]+", re.ASCII)


def plainest(number: str) -> str:
    """Reduce a number to what a person sees in it: without case, width, leading zeros and a trailing .0."""
    if not number.isascii():
        number = unicodedata.normalize("NFKC", UNSEEN.sub("", number))
    plain = without_decimals(fold_case(number))
    if not plain.startswith("0"):
        return plain
    rest = plain.lstrip("0")
    return rest if rest[:1].isalnum() else plain if rest else "0"


def without_decimals(number: str) -> str:
    """Return 417 for 417.0, which is what a spreadsheet has made of it."""
    return number[: found.end(1)] if number[-1:] == "0" and (found := _DECIMALS.fullmatch(number)) else number


def plain_number(number: str) -> str | None:
    """Return the plainest form of a number; None where it is that already, which nearly all are."""
    plain = plainest(number)
    return None if plain == fold_case(number) else plain


def digits_of(phone: str) -> str | None:
    """Reduce a phone number to its digits, those of other scripts too; None where it has none."""
    if not phone.isascii():
        phone = "".join(str(unicodedata.decimal(letter, "")) for letter in phone)
    return _NOT_DIGITS.sub("", phone) or None
