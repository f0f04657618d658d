"""What the values of a foreign column look like: addresses of e-mail, dates, amounts, names of countries."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from tradebook.text import fold

_NULL = r"NULL null Null (null) [NULL] \N n/a N/A #N/A NaN nan undefined - -- k.A. 0000-00-00 00.00.0000"
NULL_WORDS = frozenset(
    [*_NULL.split(), "http://", "https://", "\N{EN DASH}", "\N{EM DASH}", "k. A.", "0000-00-00 00:00:00"]
)
SHARE_MIN = 0.9
_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]{2,}")
_PHONE = re.compile(r"(?=(?:.*\d){6})(?:\+|00|\(|0)[\d ()/.\-]{6,20}", re.ASCII)
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_SIGNS = {"€": "EUR", "£": "GBP", "$": "USD", "CHF": "CHF", "kr": "NOK", "zł": "PLN", "Kč": "CZK"}
LANGUAGES = ("en", "de", "fr", "es", "nl", "it", "pt", "da", "sv", "nb", "pl")

# Each with what tells it from others: a first number above 12 is a day, a second one is none.
DATES = (
    "iso",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%m-%Y %H:%M:%S",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d",
    "%d %b %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
)
"""The formats that are tried, those with the day first before those with the month first."""


class Evidence:
    """The values of one column, in the order of the rows."""

    def __init__(self, values: Iterable[str], nothing: frozenset[str]) -> None:
        self.rows = ["" if value in nothing else value for value in values]
        """The value of each row, empty ones too."""
        self.values = [value for value in self.rows if value]
        self.distinct = Counter(self.values)

    def share(self, pattern: re.Pattern[str]) -> float:
        """Tell how much of the values are of a form."""
        if not self.values:
            return 0.0
        return sum(bool(pattern.fullmatch(value)) for value in self.values) / len(self.values)

    @property
    def column(self) -> str | None:
        """Name the column that the values alone give away."""
        if self.share(_EMAIL) >= SHARE_MIN:
            return "email"
        if self.share(_URL) >= SHARE_MIN:
            return "url"
        if self.share(_PHONE) >= SHARE_MIN and len(self.distinct) > len(self.values) // 2:
            return "phone"
        names = [value for value in self.distinct if len(value) > 3]
        if names and len(names) == len(self.distinct) and all(country_code(name) for name in names):
            return "bill_to.country"
        return None

    @property
    def has_lines(self) -> bool:
        """Tell whether a value has a line break in it."""
        return any("\n" in value or "\r" in value for value in self.values)

    @property
    def has_words(self) -> bool:
        """Tell whether most values have several letters, as names do."""
        return sum(sum(map(str.isalpha, value)) > 2 for value in self.values) > len(self.values) // 2

    @property
    def currency(self) -> str | None:
        """Return the currency whose sign stands beside the amounts, if it is one."""
        found = {code for sign, code in _SIGNS.items() for value in self.distinct if sign in value}
        return found.pop() if len(found) == 1 else None

    def shown(self) -> list[str]:
        """Return a few values, the most frequent first."""
        return [value for value, _ in self.distinct.most_common(3)]


def looks_like_values(headings: Iterable[str]) -> bool:
    """Tell whether a row stands where headings should: with an e-mail, a phone number or a web address."""
    return any(pattern.fullmatch(text) for text in headings for pattern in (_EMAIL, _PHONE, _URL))


@lru_cache(maxsize=2_000)
def country_code(name: str) -> str | None:
    """Find the code of a country by its name in one of several languages."""
    return _territories().get(fold(name).strip())


@lru_cache(maxsize=1)
def _territories() -> dict[str, str]:
    from babel import Locale  # noqa: PLC0415 - only for a list with such names

    found: dict[str, str] = {}
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in {"EU", "EZ", "UN", "ZZ", "QO", "XA", "XB"}:
                found.setdefault(fold(name), code)
    return found
