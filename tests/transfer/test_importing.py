"""What an import does with rows that are fine one by one: all of them or none, new or known, alone or related."""

import io
import random
from pathlib import Path

import pytest

from tests.fixtures.ledgers import Ledger
from tests.fixtures.lengths import length
from tradebook.storage.postgres.engine import PostgresWriter
from tradebook.storage.sqlite.engine import SqliteWriter
from tradebook.transfer.exports import run as exporting
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.imports import run as importing
from tradebook.transfer.imports.summary import Made
from tradebook.transfer.maps.column_map import load_map
from tradebook.transfer.rows import Problem, Row

ROOT = Path(__file__).parents[2]
REAL_DATA = ROOT.parent / "shared" / "data" / "classicmodels"

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


def shown(record):
    """A record with its addresses' keys dotted, as a row has them."""
    flat = {}
    for name, value in record.items():
        if name in ("bill_to", "ship_to"):
            flat.update({f"{name}.{inner}": entry for inner, entry in (value or {}).items()})
        else:
            flat[name] = value
    return flat


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


def test_every_wrong_cell_is_told_with_line_column_value_and_reason_and_nothing_is_written(ledger):
    bad = {
        "status": "vip", "edi_status": "on", "commission_policy": "x", "freight_policy": "x",
        "note": "a\0b", "email": "nobody", "url": "two words", "credit_limit": "1,000.00",
        "credit_limit_currency": "EURO", "carrier_billing_type": "x", "priority": "top",
        "accepts_invoice_emails": "perhaps", "created_at": "29.02.2020", "phone": "4\x07",
        "bill_to.country": "Freedonia", "bill_to.type": "x", "bill_to.email": "x",
        "ship_to.postal_code": "9" * 256,
    }  # fmt: skip
    good = {"number": "1", "name": "Good", "type": "Fresh", "price_groups": ["Also fresh"]}

    summary, problems = ledger.try_to_take(good, {"number": "2", "name": "B", **bad}, {"number": "3"})

    assert not summary.is_kept
    assert ledger.records() == []
    assert ledger.sql("SELECT account_id FROM account_groups WHERE name LIKE '%resh'") == []
    told = [problem for problem in problems if problem.startswith("line 2, ")]
    assert {problem.split(", ")[1].split(":")[0] for problem in told} >= set(bad)
    for column, value in bad.items():
        (problem,) = [problem for problem in told if problem.startswith(f"line 2, {column}: ")]
        assert repr(value[:79])[:-1] in problem
        assert len(problem.partition(repr(value[:79])[:-1])[2]) > 10
    assert "line 3, name: is missing: a new customer needs a name" in problems
    assert len(problems) == summary.problems == len(bad) + 1


