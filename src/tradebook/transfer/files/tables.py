"""From the cells of a CSV file or a sheet to rows: which row has the headings, and what the others say."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from tradebook.text import encodable, shortened, shown
from tradebook.transfer.cells import Dated, unescape, unguard
from tradebook.transfer.columns import column_named, unknown_column, unknown_columns
from tradebook.transfer.files.csv_records import CsvRecord
from tradebook.transfer.files.csv_shape import SEPARATORS, Shape, heading_line, stands_before
from tradebook.transfer.files.decoding import Lines
from tradebook.transfer.files.records import PROBLEM, PROBLEM_TOLD, Records
from tradebook.transfer.files.workbooks import SheetRow
from tradebook.transfer.rows import (
    VALUE_SHOWN_MAX,
    FileOptions,
    Problem,
    Recognised,
    Record,
    Row,
    Value,
    record_keys,
)

_LINE_BREAK = re.compile(r"\s*[\r\n]+\s*")
_ROWS_LOOKED_AT = 100
_COLUMNS_MAX = 16_384
"""As many as a spreadsheet has."""
_COLUMNS_SHOWN = 12
_END_OF_DOS = "\x1a"
"""What old programs end a file with."""


class Table:
    """Reads the headings of a file, and makes rows of what follows them."""

    def __init__(self, records: Records, recognised: Recognised, options: FileOptions) -> None:
        self._records = records
        self._recognised = recognised
        self._options = options
        self._keys: list[str] = []
        self._names: list[str] = []
        self.width = self._allowed = 0
        self.problem_at: int | None = None
        """The place of the column that a file of rejects has more, which nothing is taken from."""
        self._named: set[int] = set()
        self.headings: list[str] = []
        self.preamble: list[str | list[str]] = []

    def fits(self, line: int, cells: list[str]) -> bool:
        """Tell whether these can be the headings: what the map takes, or columns of ours."""
        names = _trimmed(cells)
        if len(names) > _COLUMNS_MAX:
            return False
        if self._records.mapping is not None:
            return not self._records.mapping.lacking(line, names)
        return bool(names) and all(
            not name or name == PROBLEM or column_named(name) is not None for name in names
        )

    def _begin(self, line: int, cells: list[str]) -> list[Problem]:
        """Take up the headings; return what is wrong with them."""
        self._allowed = len(cells)
        names = _trimmed(cells)
        if len(names) > _COLUMNS_MAX:
            reason = f"The headings are more than {_COLUMNS_MAX:,}: is the separator another one?"
            return [Problem(line, None, None, reason)]
        mapping = self._records.mapping
        if names and names[-1] == PROBLEM and not self._is_taken(line, names):
            self.problem_at = len(names) - 1
            self._recognised.left_out = [PROBLEM_TOLD]
            names = _trimmed(names[:-1])
        self._keys, self.width = record_keys(names), len(names)
        # Headings that only count the columns stand nowhere, and one alone may be what somebody is called.
        self._names = names if self._recognised.header != 0 and len(names) > 1 else []
        if mapping is None:
            return list(_strange(line, names))
        self._recognised.left_out += [
            shown(shortened(name, VALUE_SHOWN_MAX)) for name in mapping.ignored(names)
        ]
        return mapping.fit(line, names)

    def _is_taken(self, line: int, names: list[str]) -> bool:
        """Tell whether a map takes the last heading: it is lacking where it isn't there."""
        mapping = self._records.mapping
        if mapping is None:
            return False
        return len(mapping.lacking(line, names[:-1])) > len(mapping.lacking(line, names))

    def csv_rows(
        self, records_of: Callable[[Lines, Shape], Iterator[CsvRecord]], lines: Lines, shape: Shape
    ) -> Iterator[Row | Problem]:
        """Make rows of the records of a CSV file."""
        self.preamble = [lines.next() for _ in range(shape.begins - 1)]
        records = records_of(lines, shape)
        first = next((record for record in records if record[2] or any(c.strip() for c in record[1])), None)
        if first is None:
            yield _nothing_in_it(shape.header, self.preamble)
            return
        line, cells, wrong, _ = first
        if self._options.header and line != shape.header:
            wrong = "The line of the headings is empty."
            line = shape.header
        self.headings = cells
        problems = (
            [Problem(line, None, None, wrong)] if wrong else self._begin(line, self._heads(shape, cells))
        )
        if problems:
            yield from problems
            return
        for record in records if shape.header else chain([first], records):
            row = self._csv_row(*record)
            if row is not None:
                yield row

    def _heads(self, shape: Shape, cells: list[str]) -> list[str]:
        if shape.header:
            return [_heading(cell) for cell in cells]
        return [str(place) for place in range(1, len(cells) + 1)]

    def _csv_row(self, line: int, cells: list[str], wrong: str, text: str) -> Row | None:
        if wrong:
            return self._records.unreadable(line, wrong, text)
        if self._records.unguard:
            values = [unguard(cell) for cell in map(str.strip, cells)]
        else:
            values = [unescape(cell) if cell[:1] == "'" else cell for cell in map(str.strip, cells)]
        if not any(values) or values == [_END_OF_DOS]:
            return None
        if len(values) != self.width and (uneven := self._uneven(values)):
            return self._records.unreadable(line, uneven, cells)
        record: Record = dict(zip(self._keys, values, strict=False))
        row = self._records.row(line, record, cells)
        return self._unless_headings(row, values)

    def _unless_headings(self, row: Row, values: Sequence[object]) -> Row:
        """Refuse a row that is the headings once more, unless the map leaves it out."""
        if not self._names or values[0] != self._names[0] or row.skipped is not None:
            return row
        is_again = list(values[: self.width]) == self._names
        return self._records.unreadable(row.line, _AGAIN, row.raw) if is_again else row

    def _uneven(self, values: list[str]) -> str | None:
        """Say what is wrong with the number of cells, if anything is."""
        width = self.width
        if self.problem_at is not None and len(values) > self.problem_at:
            values = [*values[: self.problem_at], "", *values[self.problem_at + 1 :]]
        if len(values) < width:
            return f"The row has {len(values)} cells, the header names {width}.{all_in_one(values, width)}"
        if not any(values[width:]):
            return None
        # Columns without a name, at the end: whoever has a map has not taken them.
        if self._records.mapping is None or any(values[self._allowed :]):
            return f"The row has {len(values)} cells, the header names {width}."
        for place in range(width, self._allowed):
            if place < len(values) and values[place] and place not in self._named:
                self._named.add(place)
                self._recognised.left_out.append(f"column {place + 1}, without a name")
        return None

    def sheet_rows(self, rows: Iterator[SheetRow]) -> Iterator[Row | Problem]:
        """Make rows of the rows of a sheet."""
        looked_at = [row for row, _ in zip(rows, range(_ROWS_LOOKED_AT), strict=False)]
        texts = [(row.line, [str(cell or "").strip() for cell in row.cells]) for row in looked_at]
        filled = [(line, cells) for line, cells in texts if any(cells)]
        header = self._options.header
        if header is None:
            header = heading_line(filled, self.fits) if filled else 1
            if filled and header != filled[0][0]:
                self._recognised.notes.append(stands_before("Row", filled[0][0], header))
        self._recognised.header = header
        cells = next((cells for line, cells in filled if line == header), None)
        if header == 0 and filled:
            cells = [str(place) for place in range(1, max(len(cells) for _, cells in filled) + 1)]
        if cells is None:
            yield Problem(header or 1, None, None, "The sheet has no headings there." if filled else EMPTY)
            return
        self.headings = cells
        self.preamble = [cells for line, cells in texts if line < header]
        problems = self._begin(max(1, header), [_heading(cell) for cell in cells])
        if problems:
            yield from problems
            return
        for part in (looked_at, rows):
            yield from self._sheet_part(row for row in part if row.line > header)

    def _sheet_part(self, rows: Iterable[SheetRow]) -> Iterator[Row]:
        for sheet_row in rows:
            values: list[Value] = [_cell(cell, unguards=self._records.unguard) for cell in sheet_row.cells]
            if not any(value not in (None, "") for value in values) and not sheet_row.errors:
                continue
            values += [""] * (self.width - len(values))
            raw = [self._as_csv(place, cell) for place, cell in enumerate(sheet_row.cells)]
            if uneven := self._uneven([str(value or "") for value in values]):
                yield self._records.unreadable(sheet_row.line, uneven, raw)
                continue
            record = dict(zip(self._keys, values, strict=False))
            row = self._unless_headings(self._records.row(sheet_row.line, record, raw), values)
            for place, error in sheet_row.errors.items():
                if place < self.width:
                    self._refuse_error(row, place, error)
            yield row

    def _as_csv(self, place: int, cell: Value) -> str:
        """Write a cell for a file of rejects as it is read: as the map says, or a time with its offset."""
        mapping = self._records.mapping
        if mapping is not None and cell.__class__ is not str and place < self.width:
            write = mapping.writes.get(self._keys[place])
            if write is not None and (written := write(cell)) is not None:
                return written
        return f"{cell}Z" if isinstance(cell, Dated) and "T" in cell else str(cell or "")

    def _refuse_error(self, row: Row, place: int, error: str) -> None:
        name = self._keys[place]
        reason = "is an error of the workbook: mend its formula, or empty the cell"
        if self._records.mapping is None:
            if row.values.pop(name, None) is not None:
                row.refused.append(name)
                row.problems.append(Problem(row.line, name, error, reason))
        else:
            heading = _heading(self.headings[place])
            if heading not in self._recognised.left_out:
                row.problems.append(Problem(row.line, None, error, reason, heading))


