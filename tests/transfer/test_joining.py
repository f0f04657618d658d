"""Rows that follow one another with one match value, and bring an address each, are one customer."""

from tradebook.transfer.imports import joining
from tradebook.transfer.imports.joining import Joined, join
from tradebook.transfer.rows import Match, Problem, Row

HEAD = {"number": "1", "name": "Alder", "email": "A@x.example", "address.locality": "Leeds"}


def joined(*records: dict | Row | Problem, by: tuple[str, ...] = ("number",)) -> list[list[int]]:
    """Join rows, and return the lines of each customer; a problem is an empty list."""
    rows = [Row(line, each) if isinstance(each, dict) else each for line, each in enumerate(records, 1)]
    return [
        [each.row.line, *(row.line for row in each.further)] if isinstance(each, Joined) else []
        for each in join(rows, Match(by))
    ]


def test_further_rows_repeat_the_first_or_leave_it_out():
    same = {**HEAD, "address.locality": "York"}
    less = {"number": "1", "name": "", "email": None, "address.locality": "Hull"}

    assert joined(HEAD, same, less, {**HEAD, "number": "2"}, HEAD) == [[1, 2, 3], [4], [5]]


def test_a_row_that_brings_nothing_is_a_further_row_too():
    again = {"number": "1", "name": "Alder", "email": "A@x.example", "address.locality": ""}

    assert joined(HEAD, HEAD, again, {"number": "1"}) == [[1, 2, 3, 4]]


def test_a_row_that_says_something_else_is_no_further_row():
    for other in (
        {"name": "Birch"},
        {"phone": "5"},
        {"number": ""},
        {"number": "01"},
    ):
        assert joined(HEAD, {**HEAD, **other}) == [[1], [2]], other


def test_the_two_addresses_of_a_customer_may_stand_in_two_rows():
    rows = [
        {"email": "a@x.example", "name": "Alder", "bill_to.locality": "Leeds", "ship_to.locality": ""},
        {"email": "a@x.example", "name": "", "bill_to.locality": "", "ship_to.locality": "York"},
        {"email": "a@x.example", "name": "", "bill_to.locality": "Hull", "ship_to.locality": ""},
    ]

    first, second = join([Row(line, row) for line, row in enumerate(rows, 1)], Match(("email",)))

    assert isinstance(first, Joined)
    assert first.row.values == {**rows[0], "ship_to.locality": "York"}
    assert [row.line for row in first.further] == [2]
    assert isinstance(second, Joined)
    assert second.row.line == 3


def test_the_match_value_is_compared_as_customers_are_found():
    rows = (HEAD, {"email": "a@X.example", "address.locality": "York"})

    assert joined(*rows, by=("email",)) == [[1, 2]]
    assert joined(*rows, by=("phone", "email")) == [[1, 2]]
    assert joined(*rows) == [[1], [2]]
    assert joined({**HEAD, "number": "A"}, {"number": "a", "address.locality": "York"}) == [[1], [2]]


def test_a_problem_or_a_row_that_is_left_out_stands_between():
    further = {**HEAD, "address.locality": "York"}

    assert joined(HEAD, Problem(2, None, None, "x"), further) == [[1], [], [3]]
    assert joined(HEAD, Row(2, {}, skipped=0), further) == [[1], [2], [3]]


def test_a_further_row_keeps_what_it_brings_and_what_is_wrong_with_it():
    wrong = Problem(2, "phone", "x", "is wrong")
    lists = [{"country": "GB"}]
    row = Row(2, {"number": "1", "addresses": lists, "name": ""}, [wrong], raw=["1"], refused=["phone"])

    (found,) = join([Row(1, HEAD), row], Match())

    assert isinstance(found, Joined)
    assert found.further == [Row(2, {"addresses": lists}, [wrong], raw=["1"], refused=["phone"])]


def test_so_many_are_joined_and_no_more(monkeypatch):
    monkeypatch.setattr(joining, "FURTHER_MAX", 2)

    assert joined(*[HEAD] * 5) == [[1, 2, 3], [4, 5]]
