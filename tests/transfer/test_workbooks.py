"""Workbooks: what their cells say, what they show, which sheet, and how they are refused."""

import datetime as dt
import gzip
import io
import zipfile

import openpyxl
import pytest

from tests.fixtures.readings import as_it_is, map_of
from tests.fixtures.workbooks import ods, xlsx
from tradebook.transfer.cells import Dated
from tradebook.transfer.files import sheet_xml
from tradebook.transfer.files.number_formats import plain_number, shown_number
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.rows import FileOptions, Problem, Row

HEAD = ["number", "name", "note"]


def read(content, mapping=None, file_format="workbook", **options):
    """Return what was recognised, the rows' values by line, and what is wrong."""
    reader = read_file(io.BytesIO(content), file_format, mapping, FileOptions(**options))
    items = list(reader)
    rows = {item.line: item.values for item in items if isinstance(item, Row)}
    problems = [p for item in items for p in ([item] if isinstance(item, Problem) else item.problems)]
    return reader.recognised, rows, [str(problem) for problem in problems]


@pytest.mark.parametrize("make", [xlsx, ods])
def test_cells_are_what_they_say(make):
    rows = [
        ["a", "b", "c", "d", "e"],
        [417, 0.1, 4_901_234_567_890, True, dt.date(2024, 5, 1)],
        ["00417", 1234.5, -3, False, dt.datetime(2024, 5, 1, 9, 30)],
        [None, "", " Müller ", "'=x", 12_345_678_901_234_567_890],
    ]

    told, found, problems = read(make(rows), as_it_is())

    assert found[2] == {"a": "417", "b": "0.1", "c": "4901234567890", "d": "true", "e": "2024-05-01"}
    assert found[3] == {"a": "00417", "b": "1234.5", "c": "-3", "d": "false", "e": "2024-05-01T09:30:00"}
    assert (found[4]["c"], found[4]["d"], found[4]["e"]) == ("Müller", "=x", "1.23456789012346E+19")
    assert type(found[2]["e"]) is Dated
    assert (told.encoding, told.separator, told.header, told.samples) == (None, None, 1, ["Müller"])
    assert problems == []


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (417, "00000", "00417"),
        (417, "0000000;-0000000", "0000417"),
        (417, '"K-"0000', "K-0417"),
        (417, r"\K\-0000", "K-0417"),
        (5, '"Nr. "0', "Nr. 5"),
        (5551234567, "[<=9999999]###-####;(###) ###-####", "(555) 123-4567"),
        (5551234, "[<=9999999]###-####;(###) ###-####", "555-1234"),
        (123456789, "000-00-0000", "123-45-6789"),
        (12345, "00000-0000", "00001-2345"),
        (1234567, "00000", "1234567"),
        (0, "000", "000"),
        (-7, "000", "-007"),
        (491761234567, "+0", "+491761234567"),
        (491761234567, r"\+#", "+491761234567"),
        (417, "+0;-0", None),
        (0.15, "0%", "15%"),
        (0.075, "0.00%", "7.5%"),
        (417, "0", None),
        (417, "General", None),
        (1234.5, "00000", None),
        (1234, "#,##0.00", None),
        (1234, '#,##0 "€"', None),
        (1234, "[$€-407]0000", None),
        (1234, '0 "kg"', None),
        (45000, "yyyy-mm-dd", None),
        (1, "0.00E+00", None),
        (1, "", None),
        (1, '"', None),
        (1, ";;;", None),
    ],
)
def test_a_number_is_what_its_cell_shows_where_its_signs_mean_something(value, code, shown):
    assert shown_number(value, code) == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (417.0, "417"),
        (0.1 + 0.2, "0.3"),
        (4.9e11, "490000000000"),
        (1e-7, "0.0000001"),
        (-0.0, "0"),
        (2.0**53, "9007199254740992"),
        (2.0**53 + 2, "9.00719925474099E+15"),
        (-1e300, "-1E+300"),
    ],
)
def test_a_number_is_written_with_the_digits_that_a_spreadsheet_keeps(value, text):
    assert plain_number(value) == text


def test_numbers_are_read_as_they_are_shown_in_xlsx_and_ods():
    formats = {"A2": "00000", "C2": "0%", "C3": "(###) ###-####"}
    book = xlsx([HEAD, [417, "A", 0.15], [418, "B", 5551234567]], formats=formats)
    office = ods([HEAD, [(417, "00417"), "A", ("<table:table-cell office:value-type='percentage' office:value='0.15'>"
                 "<text:p>15 %</text:p></table:table-cell>")], [418, "B", (5551234567, "(555) 123-4567")]])  # fmt: skip

    for content in (book, office):
        _, rows, problems = read(content)

        assert rows[2] == {"number": "00417", "name": "A", "note": "15%"}
        assert rows[3] == {"number": "418", "name": "B", "note": "(555) 123-4567"}
        assert problems == []


