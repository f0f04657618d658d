"""Who may do what: asked of every route there is, with every key that should not do."""

import re

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures import plain_http
from tests.fixtures.book import Book
from tests.fixtures.samples import CHANGED, WRITTEN, Maker, creating, showing
from tradebook.crud.kinds import Id, Many
from tradebook.crud.resource import Action, ListRoute
from tradebook.resources import ALL
from tradebook.resources.api_keys import ALL_PERMISSIONS

ROUTES = [
    pytest.param(resource, route, id=f"{getattr(route, 'method', 'GET')} {route.path}")
    for resource in ALL
    for route in resource.routes
]
NOWHERE = "7" + "z" * 12


BY_ID = [p for p in ROUTES if p.values[1].path_objects and p.values[1].path_objects[-1].by is None]
"""The routes of one object by its id. Those by its name have no malformed one, and may make what is not there."""


def method_of(route):
    return route.method if isinstance(route, Action) else "GET"


def url_of(route, body=NOWHERE):
    return route.path.format(
        **{param: f"{owner.id_prefix}_{body}" for owner in route.path_objects for param in owner.params}
    )


@pytest.fixture(scope="module")
def maker(module_book):
    return Maker(module_book)


def client_of(book, secret):
    return plain_http.Client(
        base_url=book.server.url, headers={"Authorization": f"Bearer {secret}"}, timeout=30
    )


@pytest.mark.parametrize(("resource", "route"), ROUTES)
def test_without_a_key_nothing_is_done(maker, resource, route):
    answer = plain_http.request(method_of(route), maker.book.server.url + url_of(route))

    check_envelope(answer, 401, None, "invalid_credentials")


@pytest.mark.parametrize(("resource", "route"), ROUTES)
def test_each_missing_permission_is_named(maker, resource, route):
    creation = getattr(route, "or_creates", None)
    for missing in route.permissions if creation is None else (creation.permission,):
        others = tuple(p for p in ALL_PERMISSIONS if p != missing)
        _, secret = maker.book.new_key(permissions=others)
        with client_of(maker.book, secret) as client:
            answer = client.request(method_of(route), url_of(route), json=None)

            assert missing in check_envelope(answer, 403, None, "insufficient_permissions")["message"]


@pytest.mark.parametrize(("resource", "route"), ROUTES)
def test_the_permissions_of_a_route_are_enough(maker, resource, route):
    creation = getattr(route, "or_creates", None)
    needed = route.permissions if creation is None else (creation.permission,)
    _, secret = maker.book.new_key(permissions=needed)

    with client_of(maker.book, secret) as client:
        answer = client.request(method_of(route), url_of(route))

    assert answer.status_code not in (401, 403), answer.text


def test_a_route_s_permissions_follow_the_contract():
    """Section 6: the permissions begin with the resource's word, the action is the verb's.

    One of a set inside an object is put in and taken out by who may change that object.
    """
    actions = {"GET": "read", "POST": "create", "PATCH": "update", "DELETE": "delete", "PUT": "update"}
    one_of_a_set = "/v1/sales/addresses/{id}/customers/{customer_id}"
    for resource in ALL:
        for route in resource.routes:
            if route.path == one_of_a_set:
                assert route.permissions[0] == "addresses:update"
            elif route.permissions and "/actions/" not in route.path:
                (permission,) = route.permissions
                assert permission.partition(":")[2] == actions[method_of(route)], route.path
    merge = next(r for each in ALL for r in each.routes if r.path.endswith("/merge"))
    assert set(merge.permissions) == {"customers:update", "customers:delete"}


@pytest.mark.parametrize(("resource", "route"), ROUTES)
def test_a_parameter_that_no_route_knows_is_refused(maker, resource, route):
    path = maker.path(route) if route.path_objects and resource in WRITTEN else url_of(route)

    answer = maker.client.request(
        method_of(route), path, params={"nonsense": "1"}, json={} if method_of(route) != "GET" else None
    )

    check_envelope(answer, 400, "nonsense", "parameter_unknown")


def test_every_verb_that_is_not_declared_is_405_and_told_which_are(maker):
    declared = {}
    for resource in ALL:
        for route in resource.routes:
            declared.setdefault(url_of(route), set()).add(method_of(route))
    for path, methods in declared.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
            answer = maker.client.request(method, path)
            check_envelope(answer, 405, None, "method_not_allowed")
            allowed = set(re.split(r",\s*", answer.headers["allow"]))
            assert allowed - {"OPTIONS", "HEAD"} == methods, path


