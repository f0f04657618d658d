"""What is sent again and what is not, and that nothing is made twice: real answers, cut or refused on the way."""

import socket
import time

import pytest

from tests.client.forms import fields_of_a_customer
from tests.client.proxy import Cut, Proxy, Refuse, Say, refusal
from tests.fixtures.server import free_port
from tradebook_client import (
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NoAnswer,
    NotFound,
    PreconditionFailed,
    RateLimited,
    ServerError,
    TradebookError,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
)

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
SOON = {"Retry-After-Ms": "1"}
FAULTS = [
    pytest.param([Cut()], id="cut"),
    pytest.param([Cut(is_asked=False)], id="lost"),
    pytest.param([Refuse(503, SOON, refusal("service_unavailable"))], id="503"),
    pytest.param([Refuse(429, SOON, refusal("rate_limit_exceeded")), Cut()], id="429 and cut"),
    pytest.param([Refuse(502, {}, b"<html>"), Cut(), Cut()], id="502 and two cuts"),
]


def keys_of(seen):
    return [each.headers["Idempotency-Key"] for each in seen]


@pytest.mark.parametrize("faults", FAULTS)
def test_a_create_is_done_once(client, clients, book, faults):
    fields = fields_of_a_customer(client)

    with Proxy(book.server.url, faults) as proxy:
        made = clients.of(book, proxy.url).customers.create(name="Acme", **fields)

    assert [each.id for each in client.customers.list()] == [made.id]
    assert len(proxy.seen) == len(faults) + 1
    assert len(set(keys_of(proxy.seen))) == 1


def test_a_change_a_merge_and_a_new_key_are_done_once(client, clients, book):
    fields = fields_of_a_customer(client)
    target, source = (client.customers.create(name=name, **fields) for name in ("Acme", "ACME Inc."))

    with Proxy(book.server.url, [Cut(), None] * 3) as proxy:
        shaky = clients.of(book, proxy.url)
        changed = shaky.customers.update(target.id, note="Called.")
        merged = shaky.customers.merge(target.id, source_customer_ids=[source.id])
        made = shaky.api_keys.create(name="Shop", permissions=["customers:read"])

    assert (changed.note, merged.id) == ("Called.", target.id)
    assert len([key for key in client.api_keys.list() if key.name == "Shop"]) == 1
    assert list(clients.of(book, key=made.api_key_secret).customers.list())
    keys = keys_of(proxy.seen)
    assert len(keys) == 6
    assert [keys[0], keys[2], keys[4]] == [keys[1], keys[3], keys[5]]
    assert len(set(keys)) == 3


def test_a_delete_whose_answer_is_lost_is_done_and_no_error(client, clients, book):
    made = client.customers.create(name="Acme", **fields_of_a_customer(client))

    with Proxy(book.server.url, [Cut()]) as proxy:
        clients.of(book, proxy.url).customers.delete(made.id)

    assert [each.method for each in proxy.seen] == ["DELETE", "DELETE"]
    assert list(client.customers.list()) == []


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("account_groups", {"name": "Gold", "type": "pricing_group"}),
        ("addresses", {"name": "Dock 4", "country": "US"}),
        ("carriers", {"name": "Our van"}),
        ("payment_terms", {"name": "Net 7"}),
        ("shipping_terms", {"name": "Ours", "type": "free_freight"}),
        ("api_keys", {"name": "Shop", "permissions": ["customers:read"]}),
    ],
)
def test_so_is_that_of_every_other_resource(client, clients, book, name, fields):
    made = getattr(client, name).create(**fields)

    with Proxy(book.server.url, [Cut()]) as proxy:
        getattr(clients.of(book, proxy.url), name).delete(getattr(made, "api_key_info", made).id)

    assert len(proxy.seen) == 2


def test_a_delete_that_was_never_done_is_an_error_where_there_is_nothing(clients, book):
    later = Refuse(429, SOON, refusal("rate_limit_exceeded"))
    with Proxy(book.server.url, [later]) as proxy, pytest.raises(NotFound):
        clients.of(book, proxy.url).customers.delete("ac_0000000000001")

    assert len(proxy.seen) == 2


def test_the_same_call_twice_is_done_twice(client):
    fields = fields_of_a_customer(client)

    made = [client.customers.create(name="Acme", **fields).id for _ in range(2)]

    assert len(set(made)) == 2


