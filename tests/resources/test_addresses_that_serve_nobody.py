"""What stays of a customer who is deleted: told, listed, and deleted with them where that is asked for."""

from contextlib import closing

import pytest

from tests.contract.checkers import CUSTOMERS
from tests.contract.checks import check_envelope
from tests.fixtures import plain_http
from tests.fixtures.samples import Maker
from tradebook.checking import faults_of_account
from tradebook.resources import customers

ADDRESSES = "/v1/sales/addresses"
VOGEL = {"name": "Erna Vogel", "street_line_1": "Ahornweg 3", "country": "DE", "locality": "Bonn"}
DOCK = {**VOGEL, "street_line_1": "Am Kai 9"}


@pytest.fixture
def whole(book):
    return Maker(book).required(customers.resource)


@pytest.fixture
def new(book, whole):
    """Make a customer with two addresses of its own, and return its path."""

    def made(**fields):
        body = {**whole, "name": "Erna Vogel", "bill_to_address": VOGEL, "ship_to_address": DOCK, **fields}
        answer = book.client.post(CUSTOMERS, json=body)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    return made


def listed(book, **asked):
    return [address["geolocation"]["street_line_1"] for address in book.get(ADDRESSES, **asked)["data"]]


def deleted(book, path, asked=""):
    answer = book.client.delete(f"{path}{asked}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def attach(book, path, **fields):
    body = {**VOGEL, "street_line_1": "Hof 1", "customer_ids": [path.rpartition("/")[2]], **fields}
    answer = book.client.post(ADDRESSES, json=body)
    assert answer.status_code == 201, answer.text
    return f"{ADDRESSES}/{answer.json()['id']}"


def is_sound(book):
    return list(faults_of_account(book.database, book.account_key)) == []


@pytest.mark.parametrize("asked", ["", "?addresses=keep"])
def test_the_addresses_of_a_customer_stay_and_that_is_told(book, new, asked):
    path = new()

    told = deleted(book, path, asked)

    customer = path.rpartition("/")[2]
    assert told == {
        "id": customer, "object": "customer", "deleted": True, "kept_addresses": 2, "deleted_addresses": 0,
    }  # fmt: skip
    assert listed(book, customers="none") == ["Am Kai 9", "Ahornweg 3"]
    assert listed(book, customers="none", q="ahorn") == ["Ahornweg 3"]
    assert listed(book, customers="some") == []
    assert is_sound(book)


def test_they_go_with_the_customer_where_that_is_asked_for(book, new):
    path = new()
    attach(book, path)

    told = deleted(book, path, "?addresses=delete")

    assert (told["kept_addresses"], told["deleted_addresses"]) == (0, 3)
    assert listed(book) == listed(book, q="vogel") == []
    assert is_sound(book)


def test_those_that_serve_somebody_else_stay(book, new):
    path, other = new(), new()
    own = book.get(ADDRESSES, **{"customer_ids[]": path.rpartition("/")[2]})["data"]
    kai, ahorn = (f"{ADDRESSES}/{address['id']}" for address in own)
    attached = book.client.put(f"{ahorn}/customers/{other.rpartition('/')[2]}")
    assert attached.status_code == 200

    told = deleted(book, path, "?addresses=delete")

    assert (told["kept_addresses"], told["deleted_addresses"]) == (1, 1)
    assert book.client.get(ahorn).status_code == 200
    assert book.client.get(kai).status_code == 404
    assert is_sound(book)


@pytest.mark.parametrize("asked", ["addresses=remove", "addresses=", "addresses=keep&addresses=keep"])
def test_another_word_is_refused(book, new, asked):
    path = new()

    check_envelope(book.client.delete(f"{path}?{asked}"), 400, "addresses", "parameter_invalid")
    assert book.client.get(path).status_code == 200


def test_who_may_not_delete_addresses_is_refused(book, new):
    path = new()
    _, key = book.new_key(permissions=("customers:delete",))

    with closing(
        plain_http.Client(base_url=book.server.url, headers={"Authorization": f"Bearer {key}"})
    ) as client:
        refused = check_envelope(
            client.delete(f"{path}?addresses=delete"), 403, None, "insufficient_permissions"
        )
        assert "addresses:delete" in refused["message"]
        assert client.delete(path).status_code == 200


def test_an_address_serves_nobody_from_when_it_is_left_to_when_it_is_used(book, new):
    """Whatever makes and ends a link: attaching, replacing, the list of an address, another customer's body."""
    path = new()
    free = attach(book, path, customer_ids=[])
    key, customer, other = (each.rpartition("/")[2] for each in (free, path, new()))
    seen = [listed(book, customers="none")]

    for method, at, body in (
        ("PUT", f"{free}/customers/{customer}", None),
        ("DELETE", f"{free}/customers/{customer}", None),
        ("PATCH", free, {"customer_ids": [customer]}),
        ("PATCH", free, {"customer_ids": [other]}),
        ("PATCH", free, {"customer_ids": []}),
        ("PATCH", path, {"bill_to_address_id": key}),
    ):
        assert book.client.request(method, at, json=body).status_code == 200
        seen.append(listed(book, customers="none"))

    assert seen == [["Hof 1"], [], ["Hof 1"], [], [], ["Hof 1"], []]
    assert "Hof 1" in listed(book, customers="some")
    assert is_sound(book)


def test_an_import_leaves_none_and_a_merge_neither(book, new):
    target, source = new(), new()
    book.add(
        {
            "number": "I",
            "name": "Imported",
            "bill_to.country": "DE",
            "ship_to.country": "DE",
            "ship_to.locality": "Kiel",
        }
    )
    both = {f"ship_to.{field}": "" for field in customers.ADDRESS_FIELDS}

    merged = book.client.post(
        f"{target}/actions/merge", json={"source_customer_ids": [source.rpartition("/")[2]]}
    )
    book.add({"number": "I", **both})

    assert merged.status_code == 200
    assert [a["geolocation"]["locality"] for a in book.get(ADDRESSES, customers="none")["data"]] == ["Kiel"]
    assert is_sound(book)


def test_a_flag_that_is_wrong_is_found(ledger):
    ledger.take({"number": "1", "name": "A", "bill_to.country": "DE"})
    ledger.plant(f"UPDATE addresses SET is_unused = 1 WHERE account_id = {ledger.key}")

    told = [fault.sentence for fault in faults_of_account(ledger.database, ledger.key)]

    assert [sentence for sentence in told if "serves somebody, and is_unused says otherwise" in sentence]
