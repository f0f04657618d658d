"""What is special about addresses: they serve several customers, and every list and filter knows it."""

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures.application import application, client_of
from tests.fixtures.book import walk
from tests.fixtures.lengths import length
from tests.fixtures.samples import Maker
from tests.resources.test_customers import create, found, patch, show
from tradebook.crud.change import Change
from tradebook.ids import decode_id
from tradebook.resources import address_routes, addresses, customers

ADDRESSES = "/v1/sales/addresses"


@pytest.fixture
def maker(book):
    return Maker(book)


def listed(maker, **filters):
    return [address["id"] for address in maker.book.get(ADDRESSES, **filters)["data"]]


def test_an_address_has_its_place(maker):
    made = maker.client.post(
        ADDRESSES,
        json={
            "name": "Depot", "country": "de", "street_line_1": "Weg 1", "street_line_2": "Hof", "locality": "Ulm",
            "state": "BW", "postal_code": "89073", "phone": "0731 1", "email": "a@b.de", "type": "drop_ship",
        },
    ).json()  # fmt: skip

    assert list(made) == "id object name phone email type geolocation created_at updated_at".split()
    place = made["geolocation"]
    assert list(place) == "id object street_line_1 street_line_2 locality state postal_code country".split()
    assert (place["country"], place["locality"], place["street_line_2"]) == ("DE", "Ulm", "Hof")
    assert made["type"] == "drop_ship"


@pytest.mark.parametrize("country", ["XX", "D", "DEU", "Germany", "", "ÄÖ", 5])
def test_a_country_is_two_letters_of_a_country(maker, country):
    answer = maker.client.post(ADDRESSES, json={"name": "A", "country": country})

    check_envelope(answer, 400, "country", "validation_failed")


@pytest.mark.parametrize("written", ["XK", "xk"])
def test_kosovo_is_a_country(maker, written):
    made = maker.client.post(ADDRESSES, json={"name": "A", "country": written})

    assert made.json()["geolocation"]["country"] == "XK"


def test_words_are_found_in_every_field_and_only_together(maker):
    fields = {
        "name": "Häuptling", "street_line_1": "Rue Émile", "street_line_2": "Cour Deux", "locality": "Nîmes",
        "state": "Gard", "postal_code": "30900", "email": "chef@example.fr", "phone": "+33 (4) 66-00",
    }  # fmt: skip
    made = maker.of_prefix("ad", **fields)
    other = maker.of_prefix("ad", name="Other")

    for words in (
        "hauptling",
        "emile rue",
        "deux",
        "nimes gard",
        "30900",
        "chef@",
        "466 33466",
        "nimes hauptling",
    ):
        assert listed(maker, q=words) == [made], words
    assert listed(maker, q="nimes other") == []
    assert listed(maker, q="other") == [other]
    assert listed(maker, q="") == [other, made]
    maker.client.patch(f"{ADDRESSES}/{made}", json={"locality": "Arles"})
    assert (listed(maker, q="nimes"), listed(maker, q="arles")) == ([], [made])


def test_type_and_customers_narrow_the_list(maker):
    customer, other = create(maker), create(maker)
    drop, plain = (
        maker.of_prefix("ad", type=kind, customer_ids=[customer["id"]]) for kind in ("drop_ship", "standard")
    )
    own = {show(maker, customer)[f"{part}_to_address"]["id"] for part in ("bill", "ship")}

    assert set(listed(maker, customer_ids=customer["id"])) == {drop, plain, *own}
    assert listed(maker, customer_ids=customer["id"], type="standard", q="sample") == [plain]
    assert drop in listed(maker, type="drop_ship")
    both = listed(maker, **{"customer_ids[]": [customer["id"], other["id"]]})
    assert len(both) == len(set(both)) == 6
    assert listed(maker, customer_ids="ac_7zzzzzzzzzzzz") == []
    check_envelope(
        maker.client.get(ADDRESSES, params={"customer_ids": drop}), 400, "customer_ids", "validation_failed"
    )


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_addresses_of_a_customer_come_in_exact_pages(maker, limit):
    customer = create(maker)["id"]
    for number in range(7):
        maker.of_prefix("ad", customer_ids=[customer], name=f"Depot {number % 2}")
    whole = listed(maker, customer_ids=customer)

    for filters in ({}, {"q": "depot"}, {"type": "drop_ship"}):
        expected = listed(maker, customer_ids=customer, **filters)
        paged = [
            a["id"] for a in walk(maker.client, ADDRESSES, customer_ids=customer, limit=limit, **filters)
        ]
        assert paged == expected
        assert set(expected) <= set(whole)
    assert len(listed(maker, customer_ids=customer, q="depot 1")) == 3


