"""One customer by its number: read, or created or changed, by what people know of it."""

import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from tests.contract.checkers import CUSTOMERS
from tests.contract.checks import check_envelope
from tests.fixtures import plain_http, raw_http
from tests.fixtures.samples import Maker, creating
from tradebook.resources import customers

BY_NUMBER = f"{CUSTOMERS}/by-number"
STARTED = 8
NUMBERS = (
    "A-1", "a/b", "/a", "a/", "//", "a//b", ".", "..", "../x", "a/../b", "?", "#1", "100%", "%2F", "a+b", "a b",
    "Ä 1", "é", "日本", "\N{GRINNING FACE}", ";x=1", "by-number/1", "child_accounts", "[]", '"', "\\", "ac_1",
)  # fmt: skip


def path_of(number):
    """The path of a number, as every client should write it: two dots would lead out of the path."""
    return f"{BY_NUMBER}/{quote(number, safe='').replace('.', '%2E')}"


@pytest.fixture(scope="module")
def maker(module_book):
    return Maker(module_book)


@pytest.fixture(scope="module")
def whole(maker):
    """All that a new customer needs."""
    return maker.required(customers.resource)


@pytest.fixture(scope="module")
def full(maker):
    """A value for every field, but for the level, which would have to be the carrier's, and ids of one alone."""
    body = maker.body(creating(customers.resource).body)
    del body["default_service_level_id"], body["external_ids"]
    return body


def put(book, number, body=None, **headers):
    return book.client.put(path_of(number), json=body or {}, headers=headers)


@pytest.mark.parametrize("number", NUMBERS)
def test_every_number_can_be_put_and_read(module_book, whole, number):
    """Sent as it is, byte by byte: what the path says is what is kept, and a second PUT finds it."""
    made = put(module_book, number, {**whole, "name": f"Is {number}"})
    again = put(module_book, number, {"note": "Found"})
    read = module_book.client.get(path_of(number))

    assert (made.status_code, again.status_code, read.status_code) == (201, 200, 200), made.text
    assert made.json()["number"] == number
    assert (
        read.json()
        == again.json()
        == {**made.json(), "note": "Found", "updated_at": read.json()["updated_at"]}
    )
    assert made.headers["location"] == f"{CUSTOMERS}/{made.json()['id']}"
    assert "location" not in again.headers


@pytest.mark.parametrize(
    ("target", "number"),
    [
        ("x/y", "x/y"),
        ("x%2Fy", "x/y"),
        ("x%2fy/", "x/y/"),
        ("/x", "/x"),
        ("%2Fx", "/x"),
        ("x//y", "x//y"),
        ("x/../y", "x/../y"),
        ("x/%2E%2E/y", "x/../y"),
        ("x;y", "x;y"),
        ("x+y", "x+y"),
        ("x%253", "x%3"),
        ("%C3%84x", "Äx"),
        ("A%CC%88x", "Äx"),
        ("%20x%20", "x"),
    ],
)
def test_all_that_follows_is_the_number(module_book, whole, target, number):
    """RFC 3986: a percent-encoded byte is that byte. Slashes need no encoding here, `?` and `#` do."""
    put(module_book, number, {**whole, "name": "There"})

    answer = raw_http.exchange(
        module_book.server.url, raw_http.head(module_book.key, target=f"{BY_NUMBER}/{target}?include=type")
    )

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), body
    assert json.loads(body)["number"] == number


@pytest.mark.parametrize("target", ["", "%20", "%00", "x%0Ay", "%FF", "x" * 256, "%E2%80%8B"])
def test_what_no_number_can_be_is_refused(module_book, whole, target):
    for method, body in (("GET", None), ("PUT", whole)):
        answer = module_book.client.request(method, f"{BY_NUMBER}/{target}", json=body)

        check_envelope(answer, 400, "number", answer.json()["error"]["code"])


def test_a_number_that_nobody_has_is_404_and_so_is_one_of_another_account(module_book, maker):
    answer = module_book.client.get(path_of("Nobody's"))

    check_envelope(answer, 404, "number", "resource_not_found")


def test_a_number_is_found_and_kept_as_uniqueness_sees_it(module_book, whole):
    """Case of letters and the form of accents don't count; accents do, and so does everything else."""
    made = put(module_book, "Straße-É", whole).json()

    for spelling in ("STRASSE-É", "strasse-e\N{COMBINING ACUTE ACCENT}", "Straße-É"):
        assert module_book.client.get(path_of(spelling)).json() == made
        made = put(module_book, spelling, {"note": spelling}).json()
        assert made["number"] == "Straße-É"
    assert module_book.client.get(path_of("Strasse-E")).status_code == 404


