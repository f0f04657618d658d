"""A file of rejects: what it repeats of the file it came from, and how it comes in again."""

import datetime as dt
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.readings import as_it_is, map_of
from tests.fixtures.workbooks import xlsx
from tradebook.transfer.files.rejects import rejects_writer
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.imports.records import check_row
from tradebook.transfer.rows import FileOptions, Problem, Row

OPTIONS = FileOptions()


def rejected(content, file_format="csv", mapping=None, options=OPTIONS):
    """Read a file and reject every row; return what is written."""
    reader = read_file(io.BytesIO(content), file_format, mapping, options)
    file = io.BytesIO()
    with rejects_writer(reader, file) as rejects:
        for row in list(reader):
            assert isinstance(row, Row), str(row)
            rejects.add(row.raw, row.problems or [Problem(row.line, "name", "x", "is wrong")])
    return file.getvalue()


def rows_of(content, file_format="csv", mapping=None, options=OPTIONS):
    reader = read_file(io.BytesIO(content), file_format, mapping, options)
    items = list(reader)
    return reader.recognised, [item.values for item in items if not item.problems], items


@pytest.mark.parametrize(
    ("content", "options", "written"),
    [
        (b"number,name\n1, A \n", OPTIONS, b"number,name,problem\n1, A ,name: 'x' is wrong\n"),
        (b"sep=;\r\nnumber;name\r\n1;A,B\r\n", OPTIONS, b"sep=;\r\nnumber;name;problem\r\n1;A,B;name: 'x' is wrong\r\n"),
        (
            b'"List"\n\n"number","name"\n"1","A ""B"""\n',
            OPTIONS,
            b'"List"\n\n"number","name","problem"\n"1","A ""B""","name: \'x\' is wrong"\n',
        ),
        (b"'number'|'name'\n'1'|'A|B'\n", OPTIONS, b"'number'|'name'|'problem'\n'1'|'A|B'|'name: ''x'' is wrong'\n"),
        (b"number;name\n1;M\xfcller\n", FileOptions(encoding="cp1250"), b"number;name;problem\n1;M\xfcller;name: 'x' is wrong\n"),
        (b"\xef\xbb\xbfnumber;name\n1;'=A\n", OPTIONS, b"\xef\xbb\xbfnumber;name;problem\n1;'=A;name: 'x' is wrong\n"),
        ("number;name\n1;Łódź\n".encode("utf-16"), OPTIONS, "number;name;problem\n1;Łódź;name: 'x' is wrong\n".encode("utf-16")),
    ],
    ids=["plain", "sep", "preamble", "single quotes", "code page", "mark", "utf-16"],
)  # fmt: skip
def test_everything_about_a_file_is_repeated(content, options, written):
    assert rejected(content, options=options) == written


@pytest.mark.parametrize("file_format", ["csv", "ndjson"])
def test_the_mended_file_comes_in_as_the_file_would(file_format):
    """Unmended here; and what stands in the column `problem` is left out and told."""
    texts = {
        "csv": 'List\n\nnumber;name;note\n1;Zoë;"a\n;b"\n2;\'=x;\n',
        "ndjson": '{"number": 1, "name": "Zoë", "credit_limit": 12.50}\n{"name": "B"}\n{}\n',
    }
    content = texts[file_format].encode()
    before = rows_of(content, file_format)[1]

    once = rejected(content, file_format)
    twice = rejected(once, file_format)
    told, after, _ = rows_of(once, file_format)

    assert after == before
    assert told.left_out == ["problem, which a file of rejects has"]
    assert twice == once


def test_the_map_that_took_the_file_takes_its_rejects():
    mapping = map_of('[columns]\nnumber = "No"\nname = "Firm"\n')
    content = b"Printed 2024\n\nNo;Firm;Town;\n1;A;x;\n2;B;y;\n"

    told, rows, _ = rows_of(rejected(content, mapping=mapping), mapping=mapping)

    assert rows == [{"number": "1", "name": "A"}, {"number": "2", "name": "B"}]
    assert "problem, which a file of rejects has" in told.left_out
    content = b'{"No": "1", "Firm": "A"}\n'
    told, _, _ = rows_of(rejected(content, "ndjson", mapping=mapping), "ndjson", mapping=mapping)
    assert told.left_out == ["problem, which a file of rejects has"]


