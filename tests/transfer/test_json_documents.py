"""JSON: lists of objects, objects with one list in them, and what objects inside records become."""

import io
import json
import tracemalloc

import pytest

from tests.fixtures.readings import as_it_is, map_of
from tradebook.transfer.files.formats import format_of
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.rows import FileOptions, Problem, Row


def read(content, file_format="json", mapping=None):
    """Return what was recognised, the rows' values in their order with their lines, and the problems."""
    reader = read_file(io.BytesIO(content.encode()), file_format, mapping)
    items = list(reader)
    rows = [(item.line, item.values) for item in items if isinstance(item, Row) and not item.problems]
    problems = [p for item in items for p in ([item] if isinstance(item, Problem) else item.problems)]
    return reader.recognised, rows, [str(problem) for problem in problems]


A, B = {"number": "1", "name": "A"}, {"number": "2", "name": "B"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_of_a_row_is_where_its_object_begins(end):
    text = end.join(
        ["[", ' {"number": 1,', '  "name": "A"}', " ,", "", ' {"number": 2}, {"number": 3}', "]", ""]
    )

    _, rows, problems = read(text)

    assert rows == [(2, A), (6, {"number": "2"}), (6, {"number": "3"})]
    assert problems == []


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"customers": [A, B]}, "customers"),
        ({"count": 2, "tags": ["x"], "customers": [A, B], "page": {"next": None, "seen": [1]}}, "customers"),
        ({"data": {"total": 2, "customers": {"nodes": [A, B]}}}, "data.customers.nodes"),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_an_object_with_one_list_of_objects_is_read_as_that_list_and_told(document, path, indent):
    told, rows, problems = read(json.dumps(document, indent=indent))

    assert [values for _, values in rows] == [A, B]
    assert told.notes == [f"The records are the list {path} of the file."]
    assert problems == []


def test_an_object_with_two_lists_of_objects_is_refused_by_their_names():
    assert "several lists of objects, a and b.c" in read('{"a": [{}], "b": {"c": [{}]}}')[2][0]


def test_an_object_of_our_own_columns_is_one_record():
    _, rows, _ = read('{\n"number": "1", "addresses": [{"country": "FR"}, {"country": "DE"}]}')

    assert rows == [(1, {"number": "1", "addresses": [{"country": "FR"}, {"country": "DE"}]})]


def test_objects_that_follow_one_another_are_read_whatever_the_ending_says():
    lines = json.dumps(A) + "\n" + json.dumps(B) + "\n"
    spread = json.dumps(A, indent=1) + "\n" + json.dumps(B, indent=1) + "\n"

    for text in (lines, spread):
        assert [values for _, values in read(text)[1]] == [A, B]
    assert [values for _, values in read(json.dumps([A, B]), "ndjson")[1]] == [A, B]
    told, rows, _ = read(json.dumps([A, B]), "csv")
    assert [values for _, values in rows] == [A, B]
    assert told.notes == ["The file is JSON, and was read as such."]


def test_what_is_wrong_with_one_object_leaves_the_others():
    text = (
        '[{"number": "1"},\n{"number": "2", "number": "3"},\n{"number": NaN},\n{"number": "4" "name": {"}": "]"}},\n'
        '7,\n{"number": "5"},\n' + "[" * 200 + "]" * 200 + ',\n{"number": "6"}]'
    )

    _, rows, problems = read(text)

    assert [line for line, _ in rows] == [1, 6, 8]
    assert [problem.split(":")[0] for problem in problems] == [
        "line 2",
        "line 3",
        "line 4",
        "line 5",
        "line 7",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"number": "1"},\n{"number": "2"', "line 2: The file ends in the middle of a list."),
        ('[{"number": "1"},\n', "The file ends in the middle of a list."),
        ('[{"number": "1"}\n{"number": "2"}]', "line 2: There is no comma between two values of a list."),
        ('[{"number": "1"}] x', "Something follows the list"),
        ("7", "The file is no list of JSON objects."),
        ('{"a": }', "The file is not JSON"),
        ("[]", "The file is empty."),
        ("", "The file is empty."),
        ('{"customers": []}', "The file is empty."),
    ],
)
def test_what_is_wrong_with_a_whole_document_is_told(text, told):
    assert told in read(text)[2][-1]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_document_may_have_any_encoding(encoding):
    content = '[{"name": "Zoë"}]'.encode(encoding)
    for option in (None, "utf-16-le" if encoding == "utf-16" else encoding):
        reader = read_file(io.BytesIO(content), "json", None, FileOptions(encoding=option))

        assert [row.values for row in reader] == [{"name": "Zoë"}]


