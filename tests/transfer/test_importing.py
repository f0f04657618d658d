"""What a row means: what it makes of a customer, new or known, alone or related, and of names that it has."""

import random

import pytest

from tests.fixtures.lengths import length
from tests.transfer.steps import shown
from tradebook.transfer.imports.summary import Made

EVERYTHING = {
    "number": "1",
    "name": "Atelier",
    "status": "preferred",
    "edi_status": "enabled",
    "commission_policy": "commission_exempt",
    "freight_policy": "free_freight",
    "note": "Rings twice.\nThen waits.",
    "email": "desk@atelier.example",
    "phone": "+33 40 32 25 55",
    "url": "https://atelier.example",
    "credit_limit": "21000.00",
    "credit_limit_currency": "EUR",
    "type": "Retailer",
    "price_groups": ["Gold", "Spring"],
    "parent_number": None,
    "carrier": "FedEx",
    "service_level": "2Day",
    "carrier_billing_type": "third_party",
    "carrier_billing_account": "99-1",
    "payment_term": "Net 30",
    "shipping_term": "Free Freight",
    "priority": "high",
    "sales_rep_email": "rep@seller.example",
    "sales_rep_name": "Ann Lee",
    "accepts_invoice_emails": True,
    "created_at": "2020-02-29T12:00:00.123Z",
    **{
        f"{part}.{column}": f"{value} {part}" if column in ("name", "locality") else value
        for part in ("bill_to", "ship_to")
        for column, value in {
            "name": "Carine", "street_line_1": "54, rue Royale", "street_line_2": "2e", "locality": "Nantes",
            "state": "PDL", "postal_code": "44000", "country": "FR", "phone": "40", "email": "c@a.example",
            "type": "drop_ship",
        }.items()
    },
}  # fmt: skip


VERSIONED = ("customers", "addresses", "account_users")


def versions(ledger):
    """The `updated_at` of every row that an import changes, by table and key."""
    return {
        (table, key): version
        for table in VERSIONED
        for _, key, version in ledger.sql(f"SELECT account_id, id, updated_at FROM {table}")
    }


# All or nothing


def test_every_column_is_kept_as_it_was_given(ledger):
    ledger.take(EVERYTHING)

    assert shown(ledger.customer("1")) == EVERYTHING


def test_what_http_refuses_of_a_value_a_file_is_refused_too(ledger):
    row = {"number": "1", "name": "A"}

    for column, value, reason in (
        ("credit_limit", "-0.01", "must not be negative"),
        ("email", f"a@{'b' * 253}", "has 255 characters, more than 254"),
        *(
            ("email", email, "is not an e-mail address: it takes one @, no spaces, and none of , ; : < >")
            for email in ("mailto:a@x.example", "<a@x.example>", "a@x.example;", "a@x.example,")
        ),
        ("name", "A\u2028B", "has a line break or another control character"),
        ("city", "A\u2029B", "has a line break or another control character"),
    ):
        name = "bill_to.locality" if column == "city" else column
        summary, problems = ledger.try_to_take({**row, name: value, "bill_to.country": "DE"})
        assert next(problem.rpartition(f"{value!r} ")[2] for problem in problems).endswith(reason), problems
        assert not summary.is_kept


def test_a_customer_without_a_name_is_told_of_also_where_it_has_an_address(ledger):
    rows = [
        {"number": "501", "name": "Halvorsen Marine", "bill_to.locality": "Bergen", "bill_to.country": "NO"},
        {"number": "502", "name": "", "bill_to.locality": "Tromsø", "bill_to.country": "NO"},
    ]

    summary, problems = ledger.try_to_take(*rows)

    assert problems == ["line 2, name: is missing: a new customer needs a name"]
    assert not summary.is_kept


def test_what_http_takes_of_a_value_a_file_is_taken_with_too(ledger):
    email = f"a@{'b' * 252}"

    ledger.take({"number": "1", "name": "A", "email": email, "note": "one\u2028two", "credit_limit": "-0"})
    for number, country in enumerate(("XK", "XKX", "Kosovo", "kosovo"), 2):
        ledger.take({"number": str(number), "name": "B", "bill_to.country": country})

    first = ledger.customer("1")
    assert (first["email"], first["note"], first["credit_limit"]) == (email, "one\ntwo", "0")
    assert [shown(record).get("bill_to.country") for record in ledger.records()][1:] == ["XK"] * 4


