"""Which customer a row is about: by number, e-mail, phone or the id of another system, or a new one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.fixtures.ledgers import Ledger
from tradebook.resources import customers
from tradebook.resources.customers import recognising
from tradebook.storage.schema import newest_of_each, prepare
from tradebook.transfer.imports import matching, mentions
from tradebook.transfer.imports.matching import Matcher
from tradebook.transfer.imports.records import check_row
from tradebook.transfer.rows import Match, Problem, Row

BOOK = (
    {"number": "00417", "name": "Alder", "email": "Hello@Alder.example", "phone": "0141 555-0100"},
    {"number": "AB1", "name": "Birch", "email": "info@shared.example", "phone": "(030) 123"},
    {"number": "Straße", "name": "Cedar", "email": "INFO@shared.example", "phone": "030/123"},
    {"number": "9", "name": "Dogwood", "email": "d@x.example", "phone": "none"},
    {"number": "12\u200b3", "name": "Elm"},
)
NAMES = [each["name"] for each in BOOK]


class Outcome:
    """What a matcher says of some rows."""

    def __init__(self, ledger: Ledger, rows: list[dict], by: tuple[str, ...], write: str) -> None:
        records = [check_row(Row(line, row)) for line, row in enumerate(rows, 2)]
        with ledger.database.read(ledger.key) as reader:
            matcher = Matcher(reader, Match(by, write))
            # In several batches: what rows have in common does not depend on where these end.
            matched = [
                each
                for start in range(0, len(records), 2)
                for each in matcher.match(records[start : start + 2])
            ]
            late = [each.found for each in matcher.settle()]
            matcher.close()
        self.names = [None if each.known is None else each.known["name"] for each in matched]
        self.by = [each.by for each in matched]
        problems = [each for record in records for each in record.problems]
        problems += [each for each in late if isinstance(each, Problem)]
        self.problems = sorted(problems, key=lambda each: each.line)
        self.told = [str(each) for each in self.problems]
        warnings = [warning for each in matched for warning in each.warnings]
        warnings += [each for each in late if not isinstance(each, Problem)]
        self.warnings = sorted(warnings, key=lambda each: (each.line, each.column))


@pytest.fixture(scope="module")
def book(database_of_ledgers):
    """An account with the customers of BOOK; what is asked changes nothing."""
    ledger = Ledger(database_of_ledgers)
    ledger.take(*BOOK)
    with ledger.database.write(ledger.key) as writer:
        key = customers.records.find_by(writer, "number", ["9"])["9"]["id"]
        customers.external_ids.set_external_ids(writer, {key: {"shopify": "S9", "xero": "X"}})
    return ledger


def asked(book, *rows, by=("number",), write="both") -> Outcome:
    return Outcome(book, list(rows), by, write)


@pytest.mark.parametrize(
    ("row", "by", "name", "decided"),
    [
        ({"number": "ab1"}, ("number",), "Birch", "number"),
        ({"number": "STRASSE"}, ("number",), "Cedar", "number"),
        ({"number": "417"}, ("number",), None, "number"),
        ({"email": "hello@alder.EXAMPLE"}, ("email",), "Alder", "email"),
        ({"email": "hello@alder.example"}, ("number",), None, None),
        ({"phone": "+0141-5550100"}, ("phone",), "Alder", "phone"),
        ({"phone": "none"}, ("phone",), None, None),
        (
            {"external_ids.shopify": "S9"},
            ("external_ids.shopify", "email"),
            "Dogwood",
            "external_ids.shopify",
        ),
        ({"external_ids.shopify": "s9"}, ("external_ids.shopify",), None, "external_ids.shopify"),
        ({"email": "d@x.example"}, ("number", "phone", "email"), "Dogwood", "email"),
        ({"number": "new", "email": "d@x.example"}, ("number", "email"), None, "number"),
        ({"name": "Only"}, ("number", "email"), None, None),
    ],
)
def test_the_first_column_that_a_row_has_decides(book, row, by, name, decided):
    outcome = asked(book, row, by=by)

    assert (outcome.names, outcome.by, outcome.told) == ([name], [decided], [])


def test_a_value_of_several_customers_is_a_problem(book):
    outcome = asked(book, {"email": "info@shared.example"}, {"phone": "030 123"}, by=("email", "phone"))

    assert [(each.line, each.column) for each in outcome.problems] == [(2, "email"), (3, "phone")]
    assert "several customers, such as AB1 (Birch), Straße (Cedar)" in outcome.told[0]
    assert outcome.warnings == []


@pytest.mark.parametrize(
    ("rows", "by", "told"),
    [
        (
            [{"number": "n"}, {"number": "N"}],
            ("number",),
            "line 3, number: 'N' is the number of line 2 already",
        ),
        (
            [{"email": "n@x"}, {"email": "N@x"}],
            ("email",),
            "line 3, email: 'N@x' is the e-mail of line 2 already",
        ),
        (
            [{"phone": "1-2"}, {"phone": "12"}],
            ("phone",),
            "line 3, phone: '12' is the phone of line 2 already",
        ),
        (
            [{"external_ids.s": "1", "number": "a"}, {"external_ids.s": "1", "number": "b"}],
            ("number",),
            "line 3, external_ids.s: '1' is the s id of line 2 already",
        ),
        (
            [{"number": "a", "email": "n@x"}, {"email": "n@x"}],
            ("number", "email"),
            "line 3, email: 'n@x' is the e-mail of line 2 already",
        ),
        (
            [{"number": "9"}, {"email": "d@x.example"}],
            ("number", "email"),
            "line 3, email: is about customer 9, and so is line 2",
        ),
        (
            [{"number": "5", "email": "d@x.example"}, {"number": "5", "email": "hello@alder.example"}],
            ("email",),
            "line 3, number: '5' is the number of line 2 already",
        ),
    ],
)
def test_two_rows_about_one_customer_are_a_problem_by_line(book, rows, by, told):
    outcome = asked(book, *rows, by=by)

    assert outcome.told == [told]


def test_the_number_of_a_customer_that_is_known_by_its_email_may_be_new_but_not_anothers(book):
    free = asked(book, {"number": "77", "email": "d@x.example"}, by=("email",))
    taken = asked(book, {"number": "ab1", "email": "d@x.example"}, {"number": "AB1"}, by=("email",))

    assert (free.names, free.told) == (["Dogwood"], [])
    assert taken.told[0] == "line 2, number: 'ab1' is the number of customer AB1 (Birch)"
    assert taken.told[1] == "line 3, number: 'AB1' is the number of customer AB1 (Birch)"


def test_an_id_that_another_customer_has_is_a_problem(book):
    outcome = asked(
        book, {"number": "AB1", "external_ids.xero": "X"}, {"number": "9", "external_ids.xero": "X"}
    )

    assert outcome.told[0] == "line 2, external_ids.xero: 'X' is the xero id of customer 9 (Dogwood)"


@pytest.mark.parametrize(
    ("row", "write", "told"),
    [
        (
            {"number": "9"},
            "create",
            "'9' is the number of customer 9 (Dogwood) already, and this import only makes new",
        ),
        (
            {"number": "417"},
            "update",
            "'417' is the number of no customer, and .* makes no new ones. Did you mean 00417 (Alder)?",
        ),
        (
            {"number": "x", "email": "d@x.example"},
            "update",
            "'x' is the number of no customer, and this import makes no new ones. Did you mean 9 (Dogwood)?",
        ),
        (
            {"name": "A"},
            "update",
            "number: is missing: this import only changes customers that are there, found by number",
        ),
    ],
)
def test_an_import_may_only_make_or_only_change_customers(book, row, write, told):
    outcome = asked(book, row, write=write)

    assert len(outcome.told) == 1
    assert re.search(told.replace("(", r"\(").replace(")", r"\)"), outcome.told[0])


@pytest.mark.parametrize(
    ("number", "customer", "difference"),
    [
        ("417", "00417", "leading zeros"),
        ("0417.0", "00417", "a .0 at the end and leading zeros"),
        ("００４１７", "00417", "full-width characters"),
        ("004\u00ad17", "00417", "characters that nobody sees"),
        ("004\u00a017", "00417", "characters that nobody sees"),
        ("123", "12\u200b3", "characters that nobody sees"),
        ("0ab1", "AB1", "leading zeros"),
    ],
)
def test_a_new_number_that_only_looks_different_needs_a_yes(book, number, customer, difference):
    (warning,) = asked(book, {"number": number, "name": "New"}).warnings

    assert (warning.line, warning.column, warning.value, warning.needs_yes) == (2, "number", number, True)
    assert warning.customer.number == customer
    assert warning.customer.id.startswith("ac_")
    assert f"differs by {difference}:" in warning.reason


def test_of_numbers_in_the_book_nothing_is_told(book):
    assert asked(book, *({"number": each["number"]} for each in BOOK)).warnings == []


def test_numbers_of_one_file_that_look_alike_need_a_yes(book):
    rows = ({"number": "0088"}, {"number": "5"}, {"number": "88.0"}, {"number": "88"}, {"number": "050"})

    outcome = asked(book, *rows)
    of_the_book = asked(book, {"number": "417"}, {"number": "417.0"})

    assert [(each.line, each.customer.number) for each in of_the_book.warnings] == [
        (2, "00417"),
        (3, "00417"),
    ]
    assert [(each.line, each.value, each.customer.number, each.needs_yes) for each in outcome.warnings] == [
        (4, "88.0", "0088", True),
        (5, "88", "0088", True),
    ]
    assert outcome.told == []


def test_an_email_of_another_customer_needs_a_yes_where_the_number_is_new(book):
    rows = (
        {"number": "n", "email": "D@x.example"},
        {"email": "d@x.example"},
        {"number": "AB1", "email": "d@x.example"},
    )

    warnings = asked(book, *rows).warnings

    assert [(each.line, each.customer.number) for each in warnings if each.needs_yes] == [(2, "9"), (3, "9")]
    assert [each.line for each in warnings if not each.needs_yes] == [3]


def test_two_new_rows_with_one_email_are_told_and_go_on(book):
    outcome = asked(book, {"number": "n", "email": "n@x"}, {"number": "m", "email": "N@x"})

    (warning,) = outcome.warnings
    assert (warning.line, warning.column, warning.needs_yes) == (3, "email", False)
    assert "line 2" in warning.reason
    assert outcome.told == []


def test_a_number_that_changes_into_one_like_it_needs_a_yes(book):
    (warning,) = asked(book, {"number": "417", "email": "hello@alder.example"}, by=("email",)).warnings

    assert "would change the customer's number" in warning.reason


FOLDS = {
    "number": str.casefold,
    "email": str.casefold,
    "phone": lambda text: "".join(filter(str.isdigit, text)),
}
VALUES = {
    "number": ["9", "ab1", "AB1", "00417", "417", "n1", "N1", "STRASSE"],
    "email": ["d@x.example", "D@X.example", "info@shared.example", "hello@alder.example", "new@x.example"],
    "phone": ["030 123", "0141-5550100", "01415550100", "none", "77", "7 7"],
}
ROWS = some.lists(
    some.fixed_dictionaries(
        {}, optional={name: some.sampled_from(listed) for name, listed in VALUES.items()}
    ),
    max_size=6,
)


def value_of(row: dict, column: str) -> str | None:
    return FOLDS[column](row[column]) or None if column in row else None


def deciding(row: dict, by: list[str]) -> str | None:
    return next((column for column in by if value_of(row, column)), None)


def known_by(row: dict, by: list[str]) -> list[dict]:
    column = deciding(row, by)
    return [each for each in BOOK if column and value_of(each, column) == value_of(row, column)]


def model(rows: list[dict], by: list[str], write: str) -> tuple[list[str | None], set[int]]:
    """Whom each row is about, and which lines are faulty, from a plain list of customers."""
    names, faulty = [], set()
    for place, row in enumerate(rows):
        found = known_by(row, by)
        names.append(found[0]["name"] if len(found) == 1 else None)
        owners = [
            each for each in BOOK if "number" in row and value_of(each, "number") == value_of(row, "number")
        ]
        is_taken = deciding(row, by) != "number" and any([each] != found for each in owners)
        is_unwanted = (write == "create" and len(found) == 1) or (write == "update" and not found)
        meets = any(meet(row, other, by) for other in rows[:place])
        if len(found) > 1 or is_taken or is_unwanted or meets:
            faulty.add(place + 2)
    return names, faulty


def meet(row: dict, other: dict, by: list[str]) -> bool:
    """Tell whether two rows can't both be taken in."""
    for column in VALUES:
        is_same = value_of(row, column) is not None and value_of(row, column) == value_of(other, column)
        if is_same and (
            column == "number" or (column in by and column in (deciding(row, by), deciding(other, by)))
        ):
            return True
    mine, others = known_by(row, by), known_by(other, by)
    return len(mine) == 1 and mine == others


