"""Reads a file of customers row by row; memory does not grow with the file."""

import csv
from collections.abc import Iterator
from typing import Any, BinaryIO

from tradebook.text import shortened, shown
from tradebook.transfer.cells import unescape
from tradebook.transfer.columns import COLUMNS, column_named
from tradebook.transfer.files.decoding import LINE_LENGTH_MAX, Decoded, decode
from tradebook.transfer.files.formats import FileFormat
from tradebook.transfer.files.ndjson import parse_record
from tradebook.transfer.rows import (
    VALUE_SHOWN_MAX,
    FileOptions,
    Mapping,
    Problem,
    Recognised,
    Record,
    Row,
    record_keys,
)

DELIMITERS = ",;\t|"
TOO_LONG = "The line is longer than a million characters."
_SAMPLE_RECORDS = 100


class FileReader:
    """Iterates over the rows of one file; `recognised` tells what kind of file it is.

    What is wrong with one row is among its `problems`. A `Problem` stands by itself where it is about the
    whole file: its headings, or that it can't be read any further.
    """

    def __init__(
        self, file: BinaryIO, file_format: FileFormat, mapping: Mapping | None, options: FileOptions
    ) -> None:
        self._decoded = decode(file)
        self._format = file_format
        self._mapping = mapping
        self._options = options
        self.recognised = Recognised(encoding=self._decoded.encoding)
        if file_format == "csv":
            self._dialect = _dialect_of(self._decoded.sample)
            self.recognised.separator = self._dialect["delimiter"]

    def __iter__(self) -> Iterator[Row | Problem]:
        """Yield each row; a problem where it is the file's."""
        return self._csv_rows() if self._format == "csv" else self._ndjson_rows()

    def _row(self, line: int, record: Record, raw: Any) -> Row:
        row = Row(line, record) if self._mapping is None else self._mapping.row(line, record)
        row.raw = raw
        return row

    def _csv_rows(self) -> Iterator[Row | Problem]:
        header: list[str] | None = None
        for line, cells, wrong in _csv_records(self._decoded, self._dialect):
            if wrong:
                yield Row(line, {}, [Problem(line, None, None, wrong)], raw=cells)
            elif header is None:
                header = [cell.strip() for cell in cells]
                while header and not header[-1]:
                    header.pop()
                problems = self._check_header(line, header)
                if problems:
                    yield from problems
                    return
                keys = record_keys(header)
            elif uneven := _check_cells(line, cells, len(header)):
                yield Row(line, {}, [uneven], raw=cells)
            else:
                values = [unescape(c.strip()) for c in cells]
                yield self._row(line, dict(zip(keys, values, strict=False)), cells)
        if header is None:
            yield Problem(1, None, None, "The file is empty: its first row must name the columns.")

    def _check_header(self, line: int, header: list[str]) -> list[Problem]:
        self.recognised.header = line
        if self._mapping is None:
            return list(_strange(line, header))
        self.recognised.left_out = [shown(name) for name in self._mapping.ignored(header)]
        return self._mapping.fit(line, header)

    def _ndjson_rows(self) -> Iterator[Row | Problem]:
        empty = True
        is_ours = self._mapping is None or self._mapping.is_by_name
        for line, text in self._decoded.lines():
            if not text.strip():
                continue
            empty = False
            if len(text) >= LINE_LENGTH_MAX:
                yield Row(line, {}, [_too_long(line)])
                continue
            try:
                record = parse_record(text, nested=is_ours)
            except ValueError as error:
                wrong = Problem(line, None, shortened(text.strip(), VALUE_SHOWN_MAX), str(error))
                yield Row(line, {}, [wrong], raw=text)
                continue
            unknown = [name for name in record if column_named(name) is None] if is_ours else []
            row = self._row(line, record, text)
            for name in unknown:
                row.values.pop(name, None)
                row.problems.append(Problem(line, None, None, unknown_column(name), name))
            yield row
        if empty:
            yield Problem(1, None, None, "The file is empty.")


def _strange(line: int, header: list[str]) -> Iterator[Problem]:
    """Yield what is wrong with headings where no map says what they become."""
    for column, name in enumerate(header, 1):
        first = header.index(name) + 1
        if not name:
            yield Problem(line, None, None, f"Column {column} has no name.")
        elif first != column:
            yield Problem(line, None, None, f"Column {column} has the name of column {first}.", name)
        elif column_named(name) is None:
            yield Problem(line, None, None, unknown_column(name), name)


def read_file(
    file: BinaryIO,
    file_format: FileFormat,
    mapping: Mapping | None,
    options: FileOptions = FileOptions(),  # noqa: B008 - it is frozen
) -> FileReader:
    """Open a file's rows; recognition has happened when this returns, reading has not."""
    return FileReader(file, file_format, mapping, options)


def unknown_column(name: str) -> str:
    """Say that there is no such column, and suggest the nearest one."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a file that is wrong

    near = get_close_matches(name[:VALUE_SHOWN_MAX], COLUMNS, n=1)
    hint = f"Did you mean {near[0]}?" if near else "A map file can say what it becomes (--map)."
    return f"There is no such column. {hint}"


def _csv_records(decoded: Decoded, dialect: dict[str, Any]) -> Iterator[tuple[int, list[str], str]]:
    """Yield the line, the cells, and what is wrong with them."""
    lines = decoded.lines()
    long_lines: list[int] = []

    def feed() -> Iterator[str]:
        for number, text in lines:
            if len(text) >= LINE_LENGTH_MAX:
                long_lines.append(number)
                yield "\n"
            else:
                yield text

    csv.field_size_limit(LINE_LENGTH_MAX)
    reader = csv.reader(feed(), strict=True, **dialect)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield start, [], f"The row can't be read: {_explained(error)}."
            continue
        if long_lines:
            for line in long_lines:
                yield line, [], TOO_LONG
            long_lines.clear()
        if any(cell.strip() for cell in cells):
            yield start, cells, ""


def _explained(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text:
        return "a quote is opened and never closed"
    if "expected after" in text:
        return "something follows a closing quote; a quote inside a cell must be doubled"
    if "field limit" in text:
        return "a cell is longer than a million characters; is a quote never closed?"
    return text


def _check_cells(line: int, cells: list[str], columns: int) -> Problem | None:
    if len(cells) != columns and any(cell.strip() for cell in cells[columns:]):
        return Problem(line, None, None, f"The row has {len(cells)} cells, the header names {columns}.")
    if len(cells) < columns:
        return Problem(line, None, None, f"The row has {len(cells)} cells, the header names {columns}.")
    return None


def _too_long(line: int) -> Problem:
    return Problem(line, None, None, TOO_LONG)


def _dialect_of(sample: str) -> dict[str, Any]:
    """Choose the delimiter that gives most records of the sample the same number of cells."""
    quote = "'" if sample.startswith("'") and '"' not in sample.split("\n", 1)[0] else '"'

    def agreement(delimiter: str) -> tuple[float, int]:
        rows = _sample_rows(sample, delimiter, quote)
        if not rows or len(rows[0]) < 2:
            return (0.0, 0)
        return (sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0]))

    best = max(DELIMITERS, key=agreement)
    return {"delimiter": best if agreement(best)[1] else ",", "quotechar": quote}


def _sample_rows(sample: str, delimiter: str, quote: str) -> list[list[str]]:
    lines = sample.splitlines(keepends=True)
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) >= _SAMPLE_RECORDS:
                break
    except csv.Error:
        pass  # The sample may end inside a record; the records before it are enough.
    # The last record may be cut off by the sample's end.
    return rows[:-1] if len(rows) > 2 else rows
