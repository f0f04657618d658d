"""One cell that holds several things: addresses between commas, the lines of a street."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from tradebook.transfer.maps.sources import CellError, as_text, is_empty, joined_lines

Take = str | int
"""`first`, `last`, or a number from 1."""

_NAMED_ADDRESS = re.compile(r"[^<>]*<([^<>]*)>")
_LINE = re.compile(r"([1-9][0-9]{0,3})(-?)", re.ASCII)


def read_take(value: Any) -> Take:
    """Take `first`, `last`, or a number from 1."""
    is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
    if not is_number and value not in ("first", "last"):
        raise ValueError('takes "first", "last", or a number from 1')
    found: Take = value
    return found


def read_line(value: Any) -> tuple[int, bool]:
    """Take the number of a line, and whether all that follow it count too: 1, or `"2-"`."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    match = _LINE.fullmatch(str(value)) if is_number or isinstance(value, str) else None
    if match is None:
        raise ValueError('takes the number of a line from 1, or "2-" for the second and all that follow')
    return int(match[1]), bool(match[2])


def splitter(separators: Sequence[str], nothing: frozenset[str]) -> Callable[[Any], list[str]]:
    """Return what takes a value apart, at any of the separators; each entry of a list by itself."""
    longest_first = sorted(separators, key=len, reverse=True)
    between = re.compile("|".join(map(re.escape, longest_first))) if separators else None

    def split(value: Any) -> list[str]:
        pieces: list[str] = []
        for entry in value if isinstance(value, list) else [value]:
            text = as_text(entry)
            pieces += between.split(text) if between else [text]
        return [bare for piece in pieces if (bare := piece.strip()) and bare not in nothing]

    return split


def taken(pieces: Sequence[str], take: Take) -> str:
    """Return one of the pieces; empty where there are not so many."""
    if not pieces or take == "first":
        return pieces[0] if pieces else ""
    if isinstance(take, str):
        return pieces[-1]
    return pieces[take - 1] if take <= len(pieces) else ""


def email_addresses(pieces: Sequence[str]) -> list[str]:
    """Take the addresses out of `Name <a@b>`; a name that has a separator in it is put together again."""
    found: list[str] = []
    names: list[str] = []
    for piece in pieces:
        named = _NAMED_ADDRESS.fullmatch(piece)
        if named is None and "@" not in piece:
            names.append(piece)
            continue
        if named is None:
            found += names
        found.append(piece if named is None else named[1].strip())
        names = []
    return found + names


def line_of(value: Any, number: int, *, and_rest: bool, lines_max: int | None) -> str:
    """Return a line of a cell, or that and the rest; CellError where the map takes none of the last ones.

    Lines with nothing in them don't count.
    """
    if is_empty(value):
        return ""
    texts = value if isinstance(value, list) else [value]
    lines = [bare for entry in texts for line in as_text(entry).splitlines() if (bare := line.strip())]
    if lines_max is not None and len(lines) > lines_max:
        said = f'has {len(lines)} lines, the map takes {lines_max}: line = "{lines_max}-" takes the rest'
        raise CellError(as_text(value), said)
    if and_rest:
        return joined_lines(lines[number - 1 :])
    return lines[number - 1] if number <= len(lines) else ""
