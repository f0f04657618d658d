"""The sections of a map that are about the whole file: `[file]`, `[match]` and `[[skip]]`."""

from typing import Any

import msgspec

from tradebook.transfer.maps.options import WRITES, Options, read_encoding, read_match_columns
from tradebook.transfer.maps.words import Mistakes, Reader, flag, one_of, text, texts, whole
from tradebook.transfer.rows import FileOptions, Match, Skipping


class Cells(msgspec.Struct, frozen=True):
    """How the cells of a file are to be read: of all its columns, or of one."""

    nothing: frozenset[str] = frozenset()
    """Words that mean an empty cell."""


def _separator(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1 or value in '"\r\n':
        raise ValueError(r'takes one character in quotes, such as ";" or "\t"')
    return value


def _stripped(value: Any) -> tuple[str, ...]:
    return tuple(word.strip() for word in texts(value))


def _by(value: Any) -> tuple[str, ...]:
    return read_match_columns(texts(value))


def _encoding(value: Any) -> str:
    return read_encoding(text(value))


_FILE: dict[str, Reader] = {
    "encoding": _encoding,
    "separator": _separator,
    "header": whole(0),
    "sheet": text,
    "nothing": _stripped,
    "empty": one_of("keep", "clear"),
    "unguard": flag,
}
_MATCH: dict[str, Reader] = {"by": _by, "write": one_of(*WRITES)}
_SKIP: dict[str, Reader] = {"column": text, "is": _stripped}


def read_options(document: dict[str, Any], mistakes: Mistakes) -> tuple[Options, Cells]:
    """Read the sections of a map that are about the whole file."""
    file = mistakes.table("[file]", document.get("file", {}), _FILE)
    match = mistakes.table("[match]", document.get("match", {}), _MATCH)
    nothing = frozenset(file.pop("nothing", ()))
    keeps_empty = file.pop("empty", "clear") == "keep"
    skips = _skips(document.get("skip", []), mistakes)
    return Options(FileOptions(**file), Match(**match), keeps_empty, skips), Cells(nothing)


def _skips(found: Any, mistakes: Mistakes) -> tuple[Skipping, ...]:
    rules = []
    for rule in tables("skip", found, mistakes):
        words = mistakes.table("[[skip]]", rule, _SKIP)
        missing = [word for word in _SKIP if word not in rule]
        if missing:
            mistakes.note("[[skip]]", f"needs {' and '.join(missing)}")
        elif len(words) == len(_SKIP):
            rules += [Skipping(words["column"], word) for word in words["is"]]
    return tuple(rules)


def tables(name: str, found: Any, mistakes: Mistakes) -> list[dict[str, Any]]:
    """Return the tables of a section that may stand several times."""
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        mistakes.note(f"[{name}]", f"is written [[{name}]], as there may be several")
        return []
    return found