def test_a_column_called_problem_that_a_map_takes_is_taken():
    mapping = map_of('[columns]\nnumber = "No"\nname = "problem"\n')

    assert rows_of(b"No,problem\n1,A\n", mapping=mapping)[1] == [{"number": "1", "name": "A"}]


@pytest.mark.parametrize("heading", ["number,name", "name"])
def test_what_could_not_be_taken_apart_stays_a_problem_until_it_is_mended(heading):
    content = f'{heading}\n1,"A\nB,C,D,E\n"x"y\n\n'.encode()

    first = rows_of(content)
    again = rows_of(rejected(content))

    assert first[1] == again[1] == []
    assert len(first[2]) == len(again[2]) == 3


def test_bytes_that_are_no_text_are_written_as_they_were_and_stay_a_problem():
    content = "number,name\n1,é\n".encode() + b"2,\xe9\n"
    bad_alone = content.splitlines(keepends=True)[0] + b"2,\xe9\n"

    written = rejected(content)

    assert b"\n2,\xe9,\"name: '\\xe9' has the byte E9" in written
    # Only the mark says that it is UTF-8, once the other row is in.
    left = written.replace("1,é,name: 'x' is wrong\n".encode(), b"")
    assert rows_of(left)[2][0].problems[0].value == "\\xe9"
    assert rows_of(bad_alone)[0].encoding == "Windows-1252"


def test_a_problem_in_letters_that_the_encoding_lacks_is_told_all_the_same():
    reader = read_file(io.BytesIO(b"number\n1\n"), "csv", None, FileOptions(encoding="ascii"))
    rows, file = list(reader), io.BytesIO()

    with rejects_writer(reader, file) as rejects:
        rejects.add(rows[0].raw, [Problem(2, "number", "é", "=is wrong")])

    assert file.getvalue() == b"number,problem\n1,number: '?' =is wrong\n"


def test_a_problem_does_not_run_in_a_spreadsheet():
    reader = read_file(io.BytesIO(b"number\n1\n"), "csv", as_it_is())
    rows, file = list(reader), io.BytesIO()

    with rejects_writer(reader, file) as rejects:
        rejects.add(rows[0].raw, [Problem(2, None, None, "is wrong", "=cmd()")])

    assert file.getvalue().endswith(b"1,'=cmd(): is wrong\n")


def test_json_becomes_ndjson_with_its_numbers_as_they_were():
    content = (
        b'[\n {"number": 1.50,\r\n  "name": "A", "bill_to": {"country": "FR"}},\n {"name": "B" "C"},\n 7]'
    )

    written = rejected(content, "json")

    lines = written.decode().splitlines()
    assert (
        lines[0]
        == '{"number": 1.50, "name": "A", "bill_to": {"country": "FR"}, "problem": "name: \'x\' is wrong"}'
    )
    assert lines[1:] == ['{"name": "B" "C"}', "7"]
    assert json.loads(lines[0])["problem"] == "name: 'x' is wrong"


@pytest.mark.parametrize(("separator", "sign"), [(None, ","), (";", ";"), ("\\t", "\t")])
def test_a_workbook_becomes_csv_in_utf_8_that_its_map_takes(separator, sign):
    book = xlsx([["List"], [], ["number", "name"], [417, "Müller"]], formats={"A4": "00000"})
    options = FileOptions(separator=separator, header=3, sheet="Sheet", encoding="cp1252")

    written = rejected(book, "workbook", options=options)

    assert written.decode("utf-8-sig").splitlines()[2:] == [
        sign.join(["number", "name", "problem"]),
        sign.join(["00417", "Müller", "name: 'x' is wrong"]),
    ]
    assert rows_of(written, "csv", None, options)[1] == [{"number": "00417", "name": "Müller"}]


def test_rows_of_a_code_page_that_was_guessed_are_the_same_when_they_come_in():
    names = "Čapek Plzeň Řehoř Žižka Dvořák České Děčín Černý Kovář Třebíč Budějovice Králové".split()
    content = "number,name\n" + "".join(f"{place},{name}\n" for place, name in enumerate(names))
    reader = read_file(io.BytesIO(content.encode("cp1250")), "csv", None)
    file = io.BytesIO()
    with rejects_writer(reader, file) as rejects:
        (row,) = [row for row in reader if isinstance(row, Row) and row.values["name"] == "Dvořák"]
        rejects.add(row.raw, [Problem(row.line, "name", "x", "is wrong")])

    assert reader.recognised.encoding == "Windows-1250"
    assert rows_of(file.getvalue())[1] == [{"number": "4", "name": "Dvořák"}]