def check_against_a_list(book, rows: list[dict], by: list[str], write: str) -> None:
    outcome = Outcome(book, rows, tuple(by), write)

    names, faulty = model(rows, by, write)
    assert outcome.names == names
    assert {each.line for each in outcome.problems} == faulty
    assert all(each.line - 2 < len(rows) for each in outcome.warnings)


@given(
    rows=ROWS,
    by=some.lists(some.sampled_from(list(VALUES)), min_size=1, max_size=3, unique=True),
    write=some.sampled_from(["both", "create", "update"]),
)
def test_a_matcher_agrees_with_a_plain_list_of_customers(book, rows, by, write):
    check_against_a_list(book, rows, by, write)


_c = customers.customers.c
ONE = recognising._Way(str.casefold, prepare(newest_of_each(_c.email_folded, _c.id, 1)))
"""A look-up by e-mail that finds one customer where there are several."""


@pytest.mark.parametrize(
    ("place", "name", "fault"),
    [
        pytest.param(matching, "folded_by", lambda _, text: text, id="capitals"),
        pytest.param(Matcher, "_refuse_what_others_have", lambda *_: None, id="a number of another"),
        pytest.param(Matcher, "_check_write", lambda *_: None, id="only create"),
        pytest.param(mentions, "_values", lambda *_: (), id="twice in a file"),
        pytest.param(mentions, "_customers", lambda *_: (), id="found by two columns"),
        pytest.param(recognising, "_WAYS", {"email": ONE}, id="several"),
    ],
)
def test_the_check_against_a_list_finds_faults(book, monkeypatch, place, name, fault):
    """With a fault planted, the check that passes now fails."""
    rows = [
        {"email": "D@X.example"},
        {"email": "info@shared.example"},
        {"number": "ab1", "email": "new@x.example"},
        {"email": "new@x.example", "number": "AB1"},
        {"email": "new@x.example"},
        {"number": "9"},
    ]

    def check():
        for write in ("create", "both"):
            check_against_a_list(book, rows, ["email", "number"], write)

    check()
    monkeypatch.setattr(place, name, fault)

    with pytest.raises(AssertionError):
        check()
