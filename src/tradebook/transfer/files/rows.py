"""Reads a file row by row; memory does not grow with the file."""

import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import BinaryIO

from tradebook.transfer.files.csv_records import csv_records
from tradebook.transfer.files.csv_shape import Shape, shape_of
from tradebook.transfer.files.decoding import Lines, sample_of
from tradebook.transfer.files.encodings import Encoding, recognise
from tradebook.transfer.files.formats import FileFormat, format_by_content
from tradebook.transfer.files.json_documents import json_rows
from tradebook.transfer.files.ndjson import ndjson_rows
from tradebook.transfer.files.records import Records
from tradebook.transfer.files.signatures import may_be_workbook, refuse_others
from tradebook.transfer.files.source import HEAD_BYTES, Unreadable, at_random, head_of, open_source
from tradebook.transfer.files.tables import Table
from tradebook.transfer.files.workbooks import Workbook
from tradebook.transfer.rows import FileOptions, Mapping, Problem, Recognised, Row


class FileReader:
    """Iterates over the rows of one file; `recognised` tells what kind of file it is.

    What is wrong with one row is among its `problems`. A `Problem` stands by itself where it is about the
    whole file: its headings, or that it can't be read any further.
    """

    def __init__(
        self, file: BinaryIO, file_format: FileFormat | None, mapping: Mapping | None, options: FileOptions
    ) -> None:
        self.recognised = Recognised()
        self.format = file_format
        self.encoding: Encoding | None = None
        self.shape: Shape | None = None
        """How a CSV file is taken apart."""
        self.options = options
        self._records = Records(mapping, self.recognised, unguard=options.unguard)
        self._table = Table(self._records, self.recognised, options)
        self._failure: str | None = None
        self._opened = ExitStack()
        weakref.finalize(self, self._opened.close)
        try:
            self._open(file)
        except Unreadable as error:
            self._failure = str(error)

    @property
    def headings(self) -> list[str]:
        """The cells of the headings, as the file has them; known when the first row has come."""
        return self._table.headings

    @property
    def width(self) -> int:
        """How many cells a row must have."""
        return self._table.width

    @property
    def is_without_map(self) -> bool:
        """Whether the file is read as one of our own."""
        return self._records.mapping is None

    @property
    def problem_at(self) -> int | None:
        """Where the file has the column of a file of rejects."""
        return self._table.problem_at

    @property
    def preamble(self) -> Sequence[str | list[str]]:
        """What stands before the headings: lines of CSV, the cells of a sheet; known when a row has come."""
        return self._table.preamble

    def _open(self, file: BinaryIO) -> None:
        self._stream = open_source(file, self._opened)
        head = head_of(self._stream)
        if may_be_workbook(head):
            self._stream = at_random(self._stream, self._opened)
        refuse_others(self._stream, head)
        if may_be_workbook(head):
            self._note_unexpected("workbook", "The file is a workbook, and was read as one.")
            self._workbook = Workbook(self._stream, self.options.sheet, self._opened)
            self._workbook.tell(self.recognised)
            return
        if self.options.sheet is not None:
            # Rejects of a workbook are CSV, and come in by its map.
            note = f"The file has no sheets, so {self.options.sheet!r} is not asked for."
            self.recognised.notes.append(note)
        self.encoding, notes = recognise(self._stream, head, self.options.encoding)
        self.recognised.encoding = self.encoding.told
        self.recognised.notes += notes
        self._records.watch(self.encoding)
        sample = sample_of(head, self.encoding)
        found = format_by_content(sample, self.format)
        self._note_unexpected(found, f"The file is {_CALLED[found]}, and was read as such.")
        if found == "csv":
            self.shape = shape_of(
                sample,
                is_whole=len(head) < HEAD_BYTES,
                separator=self.options.separator,
                header=self.options.header,
                fits=self._table.fits,
            )
            self.recognised.separator = self.shape.separator
            self.recognised.header = self.shape.header
            self.recognised.notes += self.shape.notes

    def _note_unexpected(self, found: FileFormat, note: str) -> None:
        if self.format not in (None, found):
            self.recognised.notes.append(note)
        self.format = found

    def __iter__(self) -> Iterator[Row | Problem]:
        """Yield each row; a problem where it is the file's."""
        if self._failure is not None:
            yield Problem(1, None, None, self._failure)
            return
        try:
            yield from self._rows()
        except Unreadable as error:
            yield Problem(1, None, None, str(error))

    def _rows(self) -> Iterator[Row | Problem]:
        if self.format == "workbook":
            return self._table.sheet_rows(self._workbook.rows())
        encoding = self.encoding
        assert encoding is not None
        lines = Lines(self._stream, encoding)
        if self.format == "json":
            return json_rows(lambda: Lines(self._stream, encoding), self._records)
        if self.format == "ndjson":
            return ndjson_rows(lines, self._records)
        assert self.shape is not None
        return self._table.csv_rows(csv_records, lines, self.shape)


_CALLED: dict[FileFormat, str] = {"csv": "CSV", "ndjson": "NDJSON", "json": "JSON", "workbook": "a workbook"}


def read_file(
    file: BinaryIO,
    file_format: FileFormat | None,
    mapping: Mapping | None,
    options: FileOptions = FileOptions(),  # noqa: B008 - it is frozen
) -> FileReader:
    """Open a file's rows; recognition has happened when this returns, reading has not.

    Without a format, the file's content decides. Whatever is wrong with the file comes as a problem.
    """
    return FileReader(file, file_format, mapping, options)
