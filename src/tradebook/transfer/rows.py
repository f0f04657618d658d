"""What reading, mapping and importing hand to each other: rows, problems, and how a file is to be read."""

from collections.abc import Iterable
from typing import Any, Literal, Protocol

import msgspec
from msgspec import structs

from tradebook.text import encodable, quoted, shown

Value = str | bool | list[Any] | dict[str, Any] | None
Heading = str | tuple[str, int]
"""What a file calls a column. Of several equal headings the second is `(name, 2)`, the third `(name, 3)`."""
Record = dict[Any, Value]
"""A row of a file, by its own headings."""
VALUE_SHOWN_MAX = 80
LEFT_OUT_SHOWN = 12
SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", " ": "blank"}
Write = Literal["both", "create", "update"]


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
        both = self.heading and self.column
        name = f"{self.heading} ({self.column})" if both else self.heading or self.column
        where = f"line {self.line}" + (f", {shown(name)}" if name else "")
        value = "" if self.value is None else f" {quoted(self.value)}"
        return f"{where}:{value} {shown(self.reason)}"


class Row(msgspec.Struct):
    """One row of a file: the line it begins at, and values by our columns.

    A row with a problem is still a row: it is counted once, and its other cells are judged. Where it has
    problems and no values at all, it could not be taken apart, and nothing more can be said of it. What a
    problem has been found in already is not among its values.
    """

    line: int
    values: dict[str, Any]
    problems: list[Problem] = []
    """What reading and mapping found wrong with it."""
    skipped: int | None = None
    """The place of the rule of the map by which it is left out."""
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
    """A rule by which rows are left out."""

    column: str
    """A heading of the file."""
    is_: tuple[str, ...] = msgspec.field(name="is")


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
            lines.append(f"Separated by {SEPARATOR_NAMES.get(self.separator, self.separator)}")
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
    """What turns a foreign record into ours; see `maps.column_map`.

    A header has every heading once: the second of equal ones is `(name, 2)`. Columns without a heading are
    neither in it nor in records.
    """

    def missing(self, header: Iterable[Heading]) -> list[Problem]:
        """Name the columns that the map takes and the file does not have, or has twice."""

    def ignored(self, header: Iterable[Heading]) -> list[Heading]:
        """Name the file's columns that the map does not take."""

    def row(self, line: int, record: Record) -> Row | list[Problem]:
        """Translate one record. A list of problems stands for a row without values."""
