"""Workbooks: .xlsx, .xlsm, .ods and .xls. Their values come from python-calamine."""

import datetime as dt
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from difflib import get_close_matches
from functools import partial
from typing import IO, Any, BinaryIO

import msgspec

from tradebook.crud.strict_json import Number
from tradebook.text import quoted, shown
from tradebook.transfer.cells import Dated
from tradebook.transfer.files.number_formats import BUILT_IN, is_interesting, plain_number, shown_number
from tradebook.transfer.files.sheet_xml import OdsSheet, Remarks, SheetSize, XlsxSheet, Xml, named, whole
from tradebook.transfer.files.source import BROKEN_ZIP, WORKBOOK_BYTES_MAX, Unreadable
from tradebook.transfer.rows import Recognised, Value

XML_BYTES_MAX = 1 << 30
_SHEETS_SHOWN = 20
_DAMAGED = "The workbook is damaged or protected by a password: save it anew, without one, or as CSV UTF-8."


class SheetRow(msgspec.Struct):
    """One row of a sheet: its cells, and the errors among them by their place."""

    line: int
    cells: list[Value]
    errors: dict[int, str] = {}


class Workbook:
    """One sheet of a workbook."""

    def __init__(self, stream: BinaryIO, sheet: str | None, opened: ExitStack) -> None:
        # Loaded for workbooks alone.
        import python_calamine  # noqa: PLC0415

        if stream.seek(0, 2) > WORKBOOK_BYTES_MAX:
            size = f"{WORKBOOK_BYTES_MAX >> 20} MiB"
            raise Unreadable(f"The workbook has more than {size}: save it as CSV UTF-8.")
        stream.seek(0)
        self._archive = _archive_of(stream, opened)
        self._is_old = self._archive is None
        if self._archive is not None:
            _check_sizes(self._archive)
            if "content.xml" in self._archive.namelist():
                # calamine takes in all sheets of .ods as soon as it opens it.
                _measured(OdsSheet(None), self._archive.open("content.xml"))
        stream.seek(0)
        with _damage_told():
            self._book = python_calamine.CalamineWorkbook.from_filelike(stream)
            self._names = [
                each.name
                for each in self._book.sheets_metadata
                if each.typ == python_calamine.SheetTypeEnum.WorkSheet
                and (sheet is not None or each.visible == python_calamine.SheetVisibleEnum.Visible)
            ]
        self.sheet = self._chosen(sheet)
        self._notes: list[str] = []

    def _chosen(self, sheet: str | None) -> str:
        if not self._names:
            raise Unreadable("The workbook has no sheet that can be seen.")
        if sheet is None:
            return self._names[0]
        folded = {name.strip().casefold(): name for name in reversed(self._names)}
        found = sheet if sheet in self._names else folded.get(sheet.strip().casefold())
        if found is None:
            near = get_close_matches(sheet.casefold()[:100], folded, n=1)
            hint = f" Did you mean {quoted(folded[near[0]])}?" if near else ""
            raise Unreadable(f"There is no sheet {quoted(sheet)}.{hint} There are {_listed(self._names)}.")
        return found

    def tell(self, recognised: Recognised) -> None:
        """Tell which sheet is read, and what others there are; more is told when it is read."""
        self._notes = recognised.notes
        others = [name for name in self._names if name != self.sheet]
        more = f"; there are also {_listed(others)}" if others else ""
        recognised.notes.append(f"Sheet {quoted(self.sheet)}{more}.")
        if self._is_old:
            recognised.notes.append(
                "Of an old workbook (.xls) only values are read: a number shown as 00417 comes as 417, "
                "and an error as an empty cell. Save it as .xlsx to keep them."
            )

    def rows(self) -> Iterator[SheetRow]:
        """Yield the rows that have a cell."""
        remarks = self._remarks()
        with _damage_told():
            sheet = self._book.get_sheet_by_name(self.sheet)
            start = sheet.start
            grid = iter(()) if start is None else sheet.iter_rows()
        before: list[Value] = [""] * (start[1] if start else 0)
        due = next(remarks, None)
        for line, cells in enumerate(grid, 1):
            while due is not None and due[0] < line:
                due = next(remarks, None)
            row = SheetRow(line, before + [_value(cell) for cell in cells])
            if due is not None and due[0] == line:
                _apply(row, due[1])
            yield row

    def _remarks(self) -> Iterator[tuple[int, Remarks]]:
        """Measure the sheet, then yield what its XML says beside the values."""
        archive = self._archive
        if archive is None:
            return iter(())
        if "content.xml" in archive.namelist():
            open_sheet: Callable[[], IO[bytes]] = partial(archive.open, "content.xml")
            make: Callable[[], XlsxSheet | OdsSheet] = partial(OdsSheet, self.sheet)
            measuring = make()
        else:
            open_sheet = partial(archive.open, _part_of_sheet(archive, self.sheet))
            formats = _formats(archive)
            make, measuring = partial(XlsxSheet, formats), XlsxSheet(formats, only_measures=True)
        measured = _measured(measuring, open_sheet())
        self._notes += measured.notes()
        return make().read(open_sheet()) if measured.has_remarks else iter(())


