"""The shape of a CSV file: its separator, the lines before its headings, its headings, and its quotes."""

import io

import pytest

from tests.fixtures.readings import as_it_is, map_of
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.rows import FileOptions, Problem, Row, nth_heading


def read(content, mapping=None, **options):
    """Return the reader, the rows' values by line, and what is wrong."""
    data = content if isinstance(content, bytes) else content.encode()
    reader = read_file(io.BytesIO(data), "csv", mapping, FileOptions(**options))
    items = list(reader)
    rows = {item.line: item.values for item in items if isinstance(item, Row) and not item.problems}
    problems = [p for item in items for p in ([item] if isinstance(item, Problem) else item.problems)]
    return reader.recognised, rows, [str(problem) for problem in problems]


@pytest.mark.parametrize("sign", [";", ",", "\t", "|", "^"])
@pytest.mark.parametrize("line", ["sep={}\r\n", '"sep={}"\r\n', "SEP={}\n"])
def test_a_first_line_that_names_the_separator_is_taken_as_that(line, sign):
    told, rows, problems = read(line.format(sign) + f"number{sign}name\n1{sign}A\n2{sign}B{sign}C\n")

    assert (told.separator, told.header) == (sign, 2)
    assert told.notes == ["The first line names the separator."]
    assert rows == {3: {"number": "1", "name": "A"}}
    assert problems == ["line 4: The row has 3 cells, the header names 2."]


@pytest.mark.parametrize(
    ("named", "sign"), [("\t", "\t"), ("\\t", "\t"), ("tab", "\t"), ("~", "~"), (" ", " "), ("§", "§")]
)
def test_a_separator_can_be_named(named, sign):
    told, rows, _ = read(f"number{sign}name\n1{sign}a,b;c\n", separator=named)

    assert told.separator == sign
    assert rows == {2: {"number": "1", "name": "a,b;c"}}


@pytest.mark.parametrize("named", ["", "::", '"', "\n", "x", "7", "\\"])
def test_what_is_no_separator_is_refused(named):
    assert "is none: it is one sign" in read("number,name\n", separator=named)[2][0]


def test_commas_in_cells_do_not_make_the_comma_a_separator():
    told, rows, _ = read("number;name\n1;Smith, John\n2;Doe, Jane\n3;Roe, Richard\n")

    assert told.separator == ";"
    assert rows[3]["name"] == "Doe, Jane"


@pytest.mark.parametrize(
    "before",
    [
        "Customer list\n",
        "Customer list\n\n",
        "Customer list;;;\nPrinted on;2024-05-01;;\n\n",
        '"Two\nlines"\n',
    ],
    ids=["title", "blank", "padded", "two lines"],
)
def test_lines_before_the_headings_are_recognised_and_told(before):
    """By what the headings are, and where they are foreign by their shape."""
    begin = before.count("\n") + 1

    ours, rows, problems = read(before + "number;name;email;phone\n1;A;a@b.c;5\n2;B;;\n")
    foreign, taken, _ = read(before + "No.;Firm;Mail;Tel\n1;A;a@b.c;5\n2;B;;\n", as_it_is())

    assert problems == []
    assert ours.header == foreign.header == begin
    assert any("before the headings" in note for note in ours.notes)
    assert list(rows) == list(taken) == [begin + 1, begin + 2]


def test_data_of_more_cells_than_the_headings_does_not_become_the_headings():
    told, rows, problems = read("number,name\n1,A,x,y,z\n2,B,x,y,z\n")

    assert (told.header, rows) == (1, {})
    assert len(problems) == 2


def test_a_line_of_a_million_signs_is_no_million_problems():
    for text in ("," * 900_000 + "x\n1\n", ",".join(map(str, range(150_000))) + "\n1\n"):
        _, _, problems = read(text)

        assert len(problems) == 1
        assert "The headings are more than 16,384" in problems[0]
    assert read("number,,,name,,x,\n1,2,3,4,5,6\n")[2][0].startswith(
        "line 1: Columns 2, 3 and 5 have no name: "
    )


def test_the_line_of_the_headings_can_be_named():
    text = "a;b\n1;2\nnumber;name\n1;A\n"

    told, rows, _ = read(text, header=3)

    assert (told.header, rows) == (3, {4: {"number": "1", "name": "A"}})
    assert read("sep=;\nnumber;name\n1;A\n", header=1)[1] == {3: {"number": "1", "name": "A"}}
    assert "line 9: The file has no such line" in read(text, header=9)[2][0]
    assert read("a;b\n\nnumber;name\n", header=2)[2] == ["line 2: The line of the headings is empty."]


def test_a_file_without_headings_has_columns_that_are_numbered():
    mapping = map_of('[columns]\nnumber = "1"\nname = "2"\n')

    told, rows, problems = read("7;A;x\n8;B;y\n", mapping, header=0)

    assert rows == {1: {"number": "7", "name": "A"}, 2: {"number": "8", "name": "B"}}
    assert (told.header, told.left_out, problems) == (0, ["3"], [])


def test_a_nameless_column_is_left_out_and_told_by_a_map_and_placed_without_one():
    text = ",number,name,,\n0,1,A,,\n1,2,B,x,\n"

    told, rows, problems = read(text, map_of('[columns]\nnumber = "number"\nname = "name"\n'))

    assert rows == {2: {"number": "1", "name": "A"}, 3: {"number": "2", "name": "B"}}
    assert told.left_out == ["column 1, without a name", "column 4, without a name"]
    assert problems == []
    assert read(text)[2] == ["line 1: Column 1 has no name: with a map, such columns are left out."]


