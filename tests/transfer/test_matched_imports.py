"""What a row is, through a whole import: matched, joined, warned of, and the same after a second run."""

import io

import pytest

from tests.fixtures.ledgers import Ledger
from tests.transfer.steps import planned
from tradebook.resources import customers
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.imports.applying import Overtaken, apply_plan
from tradebook.transfer.imports.planning import plan_customers
from tradebook.transfer.rows import Match, Row

SHOP = Match(("external_ids.shopify", "email"))
BY_EMAIL = Match(("email",))


def take_csv(ledger: Ledger, content: str, **options):
    """Import a CSV file, and return its summary and problems."""
    return ledger.take_rows(read_file(io.BytesIO(content.encode()), "csv", None), **options)


def attached(ledger: Ledger) -> list[tuple]:
    """The customers' numbers, with the streets of their addresses, and whether these are attached."""
    rows = ledger.sql(
        "SELECT l.account_id, c.number, a.street_line_1, l.is_attached FROM customer_addresses AS l"
        " JOIN customers AS c ON c.account_id = l.account_id AND c.id = l.customer_id"
        " JOIN addresses AS a ON a.account_id = l.account_id AND a.id = l.address_id"
    )
    return sorted(row[1:] for row in rows)


def ids(ledger: Ledger) -> list[tuple]:
    return sorted(
        row[1:]
        for row in ledger.sql(
            "SELECT e.account_id, c.number, e.name, e.value FROM external_ids AS e"
            " JOIN customers AS c ON c.account_id = e.account_id AND c.id = e.customer_id"
        )
    )


def test_a_row_that_repeats_the_one_before_is_the_same_customer(ledger):
    summary, told = take_csv(ledger, "number,name,phone\n1,Alder,5\n1,Alder,5\n1,,\n2,Birch,6\n")

    assert (summary.rows, summary.created, summary.joined, told) == (4, 2, 2, [])
    assert [(each["name"], each["phone"]) for each in ledger.records()] == [("Alder", "5"), ("Birch", "6")]
    assert take_csv(ledger, "number,name\n3,Cedar\n3,Dogwood\n")[1] == [
        "line 3, number: '3' is the number of line 2 already"
    ]


def test_a_list_without_numbers_comes_in_twice_by_email(ledger):
    first = {"name": "Lomond Foods", "type": "Retail", "email": "hello@lomond.example"}
    again = {**first, "email": "Hello@Lomond.example", "phone": "0141 555 0100"}

    ledger.take(first)
    hint = ledger.try_to_take(again, yes=False)[0]
    known = ledger.take(again, match=BY_EMAIL)
    same = ledger.take(again, match=BY_EMAIL)

    assert (hint.is_kept, hint.needs_yes, hint.created) == (False, 1, 1)
    assert hint.warnings[0].customer.number == "1"
    assert (known.updated, known.created, same.unchanged) == (1, 0, 1)
    assert [each["phone"] for each in ledger.records()] == ["0141 555 0100"]


def test_a_row_that_nobody_can_tell_whose_it_is_needs_no_name(ledger):
    ledger.take({"name": "A", "email": "a@x.example"}, {"name": "B", "email": "a@x.example"})

    told = ledger.try_to_take(
        {"email": "a@x.example", "phone": "1"}, {"email": "b@", "phone": "2"}, match=BY_EMAIL
    )[1]

    assert len(told) == 2
    assert "is the e-mail of several customers" in told[0]
    assert "is not an e-mail address" in told[1]


def test_a_dry_run_says_what_needs_a_yes_and_a_yes_keeps_it(ledger):
    ledger.take({"number": "00417", "name": "A", "type": "R"})
    row = {"number": "417", "name": "A", "type": "R"}

    asked = ledger.try_to_take(row, yes=False, dry_run=True)[0]
    kept = ledger.try_to_take(row, yes=True)[0]

    assert (asked.needs_yes, asked.warnings[0].customer.number) == (1, "00417")
    assert (kept.is_kept, kept.needs_yes) == (True, 1)


def test_a_file_without_what_its_rows_are_matched_by_is_refused(ledger):
    row = {"name": "A", "type": "R"}

    summary, problems = ledger.try_to_take(row, row, match=SHOP)
    empty, _ = ledger.try_to_take({**row, "email": ""}, match=SHOP)

    assert (summary.rows, summary.problems, summary.faulty, summary.is_kept) == (2, 1, 0, False)
    assert problems == [
        "line 1: The customers are matched by external_ids.shopify or email, which no row has."
    ]
    assert empty.created == 1


