"""The records of a CSV file: each with its line and its cells, or with what is wrong with it."""

import csv
from collections import deque
from collections.abc import Iterator

from tradebook.transfer.files.csv_shape import Shape
from tradebook.transfer.files.decoding import LINE_LENGTH_MAX, Lines

TOO_LONG = "The line is longer than a million characters."
_REREAD_MAX = 64 * LINE_LENGTH_MAX
"""How many characters are read a second time, at most: enough for mistakes, too little to be kept busy."""

CsvRecord = tuple[int, list[str], str, str]
"""The line, the cells, what is wrong, and then the text of its lines."""


def csv_records(lines: Lines, shape: Shape) -> Iterator[CsvRecord]:
    """Yield each record, the headings first; a wrong one without cells.

    Where a quote is never closed, the next record begins in the next line: one wrong quote doesn't take the
    rest of the file with it.
    """
    csv.field_size_limit(LINE_LENGTH_MAX)
    feed = _Feed(lines)
    reader = csv.reader(feed.lines(), strict=True, **shape.dialect())
    while True:
        feed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            start, text = feed.start, feed.give_back()
            reader = csv.reader(feed.lines(), strict=True, **shape.dialect())
            yield start, [], f"The row can't be read: {_explained(error)}.", text
            continue
        if feed.is_cut:
            yield feed.start, [], TOO_LONG, ""
        elif cells:
            yield feed.start, cells, "", ""


class _Feed:
    """Hands lines to the csv module, and takes back those behind a mistake."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._back: deque[str] = deque()
        self._number = lines.number
        self._reread = 0
        self.taken: list[str] = []
        self.start = 0
        self.is_cut = False

    def begin(self) -> None:
        """Begin a record."""
        self.taken.clear()
        self.start = self._number + 1
        self.is_cut = False

    def lines(self) -> Iterator[str]:
        """Yield line after line."""
        back, read, taken = self._back, self._lines.next, self.taken
        while True:
            line = back.popleft() if back else read()
            if not line:
                return
            self._number += 1
            if len(line) >= LINE_LENGTH_MAX:
                self.is_cut = True
                line = "\n"
            taken.append(line)
            yield line

    def give_back(self) -> str:
        """Let all lines of the record but its first be read again; return the text that stays behind."""
        self._reread += sum(map(len, self.taken))
        if self._reread >= _REREAD_MAX:
            return "".join(self.taken)
        self._back.extendleft(reversed(self.taken[1:]))
        self._number -= max(0, len(self.taken) - 1)
        return "".join(self.taken[:1])


def _explained(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text:
        return "a quote is opened and never closed"
    if "expected after" in text:
        return "something follows a closing quote; a quote inside a cell must be doubled"
    if "field limit" in text:
        return "a cell is longer than a million characters; is a quote never closed?"
    return text
