"""What an export is told of while it arrives."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Literal

from tradebook_client.files import NewFile

Form = Literal["ndjson", "csv"]
CONTENT_TYPES: dict[Form, str] = {"ndjson": "application/x-ndjson", "csv": "text/csv"}
MORE = b'"has_next_page":true'
"""What a line has where a list inside its object is not all there."""

Progress = Callable[[int], object]
"""Is told how many customers are written so far, now and then."""


def form_of(path: str | PathLike[str]) -> Form:
    """Tell by the ending of a file what is written into it; ValueError where it is that of something else."""
    ending = Path(path).suffix.lower()
    if ending in (".tsv", ".json", ".xlsx", ".xls", ".ods", ".gz"):
        raise ValueError(f"An export is CSV or NDJSON: name {path} .csv or .ndjson, or give format.")
    return "csv" if ending == ".csv" else "ndjson"


class Counted:
    """Writes to a file, and counts the customers that are whole."""

    def __init__(self, file: NewFile, content_type: str, progress: Progress | None) -> None:
        self._file, self._progress = file, progress
        self._is_csv = content_type == CONTENT_TYPES["csv"]
        # The names of the columns are a line too.
        self.rows = -1 if self._is_csv else 0
        self.has_more = False
        self._end = b""
        self._is_quoted = False

    def write(self, piece: bytes) -> None:
        """Write a piece, which may end anywhere."""
        self._file.write(piece)
        if self._is_csv:
            # A line feed between quotation marks is part of a cell.
            for place, part in enumerate(piece.split(b'"')):
                self._is_quoted ^= place > 0
                self.rows += 0 if self._is_quoted else part.count(b"\n")
        else:
            self.rows += piece.count(b"\n")
            self.has_more = self.has_more or MORE in self._end + piece
            self._end = piece[-len(MORE) :]
        if self._progress is not None:
            self._progress(max(self.rows, 0))
