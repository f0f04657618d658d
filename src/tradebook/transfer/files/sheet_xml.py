"""What the XML of a sheet says beside values: errors, formulas without a result, numbers as they are shown.

python-calamine tells none of it. It keeps a sheet as one grid, whose size is measured here first.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import IO
from xml.parsers import expat

from tradebook.transfer.files.source import Unreadable

CELLS_MAX = 20_000_000
_CHUNK = 65_536
_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NO_RESULT = "a formula without a result"

Remarks = dict[int, tuple[str, str]]
"""Of a row: by the place of a cell, what is remarkable and its text: `error`, or `shown`."""


class Xml:
    """Reads XML that may be anything: no entities, no documents elsewhere, memory flat."""

    def __init__(
        self, start: Callable[[str, dict[str, str]], None], end: Callable[[str], None] | None = None
    ) -> None:
        # Without namespaces: the parts are known, their prefixes are not, and it takes half the time.
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        names: dict[str, str] = {}

        def begin(name: str, attributes: dict[str, str]) -> None:
            start(names.get(name) or names.setdefault(name, local_name(name)), attributes)

        self.parser.StartElementHandler = begin
        if end is not None:
            self.parser.EndElementHandler = lambda name: end(names[name])

    def steps(self, file: IO[bytes]) -> Iterator[None]:
        """Read a part of the file at each step."""
        try:
            while part := file.read(_CHUNK):
                self.parser.Parse(part)
                yield
            self.parser.Parse(b"", True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise Unreadable(f"The workbook is damaged: its XML is broken ({error}). Save it anew.") from None

    def read(self, file: IO[bytes]) -> None:
        """Read the whole file."""
        for _ in self.steps(file):
            pass


def local_name(name: str) -> str:
    """Return a name without its prefix."""
    return name.rpartition(":")[2]


def _refuse_doctype(*_: object) -> None:
    raise Unreadable("The workbook has XML that no spreadsheet program writes. Save it anew.")


class SheetSize:
    """How far the filled cells of a sheet reach, whether any has a remark, and what nobody sees."""

    def __init__(self, cells_before: int = 0) -> None:
        self.rows = self.columns = 0
        self.has_remarks = False
        self.hidden = self.first_hidden = self.first_merged = 0
        self._cells_before = cells_before

    def reach(self, row: int, column: int) -> None:
        """Note a filled cell."""
        self.rows = max(self.rows, row)
        self.columns = max(self.columns, column)
        if self._cells_before + self.rows * self.columns > CELLS_MAX:
            raise Unreadable(
                f"The sheet has more than {CELLS_MAX // 1_000_000} million cells: save it as CSV UTF-8, "
                "which may be of any size."
            )

    def hide(self, line: int, rows: int) -> None:
        """Note filled rows that nobody sees, such as those that a filter leaves out."""
        self.hidden += rows
        self.first_hidden = self.first_hidden or line

    def merge(self, line: int, rows: int) -> None:
        """Note a cell that reaches over rows, of which the first one alone has its value."""
        if rows > 1:
            self.first_merged = min(self.first_merged or line, line)

    def notes(self) -> Iterator[str]:
        """Tell what a person sees otherwise than it is read."""
        if self.hidden:
            rows = "1 row is" if self.hidden == 1 else f"{self.hidden:,} rows are"
            yield f"{rows} hidden, the first in line {self.first_hidden}, and read like the others."
        if self.first_merged:
            only = f"the first in line {self.first_merged}: only that row has their value"
            yield f"Cells are merged over rows, {only} (fill_down in [file] of the map repeats it)."


class _Sheet(ABC):
    """Goes through the XML of a sheet, and measures it on the way."""

    def __init__(self) -> None:
        self.size = SheetSize()
        self._row = self._column = 0
        self._text: list[str] | None = None
        """What the cell holds that is being read; None outside a cell, or where nobody looks at it."""
        self._remarks: Remarks = {}
        self._rows: list[tuple[int, Remarks]] = []

    def read(self, file: IO[bytes]) -> Iterator[tuple[int, Remarks]]:
        """Yield the rows with remarks, in their order; one that is repeated once for each."""
        xml = Xml(self._start, self._end)
        xml.parser.CharacterDataHandler = self._characters
        for _ in xml.steps(file):
            yield from self._rows
            self._rows.clear()
        yield from self._rows

    @abstractmethod
    def _start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""

    @abstractmethod
    def _end(self, name: str) -> None:
        """End an element."""

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)


class XlsxSheet(_Sheet):
    """A sheet of .xlsx; `shown` writes numbers as their style shows them."""

    def __init__(
        self, shown: dict[int, Callable[[float], str | None]], *, only_measures: bool = False
    ) -> None:
        super().__init__()
        self._only_measures = only_measures
        self._shown = shown
        self._style = 0
        self._kind = ""
        self._is_hidden = self._is_filled = False
        self._has_formula = self._has_value = self._lacks_result = False

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v":
            self._has_value = True
            # A result that is an empty text is one; no result at all is written so too, without the kind.
            self._lacks_result = self._has_formula and self._kind != "str"
            if self._lacks_result or self._is_looked_at():
                self._text = []
        elif name == "is":
            self._has_value = True
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            self._row = whole(attributes.get("r"), self._row + 1)
            self._column = 0
            self._is_hidden, self._is_filled = attributes.get("hidden") in ("1", "true"), False
        elif name == "mergeCell":
            first, _, last = attributes.get("ref", "").partition(":")
            line = whole(first.lstrip(_LETTERS), 0)
            self.size.merge(line, whole(last.lstrip(_LETTERS), line) - line + 1)

    def _is_looked_at(self) -> bool:
        return self._kind == "e" or (self._kind in ("", "n") and self._style in self._shown)

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        self._column = self._column + 1 if place is None else _column_of(place.rstrip(_DIGITS))
        self._kind = attributes.get("t", "")
        self._style = whole(attributes.get("s"), 0)
        self._has_formula = self._has_value = self._lacks_result = False
        self._text = None

    def _end(self, name: str) -> None:
        if name == "c":
            if self._has_value or self._has_formula:
                self.size.reach(self._row, self._column)
                self._is_filled = True
            text = "".join(self._text or ())
            if self._has_formula and not text and (self._lacks_result or not self._has_value):
                self._remarks[self._column - 1] = ("error", _NO_RESULT)
            elif text and self._is_looked_at():
                if self._only_measures:
                    self.size.has_remarks = True
                else:
                    self._remark(text)
        elif name == "row":
            if self._is_hidden and self._is_filled:
                self.size.hide(self._row, 1)
            if self._remarks:
                self.size.has_remarks = True
                self._rows.append((self._row, self._remarks))
                self._remarks = {}

    def _remark(self, text: str) -> None:
        if self._kind == "e":
            self._remarks[self._column - 1] = ("error", text)
            return
        try:
            shown = self._shown[self._style](float(text))
        except (ValueError, OverflowError):
            return
        if shown is not None:
            self._remarks[self._column - 1] = ("shown", shown)


_GROUPED = re.compile(r"-?\d{1,3}(?:[ .,'\u2019\xa0\u202f]\d{3})+")
_SAYS_MORE = re.compile(r"[^\d.,]{0,20}\d[\d()/ \-]*")
_ERROR = re.compile(r"#[A-Z0-9/?!]+|Err:\d+")


class OdsSheet(_Sheet):
    """The sheet of a name in the content of .ods; without a name all of them are measured."""

    def __init__(self, sheet: str | None) -> None:
        super().__init__()
        self._sheet = sheet
        self._cells_before = 0
        self._depth = 0
        self._repeats = self._wide = 1
        self._is_hidden = self._is_filled = False
        self._attributes: dict[str, str] = {}

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table":
            self._depth += bool(self._depth) or self._sheet in (None, named(attributes, "name"))
        elif self._depth != 1:
            return
        elif name == "table-row":
            self._repeats = max(1, whole(named(attributes, "number-rows-repeated"), 1))
            self._column = 0
            self._is_hidden = named(attributes, "visibility") in ("collapse", "filter")
            self._is_filled = False
            self._remarks = {}
        elif name in ("table-cell", "covered-table-cell"):
            self._attributes = {local_name(key): value for key, value in attributes.items()}
            self._wide = max(1, whole(self._attributes.get("number-columns-repeated"), 1))
            self._text = []
        elif name == "p" and self._text:
            self._text.append("\n")

    def _characters(self, text: str) -> None:
        if self._depth == 1:
            super()._characters(text)

    def _end(self, name: str) -> None:
        if name == "table" and self._depth:
            self._depth -= 1
            if not self._depth and self._sheet is None:
                self._end_sheet()
        elif self._depth != 1:
            return
        elif name in ("table-cell", "covered-table-cell"):
            self._end_cell("".join(self._text or ()))
        elif name == "table-row":
            if self._is_hidden and self._is_filled:
                self.size.hide(self._row + 1, self._repeats)
            if self._remarks:
                self.size.has_remarks = True
                self._rows += [(self._row + place, self._remarks) for place in range(1, self._repeats + 1)]
            self._row += self._repeats

    def _end_sheet(self) -> None:
        """Begin to measure the next sheet: calamine keeps all of them."""
        self._cells_before += self.size.rows * self.size.columns
        self.size = SheetSize(self._cells_before)
        self._row = 0

    def _end_cell(self, text: str) -> None:
        kind = self._attributes.get("value-type", "")
        if text or kind:
            self.size.reach(self._row + self._repeats, self._column + self._wide)
            self.size.merge(self._row + 1, whole(self._attributes.get("number-rows-spanned"), 1))
            self._is_filled = True
            remark = self._remark(kind, text)
            if remark is not None:
                for place in range(self._column, self._column + self._wide):
                    self._remarks[place] = remark
        self._column += self._wide
        self._text = None

    def _remark(self, kind: str, text: str) -> tuple[str, str] | None:
        if "formula" in self._attributes and _ERROR.fullmatch(text):
            return ("error", text)
        if kind == "percentage":
            return ("shown", text.replace("\u202f", "").replace("\xa0", "").replace(" ", ""))
        if kind == "float" and _says_more(text, self._attributes.get("value", "")):
            return ("shown", text)
        return None


def _says_more(text: str, value: str) -> bool:
    """Tell whether a number is shown with its own digits, and with zeros or signs that mean something."""
    digits = re.sub(r"\D", "", text)
    try:
        number = float(value)
    except ValueError:
        return False
    if not number.is_integer() or digits.lstrip("0") != str(abs(int(number))).lstrip("0"):
        return False
    if _GROUPED.fullmatch(text) or any(unicodedata.category(sign) == "Sc" for sign in text):
        return False
    return _SAYS_MORE.fullmatch(text) is not None and text.lstrip("-") != str(abs(int(number)))


def named(attributes: dict[str, str], name: str) -> str:
    """Return an attribute by its local name."""
    return next((value for key, value in attributes.items() if local_name(key) == name), "")


def whole(text: str | None, otherwise: int) -> int:
    """Read a whole number of at most eight digits."""
    return (
        int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 9 else otherwise
    )


@lru_cache(maxsize=20_000)
def _column_of(letters: str) -> int:
    column = 0
    for letter in letters[:4]:
        column = column * 26 + (ord(letter) & 31)
    return column