def test_rows_that_ods_repeats_are_shown_alike():
    row = (
        "</table:table-row><table:table-row table:number-rows-repeated='3'>"
        "<table:table-cell office:value-type='float' office:value='7'><text:p>007</text:p></table:table-cell>"
    )

    _, rows, _ = read(ods([["number"], [row]]))

    assert list(rows.values()) == [{"number": "007"}] * 3


def test_errors_and_formulas_without_a_result_are_problems_of_their_cells():
    book = xlsx([HEAD, ["1", "#N/A", "x"], ["2", "B", "=1+1"], ["3", "C", "c"]])

    _, rows, problems = read(book)
    _, _, mapped = read(book, map_of('[columns]\nnumber = "number"\nname = "name"\n'))

    assert rows == {
        2: {"number": "1", "note": "x"},
        3: {"number": "2", "name": "B"},
        4: {"number": "3", "name": "C", "note": "c"},
    }
    assert [problem.split(" is an")[0] for problem in problems] == [
        "line 2, name: '#N/A'",
        "line 3, note: 'a formula without a result'",
    ]
    assert [problem.split(" is an")[0] for problem in mapped] == ["line 2, name: '#N/A'"]


def test_results_of_formulas_are_read():
    """As a spreadsheet program saves them: the formula, and what it came to."""
    book = xlsx([HEAD, ["1", "A", "x"]])
    cell = b'<c r="C2" t="str"><f>A2&amp;B2</f><v>1A</v></c><c r="D2" t="str"><f>""</f><v></v></c>'

    _, rows, problems = read(changed(book, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(
        xml[xml.index(b'<c r="C2"'):xml.index(b"</row>", xml.index(b'<c r="C2"'))], cell)))  # fmt: skip

    assert rows[2]["note"] == "1A"
    assert problems == []


def changed(book, part, change):
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book)) as parts,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in parts.namelist():
            made.writestr(name, change(parts.read(name)) if name == part else parts.read(name))
    return packed.getvalue()


@pytest.mark.parametrize("make", [xlsx, ods])
def test_rows_before_the_headings_and_empty_columns_keep_their_places(make):
    rows = [
        ["List"],
        [None],
        [None, None, "number", "name"],
        [None, None, 1, "A"],
        [None],
        [None, None, 2, "B"],
    ]
    mapping = map_of('[columns]\nnumber = "number"\nname = "name"\n')

    told, found, problems = read(make(rows), mapping)

    assert found == {4: {"number": "1", "name": "A"}, 6: {"number": "2", "name": "B"}}
    assert (told.header, told.left_out) == (3, ["column 1, without a name", "column 2, without a name"])
    assert problems == []
    assert read(make(rows), mapping, header=3)[1] == found
    one = read(make([["Report"], ["number", "name"], [1, "A"]]), mapping)[0]
    assert "Row 1 stands before the headings." in one.notes


def test_a_sheet_is_chosen_by_name_and_the_nearest_is_offered():
    book = xlsx([["number"], [1]], title="Kunden", Archiv=[["number"], [2]])

    assert list(read(book)[1].values()) == [{"number": "1"}]
    assert read(book)[0].notes == ["Sheet 'Kunden'; there are also Archiv."]
    assert list(read(book, sheet="archiv ")[1].values()) == [{"number": "2"}]
    assert read(book, sheet="Archive")[2] == [
        "line 1: There is no sheet 'Archive'. Did you mean 'Archiv'? There are Kunden, Archiv."
    ]


def test_a_hidden_sheet_is_not_the_first():
    book = openpyxl.load_workbook(io.BytesIO(xlsx([["number"], [1]], Seen=[["number"], [2]])))
    book["Sheet"].sheet_state = "hidden"
    book.active = 1
    file = io.BytesIO()
    book.save(file)

    assert list(read(file.getvalue())[1].values()) == [{"number": "2"}]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("file_format", ["csv", "ndjson", "json", None])
def test_a_workbook_is_recognised_whatever_its_ending_says(file_format, pack):
    told, rows, _ = read(pack(xlsx([["number"], [1]])), file_format=file_format)

    assert list(rows.values()) == [{"number": "1"}]
    assert ("The file is a workbook, and was read as one." in told.notes) == (file_format is not None)


