"""What holds for every resource that can be written: asked over the registry, so a new one is asked too."""

from functools import cache

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures.samples import (
    CHANGED,
    DELETED,
    GIVEN_BY_NOBODY,
    WRITTEN,
    Maker,
    changing,
    creating,
    deleting,
    listing,
    showing,
)
from tradebook.crud.fields import Object
from tradebook.crud.kinds import Many, OneOf
from tradebook.resources import ALL
from tradebook.resources.customers.external_ids import ExternalIds

NAME = lambda resource: resource.name  # noqa: E731
written = pytest.mark.parametrize("resource", WRITTEN, ids=NAME)
changed = pytest.mark.parametrize("resource", CHANGED, ids=NAME)
deleted = pytest.mark.parametrize("resource", DELETED, ids=NAME)


@pytest.fixture(scope="module")
def maker(module_book):
    return Maker(module_book)


@pytest.fixture(scope="module")
def smallest(maker):
    """A place and the smallest body for an object of each resource, made once: for what is refused."""
    by_name = {resource.name: resource for resource in WRITTEN}
    made = cache(lambda name: (maker.path(creating(by_name[name])), maker.required(by_name[name])))
    return lambda resource: made(resource.name)


def fields_of(resources, route_of):
    """Every field of every body, as parameters of a test."""
    return [
        pytest.param(resource, field, id=f"{resource.name}-{field.name}")
        for resource in resources
        if (route := route_of(resource))
        for field in route.body.fields
    ]


def shown_by(maker, path):
    answer = maker.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer


@written
def test_what_is_created_is_what_is_shown(maker, resource):
    path, made = maker.make_at(resource)

    answer = shown_by(maker, path)

    shown = {key: value for key, value in made.items() if key in resource.shape.__struct_fields__}
    assert answer.json() == shown
    assert list(made)[: len(shown)] == list(answer.json())
    listed = maker.client.get(path.rpartition("/")[0], params={"limit": 1}).json()["data"]
    assert [entry["id"] for entry in listed] == [made["id"]]
    assert made["created_at"] == made["updated_at"]


@written
def test_what_is_created_says_where_it_is(maker, resource):
    answer = maker.client.post(maker.path(creating(resource)), json=maker.required(resource))

    made = answer.json().get("api_key_info", answer.json())
    assert answer.headers["location"] == f"{answer.request.url.path}/{made['id']}"
    assert shown_by(maker, answer.headers["location"]).json()["id"] == made["id"]


@pytest.mark.parametrize(
    "resource",
    # The others answer with a secret that no other answer has.
    [resource for resource in WRITTEN if creating(resource).item is resource.shape],
    ids=NAME,
)
def test_the_tag_of_what_was_written_is_the_tag_of_what_is_read(maker, resource):
    route = creating(resource)
    answer = maker.client.post(maker.path(route), json=maker.required(resource))

    path = f"{answer.request.url.path}/{answer.json()['id']}"

    assert shown_by(maker, path).headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize(("resource", "field"), fields_of(WRITTEN, creating))
def test_what_is_required_is_asked_for_and_what_is_not_may_be_left_out(maker, resource, field):
    route = creating(resource)
    body = maker.required(resource, without=field.name)
    body.pop(field.name, None)

    answer = maker.client.post(maker.path(route), json=body)

    if field.is_required or list(maker.alternatives(resource)) == [field.name]:
        check_envelope(answer, 400, field.name)
    else:
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(("resource", "field"), fields_of(WRITTEN, creating))
def test_every_field_can_be_given(maker, resource, field):
    if field.name in GIVEN_BY_NOBODY:
        pytest.skip("no value of it is good yet")
    route = creating(resource)

    answer = maker.client.post(maker.path(route), json=maker.required(resource) | maker.given(field))

    assert answer.status_code == 201, answer.text


def is_taken(field, value):
    """Tell whether a value that most fields refuse is good for this one."""
    needs_entries = isinstance(field.kind, Many) and field.kind.length_min > 0
    good = {"boolean": "True", "integer": "7", "array": "[]"}.get(field.kind.schema().get("type"))
    # An object of any names may have none.
    takes_any = isinstance(field.kind, ExternalIds) and value == {}
    return takes_any or (repr(value) == good and not needs_entries)