@pytest.mark.parametrize(("resource", "route"), BY_ID)
def test_an_id_of_another_type_is_400_and_one_of_nothing_404(maker, resource, route):
    last = route.path_objects[-1].param
    wrong = route.path.format(**{owner.param: f"zz_{NOWHERE}" for owner in route.path_objects})

    malformed = maker.client.request(method_of(route), wrong)
    check_envelope(malformed, 400, route.path_objects[0].param, "parameter_invalid")

    # Ids of another system have other lengths, and are as well-formed.
    for body in (NOWHERE, "1", "ill" * 20):
        missing = maker.client.request(method_of(route), url_of(route, body), json=needed(maker, route))
        check_envelope(missing, 404, missing.json()["error"]["param"], "resource_not_found")
        assert missing.json()["error"]["param"] in {last, route.path_objects[0].param}


def needed(maker, route):
    if not isinstance(route, Action):
        return None
    if route.path.endswith("/merge"):
        return {"source_customer_ids": [f"ac_{NOWHERE}"]}
    return maker.body(route.body, only_required=True) if route.creates else {}


@pytest.fixture(scope="module")
def foreign(module_book):
    """Another account on the same server, with one object of each kind whose texts are all canaries."""
    book = Book(module_book.server, "Foreign")
    yield Maker(book)
    book.close()


CANARY = "Canary"


@pytest.mark.parametrize("resource", WRITTEN, ids=lambda resource: resource.name)
def test_a_foreign_id_answers_exactly_what_a_random_id_does(maker, foreign, resource):
    field = next(
        (f for f in ("name", "email") if any(b.name == f for b in creating(resource).body.fields)), None
    )
    path, made = foreign.make_at(resource, **({field: f"{CANARY}{resource.name}"} if field == "name" else {}))
    owners = path.split("/")[4:-2]
    own = [r for r in (p.values[1] for p in BY_ID) if r in resource.routes]
    routes = [r for r in own if r.path_objects[-1].id_prefix == resource.id_prefix]
    assert routes
    for route in routes:
        places = {owner.param: f"{owner.id_prefix}_{NOWHERE}" for owner in route.path_objects}
        if owners and len(route.path_objects) > 1:
            places[route.path_objects[0].param] = owners[0]
        there = route.path.format(**{**places, route.path_objects[-1].param: made["id"]})
        body = needed(maker, route)

        theirs = maker.client.request(method_of(route), there, json=body)
        nobodys = maker.client.request(method_of(route), url_of(route), json=body)

        assert theirs.status_code == nobodys.status_code == 404, theirs.text
        assert theirs.text == nobodys.text
        assert CANARY not in theirs.text + str(theirs.headers)
    assert foreign.client.get(path).json()["updated_at"] == made["updated_at"]


@pytest.mark.parametrize("resource", CHANGED, ids=lambda resource: resource.name)
def test_a_body_can_t_refer_to_what_another_account_has(maker, foreign, resource):
    """A reference to a foreign object is refused with the words for one that is nowhere."""
    path, _ = maker.make_at(resource)
    for field in next(r for r in resource.routes if method_of(r) == "PATCH").body.fields:
        kind = field.kind.kind if isinstance(field.kind, Many) else field.kind
        if not isinstance(kind, Id) or field.name == "default_service_level_id":
            continue
        theirs = foreign.value(field)
        nobodys = [f"{kind.prefix}_{NOWHERE}"] if isinstance(theirs, list) else f"{kind.prefix}_{NOWHERE}"

        answers = [maker.client.patch(path, json={field.name: value}) for value in (theirs, nobodys)]

        assert answers[0].status_code == answers[1].status_code == 400, answers[0].text
        assert answers[0].text == answers[1].text
        check_envelope(answers[0], 400, field.name, "validation_failed")


def test_no_list_shows_what_another_account_has(maker, foreign):
    for resource in WRITTEN:
        made = foreign.make(resource)
        for route in resource.routes:
            if isinstance(route, ListRoute) and not route.path_objects:
                answer = maker.client.get(route.path, params={"limit": 1000})
                assert made["id"] not in answer.text
                assert CANARY not in answer.text
    assert re.search(CANARY, foreign.client.get("/v1/sales/account-groups").text)


def test_an_idempotency_key_of_another_account_is_nobody_s_here(maker, foreign):
    body, headers = {"name": "Mine and yours", "type": "type_group"}, {"Idempotency-Key": "shared"}

    first = foreign.client.post("/v1/sales/account-groups", json=body, headers=headers)
    second = maker.client.post("/v1/sales/account-groups", json=body, headers=headers)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
    assert "idempotent-replayed" not in second.headers


@pytest.mark.parametrize("resource", ALL, ids=lambda resource: resource.name)
def test_every_resource_has_a_list_and_a_route_for_one(resource):
    assert any(isinstance(route, ListRoute) for route in resource.routes)
    assert showing(resource).path_objects[-1].id_prefix == resource.id_prefix
