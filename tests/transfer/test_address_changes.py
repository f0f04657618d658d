"""What an import does to addresses that other customers have too, or that nobody has any more."""

import pytest

from tests.fixtures.ledgers import Ledger
from tradebook.resources import customers
from tradebook.resources.customers import ADDRESS_FIELDS

HQ = {"bill_to.name": "HQ", "bill_to.country": "DE", "bill_to.locality": "Oldtown"}
NO_BILL_TO = {f"bill_to.{field}": "" for field in ADDRESS_FIELDS}
NO_SHIP_TO = {f"ship_to.{field}": "" for field in ADDRESS_FIELDS}


@pytest.fixture
def shared(ledger: Ledger) -> Ledger:
    """Two customers, 1 and 2, with one bill-to address."""
    ledger.take({"number": "1", "name": "A", **HQ}, {"number": "2", "name": "B"})
    own = f"account_id = {ledger.key}"
    ledger.plant(
        f"UPDATE customers SET bill_to_address_id = (SELECT bill_to_address_id FROM customers WHERE {own}"
        f" AND number = '1') WHERE {own} AND number = '2'"
    )
    ledger.plant(
        f"INSERT INTO customer_addresses SELECT account_id, (SELECT id FROM customers WHERE {own} AND"
        f" number = '2'), address_id, locality, state, postal_code, 0 FROM customer_addresses WHERE {own}"
    )
    return ledger


def linked(ledger: Ledger) -> set[tuple[str, str, str]]:
    """Which customer is found under which address: its number, the link's city and the address's own."""
    rows = ledger.sql(
        "SELECT l.account_id, c.number, l.locality, a.locality FROM customer_addresses l"
        " JOIN customers c ON c.account_id = l.account_id AND c.id = l.customer_id"
        " JOIN addresses a ON a.account_id = l.account_id AND a.id = l.address_id"
    )
    return {row[1:] for row in rows}


def addresses(ledger: Ledger) -> set[tuple[int, str]]:
    """The account's addresses: key and city."""
    return {row[1:] for row in ledger.sql("SELECT account_id, id, locality FROM addresses")}


def test_an_address_that_serves_two_is_not_changed_for_the_other(shared):
    shared.take({"number": "2", "bill_to.locality": "Bonn"})

    assert linked(shared) == {("1", "Oldtown", "Oldtown"), ("2", "Bonn", "Bonn")}


def test_the_last_customer_of_a_shared_address_has_it_changed_in_place(shared):
    ((key, _),) = addresses(shared)

    shared.take({"number": "1", "bill_to.locality": "Bonn"}, {"number": "2", "bill_to.locality": "Newtown"})

    assert (key, "Newtown") in addresses(shared)
    assert linked(shared) == {("1", "Bonn", "Bonn"), ("2", "Newtown", "Newtown")}


def test_an_address_goes_on_serving_the_customer_that_it_is_attached_to(shared):
    """Or the customer would be found under what the address was, and not under what it became."""
    shared.plant(
        f"UPDATE customer_addresses SET is_attached = 1 WHERE account_id = {shared.key} AND customer_id ="
        f" (SELECT id FROM customers WHERE account_id = {shared.key} AND number = '1')"
    )

    shared.take({"number": "1", "bill_to.locality": "Bonn"}, {"number": "2", "bill_to.locality": "Newtown"})

    assert linked(shared) == {
        ("1", "Oldtown", "Oldtown"),
        ("1", "Bonn", "Bonn"),
        ("2", "Newtown", "Newtown"),
    }
    assert shared.found("oldtown") == shared.found("bonn") == {"1"}
    assert shared.found("newtown") == {"2"}


def test_an_address_that_is_taken_from_its_customer_stays_in_the_account(ledger):
    ledger.take({"number": "1", "name": "A", **HQ, "ship_to.locality": "Dock", "ship_to.country": "DE"})
    before = addresses(ledger)

    ledger.take({"number": "1", **NO_SHIP_TO})

    assert linked(ledger) == {("1", "Oldtown", "Oldtown")}
    assert {city for _, city in before} == {"Oldtown", "Dock"}
    assert addresses(ledger) == before


def test_the_address_that_served_as_both_stays_the_ship_to_where_the_bill_to_is_taken(ledger):
    ledger.take({"number": "1", "name": "A", **HQ})
    ((key, _),) = addresses(ledger)

    ledger.take({"number": "1", **NO_BILL_TO, "ship_to.locality": "Dock"})

    assert addresses(ledger) == {(key, "Dock")}
    assert linked(ledger) == {("1", "Dock", "Dock")}
    record = ledger.customer("1")
    assert (record["bill_to.name"], record["ship_to.name"]) == (None, "HQ")


def test_an_import_every_night_makes_no_further_addresses(ledger):
    both = {**HQ, "ship_to.name": "Dock", "ship_to.country": "DE"}
    ledger.take({"number": "1", "name": "A", **both})
    keys = {key for key, _ in addresses(ledger)}

    for night in range(3):
        ledger.take({"number": "1", **both, "bill_to.locality": f"B{night}", "ship_to.locality": f"S{night}"})

    assert addresses(ledger) == set(zip(sorted(keys), ["B2", "S2"], strict=True))


DOCK = {"name": "Dock 4", "country": "DE", "locality": "Bonn"}


def attach(ledger: Ledger, number: str, *given: dict) -> bool:
    """Attach further addresses to a customer, and tell whether it got any."""
    with ledger.database.write(ledger.key) as writer:
        customer = customers.records.find_by(writer, "number", [number])[number]
        serving = (customer["bill_to_address_id"], customer["ship_to_address_id"])
        changes = customers.AddressChanges(writer)
        changes.load(serving)
        changes.load_attached([customer["id"]])
        further = changes.attach_further(customer["id"], serving, given, customer["name"])
        changes.write_new(writer)
        changes.write_attached(writer)
    return bool(further)


def test_further_addresses_are_attached_once(ledger):
    ledger.take({"number": "1", "name": "A", **HQ})

    assert attach(ledger, "1", DOCK, {**DOCK, "locality": "Kiel", "name": None}, {**DOCK, "phone": None})
    assert not attach(ledger, "1", {**DOCK, "type": None}, {"country": "DE", "locality": "Kiel"})
    assert attach(ledger, "1", {**DOCK, "street_line_1": "Kai 3"})
    assert sorted(place for _, place in addresses(ledger)) == ["Bonn", "Bonn", "Kiel", "Oldtown"]
    assert linked(ledger) == {("1", place, place) for place in ("Bonn", "Kiel", "Oldtown")}


def test_an_address_that_a_customer_has_already_is_not_attached_again(ledger):
    ledger.take({"number": "1", "name": "A", **HQ})

    assert not attach(ledger, "1", {"name": "HQ", "country": "DE", "locality": "Oldtown", "email": None})
    assert len(addresses(ledger)) == 1
