"""One cell at a time: what a file says becomes what the book keeps, and the other way round.

What reads takes a value that is not empty and returns what is kept; ValueError says, in words for the person
who has the file, what is wrong with it.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import partial
from typing import Any

from tradebook.clock import format_ms, parse_rfc3339
from tradebook.crud.kinds import Kind, Unreadable
from tradebook.crud.table_fields import Cell
from tradebook.crud.text_values import check_text
from tradebook.ids import MILLISECONDS_MAX

_SEPARATOR = ";"
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_COUNTED_DAY = re.compile(r"[2-6]\d{4}(?:\.\d+)?", re.ASCII)
_DAY_0 = date(1899, 12, 30)
_ENTRY = re.compile(r"((?:\\[\\;]|[^;])*)(?:;|$)", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\;])")
# What starts a formula, also behind quotes, and in the full-width forms some programs take for it.
_RUNS = re.compile("['\"]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_BEGINS = frozenset("'\"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_MARK = "'"


class Dated(str):
    """A date or time that a file has as one, such as a workbook's, as ISO writes it: 2019-11-03T09:30:00.

    The formats of a map are for text, and don't count for it; its zone does.
    """

    __slots__ = ()


class CreatedAt(Kind, frozen=True):
    """When a customer was entered, in milliseconds since 1970."""

    def read_cell(self, value: Any) -> int:
        """Read an RFC 3339 date-time, or a date, which means its midnight in UTC."""
        text = check_text(value)
        if _DATE.fullmatch(text):
            text = f"{text}T00:00:00Z"
        elif isinstance(value, Dated):
            # A workbook knows no zones, so its times are meant as its dates are.
            text = f"{text}Z"
        try:
            milliseconds, _ = parse_rfc3339(text)
        except ValueError:
            raise Unreadable(
                "is no RFC 3339 time: write 2024-05-01T09:30:00Z, or a date such as 2024-05-01"
                + counted_day(text)
            ) from None
        if not 0 <= milliseconds < MILLISECONDS_MAX:
            raise Unreadable("is not between 1970 and 2109")
        return milliseconds

    def write_json(self, kept: int) -> str:
        """Write the time."""
        return format_ms(kept)

    def cell_form(self) -> str:
        """Name both forms."""
        return "an RFC 3339 time, or a date such as `2024-05-01`"


def counted_day(text: str) -> str:
    """Say which day a number would be that a spreadsheet counts days by; nothing of any other text."""
    if not _COUNTED_DAY.fullmatch(text):
        return ""
    day = _DAY_0 + timedelta(days=int(text[:5]))
    return f". A spreadsheet counts days so: if {day:%Y-%m-%d} is meant, show the column as dates there"


CREATED_AT = Cell(
    "created_at", CreatedAt(), "When the customer was entered. Default: now.", can_be_null=False
)


def reader_of(cell: Cell) -> Callable[[Any], Any]:
    """Return what reads a cell."""
    return partial(_read_list, cell.kind) if cell.is_list else cell.kind.read_cell


def _read_list(kind: Kind, value: Any) -> list[Any]:
    r"""Read entries in a list, or in one text separated by `;` (`\;` and `\\` inside an entry)."""
    entries = split_list(value) if isinstance(value, str) else value
    if not isinstance(entries, list):
        raise Unreadable("must be a list of names")
    read = [kind.read_cell(entry) for entry in entries if entry != ""]
    return sorted({entry for entry in read if entry})


def split_list(text: str) -> list[str]:
    """Take apart what `join_list` has joined."""
    if "\\" not in text:
        return text.split(_SEPARATOR)
    parts, at = [], 0
    while at < len(text):
        match = _ENTRY.match(text, at)
        assert match is not None
        parts.append(_ESCAPED.sub(r"\1", match[1]))
        at = match.end()
    return parts


def join_list(entries: Iterable[str]) -> str:
    """Write entries into one cell, so that a `;` inside an entry stays there."""
    return _SEPARATOR.join(
        entry.replace("\\", "\\\\").replace(";", "\\;") if "\\" in entry or ";" in entry else entry
        for entry in entries
    )


def csv_row(cells: Iterable[Any]) -> list[str | None]:
    """Write cells of JSON as CSV has them: all are text, and none runs."""
    # Nearly every cell is text that begins harmlessly, or is nothing: no call for those.
    return [
        cell if cell is None or (cell.__class__ is str and cell[:1] not in _BEGINS) else _csv_cell(cell)
        for cell in cells
    ]


def _csv_cell(value: str | bool | list[str]) -> str:  # noqa: FBT001 - a value, not a switch
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(join_list(value) if isinstance(value, list) else value)


def escape(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run; everything else stays as it is."""
    return _MARK + cell if _RUNS.match(cell) else cell


def unescape(cell: str) -> str:
    """Undo `escape`, exactly: `unescape(escape(x)) == x` for every x, and `'hello` stays as it is."""
    return cell[1:] if cell.startswith(_MARK) and _RUNS.match(cell, 1) else cell


def unguard(cell: str) -> str:
    """Take away what a spreadsheet keeps text by: an apostrophe before it, or a formula around it."""
    if cell.startswith('="') and cell.endswith('"') and len(cell) > 2:
        return cell[2:-1].replace('""', '"')
    return cell[1:] if cell.startswith(_MARK) else cell
