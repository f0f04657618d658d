"""Which addresses a customer has: two that agree are one, and what a PATCH replaces stays until it is detached."""

import pytest

from tests.fixtures.samples import Maker
from tests.properties.test_file_and_http import take_file
from tests.resources.test_customers import create, found, patch, show
from tradebook.resources.addresses import FIELDS
from tradebook.resources.customers import ADDRESS_FIELDS

ADDRESSES = "/v1/sales/addresses"
DOCK = {
    "name": "Dock", "country": "DE", "street_line_1": "Weg 1", "street_line_2": "Hof", "locality": "Ulm", "state": "BW",
    "postal_code": "89073", "phone": "0731 1", "email": "a@b.de", "type": "drop_ship",
}  # fmt: skip
OTHER = {field: "US" if field == "country" else "c@d.de" for field in DOCK} | {"type": "standard"}


@pytest.fixture
def maker(book):
    return Maker(book)


def listed(maker, customer):
    return [a["id"] for a in maker.book.get(ADDRESSES, customer_ids=customer["id"])["data"]]


def by_request(maker, bill, ship):
    return create(maker, bill_to_address=bill, ship_to_address=ship)


def by_csv(maker, bill, ship):
    return by_file(maker, bill, ship, "csv")


def by_ndjson(maker, bill, ship):
    return by_file(maker, bill, ship, "ndjson")


def by_file(maker, bill, ship, file_format):
    take_file(maker.book, [{"number": "1", "name": "A", "bill_to": bill, "ship_to": ship}], file_format)
    return maker.book.get()["data"][0]


WAYS = pytest.mark.parametrize("new", [by_request, by_csv, by_ndjson])


@WAYS
def test_two_addresses_that_agree_are_one(maker, new):
    customer = new(maker, DOCK, {**DOCK, "name": " Dock ", "country": "de"})

    shown = show(maker, customer)

    assert shown["bill_to_address"] == shown["ship_to_address"]
    assert listed(maker, customer) == [shown["bill_to_address"]["id"]]


@WAYS
def test_two_that_differ_in_any_field_are_two(maker, new):
    fields = [field.name for field in FIELDS] if new is by_request else ["email"]
    for field in fields:
        customer = new(maker, DOCK, {**DOCK, field: OTHER[field]})

        assert len(listed(maker, customer)) == 2, field


def test_an_address_that_leaves_out_what_the_other_says_is_another(maker):
    customer = create(
        maker, bill_to_address={"name": "A", "country": "DE"}, ship_to_address=DOCK | {"name": "A"}
    )

    assert len(listed(maker, customer)) == 2


@pytest.mark.parametrize("file_format", ["csv", "ndjson"])
def test_the_same_row_again_makes_nothing(maker, file_format):
    for _ in range(3):
        customer = by_file(maker, DOCK, DOCK, file_format)

    assert len(listed(maker, customer)) == len(maker.book.get(ADDRESSES)["data"]) == 1
    by_file(maker, DOCK, {**DOCK, "locality": "Bonn"}, file_format)
    assert len(listed(maker, customer)) == 2


def test_two_that_agreed_before_stay_two_where_a_file_says_nothing_new(ledger, new_ledger):
    """A book of before has such pairs. It is exported and imported over itself, and elsewhere, as it is."""
    both = {f"{part}.{field}": value for part in ("bill_to", "ship_to") for field, value in DOCK.items()}
    ledger.take({"number": "1", "name": "A", **both, "ship_to.locality": "Bonn"})
    ledger.plant(f"UPDATE addresses SET locality = 'Ulm' WHERE account_id = {ledger.key}")
    keys = {row[1] for row in ledger.sql("SELECT account_id, id FROM addresses")}
    for file_format in ("csv", "ndjson"):
        file, elsewhere = ledger.export(file_format), new_ledger()

        again = ledger.take_file(file, file_format)
        elsewhere.take_file(file, file_format)

        assert (again.unchanged, again.updated) == (1, 0)
        assert {row[1] for row in ledger.sql("SELECT account_id, id FROM addresses")} == keys
        assert elsewhere.export(file_format) == file
        assert len(elsewhere.sql("SELECT account_id, id FROM addresses")) == 1
    ledger.take(
        {"number": "1", **{f"ship_to.{field}": "" for field in ADDRESS_FIELDS}, "bill_to.locality": "Rom"}
    )
    assert ledger.found("ulm") == set()
    assert ledger.found("rom") == {"1"}


def test_what_a_patch_replaces_stays_attached_until_it_is_detached(maker):
    customer = create(
        maker,
        bill_to_address={
            "name": "Old",
            "country": "DE",
            "locality": "Ulm",
            "state": "BW",
            "postal_code": "89073",
        },
        ship_to_address={"name": "Dock", "country": "DE", "locality": "Bonn"},
    )
    old = show(maker, customer)["bill_to_address"]["id"]
    new = maker.of_prefix("ad", locality="Rom")

    patch(maker, customer, bill_to_address_id=new)

    for filters in (
        {"city": "Ulm", "state": "BW", "postal_code": "89073"},
        {"q": "ulm"},
        {"city": "Rom"},
        {"q": "rom"},
    ):
        assert found(maker, **filters) == [customer["id"]], filters
    path = f"{ADDRESSES}/{old}/customers"
    attached = maker.book.get(path, **{"relations[]": "attached"})["data"]
    assert [served["id"] for served in attached] == [customer["id"]]
    assert old in listed(maker, customer)
    assert maker.client.delete(f"{ADDRESSES}/{old}").status_code == 409
    assert maker.client.delete(f"{path}/{customer['id']}").is_success
    assert found(maker, q="ulm") == found(maker, city="Ulm") == []
    assert old not in listed(maker, customer)
    assert maker.client.delete(f"{ADDRESSES}/{old}").is_success


def test_one_that_is_replaced_in_one_place_alone_stays_in_the_other(maker):
    customer = create(maker, bill_to_address=DOCK, ship_to_address=DOCK)
    both = show(maker, customer)["bill_to_address"]["id"]
    new = maker.of_prefix("ad", locality="Rom")

    patch(maker, customer, bill_to_address_id=new)
    patch(maker, customer, bill_to_address_id=both)

    assert set(listed(maker, customer)) == {both, new}
    relations = {
        relation: len(maker.book.get(f"{ADDRESSES}/{both}/customers", **{"relations[]": relation})["data"])
        for relation in ("attached", "bill_to", "ship_to")
    }
    assert relations == {"attached": 0, "bill_to": 1, "ship_to": 1}


def test_a_patch_that_swaps_them_attaches_none(maker):
    customer = create(maker, bill_to_address=DOCK, ship_to_address=DOCK | {"name": "B"})
    shown = show(maker, customer)
    bill, ship = shown["bill_to_address"]["id"], shown["ship_to_address"]["id"]

    patch(maker, customer, bill_to_address_id=ship, ship_to_address_id=bill)

    assert maker.book.get(f"{ADDRESSES}/{bill}/customers", **{"relations[]": "attached"})["data"] == []
