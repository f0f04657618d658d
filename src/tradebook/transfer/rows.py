"""What reading, mapping and importing hand to each other: rows, problems, and how a file is to be read."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import msgspec
from msgspec import structs

from tradebook.text import encodable, quoted, shown

Value = str | bool | list[Any] | dict[str, Any] | None
"""What a file has in a place. A number of JSON or of a workbook is `strict_json.Number`: with a point,
whatever the map says of amounts."""
Record = dict[str, Value]
"""A row of a file, by its own headings, which `record_keys` keeps apart."""

VALUE_SHOWN_MAX = 80
LEFT_OUT_SHOWN = 12
SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", " ": "blank"}
Write = Literal["both", "create", "update"]
WriteCell = Callable[[Value], str | None]
"""Writes a number or a date of a workbook as text; None for any other value."""


def nth_heading(heading: str, nth: int) -> str:
    """Name the nth of several equal headings as records do; the first one is the heading itself."""
    return heading if nth == 1 else f"{heading}\0{nth}"


def record_keys(header: Sequence[str]) -> list[str]:
    """Name the columns of a header as records do, so that equal headings stay apart."""
    seen: Counter[str] = Counter()
    keys = []
    for heading in header:
        seen[heading] += 1
        keys.append(nth_heading(heading, seen[heading]))
    return keys


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, and where: in one of our columns, or in one that only the file has."""

    line: int
    column: str | None
    value: str | None
    reason: str
    heading: str | None = None
    """What the file calls the column, where that is another name, or there is none of ours."""

    def __post_init__(self) -> None:
        """Write bytes that are no text as what they are: half a character can't be encoded anywhere."""
        for name in ("column", "value", "reason", "heading"):
            text = getattr(self, name)
            if text is not None and not text.isascii():
                structs.force_setattr(self, name, encodable(text))

    def renamed(self, theirs: dict[str, str]) -> "Problem":
        """Name the column as the file does too; `theirs` has the names that differ, by ours."""
        heading = theirs.get(self.column or "")
        return self if heading is None else structs.replace(self, heading=heading)

    def __str__(self) -> str:
        """Write the problem as one line for a person."""
        told = self.without_line()
        return f"line {self.line}, {told}" if self.heading or self.column else f"line {self.line}: {told}"

    def without_line(self) -> str:
        """Write the problem for who sees the row beside it."""
        both = self.heading and self.column
        name = f"{self.heading} ({self.column})" if both else self.heading or self.column
        told = f"{quoted(self.value)} {shown(self.reason)}" if self.value else shown(self.reason)
        return f"{shown(name)}: {told}" if name else told


class Row(msgspec.Struct):
    """One row of a file: the line it begins at, and values by our columns.

    A row with a problem is still a row: it is counted once, and its other cells are judged. Where it has
    problems and no values at all, it could not be taken apart, and nothing more can be said of it.
    `addresses` among the values is a list of attached addresses, each with the fields of an address.
    """

    line: int
    values: dict[str, Any]
    problems: list[Problem] = []
    """What reading and mapping found wrong with it; its other cells are still judged."""
    refused: list[str] = []
    """The columns that have no value because of a problem; nothing more is to be said of them."""
    defaulted: frozenset[str] = frozenset()
    """The columns whose value is a default of the map: no cell of the row has filled them."""
    skipped: int | None = None
    """The place of the rule of the map by which it is left out; then it has no values."""
    raw: Any = None
    """The row as the file has it, for `files.rejects`: its cells, or the text of a JSON object.

    msgspec can encode it; a cell with bytes that are no text is bytes.
    """


class FileOptions(msgspec.Struct, frozen=True):
    """How a file is to be read, by `[file]` of a map or by options; None where it is to be recognised."""

    encoding: str | None = None
    separator: str | None = None
    header: int | None = None
    """The line of the headings; 0 where there are none, and columns are called 1, 2, …"""
    sheet: str | None = None
    unguard: bool = False
    """Whether an apostrophe before any text goes."""


class Match(msgspec.Struct, frozen=True):
    """Which customer a row is about, and whether it may be a new one or a known one."""

    by: tuple[str, ...] = ("number",)
    """Columns: `number`, `email`, `phone`, `external_ids.NAME`; the first that a row has decides."""
    write: Write = "both"


class Skipping(msgspec.Struct, frozen=True):
    """A rule by which rows are left out; a map that lists several words has a rule for each."""

    column: str
    """A heading of the file."""
    is_: str = msgspec.field(name="is")
    is_like: bool = False
    """Whether a `*` in the word stands for any text."""


class Recognised(msgspec.Struct):
    """What a file turned out to be; all but the encoding may grow while it is read."""

    encoding: str | None = None
    """None for a workbook, whose texts can't be misread."""
    separator: str | None = None
    """The sign itself; None where the file is no CSV."""
    header: int | None = None
    """The line of the headings; 0 where there are none, None for JSON."""
    left_out: list[str] = []
    """Columns of the file that nothing is taken from."""
    samples: list[str] = []
    """Some values with letters beyond ASCII."""
    notes: list[str] = []
    """What else was found: a first line that names the separator, lines before the headings, the sheet."""

    def lines(self) -> list[str]:
        """Write it as lines for a person."""
        lines = [] if self.encoding is None else [f"Encoding: {self.encoding}"]
        if self.separator is not None:
            lines.append(f"Separated by {SEPARATOR_NAMES.get(self.separator, shown(self.separator))}")
        if self.header is not None and self.header > 1:
            lines.append(f"Headings in line {self.header}")
        lines += self.notes
        if self.left_out:
            more = len(self.left_out) - LEFT_OUT_SHOWN
            listed = ", ".join(self.left_out[:LEFT_OUT_SHOWN]) + (f" and {more} more" if more > 0 else "")
            lines.append(f"Columns that are left out: {listed}")
        if self.samples:
            lines.append(f"Letters beyond ASCII: {', '.join(self.samples)}")
        return lines


class Mapping(Protocol):
    """What turns a foreign record into ours; see `maps.column_map`."""

    @property
    def is_by_name(self) -> bool:
        """Whether the file's columns are ours by name: JSON is then made flat as without a map."""

    def fit(self, line: int, header: Sequence[str]) -> list[Problem]:
        """Take up a file's headings before its rows; name what the map takes and the file lacks.

        Equal headings and nameless ones (empty here) are no problem of the file.
        """

    def lacking(self, line: int, header: Sequence[str]) -> list[Problem]:
        """Name what the map takes and is not among these names, without taking them up."""

    def ignored(self, header: Sequence[str]) -> list[str]:
        """Name the columns that the map leaves out, as a person would: "column 1, without a name"."""

    def row(self, line: int, record: dict[str, Value]) -> Row:
        """Translate one record, whose columns are named as `record_keys` does."""

    @property
    def writes(self) -> dict[str, WriteCell]:
        """What writes cells so that they are read as the same, by column; only where the map says how."""
