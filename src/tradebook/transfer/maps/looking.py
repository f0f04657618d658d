"""Looks at the beginning of a foreign file, before there is a map for it."""

from collections.abc import Sequence
from typing import BinaryIO

import msgspec
from msgspec import structs

from tradebook.transfer.cells import unguard
from tradebook.transfer.files.formats import FileFormat
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.files.tables import all_in_one
from tradebook.transfer.maps.aliases import column_of_heading
from tradebook.transfer.maps.evidence import NULL_WORDS, looks_like_values
from tradebook.transfer.rows import (
    FileOptions,
    Problem,
    Recognised,
    Record,
    Row,
    Value,
    WriteCell,
    record_keys,
)

ROWS_MAX = 20_000
"""How many rows of a file are looked at."""
KNOWN_MIN = 2
"""How many headings of a line must be known, so that it is taken for the headings whatever its shape."""


class Looked(msgspec.Struct):
    """The beginning of a file, by its own columns."""

    options: FileOptions
    recognised: Recognised
    header: list[str]
    """The headings as the file has them; JSON has none."""
    headings: list[str]
    """The file's columns, as records name them."""
    records: list[Record]
    is_whole: bool
    """Whether the file ends there."""

    def values(self, heading: str) -> list[str]:
        """Return the values of a column as text, row by row."""
        return [text_of(record.get(heading)) for record in self.records]

    @property
    def nothing(self) -> list[str]:
        """Return the words of the file that stand for an empty cell."""
        seen = {text_of(value) for record in self.records for value in record.values()}
        return sorted(seen & NULL_WORDS)


class CantBeRead(ValueError):
    """The file has no row that can be read; the text says why."""


class _Headings:
    """Notes the headings of a file and passes its rows on."""

    is_by_name = False

    def __init__(self) -> None:
        self.writes: dict[str, WriteCell] = {}
        self.found: dict[str, None] = {}
        self.header: list[str] = []

    def fit(self, _line: int, header: Sequence[str]) -> list[Problem]:
        self.header = list(header)
        self.found = dict.fromkeys(record_keys(header))
        return []

    def lacking(self, line: int, header: Sequence[str]) -> list[Problem]:
        # Lines that may be the headings are tried.
        known = sum(column_of_heading(heading) is not None for heading in header)
        if known < KNOWN_MIN:
            return [Problem(line, None, None, "These are no headings that anybody knows.")]
        return []

    def ignored(self, _header: Sequence[str]) -> list[str]:
        return []

    def row(self, line: int, record: Record) -> Row:
        values = dict(_flat(record))
        if not self.header:
            # JSON has its headings in every row, and not always the same ones.
            self.found.update(dict.fromkeys(values))
        return Row(line, values)


def look(file: BinaryIO, file_format: FileFormat, options: FileOptions) -> Looked:
    """Read the beginning of a file that can be read twice; CantBeRead where there is nothing to look at."""
    looked = _look(file, file_format, options)
    if options.header is None and (looks_like_values(looked.headings) or _is_a_row(looked.header)):
        options = structs.replace(options, header=0)
        looked = _look(file, file_format, options)
    if any(_is_guarded(looked.values(heading)) for heading in looked.headings):
        looked = _look(file, file_format, structs.replace(options, unguard=True))
    return looked


def _is_a_row(headings: Sequence[str]) -> bool:
    """Tell whether headings are a customer: a number beside words, none of which is known as a heading."""
    numbers = sum(heading.isdigit() for heading in headings)
    return 0 < numbers < len(headings) and not any(map(column_of_heading, headings))


def _is_guarded(values: Sequence[str]) -> bool:
    """Tell whether every value is kept as text, as shops keep numbers: 'text or ="text"."""
    filled = [value for value in values if value]
    return bool(filled) and all(unguard(value) != value for value in filled)


def _look(file: BinaryIO, file_format: FileFormat, options: FileOptions) -> Looked:
    file.seek(0)
    headings = _Headings()
    reader = read_file(file, file_format, headings, options)
    records: list[Record] = []
    looked = Looked(options, reader.recognised, [], [], records, is_whole=True)
    wrong: Problem | None = None
    for item in reader:
        if isinstance(item, Problem) or item.problems:
            wrong = wrong or (item if isinstance(item, Problem) else item.problems[0])
        elif len(records) == ROWS_MAX:
            looked.is_whole = False
            break
        else:
            records.append(item.values)
    looked.header, looked.headings = headings.header, list(headings.found)
    if not looked.headings or (wrong and not records):
        raise CantBeRead(str(wrong or "The file has no headings."))
    if question := all_in_one(looked.headings):
        raise CantBeRead(f"The headings are one cell.{question}")
    return looked


def _flat(record: Record, within: str = "") -> "list[tuple[str, Value]]":
    """Name what is inside objects by its path, as a map does: address.city."""
    found: list[tuple[str, Value]] = []
    for name, value in record.items():
        if isinstance(value, dict):
            found += _flat(value, f"{within}{name}.")
        else:
            found.append((f"{within}{name}", value))
    return found


def text_of(value: Value) -> str:
    """Write a value as a cell of a CSV file would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(text_of(entry) for entry in value)
    return "" if value is None else str(value).strip()
