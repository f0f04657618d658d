"""How an import ends: all of a file or nothing, and every problem told; whole lists, as they come."""

import io
from pathlib import Path

import pytest

from tests.fixtures.ledgers import Ledger
from tests.transfer.steps import shown
from tradebook.storage.postgres.engine import PostgresWriter
from tradebook.storage.sqlite.handles import SqliteWriter
from tradebook.transfer.exports import run as exporting
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.imports import run as importing
from tradebook.transfer.imports.summary import Made
from tradebook.transfer.maps.column_map import load_map
from tradebook.transfer.rows import Problem, Row

ROOT = Path(__file__).parents[2]
REAL_DATA = ROOT.parent / "shared" / "data" / "classicmodels"


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
        "line 2, email: 'x' is not an e-mail address: it takes one @, no spaces, and none of , ; : < >",
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


def test_an_export_that_loses_customers_fails(ledger, monkeypatch):
    """The planted fault: a walk that ends before the book does."""
    ledger.take(*({"name": f"C{n}"} for n in range(5)))

    monkeypatch.setattr(exporting._Export, "pages", lambda _: iter(()))

    with pytest.raises(exporting.Incomplete, match="0 customers were written, the account has 5"):
        ledger.export()
