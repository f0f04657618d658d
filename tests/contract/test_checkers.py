"""The checkers bite: each finds the fault that is planted for it, and nothing where there is none."""

import copy
import json

import httpx
import pytest

from tests.contract.checkers import (
    ENVELOPE_KEYS,
    KEYS_OF,
    envelope_faults,
    key_order_faults,
    non_null_paths,
    traces_of,
    walk_faults,
)

GOOD_ERROR = {
    "code": "validation_failed",
    "type": "invalid_request_error",
    "message": "limit takes a whole number.",
    "param": "limit",
    "doc_url": "/errors#validation_failed",
    "is_transient": False,
    "quota": None,
    "request_log_url": None,
}
GOOD_HEADERS = {
    "content-type": "application/json",
    "x-should-retry": "false",
    "x-request-id": "req_1",
    "request-id": "req_1",
    "x-content-type-options": "nosniff",
}


def faults_of(error=GOOD_ERROR, headers=GOOD_HEADERS, status=400):
    answer = httpx.Response(status, headers=headers, content=json.dumps({"error": error}))
    return envelope_faults(answer, 400, "validation_failed", "limit")


def test_a_good_envelope_passes():
    assert faults_of() == []


@pytest.mark.parametrize("key", ENVELOPE_KEYS)
def test_an_envelope_that_lacks_a_key_is_found(key):
    lacking = {name: value for name, value in GOOD_ERROR.items() if name != key}

    assert faults_of(lacking)


@pytest.mark.parametrize(
    "planted",
    [
        {"code": "other"},
        {"type": "strange"},
        {"message": ""},
        {"message": "apsw.SQLError in cursor.py"},
        {"param": "q"},
        {"doc_url": "/errors"},
        {"is_transient": "no"},
        {"quota": 1},
        {"extra": 1},
    ],
)
def test_an_envelope_with_a_wrong_value_is_found(planted):
    assert faults_of(GOOD_ERROR | planted)


@pytest.mark.parametrize("name", GOOD_HEADERS)
def test_an_error_that_lacks_a_header_is_found(name):
    assert faults_of(headers={key: value for key, value in GOOD_HEADERS.items() if key != name})


def test_an_error_of_another_status_or_with_another_hint_is_found():
    assert faults_of(status=500)
    assert faults_of(headers=GOOD_HEADERS | {"x-should-retry": "true"})
    assert envelope_faults(httpx.Response(500, content=b"oops"), 500, "internal_error", None)
    assert envelope_faults(httpx.Response(500, content=b"[]"), 500, "internal_error", None)


def customer():
    return dict.fromkeys(KEYS_OF["customer"]) | {"object": "customer"}


def test_keys_in_order_pass():
    assert key_order_faults({"object": "list", "page_info": {}, "data": []}) != []
    assert key_order_faults(customer()) == []


@pytest.mark.parametrize("kind", KEYS_OF)
def test_two_keys_that_change_places_are_found_however_deep(kind):
    keys = [*KEYS_OF[kind]]
    keys[-1], keys[-2] = keys[-2], keys[-1]
    turned = dict.fromkeys(keys) | {"object": kind}

    assert key_order_faults(customer() | {"child_accounts": [turned]})


def test_a_missing_and_a_surplus_key_are_found():
    lacking = customer()
    del lacking["note"]

    assert key_order_faults(lacking)
    assert key_order_faults(customer() | {"surplus": None})


def test_a_sub_object_that_was_not_asked_for_is_found():
    planted = customer() | {"defaults": {"sales_rep": {"user": None}, "priority": None}}

    assert non_null_paths(planted) == {"defaults", "defaults.sales_rep"}


def page(ids, *, before, after):
    info = {
        "next_page_url": "/l?cursor=n" if after else None,
        "previous_page_url": "/l?cursor=p" if before else None,
        "has_next_page": after,
        "has_prev_page": before,
    }
    return {"object": "list", "page_info": info, "data": [{"id": key} for key in ids]}


STAYED = ["e", "d", "c", "b", "a"]


def good_walk():
    return [
        page("ed", before=False, after=True),
        page("cb", before=True, after=True),
        page("a", before=True, after=False),
    ]


def test_a_good_walk_passes():
    assert walk_faults(good_walk(), STAYED, 2) == []
    assert walk_faults([page("", before=False, after=False)], [], 2) == []


def planted(number, **changes):
    pages = copy.deepcopy(good_walk())
    pages[number]["page_info"].update(changes.pop("page_info", {}))
    pages[number].update(changes)
    return pages


@pytest.mark.parametrize(
    "pages",
    [
        # `<` where `<=` was meant, and the reverse: one skipped, one repeated.
        planted(1, data=[{"id": "b"}]),
        planted(1, data=[{"id": "d"}, {"id": "c"}]),
        # An order without the id.
        planted(1, data=[{"id": "b"}, {"id": "c"}]),
        planted(2, data=[{"id": "x"}]),
        # has_next guessed from a full page.
        planted(2, page_info={"has_next_page": True}),
        planted(2, page_info={"has_next_page": True, "next_page_url": "/l?cursor=n"}),
        planted(0, page_info={"has_prev_page": True, "previous_page_url": "/l?cursor=p"}),
        planted(0, page_info={"next_page_url": "https://host/l?cursor=n"}),
        planted(0, page_info={"next_page_url": "//host/l?cursor=n"}),
        planted(0, object="page"),
        [page("edcba", before=False, after=False)],
        [*good_walk(), page("", before=True, after=False)],
    ],
)
def test_a_walk_with_a_fault_is_found(pages):
    assert walk_faults(pages, STAYED, 2)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b'{"name":"Canary42 Ltd"}'),
        httpx.Response(200, content=b'{"name":"CANARY42"}'),
        httpx.Response(200, content=b'{"url":"/l?q=%63anary42"}'),
        httpx.Response(200, content=b'{"name":"\\u0063anary42"}'),
        httpx.Response(404, headers={"x-hint": "canary42"}),
    ],
)
def test_a_canary_is_found_wherever_it_hides(answer):
    assert traces_of(answer, ["canary42", "canary43"]) == ["canary42"]
    assert traces_of(answer, ["canary43"]) == []
