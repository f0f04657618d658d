"""What checks the recordings finds each fault that would keep a library from reading an answer."""

import json
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.fixtures.application import application, client_of
from tests.wire.recordings import FOLDER, Recording, Request, recording, shapes
from tests.wire.replaying import OR_NULL, PLAIN, Replay, shape_faults
from tradebook.crud.list_requests import parameters_of
from tradebook.crud.resource import Action, ListRoute
from tradebook.resources import ALL, customers

LIBRARIES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "shapes")
KEY = {
    "id": "ak_1", "object": "api_key", "name": "Shop", "redacted_value": "****abcd", "role": None, "permissions": [],
    "expires_at": None, "revoked_at": None, "last_used_at": None, "created_at": "2026-01-31T09:30:00.000Z",
    "updated_at": "2026-01-31T10:30:00+01:00",
}  # fmt: skip
LIST = {
    "object": "list",
    "data": [KEY],
    "page_info": {
        "next_page_url": None,
        "previous_page_url": None,
        "has_next_page": False,
        "has_prev_page": False,
    },
}
OURS = {
    "GET /v1/sales/addresses/{}/customers",
    "PUT /v1/sales/addresses/{}/customers/{}",
    "DELETE /v1/sales/addresses/{}/customers/{}",
    "GET /v1/operations/shipping-terms/{}/free_shipping_service_levels",
    "GET /v1/sales/customers/{}/child_accounts",
    "GET /v1/sales/customers/{}/price_groups",
    "GET /v1/sales/customers/by-number/{}",
    "PUT /v1/sales/customers/by-number/{}",
    "GET /v1/sales/customers/by-external-id/{}/{}",
    "PUT /v1/sales/customers/by-external-id/{}/{}",
    "POST /v1/core/imports",
    "GET /v1/core/imports",
    "GET /v1/core/imports/{}",
    "GET /v1/core/imports/{}/rows",
    "POST /v1/core/imports/{}/actions/apply",
    "POST /v1/core/imports/{}/actions/discard",
}
"""Routes that the libraries don't know."""


def without(key):
    return LIST | {"data": [{name: value for name, value in KEY.items() if name != key}]}


def with_key(**fields):
    return LIST | {"data": [KEY | fields]}


def faults_of(answer):
    """Read an answer as that of a list of keys."""
    request = Request(does="list", sends="GET /keys", status=200, reads="api_key_list")
    with httpx.Client(transport=httpx.MockTransport(lambda _: answer), base_url="http://here") as client:
        return Replay(client, shapes(), Recording("one", {}, [request])).faults()


def test_a_good_answer_has_no_fault():
    assert faults_of(httpx.Response(200, json=LIST)) == []
    assert faults_of(httpx.Response(200, json=with_key(later="unknown to the library"))) == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(204), "204 instead of 200"),
        (httpx.Response(200, text=json.dumps(LIST)), "content type"),
        (httpx.Response(200, json=without("redacted_value")), "data[].redacted_value is missing"),
        (httpx.Response(200, json=without("revoked_at")), "data[].revoked_at is missing"),
        (httpx.Response(200, json=with_key(name=None)), "data[].name is null"),
        (httpx.Response(200, json=with_key(name=5)), "data[].name is no string"),
        (httpx.Response(200, json=with_key(role="admin")), "data[].role is no object"),
        (httpx.Response(200, json=with_key(created_at="2026-01-31 09:30")), "data[].created_at is no time"),
        (httpx.Response(200, json=LIST | {"page_info": {}}), "page_info.has_next_page is missing"),
        (httpx.Response(200, json=LIST | {"data": {}}), "data is no list"),
        (httpx.Response(200, json=[]), " is no object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_is_found(answer, told):
    assert [fault for fault in faults_of(answer) if told in fault]


def test_what_an_earlier_answer_lacked_is_told():
    request = Request(does="get", sends="GET /keys/{key}", status=200, reads="api_key")

    assert Replay(httpx.Client(), shapes(), Recording("one", {}, [request])).faults() == [
        "get: nothing before it has answered key"
    ]


def test_every_type_is_known():
    known = shapes()
    kinds = {kind.removesuffix(OR_NULL).strip("[]") for keys in known.values() for kind in keys.values()}

    assert kinds <= known.keys() | PLAIN.keys()
    assert [*shape_faults(known, "unit", {key: None for key in known["unit"]})]


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_route_of_the_contract_is_recorded(library):
    sent = {shape_of(request.sends) for request in recording(library).requests}
    declared = {
        shape_of(f"{route.method if isinstance(route, Action) else 'GET'} {route.path}")
        for resource in ALL
        for route in resource.routes
    }

    assert declared - sent == OURS & declared
    assert [one for one in sent - declared if one != "GET {}"] == []


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_filter_and_include_of_the_customer_list_is_recorded(library):
    route = next(each for each in customers.resource.routes if isinstance(each, ListRoute))
    asked = [urlsplit(request.sends) for request in recording(library).requests]
    sent = [pair for url in asked if url.path == f"GET {route.path}" for pair in parse_qsl(url.query)]
    included = {value for name, values in sent if name == "include" for value in values.split(",")}

    known = {name for each in parameters_of(route) for name in (each.name.removesuffix("[]"), each.alias)}
    assert known - {name for name, _ in sent} <= {"start_date", "end_date", "starts_at", "ends_at", None}
    ours = {"external_ids", *(f"{side}_to_address.geolocation" for side in ("bill", "ship"))}
    assert set(route.includes) - included == ours
    assert {values.count(",") for name, values in sent if name == "status_codes"} == {1}


def shape_of(sends):
    verb, path = sends.partition("?")[0].split(" ", 1)
    steps = ["{}" if "{" in step or step.startswith("ac_") else step for step in path.split("/")]
    return f"{verb} {'/'.join(steps)}"


def test_a_server_that_answers_a_delete_with_nothing_is_found(book, monkeypatch):
    """As this one did: the libraries took it for an error, after the object was gone."""
    answered = httpx.Client.request

    def as_before(client, verb, *arguments, **options):
        answer = answered(client, verb, *arguments, **options)
        return httpx.Response(204) if verb == "DELETE" else answer

    monkeypatch.setattr(httpx.Client, "request", as_before)
    with client_of(application(book.database, book.server.database), book.key) as client:
        faults = Replay(client, shapes(), recording("go-0.16.1")).faults()

    assert [fault for fault in faults if fault.startswith("delete ")]
    assert [fault for fault in faults if not fault.startswith("delete ")] == []