def test_two_rows_about_one_customer_are_told_of_once(ledger):
    ledger.take({"number": "1", "name": "A", "email": "a@x"})

    _, problems = ledger.try_to_take(
        {"email": "A@x", "phone": "1"}, {"email": "a@x", "phone": "2"}, match=BY_EMAIL
    )

    assert problems == ["line 2, email: 'a@x' is the e-mail of line 1 already"]


def test_a_customer_known_by_its_email_gets_the_number_of_its_row(ledger):
    ledger.take({"number": "1", "name": "A", "email": "a@x"}, {"number": "2", "name": "B", "email": "b@x"})

    summary, _ = ledger.try_to_take({"number": "A-7", "email": "A@x"}, match=BY_EMAIL)
    _, problems = ledger.try_to_take({"number": "a-7", "email": "b@x"}, match=BY_EMAIL)
    same, _ = ledger.try_to_take({"number": "a-7", "email": "a@x"}, match=BY_EMAIL)

    assert summary.updated == 1
    assert {each["number"]: each["email"] for each in ledger.records()} == {"A-7": "a@x", "2": "b@x"}
    assert problems == ["line 1, number: 'a-7' is the number of customer A-7 (A)"]
    assert same.updated == 1


def test_the_ids_of_another_system_match_are_kept_and_change(ledger):
    row = {"name": "Wen", "email": "wen@x", "external_ids.shopify": "72", "external_ids.xero": "X1"}

    new = ledger.take(row, match=SHOP)
    same = ledger.take({**row, "email": "wen@x"}, match=SHOP)
    other = ledger.take(
        {"external_ids.shopify": "72", "external_ids.xero": "X2", "email": "new@x"}, match=SHOP
    )
    gone = ledger.take({"external_ids.shopify": "72", "external_ids.xero": ""}, match=SHOP)

    assert (new.created, same.unchanged, other.updated, gone.updated) == (1, 1, 1, 1)
    assert gone.cleared == {"external_ids.xero": 1}
    assert ids(ledger) == [("1", "shopify", "72")]
    assert ledger.customer("1")["email"] == "new@x"


def test_an_id_that_a_customer_known_by_its_email_lacks_is_added(ledger):
    ledger.take({"number": "1", "name": "Wen", "email": "wen@x"})

    ledger.take({"email": "WEN@x", "external_ids.shopify": "72"}, match=BY_EMAIL)

    assert ids(ledger) == [("1", "shopify", "72")]


def test_more_ids_than_a_customer_takes_are_a_problem(ledger, monkeypatch):
    monkeypatch.setattr(customers.external_ids, "OF_CUSTOMER_MAX", 2)
    ledger.take({"number": "1", "name": "A", "external_ids.a": "1", "external_ids.b": "1"})

    _, (problem,) = ledger.try_to_take({"number": "1", "external_ids.c": "1"})

    assert problem.startswith("line 1, external_ids.c: would be one id too many")


JOINED = """number,name,type,email,bill_to.street_line_1,bill_to.country,address.street_line_1,address.country
1,Wen Dahl,Import,wen@x.example,High St 1,US,Park Rd 5,GB
1,,,,,,Kai 3,DE
1,Wen Dahl,Import,wen@x.example,,,Park Rd 5,GB
2,Tig Lind,Import,tig@x.example,,,,
"""


def test_rows_that_differ_in_their_address_are_one_customer(ledger):
    summary, problems = take_csv(ledger, JOINED)
    again, _ = take_csv(ledger, JOINED)

    assert problems == []
    assert (summary.rows, summary.created, summary.joined) == (4, 2, 2)
    assert attached(ledger) == [("1", "High St 1", 0), ("1", "Kai 3", 1), ("1", "Park Rd 5", 1)]
    assert (again.rows, again.unchanged, again.joined, again.updated) == (4, 2, 2, 0)


def test_a_further_row_with_a_problem_is_told_by_its_own_line(ledger):
    content = JOINED.replace("Kai 3,DE", "Kai 3,").replace("2,Tig Lind", "1,Tig Lind")

    summary, problems = take_csv(ledger, content)

    assert problems == [
        "line 2: The row goes with another one of its customer, which has a problem.",
        "line 3, address.country: is missing: an address needs a country",
        "line 4: The row goes with another one of its customer, which has a problem.",
        "line 5, number: '1' is the number of line 2 already",
    ]
    assert (summary.rows, summary.created, summary.joined, summary.faulty) == (4, 0, 0, 4)


def test_addresses_of_a_list_are_attached_once(ledger):
    row = {
        "number": "1",
        "name": "A",
        "addresses": [{"street_line_1": "Kai 3", "country": "DE"}, {"name": "Bare"}],
    }

    first = ledger.take(row)
    renamed = ledger.take({**row, "name": "B"})

    assert (first.created, renamed.updated) == (1, 1)
    assert attached(ledger) == [("1", "Kai 3", 1)]


