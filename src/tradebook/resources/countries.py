"""Countries as people write them: two letters, three letters, or a name."""

from functools import cache
from typing import Any

from tradebook.text import fold

# What everybody writes and neither ISO 3166 nor CLDR lists.
_CUSTOMARY = {"uk": "GB", "great britain": "GB", "turkey": "TR", "xkx": "XK"}
_KOSOVO = "XK"
"""Not in ISO 3166, which leaves the code free for it; CLDR, carriers and the post use it."""


def country_code(text: str) -> str | None:
    """Return the two-letter code of a country; None if no country has this code or name."""
    code = text.upper()
    codes = _codes()
    return code if code in codes else _names().get(fold(text))


@cache
def _codes() -> frozenset[str]:
    return frozenset({_KOSOVO, *(country.alpha_2 for country in _iso_3166())})


def _iso_3166() -> Any:
    # Late: most commands read no country.
    import pycountry  # noqa: PLC0415

    return pycountry.countries


@cache
def _names() -> dict[str, str]:
    """Map folded names to codes: the names of ISO 3166 first, then the usual English ones."""
    from babel import Locale  # noqa: PLC0415 - late, as below

    names: dict[str, str] = {}
    for country in _iso_3166():
        for field in ("alpha_3", "name", "official_name", "common_name"):
            if hasattr(country, field):
                names.setdefault(fold(getattr(country, field)), country.alpha_2)
    for code, name in Locale("en").territories.items():
        if code in _codes():
            names.setdefault(fold(name), code)
    for name, code in _CUSTOMARY.items():
        names.setdefault(name, code)
    return names