def test_a_customer_with_very_many_addresses_is_searched_to_the_end(maker, monkeypatch):
    """More than one round of candidates, of which the last one matches."""
    monkeypatch.setattr(address_routes, "CANDIDATES_AT_ONCE", length(4, address_routes.CANDIDATES_AT_ONCE))
    book = maker.book
    customer = create(maker)["id"]
    first = maker.of_prefix("ad", customer_ids=[customer], name="Needle")
    for _ in range(2 * address_routes.CANDIDATES_AT_ONCE + 1):
        maker.of_prefix("ad", customer_ids=[customer], name="Hay")
    here = client_of(application(book.database, book.server.database), book.key)

    page = here.get(ADDRESSES, params={"customer_ids": customer, "q": "needle"}).json()

    assert [address["id"] for address in page["data"]] == [first]


def test_customers_are_attached_and_detached_as_a_set(maker):
    one, two = create(maker), create(maker)
    address = maker.of_prefix("ad", locality="Ulm", customer_ids=[one["id"]])
    assert found(maker, city="Ulm") == [one["id"]]

    maker.client.patch(f"{ADDRESSES}/{address}", json={"customer_ids": [two["id"]]})
    assert found(maker, city="Ulm") == [two["id"]]
    maker.client.patch(f"{ADDRESSES}/{address}", json={"name": "Same"})
    assert found(maker, q="ulm") == [two["id"]]
    maker.client.patch(f"{ADDRESSES}/{address}", json={"customer_ids": []})
    assert found(maker, city="Ulm") == []
    assert maker.client.delete(f"{ADDRESSES}/{address}").status_code == 204


def test_whom_it_bills_keeps_it_when_it_is_detached_and_the_reverse(maker):
    customer = create(maker)
    address = maker.of_prefix("ad", locality="Ulm", customer_ids=[customer["id"]])
    patch(maker, customer, bill_to_address_id=address)

    maker.client.patch(f"{ADDRESSES}/{address}", json={"customer_ids": []})
    assert found(maker, city="Ulm") == [customer["id"]]
    maker.client.patch(f"{ADDRESSES}/{address}", json={"customer_ids": [customer["id"]]})
    patch(maker, customer, bill_to_address_id=maker.of_prefix("ad", locality="Bonn"))

    assert found(maker, city="Ulm") == [customer["id"]]


def test_a_shared_address_that_changes_is_found_under_all_whom_it_serves(maker):
    shared = maker.of_prefix("ad", locality="Ulm", state="BW")
    one, two = create(maker), create(maker)
    for customer in (one, two):
        patch(maker, customer, bill_to_address_id=shared, ship_to_address_id=shared)

    maker.client.patch(f"{ADDRESSES}/{shared}", json={"locality": "Köln", "state": None})

    assert set(found(maker, city="Köln")) == set(found(maker, q="koln")) == {one["id"], two["id"]}
    assert found(maker, city="Ulm") == found(maker, state="BW") == []
    error = check_envelope(maker.client.delete(f"{ADDRESSES}/{shared}"), 409, "id", "still_referenced")
    assert "2 customers" in error["message"]
    assert show(maker, one)["bill_to_address"]["geolocation"]["locality"] == "Köln"


def test_an_import_leaves_what_is_attached(maker):
    maker.book.add({"name": "A", "number": "A", "bill_to.country": "DE", "bill_to.locality": "Ulm"})
    (customer,) = found(maker, city="Ulm")
    (address,) = listed(maker, customer_ids=customer)
    maker.client.patch(f"{ADDRESSES}/{address}", json={"customer_ids": [customer]})
    other = create(maker)
    patch(maker, other, bill_to_address_id=address)

    maker.book.add({"name": "A", "number": "A", "bill_to.locality": "Bonn"})

    assert set(found(maker, city="Ulm")) == {customer, other["id"]}
    assert found(maker, city="Bonn") == [customer]
    assert listed(maker, q="bonn") != []


def test_who_an_address_serves_can_be_listed_and_added_to(maker):
    first, second, third = (maker.of_prefix("ac") for _ in range(3))
    address = maker.of_prefix("ad", customer_ids=[first])
    maker.client.patch(f"/v1/sales/customers/{second}", json={"ship_to_address_id": address})
    path = f"/v1/sales/addresses/{address}/customers"

    served = {customer["id"] for customer in maker.book.get(path)["data"]}
    maker.client.patch(f"/v1/sales/addresses/{address}", json={"customer_ids": [*served, third]})

    assert served == {first, second}
    assert {customer["id"] for customer in maker.book.get(path)["data"]} == {first, second, third}


def test_what_customers_are_not_found_by_changes_none_of_them(maker, monkeypatch):
    """A phone number of an address that serves very many costs what it costs for one."""
    address = maker.of_prefix("ad", customer_ids=[maker.of_prefix("ac")])
    key = decode_id("ad", address)
    with maker.book.database.write(maker.book.account_key) as writer:
        seen = []
        monkeypatch.setattr(type(writer), "reindex", lambda self, index, keys: seen.append(index.name))
        for values in ({"phone": "1"}, {"street_line_1": "Elsewhere"}, {"locality": "Rome"}):
            row = addresses.records.find(writer, key)
            change = Change(writer=writer, grant=None, path_keys=(key,), row=row, values=values)
            address_routes._update(change)

    assert seen.count(addresses.INDEX.name) == 3
    assert seen.count(customers.INDEX.name) == 1
