"""What an export writes beyond its columns: ids in other systems, and attached addresses."""

import csv
import io

import msgspec
import pytest

from tradebook.resources import customers
from tradebook.transfer.columns import ATTACHED, COLUMNS, column_named, unknown_column
from tradebook.transfer.exports import layout

MARK = "\ufeff"
OLD = {"number": "1", "name": "Plain", "bill_to.country": "DE", "bill_to.locality": "Bonn"}
FULL = {
    "number": "2",
    "name": "Full",
    "bill_to.country": "DE",
    "external_ids.shopify": "72",
    "external_ids.erp": "=7",
    "addresses": [
        {"name": "Dock", "country": "FR", "locality": "Lyon"},
        {"country": "DE"},
        {"country": "NL", "phone": "+31 20 1"},
        {"name": "Dock", "country": "FR", "locality": "Lyon"},
    ],
}
PLACES = ["Lyon", ""]


def rows(content: bytes) -> list[dict[str, str]]:
    text = content.decode()
    assert text.startswith(MARK)
    return list(csv.DictReader(io.StringIO(text.removeprefix(MARK))))


def lines(content: bytes) -> list[dict]:
    return [msgspec.json.decode(line) for line in content.splitlines()]


def test_where_nobody_has_any_a_file_is_what_it_was(ledger):
    ledger.take(OLD)

    assert list(rows(ledger.export("csv"))[0]) == list(COLUMNS)
    assert list(lines(ledger.export("ndjson"))[0]) == list(COLUMNS)


def test_in_csv_each_further_address_is_a_row_that_names_the_customer(ledger):
    ledger.take(OLD, FULL)

    plain, full, further = rows(ledger.export("csv"))

    assert list(plain) == [*COLUMNS, "external_ids.erp", "external_ids.shopify", *ATTACHED]
    assert {plain[name] for name in (*ATTACHED, "external_ids.erp", "external_ids.shopify")} == {""}
    assert (full["external_ids.erp"], full["external_ids.shopify"]) == ("'=7", "72")
    assert [row["address.locality"] for row in (full, further)] == PLACES
    assert [row["address.country"] for row in (full, further)] == ["FR", "NL"]
    filled = {name for name, value in further.items() if value}
    assert filled == {"number", "address.name", "address.country", "address.phone", "address.type"}
    assert further["address.phone"] == "'+31 20 1"


def test_in_ndjson_they_stand_in_the_customer(ledger):
    ledger.take(OLD, FULL)

    plain, full = lines(ledger.export("ndjson"))

    assert list(plain) == list(COLUMNS)
    assert list(full) == [*COLUMNS, "external_ids", "addresses"]
    assert full["external_ids"] == {"erp": "=7", "shopify": "72"}
    assert [(each["name"], each["country"]) for each in full["addresses"]] == [("Dock", "FR"), ("Full", "NL")]
    assert list(full["addresses"][0]) == list(customers.ADDRESS_FIELDS)


def test_what_is_left_out_is_counted(ledger, monkeypatch):
    """Of CSV; an address that agrees with another of its customer is no other one."""
    ledger.take(FULL)
    monkeypatch.setattr("tradebook.transfer.exports.run.ATTACHED_MAX", 1)
    monkeypatch.setattr(layout, "ATTACHED_MAX", 1)

    content, summary = ledger.exported("csv")

    assert len(rows(content)) == 1
    assert [note for note in summary.notes if note.startswith("1 further addresses are not in the file")]
    assert ledger.exported("ndjson")[1].notes == []


def test_an_attached_address_that_is_billed_too_is_not_further(ledger):
    ledger.take(OLD)
    ledger.plant(f"UPDATE customer_addresses SET is_attached = 1 WHERE account_id = {ledger.key}")

    assert list(rows(ledger.export("csv"))[0]) == list(COLUMNS)


@pytest.mark.parametrize("name", ["external_ids.", "external_ids.a/b", "external_ids." + "x" * 65])
def test_a_column_of_a_system_whose_name_is_none_is_no_column(name):
    assert column_named(name) is None
    assert "letters, digits" in unknown_column(name)