# New and known


def test_a_number_that_is_known_changes_its_customer_and_only_what_the_row_gives(ledger):
    ledger.take(EVERYTHING)

    summary = ledger.take({"number": "1", "name": "Renamed", "bill_to.state": "BRE"})

    assert (summary.created, summary.updated, summary.unchanged) == (0, 1, 0)
    assert shown(ledger.customer("1")) == {**EVERYTHING, "name": "Renamed", "bill_to.state": "BRE"}


def test_what_is_empty_clears_what_can_be_null_and_leaves_what_cannot(ledger):
    kept = {
        "number", "name", "status", "edi_status", "commission_policy", "freight_policy", "accepts_invoice_emails",
        "created_at",
    }  # fmt: skip
    for nothing in ("", None):
        ledger.take(EVERYTHING)

        ledger.take({**dict.fromkeys(EVERYTHING, nothing), "number": "1"})

        found = shown(ledger.customer("1"))
        assert {name for name, value in found.items() if value not in (None, [])} == kept
        assert {name: found[name] for name in kept} == {name: EVERYTHING[name] for name in kept}


def test_a_row_that_says_what_is_known_changes_nothing_not_even_the_time(ledger):
    ledger.take(EVERYTHING)
    before = ledger.sql("SELECT account_id, updated_at FROM customers")

    summary = ledger.take(EVERYTHING)

    assert (summary.updated, summary.unchanged, summary.made) == (0, 1, {})
    assert ledger.sql("SELECT account_id, updated_at FROM customers") == before


def test_every_change_is_a_later_version_also_where_the_clock_was_set_back(ledger):
    ledger.take(
        {"number": "head", "name": "Head"},
        {"number": "1", "name": "A", "sales_rep_email": "a@b.c", "sales_rep_name": "Ann"},
        {"number": "2", "name": "B", "bill_to.country": "DE"},
    )
    for table in VERSIONED:
        ledger.plant(f"UPDATE {table} SET updated_at = updated_at + 60000 WHERE account_id = {ledger.key}")
    before = versions(ledger)

    ledger.take(
        {"number": "1", "name": "Renamed", "parent_number": "head"},
        {"number": "2", "bill_to.locality": "Bonn", "sales_rep_email": "a@b.c", "sales_rep_name": "Anna"},
    )

    after = versions(ledger)
    assert len(after) == len(before) == 5
    assert [row for row, version in before.items() if after[row] <= version] == []


def test_a_customer_cannot_be_created_again_at_another_time(ledger):
    ledger.take({"number": "1", "name": "A", "created_at": "2020-01-01"})

    _, problems = ledger.try_to_take({"number": "1", "created_at": "2021-01-01"})

    (problem,) = problems
    assert problem == (
        "line 1, created_at: '2021-01-01T00:00:00.000Z' can't change: the customer was created at "
        "2020-01-01T00:00:00.000Z"
    )


def test_a_number_twice_in_a_file_is_told_with_both_lines(ledger):
    rows = [{"number": number, "name": name} for number, name in ("7A", "8B", "7C", "7D")]

    summary, problems = ledger.try_to_take(*rows)

    assert problems == [f"line {line}, number: '7' is the number of line 1 already" for line in (3, 4)]
    assert (summary.created, summary.faulty) == (2, 2)


def test_customers_without_a_number_get_the_next_ones_that_are_free(ledger):
    ledger.take({"number": "41", "name": "A"}, {"number": "x9", "name": "B"})

    ledger.take({"name": "C"}, {"number": "42", "name": "D"}, {"name": "E"}, {"name": "F"})

    assert {r["name"]: r["number"] for r in ledger.records()} == {
        "A": "41", "B": "x9", "C": "43", "D": "42", "E": "44", "F": "45",
    }  # fmt: skip