EMPTY = "The file is empty: its first row must name the columns."


def _nothing_in_it(header: int, preamble: Sequence[object]) -> Problem:
    if header > 1 and len([line for line in preamble if line]) < header - 1:
        return Problem(header, None, None, "The file has no such line, where its headings should be.")
    return Problem(max(1, header), None, None, EMPTY)


def _heading(cell: str) -> str:
    return _LINE_BREAK.sub(" ", encodable(cell.strip()))


def _trimmed(cells: list[str]) -> list[str]:
    names = list(cells)
    while names and not names[-1]:
        names.pop()
    return names


def _cell(cell: Value, *, unguards: bool) -> Value:
    """Read the text of a cell as CSV has it; what the workbook has as a number or a date stays one."""
    if cell.__class__ is not str:
        return "" if cell is None else cell
    text = str(cell).strip()
    return unguard(text) if unguards else unescape(text)


def all_in_one(cells: Sequence[str], width: int = 3) -> str:
    """Ask for what is wrong with a line whose one cell has separators for all of them; else nothing."""
    is_so = len(cells) == 1 and any(cells[0].count(sign) >= width - 1 for sign in SEPARATORS)
    return " Is the whole line in quotes, or has it another separator? Save the list anew." if is_so else ""


_AGAIN = "The row is the headings once more, as where files were joined: take it out."
_LEFT_OUT = "with a map, such columns are left out"


def _strange(line: int, header: list[str]) -> Iterator[Problem]:
    """Yield what is wrong with headings where no map says what they become."""
    first: dict[str, int] = {}
    nameless, unknown = [], []
    for column, name in enumerate(header, 1):
        if not name:
            nameless.append(str(column))
        elif name in first:
            reason = f"Column {column} has the name of column {first[name]}: a map says which counts."
            yield Problem(line, None, None, reason, shortened(name, VALUE_SHOWN_MAX))
        elif column_named(name) is None:
            unknown.append(name)
        first.setdefault(name, column)
    if nameless:
        have = "has no name" if len(nameless) == 1 else "have no name"
        listed = " and ".join(filter(None, [", ".join(nameless[:-1][:_COLUMNS_SHOWN]), nameless[-1]]))
        yield Problem(line, None, None, f"Column{'s' * (len(nameless) > 1)} {listed} {have}: {_LEFT_OUT}.")
    if len(unknown) == 1:
        name = shortened(unknown[0], VALUE_SHOWN_MAX)
        reason = all_in_one(header).strip() or unknown_column(name)
        yield Problem(line, None, None, reason, name)
    elif unknown:
        yield Problem(line, None, None, unknown_columns(unknown))