@pytest.mark.parametrize("write", ["create", "update"])
def test_an_import_makes_or_changes_only(ledger, write):
    ledger.take({"number": "00417", "name": "A"})
    rows = [Row(2, {"number": "00417", "name": "B"}), Row(3, {"number": "417"})]
    if write == "create":
        rows[1].values["name"] = "C"

    summary, problems = ledger.take_rows(iter(rows), match=Match(write=write))

    assert not summary.is_kept
    assert [problem.split(":")[0] for problem in problems] == [
        f"line {2 if write == 'create' else 3}, number"
    ]
    assert len(ledger.records()) == 1


def test_a_parent_whose_number_only_looks_different_is_named(ledger):
    ledger.take({"number": "00417", "name": "Alder"})

    _, problems = ledger.try_to_take({"number": "1", "name": "B", "parent_number": "417"})

    (problem,) = problems
    assert problem.endswith(
        "is the number of no customer, in the book or the file. Did you mean 00417 (Alder)?"
    )


def test_what_looks_wrong_is_counted_and_told_in_the_order_of_the_file(ledger):
    content = """number,name,type,phone,price_groups
7.21045E+12,Harbor Co,Retail,4.91761E+11,"retail, ag-exempt"
8,MÃ¼ller,Retail,NULL,
9,TOTAL,Retail,NULL,
"""

    summary, problems = take_csv(ledger, content, yes=False)

    told = [(each.line, each.column, each.needs_yes) for each in summary.warnings]
    assert problems == []
    assert sorted(told) == [
        (2, "number", True),
        (2, "phone", True),
        (2, "price_groups", False),
        (3, "name", True),
        (3, "phone", False),
        (4, "name", False),
    ]
    assert [each.line for each in summary.warnings] == [2, 2, 2, 3, 3, 4]
    assert (summary.needs_yes, summary.is_kept) == (3, False)


def test_what_shows_at_the_end_of_the_file_is_told_once(ledger):
    with ledger.database.read(ledger.key) as reader:
        rows = [
            Row(2, {"number": "1", "name": "A", "phone": "NULL"}),
            Row(3, {"number": "2", "name": "TOTAL"}),
        ]
        plan = plan_customers(reader, iter(rows))

    assert len(plan.summary.warnings) == len(list(plan.warnings())) == len(list(plan.warnings())) == 2
    plan.close()


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ([], [2]),
        ([{"number": "3", "name": "TOTAL"}], [2, 3]),
        ([{"number": "3", "name": "C", "phone": "NULL"}], [2, 3]),
        ([{"number": "3", "name": "C", "status": "?"}], [2]),
        ([{"number": "3", "name": "TOTAL", "status": "?"}, {"number": "2", "name": "Again"}], []),
    ],
)
def test_warnings_are_those_of_the_rows_however_they_are_read(ledger, more, lines):
    """Where all were found late no row is read for them: a second reading of the plan was a tenth of it."""
    same = {"email": "a@example.com"}
    records = [{"number": "1", "name": "A", **same}, {"number": "2", "name": "B", **same}, *more]
    with ledger.database.read(ledger.key) as reader:
        plan = plan_customers(reader, [Row(line, each) for line, each in enumerate(records, 1)])

    found = list(plan.warnings())
    plan.close()
    assert found == [warning for row in plan._kept() for warning in row.warnings]
    assert {warning.line for warning in found} >= set(lines)
    assert len(found) == len(plan.summary.warnings)


def test_what_is_in_the_book_already_is_not_told_again(ledger):
    rows = [
        {"number": "00417", "name": "MÃ¼ller", "email": "a@x"},
        {"number": "417", "name": "B", "email": "a@x"},
    ]
    ledger.take(*rows)

    again = ledger.try_to_take(*rows, yes=False)[0]

    assert (again.unchanged, again.warnings, again.is_kept) == (2, [], True)


@pytest.mark.parametrize(
    "row",
    [
        {"number": "5", "name": "New", "email": "new@x"},
        {"number": "5", "email": "a@x"},
        {"email": "a@x", "external_ids.shopify": "72"},
        {"name": "New", "email": "b@x"},
    ],
)
def test_a_plan_is_overtaken_where_somebody_else_has_what_its_rows_take(ledger, row):
    ledger.take({"number": "1", "name": "A", "email": "a@x"})
    plan = planned(ledger.database, ledger.key, [row], match=BY_EMAIL)
    ledger.take({"number": "5", "name": "Other", "email": "b@x", "external_ids.shopify": "72"})
    before = ledger.export()

    with pytest.raises(Overtaken) as error:
        apply_plan(ledger.database, ledger.key, plan, exactly_as=7)

    assert [each.line for each in error.value.rows] == [1]
    assert ledger.export() == before
    plan.close()