def test_equal_headings_stay_apart_and_are_placed_without_a_map():
    text = "number,Name,name,Name\n1,A,B,C\n"

    _, rows, _ = read(text, as_it_is())

    assert rows[2] == {"number": "1", "Name": "A", "name": "B", nth_heading("Name", 2): "C"}
    assert "line 1, Name: Column 4 has the name of column 2: a map says which counts." in read(text)[2]


def test_a_heading_over_two_lines_is_one():
    assert read('"bill_to.\r\n  name",number\nA,1\n', as_it_is())[1] == {
        3: {"bill_to. name": "A", "number": "1"}
    }


def test_a_quote_that_is_never_closed_spoils_one_row():
    _, rows, problems = read('number,name\n1,A\n2,"B\n3,C\n4,"D"\n5,"E\n')

    assert list(rows) == [2, 4, 5]
    assert [problem.split(":")[0] for problem in problems] == ["line 3", "line 6"]


def test_reading_again_behind_wrong_quotes_ends():
    """Each line opens a quote and closes none: what is read twice is bounded."""
    text = "number,name\n" + '1,"x""\n' * 3_000

    _, rows, problems = read(text)

    assert len(rows) + len(problems) <= 3_000


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_the_file_has_them(ends):
    text = ends.join(["number,note", "1,a", "", '2,"b', 'c"', "3,d", "4"])

    _, rows, problems = read(text)

    assert list(rows) == [2, 4, 6]
    assert problems[0].startswith("line 7")


def test_mixed_line_ends_and_no_last_one():
    assert list(read("number,name\r\n1,A\n2,B\r3,C")[1]) == [2, 3, 4]


def test_nul_bytes_are_a_problem_of_their_cell_alone():
    _, rows, problems = read("number,name\n1,A\0B\n2,C\n" + "3,D\n" * 50)

    assert rows[3] == {"number": "2", "name": "C"}
    assert problems == []
    assert rows[2]["name"] == "A\0B", "the check of the cell refuses it"


def test_the_sign_that_old_programs_end_a_file_with_is_no_row():
    assert read("number,name\r\n1,A\r\n\x1a")[1:] == ({2: {"number": "1", "name": "A"}}, [])


def test_unguard_takes_the_apostrophe_before_any_text():
    text = "number,name\n'00123,'=A\n''4,B\n"

    assert read(text)[1] == {2: {"number": "'00123", "name": "=A"}, 3: {"number": "''4", "name": "B"}}
    assert read(text, unguard=True)[1] == {
        2: {"number": "00123", "name": "=A"},
        3: {"number": "'4", "name": "B"},
    }


def test_unguard_takes_text_out_of_the_formula_that_keeps_its_zeros():
    text = 'number,name\n="00123",A\n"=""00124""","=""a""""b"""\n=1,=""\n'

    assert list(read(text, unguard=True)[1].values()) == [
        {"number": "00123", "name": "A"},
        {"number": "00124", "name": 'a"b'},
        {"number": "=1", "name": ""},
    ]


def test_no_sign_of_a_file_steers_the_terminal():
    told, _, problems = read("number,\x1b]0;title\x07\x1b[31mname,x\u202e\n1,b,c\n")
    _, _, cells = read("number,status\n\x1b[31m\xff,\x9b31m\x07é\n1\n")
    mapped, _, _ = read(
        "number,\x1b[31mx,name\n1,2,\x1b[31mé\n", map_of('[columns]\nnumber = "number"\nname = "name"\n')
    )

    lines = [*problems, *cells, *told.lines(), *mapped.lines()]
    assert all(line.isprintable() for line in lines)
    assert problems[0].startswith(
        "line 1: There are no such columns: \\x1b]0;title\\x07\\x1b[31mname, x\\u202e."
    )
    assert mapped.left_out == ["\\x1b[31mx"]
    assert mapped.samples == ["\\x1b[31mé"]


@pytest.mark.parametrize("content", ["", "\n\n", "sep=;\n", "\ufeff", "number,name\n"])
def test_a_file_with_nothing_in_it(content):
    _, rows, problems = read(content)

    assert rows == {}
    assert (problems == []) == ("number" in content)


def test_a_sheet_that_is_asked_of_a_file_without_sheets_is_told():
    reader = read_file(io.BytesIO(b"number,name\n1,A\n"), "csv", None, FileOptions(sheet="Customers"))

    assert [row.values["number"] for row in reader] == ["1"]
    assert reader.recognised.notes == ["The file has no sheets, so 'Customers' is not asked for."]


def test_headings_that_come_again_are_no_customer():
    """As where files were joined; a map may leave them out."""
    told = "line 3: The row is the headings once more, as where files were joined: take it out."
    content = "number,name\n1,A\n number ,name\n2,B\n"
    skip = map_of('[columns]\nnumber = "number"\nname = "name"\n[[skip]]\ncolumn = "name"\nis = ["name"]\n')

    _, rows, problems = read(content)
    marked = "".join(f"\ufeff{part}" for part in ("number,name\n1,A\n", "number,name\n", "2,B\n"))

    assert (list(rows), problems) == ([2, 4], [told])
    assert read(marked)[1:] == (rows, problems)
    assert read(content, mapping=skip)[2] == []
    assert read("name\nname\n")[2] == []
    by_place = map_of('[file]\nheader = 0\n[columns]\nnumber = "1"\nname = "2"\n')
    assert read("1,2\n", mapping=by_place, header=0)[2] == []
