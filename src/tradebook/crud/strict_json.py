"""Strict JSON, in a body as in a line of a file: it means one thing, and its numbers stay as written.

msgspec would be faster, but takes the last of two equal keys without a word.
"""

import json
from typing import Any, NoReturn

DEPTH_MAX = 100
"""How deep lists and objects may be inside each other. The decoder's own bound is another one in each version
of Python, and more than some code can follow."""


class Number(str):
    """A number as the client wrote it; a float would lose digits."""

    __slots__ = ()


class NotStrict(ValueError):
    """The text is not strict JSON; how it is said depends on where it stands."""


class NotJson(NotStrict):
    """It is no JSON at all."""

    def __init__(self, reason: str, character: int) -> None:
        super().__init__(f"{reason} at character {character}")


class NotANumber(NotStrict):
    """It has what some take for a number: NaN or an infinity."""

    def __init__(self, constant: str) -> None:
        super().__init__(constant)
        self.constant = constant


class GivenTwice(NotStrict):
    """An object has a key twice."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class TooDeep(NotStrict):
    """It is nested more deeply than it may be."""


def decode(text: str) -> Any:
    """Read a text; numbers become `Number`."""
    try:
        found = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(error.msg.removesuffix(" at"), error.pos + 1) from None
    except RecursionError:
        raise TooDeep from None
    if text.count("[") + text.count("{") > DEPTH_MAX and _is_too_deep(found):
        raise TooDeep
    return found


def decode_at(text: str, start: int) -> tuple[Any, int]:
    """Read the value that begins at a place of a longer text; return the place behind it too."""
    try:
        found, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise NotJson(error.msg.removesuffix(" at"), error.pos - start + 1) from None
    except RecursionError:
        raise TooDeep from None
    if text.count("[", start, end) + text.count("{", start, end) > DEPTH_MAX and _is_too_deep(found):
        raise TooDeep
    return found, end


def _is_too_deep(value: Any) -> bool:
    """Look through a value one level after the other, without a call for each."""
    level = [value]
    for _ in range(DEPTH_MAX):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        if not inner:
            return False
        level = inner
    return any(isinstance(each, (dict, list)) for each in level)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise GivenTwice(name)
            seen.add(name)
    return found


def _refuse(constant: str) -> NoReturn:
    raise NotANumber(constant)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=Number, parse_int=Number, parse_constant=_refuse
)