def test_a_number_in_the_body_says_how_it_is_spelled(module_book, whole):
    made = put(module_book, "spelled-1", {**whole, "number": "Spelled-1"})
    changed = put(module_book, "Spelled-1", {"number": "SPELLED-1"})
    refused = put(module_book, "spelled-1", {"number": "Spelled-2"})

    assert (made.json()["number"], changed.json()["number"]) == ("Spelled-1", "SPELLED-1")
    check_envelope(refused, 400, "number", "validation_failed")


def test_what_is_missing_is_asked_for_only_where_a_customer_is_made(module_book, whole):
    for name in whole:
        answer = put(module_book, "lacking", {key: value for key, value in whole.items() if key != name})
        check_envelope(answer, 400, name, "missing_field")
    address = {key: value for key, value in whole["bill_to_address"].items() if key != "country"}
    lacking = put(module_book, "lacking", {**whole, "bill_to_address": address})

    check_envelope(lacking, 400, "bill_to_address.country", "missing_field")
    assert module_book.client.get(path_of("lacking")).status_code == 404
    assert put(module_book, "lacking", whole).status_code == 201
    assert put(module_book, "lacking").status_code == 200


def test_what_is_made_is_what_a_create_makes(module_book, full):
    ask = {"include": ",".join(creating(customers.resource).includes)}

    created = module_book.client.post(CUSTOMERS, json=full | {"number": "made-1"}, params=ask).json()
    put_there = module_book.client.put(path_of("made-2"), json=full | {"number": "made-2"}, params=ask).json()

    def bare(shown):
        """Without ids and times, which are each one's own."""
        if isinstance(shown, list):
            return [bare(each) for each in shown]
        if not isinstance(shown, dict):
            return shown
        own = {"id", "number", "created_at", "updated_at", "next_page_url"}
        return {key: bare(value) for key, value in shown.items() if key not in own}

    assert bare(put_there) == bare(created)


def test_absent_fields_stay_and_of_addresses_too(module_book, full):
    put(module_book, "stays", full | {"number": "stays"})
    ask = {"include": ",".join(creating(customers.resource).includes)}
    before = module_book.client.get(path_of("stays"), params=ask).json()

    change = {"phone": "1", "bill_to_address": {"locality": "Elsewhere", "phone": None}}
    after = module_book.client.put(path_of("stays"), json=change, params=ask).json()

    place = before["bill_to_address"]
    place["geolocation"]["locality"], place["phone"] = "Elsewhere", None
    place["updated_at"] = after["bill_to_address"]["updated_at"]
    before["contact_info"]["phone"] = "1"
    assert after == {**before, "updated_at": after["updated_at"]}
    assert module_book.numbers(city="Elsewhere") == ["stays"]


def test_the_same_again_writes_nothing(module_book, full):
    """A system that sends every customer every night leaves versions, tags and kept pages as they are."""
    body = full | {"number": "nightly"}
    made = put(module_book, "nightly", body)

    again = put(module_book, "nightly", body)

    assert (made.status_code, again.status_code) == (201, 200)
    assert (again.json(), again.headers["etag"]) == (made.json(), made.headers["etag"])


def test_an_address_that_others_use_is_not_changed_for_them(module_book, maker, whole):
    shared = put(module_book, "shared-1", whole | {"name": "Shared"}).json()
    ask = {"include": "bill_to_address.geolocation"}
    first = module_book.client.get(path_of("shared-1"), params=ask).json()["bill_to_address"]
    other = put(module_book, "shared-2", whole).json()
    module_book.client.patch(f"{CUSTOMERS}/{other['id']}", json={"bill_to_address_id": first["id"]})

    put(module_book, "shared-1", {"bill_to_address": {"locality": "Moved"}})

    cities = {
        number: module_book.client.get(path_of(number), params=ask).json()["bill_to_address"]["geolocation"][
            "locality"
        ]
        for number in ("shared-1", "shared-2")
    }
    assert cities == {"shared-1": "Moved", "shared-2": first["geolocation"]["locality"]}
    assert shared["number"] == "shared-1"


def test_conditions_decide_whether_it_creates_or_changes(module_book, whole):
    anything, new = {"If-Match": "*"}, {"If-None-Match": "*"}
    check_envelope(put(module_book, "if", whole, **anything), 412, None, "precondition_failed")
    check_envelope(put(module_book, "if", whole, **{"If-Match": '"0-0"'}), 412, None, "precondition_failed")
    made = put(module_book, "if", whole, **new)
    assert made.status_code == 201
    check_envelope(put(module_book, "if", whole, **new), 412, None, "precondition_failed")
    changed = put(module_book, "if", {"note": "1"}, **{"If-Match": made.headers["etag"]})
    assert changed.status_code == 200
    stale = put(module_book, "if", {"note": "2"}, **{"If-Match": made.headers["etag"]})
    check_envelope(stale, 412, None, "precondition_failed")
    assert put(module_book, "if", {"note": "3"}, **anything).json()["note"] == "3"
    answer = put(module_book, "if", {}, **{"If-None-Match": changed.headers["etag"]})
    check_envelope(answer, 400, "If-None-Match", answer.json()["error"]["code"])


