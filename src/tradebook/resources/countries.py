"""Countries as people write them: two letters, three letters, or a name.

ISO 3166 and CLDR know the names; a short list adds what customs, parcel services, tax offices and people
write besides. Nothing is guessed: a name that could be two countries is none, and what is near is offered.
"""

import re
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

from tradebook.text import fold

_KOSOVO = "XK"
"""Not in ISO 3166, which leaves the code free for it; CLDR, carriers and the post use it."""

_CUSTOMARY = {
    # Codes: of the tax offices of the EU, of customs and parcel services.
    "el": "GR",
    "xi": "GB",
    "uk": "GB",
    "ic": "ES",
    "xkx": _KOSOVO,
    "uae": "AE",
    "drc": "CD",
    "ksa": "SA",
    "prc": "CN",
    "bvi": "VG",
    "usvi": "VI",
    "fyrom": "MK",
    # Parts of a country.
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "n ireland": "GB",
    "great britain": "GB",
    "britain": "GB",
    "canary islands": "ES",
    "balearic islands": "ES",
    "madeira": "PT",
    "azores": "PT",
    # Names of before, and short ones.
    "holland": "NL",
    "netherland": "NL",
    "eire": "IE",
    "republic of ireland": "IE",
    "turkey": "TR",
    "macedonia": "MK",
    "ivory coast": "CI",
    "swaziland": "SZ",
    "burma": "MM",
    "east timor": "TL",
    "vatican": "VA",
    "holy see": "VA",
    "vatican city state": "VA",
    "aland": "AX",
    "hong kong sar": "HK",
    "macau": "MO",
    "macao sar": "MO",
    "mainland china": "CN",
    "pr china": "CN",
    "s korea": "KR",
    "n korea": "KP",
    "dr congo": "CD",
    "palestine": "PS",
    "us america": "US",
    "falklands": "FK",
    "sao tome": "ST",
    "trinidad": "TT",
    "tobago": "TT",
    "antigua": "AG",
    "bosnia": "BA",
    "saint kitts": "KN",
    "saint vincent": "VC",
}
_EITHER = {
    "korea": ("KR", "KP"),
    "virgin islands": ("VG", "VI"),
    "channel islands": ("JE", "GG"),
    "netherlands antilles": ("CW", "SX", "BQ"),
    "serbia montenegro": ("RS", "ME"),
    "america": ("US",),
}
"""What each of these names may mean; nobody can tell which."""
_LEFT_OUT = frozenset({"the", "and", "of"})
_SPELLED_OUT = {"st": "saint", "ste": "saint", "rep": "republic", "dem": "democratic", "is": "islands"}
_NO_WORD = re.compile(r"[^\w.']+")
_TWICE = re.compile(r"([^()]+?)\s*(?:\(([^()]+)\)|\s[-\N{EN DASH}/|]\s+(.+))", re.DOTALL)
_LETTERS = re.compile(r"(?:\w )+\w", re.ASCII)
_INITIALS = re.compile(r"\W*\w(?:[.\s]*\w)*\W*", re.ASCII)
_NOT_SAID = "na"
"""Namibia, but by these two letters alone: with dots or a blank between them they say nothing."""
_OFFERED_MAX = 3
_LANGUAGES = (
    *("de", "fr", "es", "it", "nl", "pt", "sv", "da", "nb", "fi", "pl", "cs", "sk", "hu"),
    *("ro", "tr", "el", "bg", "hr", "sl", "et", "lv", "lt", "uk", "ru", "ja", "zh", "ko"),
)
_NAME_LENGTH_MIN, _CODE_LENGTH_MAX = 4, 3
_REMEMBERED = 1_000
"""A file has the same few in every row."""


@lru_cache(maxsize=_REMEMBERED)
def country_code(text: str) -> str | None:
    """Return the two-letter code of a country; None if no country, or more than one, is called so."""
    code = text.upper()
    if code in _codes():
        return code
    reduced = _reduced(text)
    if len(reduced) <= _CODE_LENGTH_MAX and not _is_code(text, reduced):
        return None
    return _names().get(reduced) or _said_twice(text)


def _is_code(text: str, reduced: str) -> bool:
    """Tell whether a few letters may be a code: U.S.A. is one, and N/A, C/O or A/S are none."""
    # Folded, letters with accents could be those of a code, and no code has any.
    return text.isascii() and _INITIALS.fullmatch(text) is not None and reduced != _NOT_SAID


def _said_twice(text: str) -> str | None:
    """Return the country that both halves of a text are, as in `Germany (DE)` and `GB - United Kingdom`."""
    halves = _TWICE.fullmatch(text)
    if halves is None:
        return None
    one, other = (country_code(half) for half in filter(None, halves.groups()))
    return one if one == other else None


@lru_cache(maxsize=_REMEMBERED)
def countries_near(text: str) -> tuple[str, ...]:
    """List what the name of no country may mean, such as `KR (South Korea)`, the likeliest first."""
    reduced = _reduced(text)
    codes = _either().get(reduced)
    if codes is None:
        if len(reduced) < _NAME_LENGTH_MIN:
            return ()
        near = get_close_matches(reduced, _names(), n=_OFFERED_MAX, cutoff=0.75)
        codes = tuple(dict.fromkeys(_names()[name] for name in near))
    return tuple(f"{code} ({_shown()[code]})" for code in codes)


def country_abroad(text: str) -> str | None:
    """Return the code of a country by its name in another language, such as Deutschland; None if none has it.

    It is for a proposal: a name that is one country's here may be another's there.
    """
    return _abroad().get(_reduced(text))


def _reduced(text: str) -> str:
    """Reduce a name to its words, in alphabetical order: `Korea, Republic of` is `The Republic of Korea`."""
    words = " ".join(_NO_WORD.sub(" ", fold(text)).replace(".", "").replace("'", "").split())
    if _LETTERS.fullmatch(words):
        return words.replace(" ", "")
    kept = [_SPELLED_OUT.get(word, word) for word in words.split() if word not in _LEFT_OUT]
    return " ".join(sorted(kept or words.split()))


@cache
def _codes() -> frozenset[str]:
    return frozenset({_KOSOVO, *(country.alpha_2 for country in _iso_3166())})


def _iso_3166() -> Any:
    # Late: most commands read no country.
    import pycountry  # noqa: PLC0415

    return pycountry.countries


@cache
def _shown() -> dict[str, str]:
    from babel import Locale  # noqa: PLC0415 - late, as above

    names: dict[str, str] = dict(Locale("en").territories)
    return names


@cache
def _names() -> dict[str, str]:
    """Map names to codes: those of ISO 3166 first, then the usual English ones."""
    names: dict[str, str] = {}
    for country in _iso_3166():
        for field in ("alpha_2", "alpha_3", "name", "official_name", "common_name"):
            if hasattr(country, field):
                names.setdefault(_reduced(getattr(country, field)), country.alpha_2)
    for code, name in _shown().items():
        if code in _codes():
            names.setdefault(_reduced(name), code)
    for name, code in _CUSTOMARY.items():
        names.setdefault(_reduced(name), code)
    return {name: code for name, code in names.items() if name not in _either()}


@cache
def _either() -> dict[str, tuple[str, ...]]:
    return {_reduced(name): codes for name, codes in _EITHER.items()}


@cache
def _abroad() -> dict[str, str]:
    from babel import Locale  # noqa: PLC0415 - late, as above

    names: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in _codes():
                names.setdefault(_reduced(name), code)
    return names
