"""The sections of a map that are about the whole file: `[file]`, `[match]` and `[[skip]]`."""

from collections.abc import Iterator
from typing import Any

from tradebook.transfer.maps.dates import read_formats, read_zone
from tradebook.transfer.maps.options import WRITES, Options, read_encoding, read_match_columns
from tradebook.transfer.maps.rules import read_decimal
from tradebook.transfer.maps.taking import Cells
from tradebook.transfer.maps.words import Mistakes, Reader, flag, one_of, stripped, text, texts, whole
from tradebook.transfer.rows import FileOptions, Match, Skipping


def _separator(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1 or value in '"\r\n':
        raise ValueError(r'takes one character in quotes, such as ";" or "\t"')
    return value


def _by(value: Any) -> tuple[str, ...]:
    return read_match_columns(texts(value))


def _encoding(value: Any) -> str:
    return read_encoding(text(value))


FORM_WORDS: dict[str, Reader] = {
    "encoding": _encoding,
    "separator": _separator,
    "header": whole(0),
    "sheet": text,
}
"""What says how the bytes of a file are to be read."""
_FILE: dict[str, Reader] = {
    **FORM_WORDS,
    "nothing": stripped,
    "empty": one_of("keep", "clear"),
    "decimal": read_decimal,
    "date": read_formats,
    "zone": read_zone,
    "unguard": flag,
    "fill_down": texts,
    "optional": flag,
}
_MATCH: dict[str, Reader] = {"by": _by, "write": one_of(*WRITES)}
_SKIP: dict[str, Reader] = {"column": text, "is": stripped, "like": stripped}


def read_options(document: dict[str, Any], mistakes: Mistakes) -> tuple[Options, Cells]:
    """Read the sections of a map that are about the whole file."""
    file = mistakes.table("[file]", document.get("file", {}), _FILE)
    match = mistakes.table("[match]", document.get("match", {}), _MATCH)
    keeps_empty = file.pop("empty", "clear") == "keep"
    said = {word: file.pop(word) for word in ("decimal", "date", "zone", "fill_down") if word in file}
    nothing, are_optional = frozenset(file.pop("nothing", ())), file.pop("optional", False)
    cells = Cells(nothing, are_optional=are_optional, **said)
    skips = tuple(_skips(document.get("skip", []), mistakes))
    return Options(FileOptions(**file), Match(**match), keeps_empty, skips), cells


def _skips(found: Any, mistakes: Mistakes) -> Iterator[Skipping]:
    for rule in tables("skip", found, mistakes):
        words = mistakes.table("[[skip]]", rule, _SKIP)
        if "column" not in rule or ("is" not in rule and "like" not in rule):
            mistakes.note("[[skip]]", 'needs column and is, such as column = "Type" and is = ["Supplier"]')
        elif "column" in words:
            yield from (Skipping(words["column"], word) for word in words.get("is", ()))
            yield from (Skipping(words["column"], word, is_like=True) for word in words.get("like", ()))


def tables(name: str, found: Any, mistakes: Mistakes) -> list[dict[str, Any]]:
    """Return the tables of a section that may stand several times."""
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        mistakes.note(f"[{name}]", f"is written [[{name}]], as there may be several")
        return []
    return found
