"""The query string, taken apart strictly: what isn't clean UTF-8 is refused, nothing is dropped or merged.

And put together again, for the URLs of pages.
"""

from functools import lru_cache
from urllib.parse import unquote_to_bytes, urlencode

from tradebook.crud.cursor import Cursors, Position
from tradebook.crud.parameters import CURSOR, Pairs
from tradebook.errors import ParameterInvalid

_FEW_PAIRS = 10
"""How many names and values are remembered as a URL spells them; thousands would take up much memory."""


def parse_query_string(raw: str) -> list[tuple[str, str]]:
    """Split a query string, as WSGI passes it, into names and values in the client's order."""
    if not raw:
        return []
    pairs = []
    for part in raw.split("&"):
        if part:
            name, _, value = part.partition("=")
            decoded_name = _decode(name, param=None)
            pairs.append((decoded_name, _decode(value, param=decoded_name)))
    return pairs


def page_url(cursors: Cursors, path: str, pairs: Pairs, position: Position, scope: bytes) -> str:
    """Write the relative URL of a page: everything that the client asked for, and the cursor."""
    if not pairs:
        asked = ""
    else:
        asked = f"{_spelled(tuple(pairs)) if len(pairs) <= _FEW_PAIRS else urlencode(pairs)}&"
    return f"{path}?{asked}{CURSOR.name}={cursors.encode(position, scope)}"


# Both URLs of a page say the same, and so do those of each page that a client walks through.
@lru_cache(16)
def _spelled(pairs: tuple[tuple[str, str], ...]) -> str:
    return urlencode(pairs)


def _decode(text: str, *, param: str | None) -> str:
    if "%" not in text and "+" not in text and text.isascii():
        return text
    try:
        # WSGI carries bytes as the characters of Latin-1.
        decoded = unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode()
    except UnicodeError:
        raise ParameterInvalid(
            f"{param or 'A parameter name'} is not valid UTF-8 once its percent signs are decoded.",
            param=param,
        ) from None
    if "\0" in decoded:
        raise ParameterInvalid(
            f"{param or 'A parameter name'} contains the character U+0000, which no text here has.",
            param=param,
        )
    return decoded
