"""The ids that customers have in other systems: shown where they are asked for, written, and found by."""

from urllib.parse import quote

import pytest

from tests.contract.checkers import CUSTOMERS
from tests.contract.checks import CUSTOMER_KEYS, check_customer, check_envelope
from tests.fixtures.samples import Maker
from tradebook.resources import customers

BY_EXTERNAL_ID = f"{CUSTOMERS}/by-external-id"
SHOWN = "include[]=external_ids"


@pytest.fixture(scope="module")
def whole(module_book):
    """All that a new customer needs."""
    return Maker(module_book).required(customers.resource)


@pytest.fixture
def send(module_book):
    """Send a body and return the answer with the ids in it."""

    def sent(method, path, body, status=200, **headers):
        answer = module_book.client.request(method, f"{path}?{SHOWN}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return sent


@pytest.fixture
def new(send, whole):
    """Make a customer with some ids, and return it."""

    def made(**ids):
        return send("POST", CUSTOMERS, {**whole, "external_ids": ids}, 201)

    return made


def put(book, name, value, body):
    path = f"{BY_EXTERNAL_ID}/{quote(name, safe='')}/{quote(value, safe='').replace('.', '%2E')}"
    return book.client.put(path, json=body)


def test_they_are_shown_where_they_are_asked_for_and_nowhere_else(module_book, new):
    made = new(shown="1", erp="A-1")
    path = f"{CUSTOMERS}/{made['id']}"

    plain, shown = module_book.get(path), module_book.get(path, **{"include[]": "external_ids"})

    check_customer(plain, bare=True)
    assert list(plain) == CUSTOMER_KEYS
    assert shown == made == {**plain, "external_ids": {"erp": "A-1", "shown": "1"}}
    listed = module_book.get(**{"include[]": ["external_ids", "child_accounts"], "limit": 1})["data"]
    assert listed == [shown]


def test_a_customer_without_any_shows_that(module_book, new):
    assert new()["external_ids"] == {}


def test_a_change_merges_them_by_name(module_book, new, send):
    made = new(merged="1", erp="M-1")

    changed = send("PATCH", f"{CUSTOMERS}/{made['id']}", {"external_ids": {"erp": None, "crm": " 9 "}})
    emptied = send("PATCH", f"{CUSTOMERS}/{made['id']}", {"external_ids": None})

    assert changed["external_ids"] == {"crm": "9", "merged": "1"}
    assert emptied["external_ids"] == {}
    assert made["updated_at"] < changed["updated_at"] < emptied["updated_at"]


def test_a_tag_is_of_the_ids_too_whatever_they_are_called(module_book, new, send):
    """The version of a customer is read from its answer, where a system may be called like its time."""
    made = new(updated_at="1", created_at="2")
    path = f"{CUSTOMERS}/{made['id']}"

    read = module_book.client.get(f"{path}?{SHOWN}")
    send("PATCH", path, {"external_ids": {"updated_at": "3"}}, **{"If-Match": read.headers["etag"]})
    stale = module_book.client.patch(path, json={"note": "x"}, headers={"If-Match": read.headers["etag"]})

    check_envelope(stale, 412, None, "precondition_failed")
    assert module_book.client.get(f"{path}?{SHOWN}").headers["etag"] != read.headers["etag"]


def test_an_id_is_one_customers(module_book, new, whole):
    made = new(taken="1")

    for method, path, body in (("POST", CUSTOMERS, whole), ("PATCH", f"{CUSTOMERS}/{new()['id']}", {})):
        answer = module_book.client.request(method, path, json={**body, "external_ids": {"taken": "1"}})
        refused = check_envelope(answer, 409, "external_ids.taken", "resource_exists")
        assert made["id"] in refused["message"]


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ([], "external_ids"),
        ("7", "external_ids"),
        ({"a/b": "7"}, "external_ids.a/b"),
        ({"": "7"}, "external_ids."),
        ({"erp": ""}, "external_ids.erp"),
        ({"erp": 7}, "external_ids.erp"),
        ({"erp": "x" * 256}, "external_ids.erp"),
        ({"erp": {"id": "7"}}, "external_ids.erp"),
    ],
)
def test_what_is_no_id_is_refused_by_its_place(module_book, whole, given, param):
    answer = module_book.client.post(CUSTOMERS, json={**whole, "external_ids": given})

    check_envelope(answer, 400, param, "invalid_format")


def test_a_customer_has_at_most_fifty(module_book, whole):
    many = {f"s{n}": "1" for n in range(51)}

    answer = module_book.client.post(CUSTOMERS, json={**whole, "external_ids": many})

    check_envelope(answer, 400, "external_ids", "validation_failed")


@pytest.mark.parametrize(
    "value", ["72", "a/b", "//", "..", "?", "100%", "Ä 1", '"', "by-external-id/x", "[]"]
)
def test_put_makes_the_customer_of_an_id_and_then_changes_it(module_book, whole, value):
    made = put(module_book, "Shop 7", value, {**whole, "external_ids": {"erp": f"P {value}"}})
    again = put(module_book, "Shop 7", value, {"note": "Found", "external_ids": {"erp": None}})
    read = module_book.get(made.headers["location"], **{"include[]": "external_ids"})

    assert (made.status_code, again.status_code) == (201, 200), made.text
    assert read["external_ids"] == {"Shop 7": value}
    assert read["note"] == "Found"
    found = module_book.client.get(f"{BY_EXTERNAL_ID}/Shop%207/{quote(value, safe='').replace('.', '%2E')}")
    assert found.json()["id"] == made.json()["id"]