def test_a_large_document_takes_no_more_memory_than_a_small_one():
    text = (
        b'{"customers": [\n'
        + b",\n".join([b'{"number": "1", "note": "' + b"x" * 500 + b'"}'] * 20_000)
        + b"]}"
    )
    file = io.BytesIO(text)

    tracemalloc.start()
    count = sum(1 for _ in read_file(file, "json", None))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 20_000
    assert peak < 4_000_000 < len(text) / 2


def test_objects_of_our_own_are_made_flat():
    _, rows, problems = read(
        '{"bill_to": {"country": "FR"}, "address": {"country": "DE"}, "external_ids": {"shopify": 72, "a.b": "x"}, '
        '"addresses": [{"name": "N"}], "price_groups": ["g"]}',
        "ndjson",
    )

    assert rows[0][1] == {
        "bill_to.country": "FR", "address.country": "DE", "external_ids.shopify": "72", "external_ids.a.b": "x",
        "addresses": [{"name": "N"}], "price_groups": ["g"],
    }  # fmt: skip
    assert problems == []


def test_what_is_wrong_inside_an_object_leaves_its_other_columns():
    reader = read_file(
        io.BytesIO(
            b'{"number": "1", "name": {"a": 1}, "bill_to": {"country": {}, "nmae": "x", "name": "N"}, "x": []}'
        ),
        "ndjson",
        None,
    )
    (row,) = reader

    assert row.values == {"number": "1", "bill_to.name": "N"}
    assert [str(problem).split(". `")[0] for problem in row.problems] == [
        "line 1, name: can't be an object",
        "line 1, bill_to.country: can't be an object",
        "line 1, x: There is no such column",
        "line 1, bill_to.nmae: There is no such column. Did you mean bill_to.name?",
    ]


def test_many_unknown_keys_are_one_problem_and_a_long_one_is_cut():
    record = {f"k{number}": 1 for number in range(200)} | {"number": "1"}

    (many,) = read_file(io.BytesIO(json.dumps(record).encode()), "ndjson", None)
    (long,) = read_file(io.BytesIO(json.dumps({"x" * 9_000: 1, "number": "1"}).encode()), "ndjson", None)

    assert (len(many.problems), many.values) == (1, {"number": "1"})
    assert len(str(long.problems[0])) < 400


def test_a_map_gets_a_record_as_it_is():
    _, rows, _ = read('{"a": {"b": [1]}, "a.b": "flat", "c": null}', "ndjson", as_it_is())

    assert rows == [(1, {"a": {"b": ["1"]}, "a.b": "flat", "c": None})]


def test_what_a_map_has_not_taken_of_json_is_told():
    mapping = map_of('[columns]\nnumber = "id"\nname = "firm"\nemail = "mail"\n')

    told, rows, _ = read('{"id": 1, "firm": "A", "x": {"y": 1}}\n{"id": 2, "z": [1]}\n', "ndjson", mapping)

    assert len(rows) == 2
    assert told.left_out == ["x.y", "z"]
    assert told.notes == ["No row has mail."]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.csv", "csv"), ("A.TSV", "csv"), ("a.txt", "csv"), ("a.b.ndjson", "ndjson"), ("a.jsonl", "ndjson"),
        ("a.json", "json"), ("a.csv.gz", "csv"), ("a.xlsx", "workbook"), ("a.xlsm", "workbook"), ("a.ods", "workbook"),
        ("a.XLS", "workbook"), ("a.json.GZ", "json"), ("a.gz", None), ("a", None), ("a.pdf", None), ("-", None),
    ],
)  # fmt: skip
def test_a_name_tells_a_format(name, found):
    assert format_of(name) == found
