"""The header with a customer: the routes of addresses are that customer's, and no other route takes it."""

import json

import pytest

from tests.contract.checkers import assert_error
from tests.fixtures import raw_http
from tests.fixtures.book import Book, walk
from tests.fixtures.samples import Maker
from tests.resources.test_customers import create, found, show

ADDRESSES, CUSTOMERS = "/v1/sales/addresses", "/v1/sales/customers"
NAMES = ("Augno-Account", "OpenMRP-Account")
BODY = {"name": "Depot", "country": "DE", "locality": "Ulm"}


@pytest.fixture
def maker(book):
    return Maker(book)


def of(customer, name=NAMES[0]):
    return {name: customer if isinstance(customer, str) else customer["id"]}


def listed(maker, headers, **parameters):
    answer = maker.client.get(ADDRESSES, params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    return [address["id"] for address in answer.json()["data"]]


@pytest.mark.parametrize("name", NAMES)
def test_the_list_is_the_customers(maker, name):
    one, other = create(maker), create(maker)
    both = maker.of_prefix("ad", name="Both", customer_ids=[one["id"], other["id"]])
    own = maker.of_prefix("ad", name="Own", type="drop_ship", customer_ids=[one["id"]])
    nobodys = maker.of_prefix("ad", name="Nobody's")
    parts = {show(maker, one)[f"{part}_to_address"]["id"] for part in ("bill", "ship")}

    assert set(listed(maker, of(one, name))) == {both, own, *parts}
    assert listed(maker, of(one, name), q="own") == [own]
    assert listed(maker, of(one, name), type="drop_ship", q="own") == [own]
    assert listed(maker, of(one, name), customer_ids=other["id"]) == [both]
    assert set(listed(maker, of(one, name), customer_ids=f"{other['id']},{one['id']}")) == {both, own, *parts}
    assert nobodys in listed(maker, {})
    assert set(listed(maker, of(maker.book.account, name))) == set(listed(maker, {}))


def test_pages_are_exact_and_their_cursors_are_the_customers(maker):
    one, other = create(maker), create(maker)
    for number in range(7):
        maker.of_prefix("ad", name=f"D{number}", customer_ids=[one["id"], other["id"]][: 1 + number % 2])
    whole = listed(maker, of(one))

    answer = maker.client.get(ADDRESSES, params={"limit": 2}, headers=of(one)).json()
    pages = [a["id"] for a in answer["data"]]
    first = answer["page_info"]["next_page_url"]
    while answer["page_info"]["has_next_page"]:
        answer = maker.client.get(answer["page_info"]["next_page_url"], headers=of(one)).json()
        pages += [a["id"] for a in answer["data"]]

    assert pages == whole
    for headers in ({}, of(other), of(maker.book.account)):
        assert_error(maker.client.get(first, headers=headers), 400, "parameter_invalid", "cursor")
    assert maker.client.get(first, headers=of(one, NAMES[1])).status_code == 200
    assert [a["id"] for a in walk(maker.client, ADDRESSES, limit=2)] == listed(maker, {})


def test_pages_that_are_kept_and_their_tags_are_told_apart(maker):
    one, other = create(maker), create(maker)
    answers = {}
    for _ in range(2):
        for headers in ({}, of(one), of(other), of(maker.book.account)):
            answer = maker.client.get(ADDRESSES, headers=headers)
            assert answer.headers["vary"] == f"Authorization, {', '.join(NAMES)}, Accept-Encoding"
            answers.setdefault(json.dumps(headers), set()).add((answer.content, answer.headers["etag"]))
    known = maker.client.get(
        ADDRESSES, headers={**of(one), "If-None-Match": maker.client.get(ADDRESSES).headers["etag"]}
    )

    assert {len(seen) for seen in answers.values()} == {1}
    plain, of_one, of_other, of_account = (seen.pop() for seen in answers.values())
    assert plain == of_account
    assert len({plain, of_one, of_other}) == len({plain[1], of_one[1], of_other[1]}) == 3
    assert known.status_code == 200
    assert NAMES[0] not in maker.client.get(CUSTOMERS).headers["vary"]


def test_a_new_address_is_attached_to_the_customer_besides_those_it_names(maker):
    one, other = create(maker), create(maker)

    alone = maker.client.post(ADDRESSES, json=BODY, headers=of(one)).json()
    both = maker.client.post(ADDRESSES, json={**BODY, "customer_ids": [other["id"]]}, headers=of(one)).json()
    same = maker.client.post(ADDRESSES, json={**BODY, "customer_ids": [one["id"]]}, headers=of(one)).json()
    nobodys = maker.client.post(ADDRESSES, json=BODY, headers=of(maker.book.account)).json()

    served = {
        address["id"]: [c["id"] for c in maker.book.get(f"{ADDRESSES}/{address['id']}/customers")["data"]]
        for address in (alone, both, same, nobodys)
    }
    assert list(served.values()) == [[one["id"]], [other["id"], one["id"]], [one["id"]], []]
    assert found(maker, city="Ulm") == [other["id"], one["id"]]


def test_an_address_that_is_not_the_customers_is_not_there(maker):
    one, other = create(maker), create(maker)
    address = maker.of_prefix("ad", customer_ids=[other["id"]])
    path = f"{ADDRESSES}/{address}"
    requests = [
        ("GET", path, None), ("PATCH", path, {"name": "B"}), ("DELETE", path, None), ("GET", f"{path}/customers", None),
        ("PUT", f"{path}/customers/{one['id']}", None), ("DELETE", f"{path}/customers/{other['id']}", None),
    ]  # fmt: skip

    for method, target, body in requests:
        refused = maker.client.request(method, target, json=body, headers=of(one))
        nowhere = maker.client.request(method, target.replace(address, "ad_7zzzzzzzzzzzz"), json=body)
        assert_error(refused, 404, "resource_not_found", "id")
        assert refused.json()["error"]["message"] == nowhere.json()["error"]["message"]
    for method, target, body in (requests[0], requests[1], requests[3], requests[4]):
        assert maker.client.request(method, target, json=body, headers=of(other)).status_code == 200
    assert maker.book.get(path)["name"] == "B"


def test_it_is_the_customers_in_every_relation(maker):
    one = create(maker)
    bill = show(maker, one)["bill_to_address"]["id"]

    shown = maker.client.patch(f"{ADDRESSES}/{bill}", json={"locality": "Bonn"}, headers=of(one))

    assert shown.status_code == 200
    assert found(maker, city="Bonn") == [one["id"]]


@pytest.mark.parametrize("name", NAMES)
def test_any_other_value_is_refused_by_the_name_of_the_header(maker, server, name):
    one, merged, elsewhere = create(maker), create(maker), Book(server)
    address = maker.of_prefix("ad", customer_ids=[one["id"]])
    maker.client.post(f"{CUSTOMERS}/{one['id']}/actions/merge", json={"source_customer_ids": [merged["id"]]})
    bad = [
        "",
        "x",
        "ac_",
        address,
        one["id"].upper(),
        "ac_7zzzzzzzzzzzz",
        elsewhere.account,
        merged["id"],
        "ac_" + "z" * 65,
    ]
    for value in bad:
        for method, path, body in (
            ("GET", ADDRESSES, None),
            ("GET", f"{ADDRESSES}/{address}", None),
            ("POST", ADDRESSES, BODY),
        ):
            answer = maker.client.request(method, path, json=body, headers={name: value})
            assert_error(answer, 400, "parameter_invalid", name)
    elsewhere.close()
    assert one["id"] in maker.client.get(ADDRESSES, headers={name: merged["id"]}).text


@pytest.mark.parametrize(
    "path", [CUSTOMERS, "/v1/sales/account-groups", "/v1/auth/api-keys", f"{CUSTOMERS}/by-number/1"]
)
def test_no_other_route_takes_a_customer(maker, path):
    one = create(maker)

    for method in ("GET", "PUT") if "by-number" in path else ("GET", "POST"):
        answer = maker.client.request(method, path, json={} if method != "GET" else None, headers=of(one))
        assert_error(answer, 400, "parameter_invalid", NAMES[0])
    assert maker.client.get(CUSTOMERS, headers=of(maker.book.account, NAMES[1])).status_code == 200


def test_both_names_have_to_agree_and_each_comes_once(maker, server):
    one, other = create(maker), create(maker)

    same = maker.client.get(ADDRESSES, headers={**of(one), **of(one, NAMES[1])})
    different = maker.client.get(ADDRESSES, headers={**of(one), **of(other, NAMES[1])})
    head = raw_http.head(maker.book.key, *[f"{NAMES[0]}: {one['id']}"] * 2, target=ADDRESSES)
    twice = raw_http.exchange(server.url, head)

    assert same.status_code == 200
    assert_error(different, 400, "parameter_invalid", NAMES[1])
    assert twice.startswith(b"HTTP/1.1 400")
    assert NAMES[0].encode() in twice


def test_with_another_value_it_is_another_request(maker):
    one, other = create(maker), create(maker)
    keyed = {"Idempotency-Key": "k"}

    first = maker.client.post(ADDRESSES, json=BODY, headers={**keyed, **of(one)})
    again = maker.client.post(ADDRESSES, json=BODY, headers={**keyed, **of(one)})
    others = [
        maker.client.post(ADDRESSES, json=BODY, headers={**keyed, **headers}) for headers in ({}, of(other))
    ]

    assert (first.status_code, first.content) == (201, again.content)
    assert again.headers["idempotent-replayed"] == "true"
    for refused in others:
        assert_error(refused, 422, "idempotency_key_reused", "Idempotency-Key")
    assert len(listed(maker, of(one), q="depot")) == 1