def _measured(sheet: XlsxSheet | OdsSheet, file: IO[bytes]) -> SheetSize:
    try:
        with file:
            for _ in sheet.read(file):
                pass
    except BROKEN_ZIP as error:
        raise Unreadable(_DAMAGED) from error
    return sheet.size


@contextmanager
def _damage_told() -> Iterator[None]:
    """Tell whatever calamine ends with as what it means; a panic of Rust is no Exception of Python's."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise Unreadable(_DAMAGED) from error
        raise


def _archive_of(stream: BinaryIO, opened: ExitStack) -> zipfile.ZipFile | None:
    if stream.read(2) != b"PK":
        return None
    try:
        return opened.enter_context(zipfile.ZipFile(stream))
    except (*BROKEN_ZIP, ValueError) as error:
        raise Unreadable(_DAMAGED) from error


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """Unpack every part once, so that none is larger than it says, or than memory bears."""
    if "xl/workbook.bin" in archive.namelist():
        raise Unreadable("The workbook is binary (.xlsb): save it as .xlsx or CSV UTF-8.")
    total = 0
    for member in archive.infolist():
        if not member.filename.endswith((".xml", ".rels")):
            continue
        total += member.file_size
        if total > XML_BYTES_MAX:
            raise Unreadable(
                f"The workbook unpacks to more than {XML_BYTES_MAX >> 30} GiB: save it as CSV UTF-8."
            )
        try:
            with archive.open(member) as file:
                while file.read(1 << 20):
                    pass
        except (*BROKEN_ZIP, ValueError) as error:
            raise Unreadable(_DAMAGED) from error


def _part_of_sheet(archive: zipfile.ZipFile, sheet: str) -> str:
    """Find the part of .xlsx that has a sheet."""
    ids: dict[str, str] = {}
    targets: dict[str, str] = {}

    def of_workbook(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            ids.setdefault(attributes.get("name", ""), named(attributes, "id"))

    def of_relations(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    try:
        _read_part(archive, "xl/workbook.xml", of_workbook)
        _read_part(archive, "xl/_rels/workbook.xml.rels", of_relations)
        target = targets[ids[sheet]]
        path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        archive.getinfo(path)
    except BROKEN_ZIP as error:
        raise Unreadable(_DAMAGED) from error
    return path


def _formats(archive: zipfile.ZipFile) -> dict[int, Callable[[float], str | None]]:
    """Return, by style, what cells show where it may be more than a number."""
    codes = dict(BUILT_IN)
    styles: list[int] = []
    inside = [""]

    def start(name: str, attributes: dict[str, str]) -> None:
        if name in ("cellXfs", "cellStyleXfs"):
            inside[0] = name
        elif name == "numFmt":
            codes[whole(attributes.get("numFmtId"), -1)] = attributes.get("formatCode", "")
        elif name == "xf" and inside[0] == "cellXfs":
            styles.append(whole(attributes.get("numFmtId"), -1))

    if "xl/styles.xml" in archive.namelist():
        _read_part(archive, "xl/styles.xml", start)
    interesting = {number for number, code in codes.items() if is_interesting(code)}
    return {
        style: partial(shown_number, code=codes[number])
        for style, number in enumerate(styles)
        if number in interesting
    }


def _read_part(archive: zipfile.ZipFile, name: str, start: Callable[[str, dict[str, str]], None]) -> None:
    with archive.open(name) as file:
        Xml(start).read(file)


def _apply(row: SheetRow, remarks: Remarks) -> None:
    row.errors = {place: text for place, (kind, text) in remarks.items() if kind == "error"}
    for place, (kind, text) in remarks.items():
        if kind == "shown" and place < len(row.cells) and isinstance(row.cells[place], Number):
            row.cells[place] = text


def _value(cell: Any) -> Value:
    """Write what calamine read as the text that a person sees, or as a number or date that stays one."""
    if cell.__class__ is str:
        return str(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return Number(plain_number(float(cell)))
    if isinstance(cell, dt.datetime):
        # Days are fractions there: half a second makes up for what they lose.
        exact = (cell + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
        return Dated(exact.date().isoformat() if exact.time() == dt.time() else exact.isoformat())
    if isinstance(cell, dt.date):
        return Dated(cell.isoformat())
    return "" if cell is None else str(cell)


def _listed(names: list[str]) -> str:
    more = len(names) - _SHEETS_SHOWN
    return ", ".join(shown(name) for name in names[:_SHEETS_SHOWN]) + (
        f" and {more} more" if more > 0 else ""
    )
