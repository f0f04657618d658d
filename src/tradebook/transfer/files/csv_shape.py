"""The shape of a CSV file: its separator, its quotes, and the line of its headings."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tradebook.text import quoted
from tradebook.transfer.files.source import Unreadable

SEPARATORS = ",;\t|"
_NAMED = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "blank": " ", "space": " "}
_SEP_LINE = re.compile(r"""["']?sep=([^\r\n])["']?[\r\n]*""", re.IGNORECASE)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
_NUMBER = re.compile(r"[-+(]?[\d.,:/ '%\u20ac$-]*\d[\d.,:/ '%)\u20ac$-]*")
_RECORDS_LOOKED_AT = 100
_PREAMBLE_RECORDS_MAX = 30

Fits = Callable[[int, list[str]], bool]
"""Whether cells can be the headings: those that a map takes, or ours."""


class Shape(msgspec.Struct):
    """How to take a CSV file apart."""

    separator: str
    quote: str
    header: int
    """The line of the headings; 0 where there are none."""
    begins: int
    """The line of the first record, which are the headings unless there are none."""
    quotes_all: bool = False
    line_end: str = "\n"
    notes: list[str] = []

    def dialect(self) -> dict[str, Any]:
        """Return what the csv module calls it."""
        return {"delimiter": self.separator, "quotechar": self.quote, "doublequote": True}


def separator_named(text: str) -> str:
    """Read the separator as a map or an option names it."""
    sign = _NAMED.get(text.strip().lower(), text) if len(text) > 1 else text
    if len(sign) != 1 or sign in "\"'\r\n\0\\" or sign.isalnum():
        raise Unreadable(
            f"The separator {quoted(text)} is none: it is one sign, such as ; or , or \\t for a tab."
        )
    return sign


def shape_of(sample: str, *, is_whole: bool, separator: str | None, header: int | None, fits: Fits) -> Shape:
    """Recognise the shape by the beginning of the text, where it isn't told."""
    lines = _LINE.findall(sample)
    notes = []
    named = None if separator is None else separator_named(separator)
    begins = 1
    declared = _SEP_LINE.fullmatch(lines[0]) if lines else None
    if declared is not None:
        begins = 2
        notes.append("The first line names the separator.")
        named = named or declared[1]
        # Who counts from the table and not from the file means the same line.
        header = 2 if header == 1 else header
    if header:
        begins = max(begins, header)
    rest = lines[begins - 1 :]
    quote = _quote_of(rest)
    sign = named or _separator_of(rest, quote, is_whole=is_whole)
    records = _records(rest, begins, sign, quote, is_whole=is_whole)
    if header is None:
        header = heading_line(records, fits) if records else begins
        if header != begins:
            notes.append(stands_before("Line", begins, header))
        begins = header
    shape = Shape(sign, quote, header, begins, notes=notes)
    first = lines[begins - 1] if begins <= len(lines) else ""
    shape.quotes_all = first.startswith(quote) and f"{quote}{sign}{quote}" in first
    shape.line_end = next((end for end in ("\r\n", "\n", "\r") if first.endswith(end)), "\n")
    return shape


def _quote_of(lines: Sequence[str]) -> str:
    first = lines[0] if lines else ""
    return "'" if first.startswith("'") and '"' not in first else '"'


def _separator_of(lines: Sequence[str], quote: str, *, is_whole: bool) -> str:
    """Choose the separator that gives most records the same number of cells."""

    def agreement(separator: str) -> tuple[float, int]:
        rows = _records(lines, 1, separator, quote, is_whole=is_whole)
        if not rows:
            return (0.0, 0)
        widths = Counter(len(cells) for _, cells in rows)
        # What stands before the headings has other numbers of cells, so the first row is no measure.
        width, count = max(widths.items(), key=lambda each: (each[1], each[0]))
        return (count / len(rows), width) if width > 1 else (0.0, 0)

    best = max(SEPARATORS, key=agreement)
    return best if agreement(best)[1] else ","


def _records(
    lines: Sequence[str], begins: int, separator: str, quote: str, *, is_whole: bool
) -> list[tuple[int, list[str]]]:
    """Take the beginning apart: the line of each record that has a cell, and its cells."""
    reader = csv.reader(lines, delimiter=separator, quotechar=quote)
    found: list[tuple[int, list[str]]] = []
    line = begins
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((line, [cell.strip() for cell in cells]))
            line = begins + reader.line_num
            if len(found) > _RECORDS_LOOKED_AT:
                return found
    except csv.Error:
        return found
    # The last record may be cut off by the sample's end.
    return found if is_whole or len(found) < 3 else found[:-1]


def stands_before(what: str, first: int, header: int) -> str:
    """Say which lines or rows stand before the headings."""
    told = f"{what} {first} stands" if header - first == 1 else f"{what}s {first} to {header - 1} stand"
    return f"{told} before the headings."


def heading_line(records: list[tuple[int, list[str]]], fits: Fits) -> int:
    """Find the line of the headings: what fits, where it has the shape of headings or nothing else does."""
    looked_at = records[:_PREAMBLE_RECORDS_MAX]
    likely = _by_shape(looked_at)
    fitting = [place for place, (line, cells) in enumerate(looked_at) if fits(line, cells)]
    if fitting and likely not in fitting:
        likely = fitting[0]
    return looked_at[likely][0]


def _by_shape(records: list[tuple[int, list[str]]]) -> int:
    """Find the first record that has most of the cells; what stands before it has few."""
    filled = [sum(map(bool, cells)) for _, cells in records]
    most = max(filled)
    first = next(place for place, count in enumerate(filled) if count * 2 > most)
    cells = [cell for cell in records[first][1] if cell]
    # Data below a heading of few cells isn't one.
    is_clear = first and len(cells) > 1 and len(set(cells)) == len(cells) and not any(map(_is_value, cells))
    return first if is_clear else 0


def _is_value(cell: str) -> bool:
    return "@" in cell or _NUMBER.fullmatch(cell) is not None
