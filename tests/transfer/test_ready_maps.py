"""The maps that ship, each on a file with the real headings of its system and invented rows."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.fixtures.command_line import CommandLine
from tradebook.ids import decode_id
from tradebook.resources.accounts import ID_PREFIX as ACCOUNT_PREFIX
from tradebook.transfer.maps.column_map import MapError
from tradebook.transfer.maps.ready_maps import NAMES, READY, load_named, load_ready, ready_text
from tradebook.transfer.rows import record_keys

FILES = Path(__file__).parent / "ready"
USUAL = {
    "status": "normal", "edi_status": "disabled", "commission_policy": "commission_exempt",
    "freight_policy": "billed_freight", "priority": "normal", "accepts_invoice_emails": False,
    "bill_to.type": "standard", "ship_to.type": "standard",
}  # fmt: skip
ATTACHED = """
SELECT a.name || ', ' || a.street_line_1 || ', ' || a.locality FROM customer_addresses AS l
JOIN addresses AS a ON a.account_id = l.account_id AND a.id = l.address_id
JOIN customers AS c ON c.account_id = l.account_id AND c.id = l.customer_id
WHERE l.customer_id = :customer AND a.id NOT IN (ifnull(c.bill_to_address_id, 0), ifnull(c.ship_to_address_id, 0))
"""


def file_of(name):
    return next(file for file in FILES.glob(f"{name}.*") if file.suffix != ".ndjson")


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """One book for all of them: a book costs more than an account."""
    folder = tmp_path_factory.mktemp("ready")
    line = CommandLine(folder, f"sqlite:///{folder}/book.db")
    line.good("migrate")
    return line


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_its_system_comes_in_as_a_person_would_expect(commands, name):
    """Nothing is wrong with it, nobody is asked, and the same file again changes nothing."""
    account = commands.good("accounts", "create", name)
    given = ("import", "customers", str(file_of(name)), "--account", account, "--map", name, "--json")

    done = json.loads(commands.good(*given))
    again = json.loads(commands.good(*given, "--dry-run"))

    assert (done["problems"], done["needs_yes"], done["warnings"], done["is_kept"]) == (0, 0, [], True)
    assert again["unchanged"] == done["created"]
    assert again["updated"] == again["created"] == 0
    customers = exported(commands, account)
    expected = [json.loads(line) for line in (FILES / f"{name}.ndjson").read_text().splitlines()]
    for customer, wanted in zip(customers, expected, strict=True):
        # Where a file has no times, its customers are of now.
        customer.update({key: "now" for key in ("created_at",) if key not in wanted})
        assert customer == {"created_at": "now", **wanted}


def exported(commands, account):
    """The customers of an account as an export has them, without what is empty or as it always is."""
    lines = commands.good("export", "customers", "--account", account, "--format", "ndjson").splitlines()
    book = sqlite3.connect(commands.folder / "book.db")
    key = decode_id(ACCOUNT_PREFIX, account)
    customers = [bare(json.loads(line)) for line in lines]
    for customer in customers:
        (found,) = book.execute(
            "SELECT id FROM customers WHERE account_id = ? AND number = ?", (key, customer["number"])
        ).fetchone()
        # Straight from the book: that an export has both is said elsewhere.
        customer["external_ids"] = dict(
            book.execute("SELECT name, value FROM external_ids WHERE customer_id = ?", (found,))
        )
        customer["attached"] = [place for (place,) in book.execute(ATTACHED, {"customer": found})]
    book.close()
    return customers


def bare(record):
    return {
        key: value
        for key, value in record.items()
        if value not in (None, [], {})
        and USUAL.get(key) != value
        and key not in ("external_ids", "addresses")
    }


@pytest.mark.parametrize("ready", READY, ids=lambda ready: ready.name)
def test_a_column_that_an_export_lacks_is_no_problem(ready):
    """The headings that a file is known by are enough; one that has none of them is another system's.

    Nothing that was entered here is cleared because it is empty there.
    """
    mapping = load_ready(ready.name, (FILES,))

    assert mapping.options.keeps_empty
    assert [mapping.fit(1, known) for known in ready.known_by] == [[]] * len(ready.known_by)
    assert len(mapping.fit(1, ["Something else"])) == 1


def test_older_editions_of_myob_name_an_address_once():
    fields = "Line 2,Line 3,Line 4,City,State,Postcode,Country,Phone # 1,Email".split(",")
    header = ["Co./Last Name", "First Name", "Card ID"]
    header += [each for n in (1, 2) for each in (f"Addr {n} - Line 1", *(f"- {field}" for field in fields))]
    cells = [
        "Haven",
        "",
        "H1",
        "1 Bay Rd",
        "Rear",
        "",
        "",
        "Perth",
        "WA",
        "6000",
        "",
        "08 5550 0100",
        "a@haven.example",
        "Dock 4",
        "",
        "",
        "",
        "Botany",
        "NSW",
        "2019",
        "",
        "",
        "",
    ]
    mapping = load_ready("myob")

    problems = mapping.fit(1, header)
    row = mapping.row(2, dict(zip(record_keys(header), cells, strict=True)))

    assert problems == row.problems == []
    given = {column: value for column, value in row.values.items() if value and column not in row.defaulted}
    assert given == {
        "number": "H1",
        "name": "Haven",
        "email": "a@haven.example",
        "phone": "08 5550 0100",
        "bill_to.street_line_1": "1 Bay Rd",
        "bill_to.street_line_2": "Rear",
        "bill_to.locality": "Perth",
        "bill_to.state": "WA",
        "bill_to.postal_code": "6000",
        "ship_to.street_line_1": "Dock 4",
        "ship_to.locality": "Botany",
        "ship_to.state": "NSW",
        "ship_to.postal_code": "2019",
    }


def test_addresses_of_prestashop_may_be_the_table_as_it_is(tmp_path):
    (tmp_path / "addresses.csv").write_text(
        "id_address,id_country,id_customer,address1,city\n7,8,1,rue 1,Lyon\n"
    )
    mapping = load_ready("prestashop", (tmp_path,))

    mapping.fit(1, ["ID", "Email address"])
    row = mapping.row(2, {"ID": "1", "Email address": "a@a.example"})

    assert row.values["bill_to.country"] == "FR"
    (tmp_path / "addresses.csv").write_text("id_address,address1\n7,rue 1\n")
    with pytest.raises(MapError, match=r"addresses.csv.*id_customer"):
        load_ready("prestashop", (tmp_path,))


def test_a_name_is_of_a_map_that_ships_and_a_path_of_a_file(tmp_path):
    (tmp_path / "shopify.toml").write_text('[columns]\nname = "Own"\n')

    assert load_named("shopify", tmp_path).options.match.by[0] == "external_ids.shopify"
    assert load_named(str(tmp_path / "shopify.toml"), tmp_path).options.match.by == ("number",)


@pytest.mark.parametrize(
    ("name", "told"), [("shopfy", "did you mean shopify?"), ("sap", "there are shopify,")]
)
def test_a_name_that_there_is_not_is_told_with_those_that_there_are(tmp_path, name, told):
    with pytest.raises(MapError, match=told):
        load_named(name, tmp_path)


def test_the_maps_are_listed_and_printed(commands):
    listed = json.loads(commands.good("import", "maps", "--json"))
    table = commands.good("import", "maps")

    assert [each["name"] for each in listed] == list(NAMES)
    assert listed[0]["match"] == ["external_ids.shopify", "email", "phone"]
    assert all(ready.name in table and ready.system in table for ready in READY)
    assert commands.good("import", "maps", "datev") == ready_text("datev").strip()
    assert "did you mean xero?" in commands.run("import", "maps", "xerro").stderr
