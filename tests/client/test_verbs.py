"""The client does what the routes do: every verb of every resource, against the real server."""

import pytest

from tests.client.samples import client_of, fields_of_a_customer
from tradebook_client import Conflict, Forbidden, Invalid, NotFound, Tradebook, Unauthenticated


@pytest.fixture
def client(book):
    with client_of(book) as made:
        yield made


def test_a_customer_is_made_read_changed_listed_and_deleted(client):
    made = client.customers.create(name="Copper & Sons", number="7", **fields_of_a_customer(client))
    changed = client.customers.update(made.id, note="Called.", include=["contact_info"])
    read = client.customers.get(made.id, include=["bill_to_address.geolocation"])
    listed = [customer.id for customer in client.customers.list(q="copper")]
    client.customers.delete(made.id)

    assert (made.name, made.number, made.note) == ("Copper & Sons", "7", None)
    assert changed.note == "Called."
    assert changed.contact_info.email is None
    assert changed.created_at.tzinfo is not None
    assert read.bill_to_address.geolocation.locality == "Chicago"
    assert listed == [made.id]
    assert list(client.customers.list()) == []


def test_what_is_refused_is_an_error_of_its_kind(client, book):
    fields = fields_of_a_customer(client)
    client.customers.create(name="First", number="7", **fields)

    with pytest.raises(Conflict) as taken:
        client.customers.create(name="Second", number="7", **fields)
    with pytest.raises(NotFound) as missing:
        client.customers.get("ac_0000000000001")
    with pytest.raises(Invalid) as wrong:
        client.customers.create(name="", **fields)
    with pytest.raises(Forbidden) as system:
        client.carriers.delete(fields["default_carrier_id"])
    with Tradebook(book.server.url, f"{book.key}x") as stranger, pytest.raises(Unauthenticated) as unknown:
        next(stranger.customers.list())

    statuses = [each.value.status for each in (taken, missing, wrong, system, unknown)]
    assert statuses == [409, 404, 400, 403, 401]
    assert taken.value.param == "number"
    assert wrong.value.param == "name"
    assert taken.value.code
    assert "number" in taken.value.message
    assert taken.value.request_id in str(taken.value)