def test_what_was_changed_is_found_at_once_and_no_longer_as_it_was(ledger):
    ledger.take(
        {
            "number": "1",
            "name": "Müller",
            "bill_to.name": "Desk",
            "bill_to.country": "DE",
            "bill_to.locality": "Köln",
        }
    )
    assert ledger.found("muller koln") == {"1"}

    ledger.take({"number": "1", "name": "Schmidt", "bill_to.locality": "Bonn"})

    assert ledger.found("schmidt bonn") == {"1"}
    assert ledger.found("muller") == ledger.found("koln") == set()


def test_accounts_have_numbers_names_and_customers_of_their_own(new_ledger):
    first, second = new_ledger(), new_ledger()
    first.take(EVERYTHING)

    summary = second.take({**EVERYTHING, "name": "Other"})

    assert summary.created == 1
    assert summary.made["sales_reps"] == [Made("rep@seller.example", 1)]
    assert first.customer("1")["name"] == "Atelier"


# Parents


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_a_parent_may_stand_before_or_behind_its_children(ledger, order):
    rows = [
        {"number": "head", "name": "Head"},
        {"number": "a", "name": "A", "parent_number": "head"},
        {"number": "b", "name": "B", "parent_number": "head"},
    ]

    ledger.take(*(rows[place] for place in order))

    assert {r["number"]: r["parent_number"] for r in ledger.records()} == {
        "head": None,
        "a": "head",
        "b": "head",
    }
    assert dict(row[1:] for row in ledger.sql("SELECT account_id, number, is_parent FROM customers")) == {
        "head": 1, "a": 0, "b": 0,
    }  # fmt: skip


def test_a_parent_may_be_in_the_book_already(ledger):
    ledger.take({"number": "head", "name": "Head"})
    ledger.take({"number": "a", "name": "A", "parent_number": "head"})

    ledger.take({"number": "a", "parent_number": ""})

    assert ledger.customer("a")["parent_number"] is None
    assert ledger.sql("SELECT account_id FROM customers WHERE is_parent = 1") == []


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            ["a>nobody"],
            "line 1, parent_number: 'nobody' is the number of no customer, in the book or the file",
        ),
        (["a>a"], "line 1, parent_number: 'a' is the customer's own number"),
        (
            ["a", "b>a", "c>b"],
            "line 3, parent_number: 'b' has a parent itself (a): a child can't have children",
        ),
        (
            ["c>b", "b>a", "a"],
            "line 1, parent_number: 'b' has a parent itself (a): a child can't have children",
        ),
        (
            ["known>a", "a"],
            "line 1, parent_number: 'a' can't be the parent of a customer that has children itself",
        ),
        (["a>kid"], "line 1, parent_number: 'kid' has a parent itself (known): a child can't have children"),
    ],
)
def test_families_that_cannot_be_are_told(ledger, rows, told):
    ledger.take(
        {"number": "known", "name": "Known"}, {"number": "kid", "name": "Kid", "parent_number": "known"}
    )
    before = ledger.export()
    pairs = [row.partition(">")[::2] for row in rows]

    _, problems = ledger.try_to_take(
        *(
            {"number": number, "name": "A", **({"parent_number": parent} if parent else {})}
            for number, parent in pairs
        )
    )

    assert told in problems
    assert ledger.export() == before


def test_two_that_would_be_each_others_parents_are_told(ledger):
    _, problems = ledger.try_to_take(
        {"number": "a", "name": "A", "parent_number": "b"}, {"number": "b", "name": "B", "parent_number": "a"}
    )

    assert {problem.split(",")[0] for problem in problems} == {"line 1", "line 2"}


def test_a_random_forest_comes_in_whatever_the_order_of_its_rows(ledger):
    chance = random.Random(7)
    heads = [{"number": f"h{n}", "name": "Head"} for n in range(40)]
    children = [
        {"number": f"c{n}", "name": "Child", "parent_number": f"h{chance.randrange(30)}"}
        for n in range(length(1_200, 2_500))
    ]
    rows = [*heads, *children]
    chance.shuffle(rows)

    ledger.take(*rows)

    assert {r["number"]: r["parent_number"] for r in ledger.records()} == {
        row["number"]: row.get("parent_number") for row in rows
    }


# Names