@pytest.mark.parametrize(
    ("resource", "field", "wrong"),
    [
        pytest.param(*known.values, wrong, id=f"{wrong!r}-{known.id}")
        for wrong in [7, 1.5, True, [], {}, ["x", {}], {"a": 1}, "", " "]
        for known in fields_of(WRITTEN, creating)
        if not is_taken(known.values[1], wrong)
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(maker, smallest, resource, field, wrong):
    path, body = smallest(resource)

    answer = maker.client.post(path, json=body | {field.name: wrong})

    told = answer.json()["error"]
    if told["param"] == field.name:
        check_envelope(answer, 400, field.name, "invalid_format")
    else:
        assert told["param"].startswith(f"{field.name}.")
        if isinstance(field.kind, ExternalIds):
            check_envelope(answer, 400, f"{field.name}.a", "invalid_format")
            return
        assert isinstance(field.kind, Object)
        check_envelope(answer, 400, told["param"], "parameter_unknown" if "a" in wrong else "missing_field")


@pytest.mark.parametrize(("resource", "field"), fields_of(CHANGED, changing))
def test_null_clears_what_can_be_null_and_nothing_else(maker, resource, field):
    path, _ = maker.make_at(resource, **maker.alternatives(resource))
    before = shown_by(maker, path).json()

    answer = maker.client.patch(path, json={field.name: None})

    if field.can_be_null:
        assert answer.status_code == 200, answer.text
        if field.name in before:
            assert answer.json()[field.name] is None
    else:
        check_envelope(answer, 400, field.name, "invalid_format")
        assert shown_by(maker, path).json() == before


@pytest.mark.parametrize(("resource", "field"), fields_of(CHANGED, changing))
def test_a_change_of_one_field_leaves_the_others(maker, resource, field):
    path, _ = maker.make_at(resource)
    include = ",".join(showing(resource).includes)
    ask = {"include": include} if include else {}
    before = maker.client.get(path, params=ask).json()
    given = maker.given(field)

    answer = maker.client.patch(path, json=given, params=ask)

    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert maker.client.get(path, params=ask).json() == after
    differing = {key for key in before if before[key] != after[key]}
    assert "updated_at" in differing
    assert len(differing - {"updated_at", "relationship_type"}) <= 1, differing
    value = given[field.name]
    if isinstance(value, str) and field.name in after and not isinstance(field.kind, OneOf):
        assert after[field.name] == value


def without_version(shown):
    """An object without what every change of it changes."""
    return {
        key: without_version(value) if isinstance(value, dict) else value
        for key, value in shown.items()
        if key != "updated_at"
    }


@changed
def test_an_empty_change_changes_nothing_but_the_version(maker, resource):
    path, made = maker.make_at(resource)

    answer = maker.client.patch(path, json={})

    assert answer.status_code == 200
    assert [without_version(answer.json())] == [without_version(made)]
    assert answer.json()["updated_at"] > made["updated_at"]


@written
@pytest.mark.parametrize("name", ["id", "object", "created_at", "updated_at"])
def test_what_is_read_only_is_refused(maker, smallest, resource, name):
    path, body = smallest(resource)

    answer = maker.client.post(path, json=body | {name: "x"})

    assert "read-only" in check_envelope(answer, 400, name, "parameter_unknown")["message"]


@written
@pytest.mark.parametrize("name", ["account_id", "is_system", "nmae", "Name", "", "name ", "__proto__"])
def test_what_no_body_has_is_refused(maker, smallest, resource, name):
    path, body = smallest(resource)

    answer = maker.client.post(path, json=body | {name: "x"})

    check_envelope(answer, 400, name, "parameter_unknown")


@changed
def test_a_stale_tag_changes_nothing_and_the_new_one_does(maker, resource):
    path, _ = maker.make_at(resource)
    stale = shown_by(maker, path).headers["etag"]
    current = maker.client.patch(path, json={}).headers["etag"]
    assert current != stale

    refused = maker.client.patch(path, json={}, headers={"If-Match": stale})
    taken = maker.client.patch(path, json={}, headers={"If-Match": f'"0-0", {current}'})
    anything = maker.client.patch(path, json={}, headers={"If-Match": "*"})

    check_envelope(refused, 412, None, "precondition_failed")
    assert (taken.status_code, anything.status_code) == (200, 200)


@deleted
def test_a_stale_tag_deletes_nothing(maker, resource):
    path, _ = maker.make_at(resource)

    answer = maker.client.delete(path, headers={"If-Match": '"0-0"'})

    check_envelope(answer, 412, None, "precondition_failed")
    assert shown_by(maker, path).status_code == 200


@deleted
def test_what_is_deleted_is_gone(maker, resource):
    path, made = maker.make_at(resource)

    answer = maker.client.delete(path)

    told = deleting(resource).tells
    assert answer.status_code == 200
    assert list(answer.json()) == ["id", "object", "deleted", *(told.__struct_fields__ if told else ())]
    assert list(answer.json().values())[:3] == [made["id"], made["object"], True]
    listed = maker.client.get(path.rpartition("/")[0], params={"limit": 1000}).json()["data"]
    if "revoked_at" in resource.shape.__struct_fields__:
        assert shown_by(maker, path).json()["revoked_at"] is not None
        check_envelope(maker.client.delete(path), 404, "id", "resource_not_found")
        return
    assert made["id"] not in [entry["id"] for entry in listed]
    if "deleted_at" in resource.shape.__struct_fields__:
        assert shown_by(maker, path).json()["deleted_at"] is not None
        check_envelope(maker.client.delete(path), 404, "id", "resource_not_found")
        check_envelope(maker.client.patch(path, json={}), 410, "id", "resource_gone")
    else:
        for method in ("GET", "DELETE"):
            check_envelope(maker.client.request(method, path), 404, "id", "resource_not_found")


UNIQUE = [
    ("account_group", "name"),
    ("carrier", "name"),
    ("payment_term", "name"),
    ("shipping_term", "name"),
    ("customer", "number"),
    ("account_user", "email"),
]


@pytest.mark.parametrize(("name", "field"), UNIQUE)
def test_what_is_unique_is_refused_twice_with_the_field(maker, name, field):
    (resource,) = [each for each in ALL if each.name == name]
    value = f"only.one@{name}"
    path, _ = maker.make_at(resource, **{field: value})
    other, _ = maker.make_at(resource)
    route = creating(resource)
    body = maker.required(resource) | {field: value}

    check_envelope(maker.client.post(maker.path(route), json=body), 409, field, "resource_exists")
    check_envelope(maker.client.patch(other, json={field: value}), 409, field, "resource_exists")
    assert maker.client.patch(path, json={field: value}).status_code == 200


@pytest.mark.parametrize("name", ["carrier", "payment_term", "shipping_term"])
def test_what_the_system_owns_stays(maker, name):
    (resource,) = [each for each in ALL if each.name == name]
    path = listing(resource).path
    oldest = maker.client.get(path, params={"limit": 1000}).json()["data"][-1]

    for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None)):
        answer = maker.client.request(method, f"{path}/{oldest['id']}", json=body)
        check_envelope(answer, 403, None, "insufficient_permissions")

    assert shown_by(maker, f"{path}/{oldest['id']}").json() == oldest