def test_put_that_changes_nothing_keeps_the_version(module_book, whole):
    made = put(module_book, "same", "1", {**whole, "external_ids": {"same": "1", "erp": "same"}})

    again = put(module_book, "same", "1", {"external_ids": {"erp": "same", "crm": None}})

    assert again.json() == made.json()
    assert put(module_book, "same", "1", {"external_ids": {"erp": "S-2"}}).json() != made.json()


@pytest.mark.parametrize("said", [{"clash": "2"}, {"clash": None}, None])
def test_a_body_that_contradicts_the_path_is_refused(module_book, whole, said):
    answer = put(module_book, "clash", "1", {**whole, "external_ids": said})

    check_envelope(answer, 400, "external_ids.clash", "validation_failed")


def test_put_is_refused_as_the_other_ways_to_write_are(module_book, new, whole):
    carrier = Maker(module_book).of_prefix("cr")
    module_book.client.delete(f"/v1/operations/carriers/{carrier}")
    child = new(below="1")
    parent = {"parent_account_id": new(above="1")["id"]}
    module_book.client.patch(f"{CUSTOMERS}/{child['id']}", json=parent)
    new(other="1")
    taken = module_book.client.post(CUSTOMERS, json={**whole, "number": "has it"}).json()["number"]

    for given, status, code, param in (
        ({"name": 5}, 400, "invalid_format", "name"),
        ({"number": taken}, 409, "resource_exists", "number"),
        ({"external_ids": {"other": "1"}}, 409, "resource_exists", "external_ids.other"),
        ({"parent_account_id": child["id"]}, 409, "resource_conflict", "parent_account_id"),
        ({"default_carrier_id": carrier}, 410, "resource_gone", "default_carrier_id"),
    ):
        check_envelope(put(module_book, "refused", "1", {**whole, **given}), status, param, code)

    by_number = module_book.client.put(
        f"{CUSTOMERS}/by-number/new", json={**whole, "external_ids": {"other": "1"}}
    )
    check_envelope(by_number, 409, "external_ids.other", "resource_exists")


def test_by_number_and_by_external_id_are_the_same_customer(module_book, whole):
    made = put(module_book, "both", "1", {**whole, "number": "both-1"}).json()

    changed = module_book.client.put(
        f"{CUSTOMERS}/by-number/BOTH-1?{SHOWN}", json={"external_ids": {"erp": "B-1"}}
    ).json()

    assert changed["id"] == made["id"]
    assert changed["external_ids"] == {"both": "1", "erp": "B-1"}


def test_what_nobody_has_is_not_found(module_book, new):
    new(there="1")

    for path in ("there/2", "there/1x", "There/1", "nowhere/1"):
        check_envelope(module_book.client.get(f"{BY_EXTERNAL_ID}/{path}"), 404, "id", "resource_not_found")
    for path, param in (("there/", "id"), ("a%5Bb/1", "name"), ("a%0Ab/1", "name")):
        check_envelope(module_book.client.get(f"{BY_EXTERNAL_ID}/{path}"), 400, param, "parameter_invalid")


def test_an_id_is_free_again_when_its_customer_is_deleted(module_book, new):
    made = new(freed="1")

    assert module_book.client.delete(f"{CUSTOMERS}/{made['id']}").status_code == 200
    assert new(freed="1")["external_ids"] == {"freed": "1"}


def test_a_merge_takes_ids_along_and_tells_those_that_are_lost(module_book, new):
    target, source, other = new(erp="T"), new(erp="S", shop="1"), new(shop="2", crm="9")
    path = f"{CUSTOMERS}/{target['id']}/actions/merge"
    body = {"source_customer_ids": [source["id"], other["id"]]}

    preview = module_book.client.post(path, json={**body, "dry_run": True}).json()
    merged = module_book.client.post(f"{path}?{SHOWN}", json=body).json()

    lost = [
        {"customer_id": source["id"], "field": "external_ids.erp", "lost": "S", "kept": "T"},
        {"customer_id": other["id"], "field": "external_ids.shop", "lost": "2", "kept": "1"},
    ]
    for told in (preview, merged):
        assert [each for each in told["losses"] if each["field"].startswith("external_ids")] == lost
    assert merged["external_ids"] == {"crm": "9", "erp": "T", "shop": "1"}
    assert list(merged)[-2:] == ["losses", "left_out"]


def test_lines_of_an_export_have_them_where_they_are_asked_for(module_book, new):
    made = new(lines="1")

    answer = module_book.client.get(
        f"{CUSTOMERS}?{SHOWN}&start_date={made['created_at']}", headers={"Accept": "application/x-ndjson"}
    )

    assert answer.json()["external_ids"] == {"lines": "1"}
