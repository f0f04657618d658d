"""The body of a request, read strictly: JSON that means one thing and nothing else."""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from tradebook.errors import ValidationFailed
from tradebook.text import shortened

_BAD_CHARACTER = re.compile("[\x00\ud800-\udfff]")


class Number(str):
    """A number, as it is written: a float would lose what it says."""

    __slots__ = ()


def parse_object(raw: bytes) -> dict[str, Any]:
    """Read a body that must be one JSON object; ValidationFailed says what is wrong with it.

    msgspec would be faster, but takes the last of two equal keys without a word.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise ValidationFailed(f"The body is not UTF-8: byte {error.start + 1} is wrong.") from None
    try:
        found = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = error.msg.removesuffix(" at")
        raise ValidationFailed(f"The body is not JSON: {reason} at character {error.pos + 1}.") from None
    except RecursionError:
        raise ValidationFailed("The body is nested too deeply.") from None
    if not isinstance(found, dict):
        raise ValidationFailed('The body must be a JSON object: {"name": …}.')
    if "\\u" in text:
        for name, value in found.items():
            if any(_BAD_CHARACTER.search(part) for part in _texts({name: value})):
                raise ValidationFailed(
                    "The body has the character U+0000 or half a character (a lone surrogate).",
                    param=_shown(name),
                )
    return found


def _shown(name: str) -> str:
    return _BAD_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", shortened(name))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            shown = _shown(name)
            raise ValidationFailed(f"{shown} is given twice in one object.", param=shown)
        found[name] = value
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValidationFailed(f"The body is not JSON: {constant} is no JSON number.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=Number, parse_int=Number, parse_constant=_refuse
)