def test_a_read_has_the_tag_of_the_customer_and_answers_304(module_book, whole):
    made = put(module_book, "tagged", whole)
    one = module_book.client.get(f"{CUSTOMERS}/{made.json()['id']}")

    read = module_book.client.get(path_of("TAGGED"))
    known = module_book.client.get(path_of("tagged"), headers={"If-None-Match": made.headers["etag"]})

    assert read.headers["etag"] == one.headers["etag"] == made.headers["etag"]
    assert (known.status_code, known.content) == (304, b"")
    assert module_book.client.head(path_of("tagged")).headers["content-length"] == str(len(read.content))


def test_a_key_needs_the_permission_for_what_is_done(module_book, whole):
    put(module_book, "there", whole)
    status = {}
    for action in ("create", "update", "read"):
        _, secret = module_book.new_key(permissions=(f"customers:{action}",))
        headers = {"Authorization": f"Bearer {secret}"}
        for number in ("there", f"new for {action}"):
            answer = plain_http.put(module_book.server.url + path_of(number), json=whole, headers=headers)
            status[action, number.split()[0]] = answer.status_code
            if answer.status_code == 403:
                check_envelope(answer, 403, None, answer.json()["error"]["code"])

    assert status == {
        ("create", "there"): 403, ("create", "new"): 201, ("update", "there"): 200, ("update", "new"): 403,
        ("read", "there"): 403, ("read", "new"): 403,
    }  # fmt: skip


def test_an_idempotency_key_changes_nothing(module_book, whole):
    """PUT is idempotent by nature: the header is ignored, another body under it is done too."""
    first = put(module_book, "keyed", whole, **{"Idempotency-Key": "same"})
    second = put(module_book, "keyed", {"note": "Other"}, **{"Idempotency-Key": "same"})

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["note"] == "Other"
    assert "idempotent-replayed" not in second.headers


def test_many_puts_of_one_new_number_make_one_customer(module_book, whole):
    bodies = [{**whole, "note": str(number)} for number in range(STARTED)]

    with ThreadPoolExecutor(STARTED) as threads:
        answers = list(threads.map(lambda body: put(module_book, "Rush", body), bodies))

    assert sorted(answer.status_code for answer in answers) == [200] * (STARTED - 1) + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert module_book.numbers(q="rush") == ["Rush"]


def test_the_number_of_what_is_deleted_or_merged_away_is_free(module_book, whole):
    for number, other in (("gone-1", None), ("gone-2", "stays-2")):
        gone = put(module_book, number, whole).json()["id"]
        if other is None:
            module_book.client.delete(f"{CUSTOMERS}/{gone}")
        else:
            kept = put(module_book, other, whole).json()["id"]
            merge = f"{CUSTOMERS}/{kept}/actions/merge"
            assert module_book.client.post(merge, json={"source_customer_ids": [gone]}).status_code == 200

        check_envelope(module_book.client.get(path_of(number)), 404, "number", "resource_not_found")
        made = put(module_book, number, whole)
        assert made.status_code == 201
        assert made.json()["id"] != gone


def test_a_number_that_is_no_number_is_still_a_segment_of_its_own(module_book):
    """Without its slash the path is that of a customer by id, as ever."""
    assert module_book.client.get(BY_NUMBER).status_code == 400
    assert module_book.client.put(BY_NUMBER, json={}).status_code == 405
    assert module_book.client.post(f"{BY_NUMBER}/1", json={}).status_code == 405


def test_a_read_looks_up_the_number_and_then_is_as_by_id(book, counting):
    made = put(book, "counted", Maker(book).required(customers.resource)).json()

    assert counting.count("GET", path_of("counted")) == counting.count("GET", f"{CUSTOMERS}/{made['id']}") + 1


def test_a_carrier_that_was_deleted_is_gone_also_here(module_book, whole, maker):
    carrier = maker.of_prefix("cr")
    module_book.client.delete(f"/v1/operations/carriers/{carrier}")

    answer = put(module_book, "by van", {**whole, "default_carrier_id": carrier})

    check_envelope(answer, 410, "default_carrier_id", "resource_gone")


def test_one_level_of_parents_holds_also_here(module_book, whole):
    parent = put(module_book, "above", whole).json()["id"]
    child = put(module_book, "below", {**whole, "parent_account_id": parent}).json()["id"]

    answer = put(module_book, "further below", {**whole, "parent_account_id": child})

    check_envelope(answer, 409, "parent_account_id", "resource_conflict")