def test_what_http_refuses_of_a_value_a_file_is_refused_too(ledger):
    row = {"number": "1", "name": "A"}

    for column, value, reason in (
        ("credit_limit", "-0.01", "must not be negative"),
        ("email", f"a@{'b' * 253}", "has 255 characters, more than 254"),
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


def test_the_wrong_rows_of_a_large_file_are_all_told_in_whichever_batch_they_stand(ledger):
    rows = [{"number": str(n), "name": "" if n % 700 == 3 else "A"} for n in range(3_000)]

    _, problems = ledger.try_to_take(*rows)

    assert [problem.split(",")[0] for problem in problems] == [f"line {n + 1}" for n in range(3, 3_000, 700)]
    assert ledger.records() == []


def test_problems_of_the_file_and_of_the_book_are_told_together(ledger):
    rows = [
        Problem(1, None, None, "Torn."),
        Row(2, {"number": "1", "name": ""}),
        Row(3, {"name": "C"}),
    ]

    _, problems = ledger.take_rows(rows)

    assert problems == ["line 1: Torn.", "line 2, name: is missing: a new customer needs a name"]
    assert ledger.records() == []


def test_a_problem_names_the_files_column_beside_ours(ledger, tmp_path):
    """Also what is found when all rows are read; a column that only the file has is named alone."""
    (tmp_path / "map.toml").write_text(
        '[columns]\nnumber = "name"\nname = "{first} {last}"\nparent_number = "head"\nemail = "email"\n'
        '[columns.status]\nfrom = "k"\nvalues = { "" = "normal" }\n[lookup.type]\nfile = "kinds.csv"\nfrom = "k"\nkey = "id"\nvalue = "kind"\n'
    )
    (tmp_path / "kinds.csv").write_text("id,kind\n1,Retail\n")
    column_map = load_map(tmp_path / "map.toml", tmp_path)

    def told(content):
        return [
            str(problem.renamed(column_map.theirs)) for problem in ledger.problems_of(content, column_map)
        ]

    assert told(b"name,first,last,head,email,k\n7,,,9,x,1\n7,A,B,,a@b.c,2\n7,A,C,,a@b.c,\n") == [
        "line 2, email: 'x' is not an e-mail address: it takes one @ and no spaces",
        "line 2, k (status): '1' must be one of normal, preferred, hold_shipment, hold_all",
        "line 2, first + last (name): is missing: a new customer needs a name",
        "line 2, head (parent_number): '9' is the number of no customer, in the book or the file",
        "line 3, k (type): '2' is not a key in kinds.csv",
        "line 3, k (status): '2' must be one of normal, preferred, hold_shipment, hold_all",
        "line 3, name (number): '7' is the number of line 2 already",
        "line 4, name (number): '7' is the number of line 2 already",
    ]
    assert told(b"name,first,first,last,head,email\n") == [
        (
            "line 1, first: The map takes name from this column; the file has 2: "
            "say in the map which one counts, by nth = 1 to nth = 2."
        ),
        "line 1, k: The map takes status from this column; the file has none.",
    ]
    assert told(b"first,last,head,email,k\n") == [
        "line 1, name: The map takes number from this column; the file has none."
    ]


def test_a_dry_run_tells_the_same_and_keeps_nothing(ledger):
    ledger.take({"number": "1", "name": "Known"})
    before = ledger.export()
    rows = [{"number": "1", "name": "Renamed", "type": "Fresh"}, {"name": "New", "sales_rep_email": "a@b.c"}]

    dry, _ = ledger.try_to_take(*rows, dry_run=True)
    after_dry = ledger.export()
    real, _ = ledger.try_to_take(*rows)

    assert (dry.is_kept, real.is_kept) == (False, True)
    assert (
        (dry.created, dry.updated, dry.made)
        == (real.created, real.updated, real.made)
        == (
            1,
            1,
            {"type_groups": [Made("Fresh", 1)], "sales_reps": [Made("a@b.c", 2)]},
        )
    )
    assert after_dry == before
    assert len(ledger.records()) == 2
    assert ledger.customer("2")["name"] == "New"


def test_a_fault_in_the_middle_keeps_nothing(ledger, monkeypatch):
    def fail(*_):
        raise RuntimeError("planted")

    for writer in (SqliteWriter, PostgresWriter):
        monkeypatch.setattr(writer, "reindex", fail)
    with pytest.raises(RuntimeError, match="planted"):
        ledger.take({"number": "1", "name": "A"})

    assert ledger.records() == []
    assert ledger.sql("SELECT account_id FROM addresses") == []


def test_the_check_of_all_or_nothing_notices_an_import_that_keeps_the_good_rows(ledger, monkeypatch):
    """The planted fault: what is right is written whatever is wrong elsewhere."""
    monkeypatch.setattr(importing, "may_be_kept", lambda _, *, yes: True)

    with pytest.raises(AssertionError):
        test_problems_of_the_file_and_of_the_book_are_told_together(ledger)


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


def take_real(ledger: Ledger):
    """Import the customers of ClassicModels with the documentation's map."""
    column_map = load_map(ROOT / "docs" / "examples" / "classicmodels.toml", REAL_DATA)
    with (REAL_DATA / "customers.csv").open("rb") as file:
        return ledger.take_rows(read_file(file, "csv", column_map))


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the sample database's files are not shipped here")
def test_a_real_list_comes_in_through_the_documentations_map(ledger):
    summary, problems = take_real(ledger)

    assert problems == []
    assert summary.created == 122
    assert {kind: len(made) for kind, made in summary.made.items()} == {"type_groups": 1, "sales_reps": 15}
    first = shown(ledger.customer("103"))
    assert first["name"] == "Atelier graphique"
    assert first["bill_to.name"] == "Carine Schmitt"
    assert (first["credit_limit"], first["credit_limit_currency"]) == ("21000.00", "USD")
    assert (first["bill_to.postal_code"], first["bill_to.country"]) == ("44000", "FR")
    assert (first["sales_rep_email"], first["sales_rep_name"]) == (
        "ghernande@classicmodelcars.com",
        "Gerard Hernandez",
    )
    countries = {shown(record)["bill_to.country"] for record in ledger.records()}
    assert {"FR", "US", "GB", "HK", "SG", "AU"} <= countries
    assert all(len(code) == 2 and code.isupper() for code in countries)
    assert sum(record["sales_rep_email"] is None for record in ledger.records()) == 22
    assert ledger.found("40322555") == {"103"}
    assert take_real(ledger)[0].unchanged == 122


def test_the_documentations_map_reads_a_file_of_its_shape(tmp_path, ledger):
    """The same map on two made rows, so that it is held to its promise also without the real files."""
    header = (
        "customerNumber,customerName,contactLastName,contactFirstName,phone,addressLine1,addressLine2,city,state,"
        "postalCode,country,salesRepEmployeeNumber,creditLimit\n"
    )
    (tmp_path / "employees.csv").write_text(
        "employeeNumber,lastName,firstName,extension,email,officeCode,reportsTo,jobTitle\n"
        "70,Lee,Ann,x1,ann@seller.example,1,,Rep\n"
    )
    content = header + (
        '7,"Ōsaka Trading, K.K.",Mori,Aki ,+81 6 1,"1-2, Kita",,Osaka,,5300001,Japan,70,0.00\n'
        "8,Void,,,,,,,,,UK,,\n"
    )
    column_map = load_map(ROOT / "docs" / "examples" / "classicmodels.toml", tmp_path)

    _, problems = ledger.take_rows(read_file(io.BytesIO(content.encode()), "csv", column_map))

    assert problems == []
    first, second = (shown(ledger.customer(number)) for number in "78")
    assert (first["bill_to.name"], first["bill_to.country"], first["credit_limit"]) == (
        "Aki Mori",
        "JP",
        "0.00",
    )
    assert (first["sales_rep_name"], first["type"]) == ("Ann Lee", "Retailer")
    assert (second["bill_to.name"], second["bill_to.country"], second["credit_limit"]) == ("Void", "GB", None)


# Export


def test_an_export_that_loses_customers_fails(ledger, monkeypatch):
    """The planted fault: a walk that ends before the book does."""
    ledger.take(*({"name": f"C{n}"} for n in range(5)))

    monkeypatch.setattr(exporting._Export, "pages", lambda _: iter(()))

    with pytest.raises(exporting.Incomplete, match="0 customers were written, the account has 5"):
        ledger.export()
