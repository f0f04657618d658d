"""Reads the body of a request strictly: only JSON that can't be understood in two ways."""

import re
from collections.abc import Iterator
from typing import Any

from tradebook.crud.strict_json import DEPTH_MAX, GivenTwice, NotANumber, NotJson, TooDeep, decode
from tradebook.errors import InvalidFormat, ValidationFailed
from tradebook.text import shortened

_BAD_CHARACTER = re.compile("[\x00\ud800-\udfff]")


def parse_object(raw: bytes) -> dict[str, Any]:
    """Read a body that must be one JSON object; the error says what is wrong with it."""
    try:
        text = raw.decode()
        found = decode(text)
    except UnicodeDecodeError as error:
        raise ValidationFailed(f"The body is not UTF-8: byte {error.start + 1} is wrong.") from None
    except NotJson as error:
        raise ValidationFailed(f"The body is not JSON: {error}.") from None
    except NotANumber as error:
        raise ValidationFailed(f"The body is not JSON: {error.constant} is no JSON number.") from None
    except GivenTwice as error:
        shown = _shown(error.name)
        raise ValidationFailed(f"{shown} is given twice in one object.", param=shown) from None
    except TooDeep:
        raise ValidationFailed(f"The body is nested too deeply: at most {DEPTH_MAX} levels.") from None
    if not isinstance(found, dict):
        raise ValidationFailed('The body must be a JSON object: {"name": …}.')
    if "\\u" in text:
        for name, value in found.items():
            if any(_BAD_CHARACTER.search(part) for part in _texts({name: value})):
                raise InvalidFormat(
                    "The body has the character U+0000 or half a character (a lone surrogate).",
                    param=_shown(name),
                )
    return found


def _shown(name: str) -> str:
    return _BAD_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", shortened(name))


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            yield from each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