@pytest.mark.parametrize(
    "date",
    ["", ', zone = "Europe/Paris"', ', date = ["%d.%m.%Y", "%d.%m.%Y %H:%M"], zone = "Europe/Paris"'],
)
def test_a_time_of_a_workbook_is_the_same_in_the_file_of_rejects(date):
    book = xlsx([["number", "created_at"], ["1", dt.datetime(2024, 5, 1, 13, 30)]])
    column_map = map_of(f'[columns]\nnumber = "number"\ncreated_at = {{ from = "created_at"{date} }}\n')
    for mapping in (None, column_map):
        want = rows_of(book, "workbook", mapping)[1]

        found = rows_of(rejected(book, "workbook", mapping), "csv", mapping)[1]

        assert [check_row(Row(1, row)).own for row in found] == [check_row(Row(1, row)).own for row in want]
        assert check_row(Row(1, found[0])).problems == []


def test_what_a_workbook_has_as_a_number_or_a_date_is_written_as_its_map_reads_text():
    column_map = map_of(
        '[file]\ndecimal = ","\n[columns]\nnumber = "No"\ncredit_limit = "Limit"\n'
        'created_at = { from = "Since", date = "%d.%m.%Y" }\n'
    )
    book = xlsx(
        [["No", "Limit", "Since"], ["1", 12.125, dt.date(2024, 5, 1)], ["2", -1250.5, dt.date(2019, 11, 3)]]
    )
    want = rows_of(book, "workbook", column_map)[1]

    written = rejected(book, "workbook", column_map)

    assert written.decode("utf-8-sig").splitlines()[1].startswith('1,"12,125",01.05.2024,')
    assert rows_of(written, "csv", column_map)[1] == want


def test_a_time_that_no_format_of_the_map_can_hold_is_refused_when_it_comes_in():
    column_map = map_of('[columns]\nnumber = "No"\ncreated_at = { from = "Since", date = "%d.%m.%Y" }\n')
    book = xlsx([["No", "Since"], ["1", dt.datetime(2024, 5, 1, 13, 30)]])

    (row,) = rows_of(rejected(book, "workbook", column_map), "csv", column_map)[2]

    assert "2024-05-01T13:30:00" in row.problems[0].value


def test_a_row_with_too_few_cells_can_be_mended_in_a_text_editor_and_in_a_spreadsheet():
    content = b"number,name,note\n1,A\n2,B,x,y\n3,C,z,\n"

    once = rejected(content)
    lines = once.decode().splitlines()

    assert lines[1].startswith('1,A,,,"The row has 2 cells')
    assert lines[2].startswith('2,B,x,y,"The row has 4 cells')
    assert lines[3] == "3,C,z,name: 'x' is wrong"
    assert rejected(once).decode().splitlines()[1].startswith('1,A,,,"The row has ')
    mended = "\n".join([lines[0], "1,A,n", "2,B,x,", lines[3]]) + "\n"
    assert [row["note"] for row in rows_of(mended.encode())[1]] == ["n", "x", "z"]


CELLS = st.lists(st.sampled_from(["", "a", "b c", '"q"', "'=", "\xe9"]), min_size=1, max_size=6).map(",".join)


@given(columns=st.integers(1, 4), end=st.sampled_from(["", ","]), rows=st.lists(CELLS, max_size=4))
def test_rejects_that_nobody_has_mended_say_what_the_file_said(columns, end, rows):
    """Also those of rejects: what was wrong is wrong again, and what was right is the same."""
    heading = ",".join(["number", "name", "note", "email"][:columns]) + end
    content = "\n".join([heading, *rows, ""]).encode("cp1252")
    options = FileOptions(encoding="cp1252")

    def says(file):
        return [(bool(row.problems), row.values) for row in rows_of(file, options=options)[2]]

    once = rejected(content, options=options)

    assert says(once) == says(content)
    assert says(rejected(once, options=options)) == says(content)
