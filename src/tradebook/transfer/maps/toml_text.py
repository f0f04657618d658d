"""Writes what stands in a map: texts, keys and tables of TOML."""

import json
import re
from collections.abc import Iterable, Mapping

from tradebook.text import encodable

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
# What JSON leaves as it is, and TOML or a terminal does not take: controls from DEL on, signs of direction.
_HIDDEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")

Right = str | int | list[str] | Mapping[str, "Right"]
"""The right side of a line of a map."""


def quoted(text: str) -> str:
    """Write a text in quotes. It has no control characters, so it can also stand in a comment."""
    written = json.dumps(encodable(text), ensure_ascii=False)
    return _HIDDEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", written)


def key(name: str) -> str:
    """Write a key, in quotes where TOML needs them."""
    return name if _BARE.fullmatch(name) else quoted(name)


def right(value: Right) -> str:
    """Write the right side of a line."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, int):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(quoted, value))}]"
    return f"{{ {', '.join(f'{key(name)} = {right(inner)}' for name, inner in value.items())} }}"


def line(name: str, value: Right) -> str:
    """Write one line of a map."""
    return f"{key(name)} = {right(value)}"


def commented(lines: Iterable[str]) -> list[str]:
    """Make comments of lines."""
    return [f"# {text}" if text else "#" for text in lines]