def test_what_the_account_lacks_is_made_once_and_counted(ledger):
    row = {"name": "A", "type": "T", "price_groups": "P;Q", "carrier": "Own Van", "service_level": "Day",
           "payment_term": "House 10", "shipping_term": "By hand", "sales_rep_name": "Ann"}  # fmt: skip

    summary = ledger.take(row, row, {**row, "payment_term": "NET 30"})

    assert {kind: [made.name for made in listed] for kind, listed in summary.made.items()} == {
        "type_groups": ["T"], "pricing_groups": ["P", "Q"], "carriers": ["Own Van"], "service_levels": ["Day"],
        "payment_terms": ["House 10"], "shipping_terms": ["By hand"], "sales_reps": ["Ann"],
    }  # fmt: skip
    assert {made.line for listed in summary.made.values() for made in listed} == {1}
    assert ledger.customer("3")["payment_term"] == "Net 30"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"service_level": "Ground"}, "needs a carrier, and the customer has none"),
        ({"carrier": "FedEx", "service_level": "Next Day Air"}, "is a service level of UPS, not of FedEx"),
        (
            {"type": "G", "price_groups": ["G"]},
            "is the name of a type_group, so no pricing_group can have it",
        ),
    ],
)
def test_names_that_cannot_be_meant_are_refused(ledger, row, told):
    _, problems = ledger.try_to_take({"name": "A", **row})

    assert len(problems) == 1
    assert told in problems[0]


def test_a_deleted_carrier_gets_no_new_levels(ledger):
    ledger.take({"number": "1", "name": "A", "carrier": "Own Van", "service_level": "Day"})
    ledger.plant(
        f"UPDATE carriers SET deleted_at = updated_at WHERE account_id = {ledger.key} AND name = 'Own Van'"
    )
    rows = [{"number": "1", "service_level": level} for level in ("Night", "Day")]

    _, problems = ledger.try_to_take(rows[0])
    summary = ledger.take(rows[1])

    assert problems == [
        "line 1, service_level: 'Night' is no service level of Own Van, which was deleted and gets no new ones"
    ]
    assert summary.unchanged == 1


def test_the_first_level_of_a_carrier_is_made_as_a_request_makes_it(ledger):
    ledger.take({"number": "1", "name": "A", "carrier": "Their Van", "service_level": "Same Day"})

    rows = ledger.sql(
        "SELECT account_id, name, service_level_token, is_default FROM service_levels WHERE is_system = 0"
    )
    assert [row[1:] for row in rows] == [("Same Day", "same_day", 0)]


def test_a_rep_is_found_by_the_email_whatever_its_case(ledger):
    ledger.take(
        {"number": "1", "name": "A", "sales_rep_email": "Ann@Seller.example", "sales_rep_name": "Ann"}
    )

    same = ledger.take({"number": "1", "sales_rep_email": "ann@seller.EXAMPLE", "sales_rep_name": "Ann"})
    other = ledger.take({"number": "2", "name": "B", "sales_rep_email": "ANN@SELLER.EXAMPLE"})

    assert (same.unchanged, same.made, other.made) == (1, {}, {})
    assert {r["number"]: r["sales_rep_email"] for r in ledger.records()} == {
        "1": "Ann@Seller.example",
        "2": "Ann@Seller.example",
    }


def test_of_two_reps_that_were_there_already_each_is_found_by_its_own_spelling(ledger):
    """As an older book may have them."""
    ledger.take(
        {"number": "1", "name": "A", "sales_rep_email": "ann@a.example"},
        {"number": "2", "name": "B", "sales_rep_email": "bob@a.example"},
    )
    ledger.plant(
        f"UPDATE account_users SET email = 'ANN@a.example' WHERE account_id = {ledger.key}"
        " AND email = 'bob@a.example'"
    )

    again = ledger.take(
        {"number": "1", "sales_rep_email": "ann@a.example"},
        {"number": "2", "sales_rep_email": "ANN@a.example"},
    )
    third = ledger.take({"number": "3", "name": "C", "sales_rep_email": "Ann@A.example"})

    assert (again.unchanged, third.made) == (2, {})
    assert ledger.customer("3")["sales_rep_email"] == "ann@a.example"


# A real list


# Export
