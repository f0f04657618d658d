"""The client does what the routes do: every verb of every resource, against the real server, in both forms."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.client.forms import fields_of_a_customer
from tests.client.proxy import Proxy, Refuse
from tradebook_client import Conflict, Forbidden, Invalid, NotFound, Unauthenticated

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
FIVE = [
    ("account_groups", {"name": "Gold", "type": "pricing_group"}, {"description": "Big ones"}),
    ("addresses", {"name": "Dock 4", "country": "US"}, {"phone": "555 0100"}),
    ("carriers", {"name": "Our van"}, {"account_number": "7"}),
    ("payment_terms", {"name": "Net 7"}, {"status": "inactive"}),
    ("shipping_terms", {"name": "Ours", "type": "free_freight"}, {"name": "Ours alone"}),
]


def test_a_customer_is_made_read_changed_listed_and_deleted(client):
    made = client.customers.create(name="Copper & Sons", number="7", **fields_of_a_customer(client))
    changed = client.customers.update(made.id, note="Called.", include=["contact_info"])
    read = client.customers.get(made.id, include=["bill_to_address.geolocation"])
    listed = [customer.id for customer in client.customers.list(q="copper")]
    gone = client.customers.delete(made.id)

    assert (made.name, made.number, made.note) == ("Copper & Sons", "7", None)
    assert changed.note == "Called."
    assert changed.contact_info.email is None
    assert changed.created_at.tzinfo is not None
    assert read.bill_to_address.geolocation.locality == "Chicago"
    assert listed == [made.id]
    assert (gone.deleted, gone.kept_addresses) == (True, 1)
    assert list(client.customers.list()) == []


@pytest.mark.parametrize(("name", "fields", "change"), FIVE, ids=[name for name, _, _ in FIVE])
def test_each_resource_has_its_five_verbs(client, name, fields, change):
    resource = getattr(client, name)

    made = resource.create(**fields)
    changed = resource.update(made.id, **change)
    read = resource.get(made.id)
    listed = [each.id for each in resource.list()]
    resource.delete(made.id)

    assert made.name == fields["name"]
    assert changed == read
    assert {key: getattr(read, key) for key in change} == change
    assert made.id in listed
    assert made.id not in [each.id for each in resource.list()]


def test_a_carrier_has_service_levels(client):
    carrier = client.carriers.create(name="Our van")
    made = client.service_levels.create(carrier.id, name="Today", service_level_token="today")
    changed = client.service_levels.update(carrier.id, made.id, name="By noon")
    shown = client.carriers.get(carrier.id, include=["service_levels"])

    assert changed == client.service_levels.get(carrier.id, made.id)
    assert [level.name for level in shown.service_levels] == ["By noon"]
    client.service_levels.delete(carrier.id, made.id)
    assert list(client.service_levels.list(carrier.id)) == []


def test_an_account_user_is_made_changed_disabled_and_removed(client):
    made = client.account_users.create(email="ann@reps.example", name="Ann")
    changed = client.account_users.update(made.id, name="Ann Lee")

    assert changed.user.name == "Ann Lee"
    assert client.account_users.disable(made.id).status == "disabled"
    assert client.account_users.activate(made.id).status == "active"
    assert client.account_users.remove(made.id).status == "removed"
    assert client.account_users.get(made.id).user.email == "ann@reps.example"
    back = client.account_users.create(email="ann@reps.example")
    assert (back.id, client.account_users.delete(back.id)) == (made.id, None)
    assert client.account_users.get(made.id).status == "removed"


def test_a_new_key_opens_the_book_and_its_secret_is_not_printed(client, clients, book):
    made = client.api_keys.create(name="Shop", permissions=["customers:read"])
    rotated = client.api_keys.rotate(made.api_key_info.id, grace_seconds=0)
    used = clients.of(book, key=rotated.api_key_secret)

    assert list(used.customers.list()) == []
    assert made.api_key_info.permissions == ["customers:read"]
    assert made.api_key_secret not in repr(made)
    assert rotated.api_key_info.id in [key.id for key in client.api_keys.list()]
    assert made.api_key_info.id not in [key.id for key in client.api_keys.list(statuses=["active"])]
    client.api_keys.delete(rotated.api_key_info.id)
    with pytest.raises(Unauthenticated):
        next(used.customers.list())


def test_customers_are_merged_as_the_preview_says(client):
    fields = fields_of_a_customer(client)
    target, source = (client.customers.create(name=name, **fields) for name in ("Acme", "ACME Inc."))

    preview = client.customers.preview_merge(target.id, source_customer_ids=[source.id])
    merged = client.customers.merge(target.id, source_customer_ids=[source.id])

    assert preview.source_customer_ids == [source.id]
    assert "name" in [loss.field for loss in preview.losses]
    assert merged.id == target.id
    with pytest.raises(NotFound) as gone:
        client.customers.get(source.id)
    assert target.id in gone.value.message


def test_an_address_is_attached_and_detached(client):
    customer = client.customers.create(name="Acme", **fields_of_a_customer(client))
    address = client.addresses.create(name="Second dock", country="US")

    client.addresses.put_customer(address.id, customer.id)
    attached = [each.id for each in client.addresses.customers(address.id, relations=["attached"])]
    client.addresses.delete_customer(address.id, customer.id)

    assert attached == [customer.id]
    assert list(client.addresses.customers(address.id)) == []


def test_a_customer_is_found_by_its_number(client, book):
    book.add(
        {"number": "A-7", "name": "First"},
        {"number": "A-77", "name": "A-7"},
        {"number": "ü 1", "name": "Third"},
    )

    found = client.customers.find(number="A-7", include=["defaults"])

    assert (found.name, found.defaults.object) == ("First", "customer_defaults")
    assert client.customers.find(number="a-7").name == "First"
    assert client.customers.find(number="U\u0308 1").name == "Third"
    assert client.customers.find(number="A-") is None
    with pytest.raises(ValueError, match="empty"):
        client.customers.find(number=" ")
    with pytest.raises(TypeError, match="number is text, not 7"):
        client.customers.find(number=7)


@pytest.mark.parametrize("number", ["P-1", "a/b/..", "?x#y%", "Ü 1", ".."])
def test_a_customer_is_put_under_its_number(client, number):
    made = client.customers.put(number, name="First", **fields_of_a_customer(client))
    changed = client.customers.put(number, note="Called.", include=["bill_to_address.geolocation"])
    moved = client.customers.put(number, bill_to_address={"locality": "Boston"})

    assert (made.number, made.name, changed.note) == (number, "First", "Called.")
    assert made.id == changed.id == moved.id
    assert changed.bill_to_address.geolocation.locality == "Chicago"
    found = client.customers.find(number=number, include=["bill_to_address.geolocation"])
    assert found.bill_to_address.geolocation.locality == "Boston"
    assert client.customers.get_by_number(number) == client.customers.get(made.id)
    with pytest.raises(Invalid) as lacking:
        client.customers.put(f"{number}2", name="Second")
    assert lacking.value.param == "customer_type_group_id"
    with pytest.raises(NotFound):
        client.customers.get_by_number(f"{number}2")


def test_a_server_without_the_route_says_nothing_about_the_customer(book, clients):
    told = b'{"error": {"code": "resource_not_found", "message": "There is no such path.", "param": null}}'
    with Proxy(book.server.url, [Refuse(404, body=told)]) as proxy:
        client = clients.of(book, proxy.url)

        with pytest.raises(NotFound):
            client.customers.find(number="1")


def test_filters_narrow_the_list(client, book):
    book.add(
        {"number": "1", "name": "One", "status": "normal"},
        {"number": "2", "name": "Two", "status": "preferred"},
        {"number": "3", "name": "Three", "status": "hold_all"},
    )
    now = datetime.now(UTC)

    def numbers(**filters):
        return sorted(customer.number for customer in client.customers.list(**filters))

    assert numbers(status_codes=["normal", "preferred"]) == ["1", "2"]
    assert numbers(status_codes=("normal",), q="two") == []
    assert numbers(start_date=now - timedelta(days=1), end_date=now + timedelta(days=1)) == ["1", "2", "3"]
    assert numbers(end_date=now - timedelta(days=1)) == []
    assert numbers(q=None) == ["1", "2", "3"]


def test_what_is_refused_is_an_error_of_its_kind(client, clients, book):
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
    with pytest.raises(Unauthenticated) as unknown:
        next(clients.of(book, key=f"{book.key}x").customers.list())

    statuses = [each.value.status for each in (taken, missing, wrong, system, unknown)]
    assert statuses == [409, 404, 400, 403, 401]
    assert (taken.value.param, wrong.value.param) == ("number", "name")
    assert taken.value.code
    assert "number" in taken.value.message
    assert taken.value.request_id in str(taken.value)
