"""Any file, taken apart: what kind it is told to be, what its rows hold, and where what is wrong stands."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebook.transfer.files import tables
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.rows import Problem, Row

PLAIN = "number,name\n1,Zoë\n2,Łódź Śródmieście\n"
WESTERN = "number,name\n1,Zoë\n2,Café “Ünter”\n"


def read(content: bytes, file_format="csv", mapping=None):
    """Return what was recognised, the rows' values by line, and the problems as they are told."""
    reader = read_file(io.BytesIO(content), file_format, mapping)
    items = list(reader)
    rows = {item.line: item.values for item in items if isinstance(item, Row) and not item.problems}
    problems = [p for item in items for p in ([item] if isinstance(item, Problem) else item.problems)]
    return reader.recognised, rows, [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (PLAIN.encode(), "UTF-8"),
        (PLAIN.encode("utf-8-sig"), "UTF-8 with a byte order mark"),
        (PLAIN.encode("utf-16"), "UTF-16"),
        ("\ufeff".encode("utf-16-be") + PLAIN.encode("utf-16-be"), "UTF-16"),
        (PLAIN.encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (PLAIN.encode("utf-16-be"), "UTF-16 without a byte order mark"),
    ],
    ids=["utf-8", "utf-8-bom", "utf-16-le-bom", "utf-16-be-bom", "utf-16-le", "utf-16-be"],
)
def test_encodings_are_recognised_and_told(content, told):
    recognised, rows, problems = read(content)

    assert recognised.encoding == told
    assert rows == {2: {"number": "1", "name": "Zoë"}, 3: {"number": "2", "name": "Łódź Śródmieście"}}
    assert problems == []


def test_windows_1252_is_recognised_and_told():
    recognised, rows, problems = read(WESTERN.encode("cp1252"))

    assert recognised.encoding == "Windows-1252"
    assert rows[3] == {"number": "2", "name": "Café “Ünter”"}
    assert problems == []


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_character_cut_in_two_between_blocks_does_not_make_a_file_windows_1252(monkeypatch, size):
    monkeypatch.setattr("tradebook.transfer.files.encodings.BLOCK_BYTES", size)
    content = ("number,name\n" + "1,ë東😀\n" * 20).encode()
    for shift in range(3):
        recognised, _, problems = read(b" " * shift + content)

        assert recognised.encoding == "UTF-8"
        assert problems == []


@pytest.mark.parametrize(
    ("separator", "told"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_recognised(separator, told, end):
    others = ",;|".replace(separator, "")
    lines = [["number", "name", "note"], ["1", f'"a{others}{separator}b"', others], ["2", "x", ""]]
    content = end.join(separator.join(line) for line in lines)

    recognised, rows, problems = read(content.encode())

    assert recognised.separator == separator
    assert f"Separated by {told}" in recognised.lines()
    assert rows == {
        2: {"number": "1", "name": f"a{others}{separator}b", "note": others},
        3: {"number": "2", "name": "x", "note": ""},
    }
    assert problems == []


def test_single_quotes_are_recognised():
    recognised, rows, _ = read(b"'number','name'\n'1','a, ''b'''\n")

    assert recognised.separator == ","
    assert rows == {2: {"number": "1", "name": "a, 'b'"}}


def test_a_row_over_several_lines_has_the_line_it_begins_at():
    _, rows, _ = read(b'number,note\n1,"a\nb\n"\n\n2,c\n')

    assert {line: row["note"] for line, row in rows.items()} == {2: "a\nb", 6: "c"}


def test_empty_rows_and_columns_without_name_or_cells_are_passed_over():
    _, rows, problems = read(b"number,name,,\n1,A,,\n,,,\n   \n2,B\n")

    assert rows == {2: {"number": "1", "name": "A"}, 5: {"number": "2", "name": "B"}}
    assert problems == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "line 1: The file is empty: its first row must name the columns."),
        (b"number,nmae\n1,A\n", "line 1, nmae: There is no such column. Did you mean name?"),
        (
            b"Id,Name,Mail\n1,A,a\n",
            "line 1: There are no such columns: Id, Name (did you mean name?), Mail (",
        ),
        (b"number,Umsatz\n1,A\n", "`tradebook import draft FILE` drafts a map that says what it becomes."),
        (b"number,,name\n1,2,A\n", "line 1: Column 2 has no name: with a map, such columns are left out."),
        (
            b"name,number,name\nA,1,B\n",
            "line 1, name: Column 3 has the name of column 1: a map says which counts.",
        ),
        (b"number,name\n1,A,B\n", "line 2: The row has 3 cells, the header names 2."),
        (b"number,name\n1\n", "line 2: The row has 1 cells, the header names 2."),
        (
            b'number,name,note\n"1,A,B"\n',
            "the header names 3. Is the whole line in quotes, or has it another",
        ),
        (
            b'"number,name,note"\n"1,A,B"\n',
            "line 1, number,name,note: Is the whole line in quotes, or has it another separator? Save",
        ),
        (
            b'number,name\n1,A\n2,"B\n3,C\n',
            "line 3: The row can't be read: a quote is opened and never closed.",
        ),
        (b'number,name\n1,"A"B\n2,C\n', "a quote inside a cell must be doubled"),
        (b"number,name\n1," + b"x" * 1_000_000 + b"\n2,C\n", "longer than a million characters"),
    ],
    ids=[
        "empty",
        "near",
        "several",
        "foreign",
        "unnamed",
        "twice",
        "more",
        "fewer",
        "quoted",
        "headings-quoted",
        "unclosed",
        "after-quote",
        "long",
    ],
)
def test_what_is_wrong_with_a_csv_file_is_told_with_its_line(content, told):
    _, _, problems = read(content)

    assert len(problems) == 1
    assert told in problems[0]