def test_a_server_that_refuses_for_a_while_is_waited_for_as_long_as_it_says(clients, book):
    busy = Refuse(503, {"Retry-After": "1"}, refusal("service_unavailable"))

    with Proxy(book.server.url, [busy]) as proxy:
        client = clients.of(book, proxy.url)
        start = time.monotonic()
        assert list(client.customers.list()) == []

    assert 1 <= time.monotonic() - start < 5
    assert len(proxy.seen) == 2


@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        (Refuse(503, {"x-should-retry": "false"}, refusal("outcome_in_doubt")), 1),
        (Refuse(429, {"Retry-After": "3600"}, refusal("rate_limit_exceeded")), 1),
        (Refuse(400, {"x-should-retry": "true", **SOON}, refusal("strange")), 3),
        (Refuse(400, SOON, refusal("strange")), 1),
        (Refuse(409, {"x-should-retry": "false"}, refusal("resource_exists")), 1),
        (Refuse(409, SOON, refusal("idempotency_in_progress")), 3),
        (Refuse(500, SOON, refusal("internal_error")), 3),
    ],
)
def test_it_is_sent_again_where_the_server_says_so(clients, book, answer, tries):
    with Proxy(book.server.url, [answer] * 9) as proxy, pytest.raises(ApiError) as refused:
        clients.of(book, proxy.url, retries=2).payment_terms.create(name="Net 7")

    assert len(proxy.seen) == tries
    assert refused.value.status == answer.status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, UnexpectedAnswer), (400, Invalid), (401, Unauthenticated), (403, Forbidden), (404, NotFound),
        (405, Invalid), (408, Unavailable), (409, Conflict), (410, Gone), (412, PreconditionFailed),
        (413, Invalid), (415, Invalid), (418, Invalid), (422, Invalid), (429, RateLimited), (500, ServerError),
        (501, ServerError), (502, Unavailable), (503, Unavailable), (504, Unavailable),
    ],
)  # fmt: skip
def test_the_status_says_what_kind_of_error_it_is_whatever_the_code(clients, book, status, kind):
    told = refusal("a_word_of_a_later_version", param="name", message="Say it otherwise.")
    answers = [
        Refuse(status, {"Request-Id": "r1", "Location": "http://elsewhere.example/"}, told),
        Refuse(status, {"X-Request-Id": "r2"}, b"<html>no envelope"),
        Refuse(status, {}, b'{"error": []}'),
    ]

    with Proxy(book.server.url, answers) as proxy:
        client = clients.of(book, proxy.url, retries=0)
        errors = []
        for _ in answers:
            with pytest.raises(TradebookError) as raised:
                client.customers.get("ac_0000000000001")
            errors.append(raised.value)

    assert [type(error) for error in errors] == [kind] * 3
    assert [error.status for error in errors] == [status] * 3
    assert [error.request_id for error in errors] == ["r1", "r2", None]
    if kind is not UnexpectedAnswer:
        first = errors[0]
        assert (first.code, first.param, first.message) == (
            "a_word_of_a_later_version", "name", "Say it otherwise.",
        )  # fmt: skip
        assert (errors[1].code, errors[1].param) == (None, None)
        assert str(status) in errors[1].message


def test_nobody_there_is_an_error_that_says_so(clients, book):
    with pytest.raises(NoAnswer) as nobody:
        clients.of(book, f"http://127.0.0.1:{free_port()}", retries=1).customers.get("ac_0000000000001")

    assert nobody.value.status is None
    assert "2 tries" in nobody.value.message


def test_a_server_that_says_nothing_is_given_up_after_the_timeout(clients, book):
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(NoAnswer, match=r"ReadTimeout|timed out"),
    ):
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        clients.of(book, url, retries=0, timeout=0.05).customers.get("ac_0000000000001")


def test_what_is_said_of_a_deleted_object_is_understood(client, clients, book):
    made = client.customers.create(name="Acme", **fields_of_a_customer(client))
    gone = {"id": made.id, "object": "customer", "deleted": True}

    with Proxy(book.server.url, [Say(lambda _: gone, 200)]) as proxy:
        clients.of(book, proxy.url).customers.delete(made.id)
