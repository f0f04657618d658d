"""A file of rejects: the rows that could not be taken in, as the file had them, each with its problem."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

from tradebook.crud.strict_json import NotStrict, Number, decode
from tradebook.text import MARKED, encodable
from tradebook.transfer.cells import escape
from tradebook.transfer.files.code_pages import GUESSED
from tradebook.transfer.files.csv_shape import separator_named
from tradebook.transfer.files.records import PROBLEM
from tradebook.transfer.files.rows import FileReader
from tradebook.transfer.files.source import Unreadable
from tradebook.transfer.rows import Problem

_MARKED_UTF_8 = "utf-8-sig"
_BREAK = re.compile(r"\s*[\r\n]+\s*")


class Rejects(Protocol):
    """Takes rejected rows, in the order of the file."""

    def add(self, raw: Any, problems: Sequence[Problem]) -> None:
        """Write one row: `Row.raw`, and what is wrong with it."""


@contextmanager
def rejects_writer(reader: FileReader, stream: BinaryIO) -> Iterator[Rejects]:
    """Write the rejected rows of a file that has been read, so that the same map takes the mended file.

    The file of rejects has the columns of the file and one more, `problem`, which is left out when it comes
    in. It repeats the lines before the headings, the encoding, the separator and the quotes. Of a workbook,
    and of a code page that was only guessed, it is CSV in UTF-8; of JSON and NDJSON it is NDJSON. A row that
    is not mended is a problem again: one that could not be taken apart stands there as it was.

        with rejects_writer(reader, stream) as rejects:
            rejects.add(row.raw, problems)
    """
    codec = reader.encoding.codec if reader.encoding else _MARKED_UTF_8
    is_table = reader.format in ("csv", "workbook")
    if is_table and codec == "utf-8" and reader.encoding and reader.encoding.has_marks:
        # Where all that is left beyond ASCII is bad bytes, only a mark still says that the file is UTF-8.
        codec = _MARKED_UTF_8
    if is_table and reader.options.encoding is None and codec in GUESSED:
        # The few rows that are left might be taken for another code page.
        codec = _MARKED_UTF_8
    text = io.TextIOWrapper(stream, codec, MARKED, newline="", write_through=False)
    rejects = _CsvRejects(reader, text, codec) if is_table else _JsonRejects(text, codec)
    try:
        yield rejects
        rejects.end()
        text.flush()
    finally:
        # The stream belongs to the caller.
        text.detach()


class _CsvRejects:
    def __init__(self, reader: FileReader, text: io.TextIOWrapper, codec: str) -> None:
        self._text, self._codec = text, codec
        shape = reader.shape
        self._writer = csv.writer(
            text,
            delimiter=shape.separator if shape else _separator_of(reader.options.separator),
            quotechar=shape.quote if shape else '"',
            quoting=csv.QUOTE_ALL if shape and shape.quotes_all else csv.QUOTE_MINIMAL,
            lineterminator=shape.line_end if shape else "\r\n",
        )
        self._reader = reader
        self._has_begun = False
        self._own = 0

    def _begin(self) -> None:
        """Write what the file begins with, which is known when it has been read."""
        self._has_begun = True
        headings, at = self._reader.headings, self._reader.problem_at
        # Without a map, cells without a heading at the end are empty in every row.
        columns = self._reader.width if self._reader.is_without_map else len(headings)
        self._own = columns if at is None else at
        for line in self._reader.preamble:
            if isinstance(line, str):
                self._text.write(_encoded(line, self._codec))
            else:
                self._writer.writerow(line)
        if headings and self._reader.recognised.header != 0:
            own = [_encoded(heading, self._codec) for heading in headings[: self._own]]
            self._writer.writerow([*own, PROBLEM])

    def end(self) -> None:
        """Write the headings also where no row was rejected."""
        if not self._has_begun:
            self._begin()

    def add(self, raw: Any, problems: Sequence[Problem]) -> None:
        """Write a row.

        Where its cells are too few or too many, or could not be taken apart, its problem stands behind the
        column for it: so the number of cells stays wrong until somebody has mended the row.
        """
        if not self._has_begun:
            self._begin()
        own = self._own
        if isinstance(raw, list):
            cells = self._without_problem([_text_of(cell) for cell in raw])
            is_even = self._reader.width <= len(cells) <= own
        else:
            cells, is_even = [_text_of(raw).strip("\r\n")], False
        cells += [""] * (own + (not is_even) - len(cells))
        told = _told(problems, self._codec)
        self._writer.writerow([*(_encoded(cell, self._codec) for cell in cells), escape(told)])

    def _without_problem(self, cells: list[str]) -> list[str]:
        """Take away what an earlier file of rejects has added, and empty cells behind the columns."""
        if self._reader.problem_at is not None and len(cells) > self._own:
            was_uneven = len(cells) > self._own + 1
            cells = cells[:-1]
            while was_uneven and len(cells) > 1 and not cells[-1]:
                cells.pop()
        return cells if any(cell.strip() for cell in cells[self._own :]) else cells[: self._own]


class _JsonRejects:
    def __init__(self, text: io.TextIOWrapper, codec: str) -> None:
        self._text, self._codec = text, codec

    def end(self) -> None:
        """Write nothing more."""

    def add(self, raw: Any, problems: Sequence[Problem]) -> None:
        """Write a row; a line that is no object has no place for the problem, and stays as it is."""
        line = _BREAK.sub(" ", _text_of(raw).strip())
        try:
            record = decode(line)
        except NotStrict:
            record = None
        if isinstance(record, dict):
            if PROBLEM in record:
                del record[PROBLEM]
                line = _json(record)
            told = json.dumps(_told(problems, self._codec), ensure_ascii=False)
            comma = ", " if record else ""
            line = f'{line[:-1].rstrip()}{comma}"{PROBLEM}": {told}}}'
        self._text.write(_encoded(line, self._codec) + "\n")


def _separator_of(named: str | None) -> str:
    """Take the separator that a map asks for, where a workbook has none."""
    try:
        return "," if named is None else separator_named(named)
    except Unreadable:
        return ","


def _told(problems: Sequence[Problem], codec: str) -> str:
    told = "; ".join(problem.without_line() for problem in problems)
    return told.encode(codec, "replace").decode(codec).removeprefix("\ufeff")


def _text_of(raw: Any) -> str:
    if raw is None:
        return ""
    return raw.decode("utf-8", "surrogatepass") if isinstance(raw, bytes) else str(raw)


def _encoded(text: str, codec: str) -> str:
    """Leave marked bytes to the encoding, which writes them as they were, but where a letter is two bytes."""
    return encodable(text) if not text.isascii() and codec.startswith(("utf-16", "utf-32")) else text


def _json(value: Any) -> str:
    """Write JSON with its numbers as they were."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {_json(v)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