def test_all_bad_rows_are_told_and_the_good_ones_among_them_read():
    _, rows, problems = read(b'number,name\n1\n2,B\n3,"C"x\n4,D\n5,E,F\n')

    assert list(rows) == [3, 5]
    assert [problem.split(":")[0] for problem in problems] == ["line 2", "line 4", "line 6"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"name": "A", "name": "B"}', "The key name is given twice."),
        (b'{"credit_limit": NaN}', "NaN is not JSON."),
        (b'{"credit_limit": Infinity}', "Infinity is not JSON."),
        (b'{"name": "A"', "The line is not JSON"),
        (b"{'name': 'A'}", "The line is not JSON"),
        (b"[]", "The line is not a JSON object."),
        (b"7", "The line is not a JSON object."),
        (b'{"name": {"first": "A"}}', "line 2, name: can't be an object"),
        (b'{"name": ["A"]}', "line 2, name: can't be a list here"),
        (b'{"price_groups": [true]}', "price_groups takes a list of names"),
        (b'{"bill_to": {"nmae": "A"}}', "Did you mean bill_to.name?"),
        (b'{"bill_to": {"name": "A"}, "bill_to.name": "B"}', "line 2, bill_to.name: is given twice"),
        (b'{"customer_name": "A"}', "There is no such column."),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"name": "' + b"x" * 1_000_000 + b'"}', "longer than a million characters"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value[:24],
)
def test_what_is_wrong_with_a_line_of_ndjson_is_told_and_the_next_is_read(line, told):
    # The file behind it began with a mark before they were joined.
    after = '\ufeff{"name": "after"}\n'.encode()
    _, rows, problems = read(b'{"name": "before"}\n' + line + b"\n\n" + after, "ndjson")

    assert rows == {1: {"name": "before"}, 4: {"name": "after"}}
    assert len(problems) == 1
    assert problems[0].startswith("line 2")
    assert told in problems[0]


def test_nested_addresses_and_dotted_ones_are_the_same():
    _, nested, _ = read(b'{"bill_to": {"name": "A", "country": "FR"}}', "ndjson")
    _, dotted, _ = read(b'{"bill_to.name": "A", "bill_to.country": "FR"}', "ndjson")

    assert nested == dotted == {1: {"bill_to.name": "A", "bill_to.country": "FR"}}


def test_an_object_that_is_null_says_nothing():
    line = '{"number": "1", "bill_to": null, "ship_to": {"country": "IE"}, "external_ids": null}\n'

    assert read(line.encode(), "ndjson")[1:] == ({1: {"number": "1", "ship_to.country": "IE"}}, [])


def test_numbers_of_ndjson_stay_as_they_are_written():
    _, rows, _ = read(b'{"number": 007e1}\n{"credit_limit": 21000.00, "number": 103}\n', "ndjson")

    assert rows == {2: {"credit_limit": "21000.00", "number": "103"}}


def test_an_empty_ndjson_file_is_a_problem():
    assert read(b"\n \n", "ndjson")[2] == ["line 1: The file is empty."]


@pytest.mark.parametrize("file_format", ["csv", "ndjson"])
@given(
    content=st.binary(max_size=300)
    | st.text(max_size=100).map(lambda t: ("number,name\n" + t).encode("utf-16"))
)
def test_no_bytes_are_a_crash(file_format, content):
    """Whatever comes, every item is a row or a problem, in the order of the lines."""
    reader = read_file(io.BytesIO(content), file_format, None)

    for item in reader:
        assert isinstance(item, Row | Problem)
        assert item.line >= 1


class Trickle(io.RawIOBase):
    """A pipe: it gives one byte at a time and can't be rewound."""

    def __init__(self, content: bytes) -> None:
        self._rest = io.BytesIO(content)

    def readable(self):
        return True

    def read(self, size=-1):
        return self._rest.read(min(size, 1) if size >= 0 else 1)


def test_a_pipe_that_trickles_reads_as_the_file_does():
    content = PLAIN.encode("utf-8-sig")

    assert list(read_file(Trickle(content), "csv", None)) == list(read_file(io.BytesIO(content), "csv", None))


def test_the_check_of_lines_notices_a_reader_that_loses_them(monkeypatch):
    """The planted fault: rows that the reader passes over without a word."""
    made = tables.Table._csv_row
    monkeypatch.setattr(
        tables.Table, "_csv_row", lambda self, line, *rest: made(self, line, *rest) if line % 2 else None
    )

    with pytest.raises(AssertionError):
        test_encodings_are_recognised_and_told(PLAIN.encode(), "UTF-8")