def test_text_under_the_ending_of_a_workbook_is_read_as_text():
    told, rows, _ = read("number\tname\n1\tZoë\n".encode())

    assert rows == {2: {"number": "1", "name": "Zoë"}}
    assert told.notes == ["The file is CSV, and was read as such."]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "is a PDF"),
        (b"PK\x03\x04 torn", "damaged workbook or zip archive"),
        (b"PK\x05\x06" + bytes(18), "empty zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged or protected by a password"),
        (b"<html><table><tr><td>number</td></tr></table>", "a web page"),
        (b'<?xml version="1.0"?><Workbook/>', "is XML"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture"),
        (b"SQLite format 3\0" + bytes(50), "SQLite database"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "7-Zip"),
        (bytes(range(256)) * 4, "no text and no workbook"),
        (gzip.compress(gzip.compress(b"number\n", mtime=0), mtime=0), "packed by gzip twice"),
    ],
    ids=lambda value: value[:8].hex() if isinstance(value, bytes) else value,
)
@pytest.mark.parametrize("file_format", ["csv", "workbook"])
def test_what_is_no_list_is_refused_with_what_to_do(content, told, file_format):
    _, rows, problems = read(content, file_format=file_format)

    assert rows == {}
    assert len(problems) == 1
    assert told in problems[0]
    assert problems[0].isprintable()


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["Index/Document.iwa"], "Numbers document"),
        (["[Content_Types].xml", "word/document.xml"], "office document"),
        (["customers.csv"], "a zip archive: unpack it, and import the list in it"),
        (["xl/workbook.bin"], "binary (.xlsb)"),
    ],
)
def test_archives_that_are_no_workbooks_are_told_apart(names, told):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")

    assert told in read(file.getvalue())[2][0]


def test_a_sheet_that_would_fill_the_memory_is_refused_before_it_does():
    """Two cells, as far from each other as can be: a grid of 17 thousand million."""
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    book = changed(
        xlsx([HEAD, ["1", "A", "x"]]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"</sheetData>", far),
    )
    wide = "<table:table-cell table:number-columns-repeated='16384' office:value-type='string'><text:p>x</text:p></table:table-cell>"
    office = ods(
        [["number"], [f"</table:table-row><table:table-row table:number-rows-repeated='1048576'>{wide}"]]
    )

    for content in (book, office):
        assert "more than 20 million cells" in read(content)[2][0]


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr("tradebook.transfer.files.workbooks.XML_BYTES_MAX", 10_000)
    big = xlsx([["name"], *[[f"{n} {'x' * 200}"] for n in range(100)]])

    assert "unpacks to more than" in read(big)[2][0]


def test_entities_are_refused_before_they_grow():
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    book = changed(
        xlsx([HEAD]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"<worksheet", laughs + b"<worksheet", 1),
    )

    assert "XML that no spreadsheet program writes" in read(book)[2][0]


def test_the_sizes_are_those_of_filled_cells(monkeypatch):
    """Formats down to the last row are common, and no reason to refuse a sheet."""
    monkeypatch.setattr(sheet_xml, "CELLS_MAX", 100)
    empty = b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
    book = changed(
        xlsx([HEAD, ["1", "A", "x"]]),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"</sheetData>", empty),
    )

    assert list(read(book)[1]) == [2]


def test_what_is_hidden_or_merged_is_told():
    book = openpyxl.load_workbook(io.BytesIO(xlsx([["number", "name"], [1, "A"], [2, None], [3, "C"]])))
    sheet = book.active
    sheet.row_dimensions[4].hidden = sheet.row_dimensions[9].hidden = True
    sheet.merge_cells("B2:B3")
    sheet.merge_cells("A8:B8")
    file = io.BytesIO()
    book.save(file)
    seen = ods([["number", "name"], [1, "A"], [2, "B"], [3, "C"]])
    filtered = changed(seen, "content.xml", lambda xml: _filtered(xml.decode()).encode())

    told, rows, _ = read(file.getvalue())

    assert list(rows) == [2, 3, 4]
    hidden, merged = told.notes[1:]
    assert hidden == "1 row is hidden, the first in line 4, and read like the others."
    assert merged.startswith("Cells are merged over rows, the first in line 2: only that row has their value")
    assert read(seen)[0].notes[1:] == []
    assert [note.partition(",")[0] for note in read(filtered)[0].notes[1:]] == [
        "2 rows are hidden",
        "Cells are merged over rows",
    ]


def _filtered(xml):
    """Hide two rows, and merge the first cell with those below it."""
    first, row, rest = xml.partition("<table:table-row")
    head, cells = (row + rest).split("</table:table-row>", 1)
    cells = cells.replace("<table:table-cell", '<table:table-cell table:number-rows-spanned="3"', 1)
    cells = cells.replace("<table:table-row", '<table:table-row table:visibility="filter"', 2)
    return f"{first}{head}</table:table-row>{cells}"
