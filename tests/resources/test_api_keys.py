"""What is special about API keys: secrets shown once, permissions that can't grow, rotation with a time of grace."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures import plain_http
from tests.fixtures.application import application, client_of
from tests.fixtures.server import wait_until
from tests.fixtures.statements import TEST_MARK
from tradebook.clock import format_ms, now_ms, parse_rfc3339
from tradebook.ids import decode_id
from tradebook.resources import api_keys
from tradebook.resources.api_keys import ALL_PERMISSIONS
from tradebook.storage.database import Unavailable

KEYS, LIST, GROUPS = "/v1/auth/api-keys", "/v1/sales/customers", "/v1/sales/account-groups"


def make(book, **fields):
    answer = book.client.post(KEYS, json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def status_of(book, secret, path=LIST):
    return plain_http.get(book.server.url + path, headers={"Authorization": f"Bearer {secret}"}).status_code


def test_a_key_opens_what_it_says_and_its_secret_is_shown_once(book):
    made = make(book, name="Sync", permissions=["customers:read"], expires_at="2099-01-01T00:00:00Z")

    assert status_of(book, made["secret"]) == 200
    assert status_of(book, made["secret"], "/v1/sales/addresses") == 403
    shown = book.get(f"{KEYS}/{made['id']}")
    assert shown["permissions"] == ["customers:read"]
    assert shown["last_four"] == made["secret"][-4:]
    assert shown["environment"] == "test"
    assert made["secret"].startswith("tb_sk_test_")
    assert shown["expires_at"] == "2099-01-01T00:00:00.000Z"
    assert made["secret"] not in book.client.get(KEYS).text + book.client.get(f"{KEYS}/{made['id']}").text
    assert not {"secret", "secret_hash"} & set(shown)


def test_unless_told_a_key_may_do_what_its_maker_may(book):
    assert make(book)["permissions"] == list(ALL_PERMISSIONS)


@pytest.mark.parametrize(
    "permissions", [[], ["customers:fly"], "customers:read", [5], ["customers:read", None]]
)
def test_permissions_that_are_none_are_refused(book, permissions):
    answer = book.client.post(KEYS, json={"permissions": permissions})

    check_envelope(answer, 400, "permissions", "invalid_format")


@pytest.mark.parametrize("expires_at", ["2020-01-01T00:00:00Z", "tomorrow", 5])
def test_an_end_that_is_none_or_over_is_refused(book, expires_at):
    check_envelope(
        book.client.post(KEYS, json={"expires_at": expires_at}), 400, "expires_at", "invalid_format"
    )


def limited(book, *permissions):
    _, secret = book.new_key(permissions=permissions)
    return plain_http.Client(base_url=book.server.url, headers={"Authorization": f"Bearer {secret}"})


def test_a_key_can_t_make_a_stronger_one(book):
    with limited(book, "api_keys:create", "api_keys:delete", "customers:read") as client:
        stronger = client.post(KEYS, json={"permissions": ["customers:read", "customers:delete"]})
        same = client.post(KEYS, json={})
        strong = make(book)
        rotated = client.post(f"{KEYS}/{strong['id']}/actions/rotate")

    assert "customers:delete" in check_envelope(stronger, 403, None, "insufficient_permissions")["message"]
    assert set(same.json()["permissions"]) == {"api_keys:create", "api_keys:delete", "customers:read"}
    check_envelope(rotated, 403, None, "insufficient_permissions")
    assert status_of(book, strong["secret"]) == 200
    assert book.get(f"{KEYS}/{strong['id']}")["expires_at"] is None


def test_a_rotated_key_works_for_the_time_of_grace(book):
    old = make(book, name="Sync", permissions=["customers:read"])

    answer = book.client.post(f"{KEYS}/{old['id']}/actions/rotate", json={"grace_seconds": 3600})

    new = answer.json()
    assert answer.status_code == 201
    assert (new["name"], new["permissions"]) == ("Sync", ["customers:read"])
    assert new["id"] != old["id"]
    assert new["secret"] != old["secret"]
    assert [status_of(book, key["secret"]) for key in (old, new)] == [200, 200]
    ends = parse_rfc3339(new["replaces"]["expires_at"])[0]
    assert new["replaces"]["id"] == old["id"]
    assert 3_590_000 < ends - now_ms() <= 3_600_000
    assert book.get(f"{KEYS}/{old['id']}")["expires_at"] == new["replaces"]["expires_at"]


def test_unless_told_the_time_of_grace_is_a_day_and_never_longer_than_the_key(book):
    whole = make(book)
    short = make(book, expires_at=_in(60))
    ends = [
        parse_rfc3339(
            book.client.post(f"{KEYS}/{key['id']}/actions/rotate").json()["replaces"]["expires_at"]
        )[0]
        - now_ms()
        for key in (whole, short)
    ]

    assert 86_390_000 < ends[0] <= 86_400_000
    assert 0 < ends[1] <= 60_000


def test_rotated_again_a_key_is_replaced_by_one_that_lasts_as_long_as_it_was_to(book):
    """As after a lost answer: neither the grace nor the end of the first rotation goes on to the next key."""
    old = make(book)
    path = f"{KEYS}/{old['id']}/actions/rotate"

    first, second, third = (book.client.post(path, json={"grace_seconds": g}).json() for g in (60, 3600, 30))

    assert [key["expires_at"] for key in (first, second, third)] == [None] * 3
    ends = [key["replaces"]["expires_at"] for key in (first, second, third)]
    assert ends[0] == ends[1] > ends[2]


def test_a_key_that_ends_can_t_make_one_that_goes_on(book):
    lasting = make(book)
    mortal = make(book, expires_at=_in(600))
    with plain_http.Client(
        base_url=book.server.url, headers={"Authorization": f"Bearer {mortal['secret']}"}
    ) as client:
        made = client.post(KEYS, json={})
        later = client.post(KEYS, json={"expires_at": _in(601)})
        sooner = client.post(KEYS, json={"expires_at": _in(60)})
        rotated = client.post(f"{KEYS}/{lasting['id']}/actions/rotate", headers={"Idempotency-Key": "k"})
        itself = client.post(f"{KEYS}/{mortal['id']}/actions/rotate")

    assert made.json()["expires_at"] == mortal["expires_at"]
    assert mortal["expires_at"] in check_envelope(later, 403, None, "insufficient_permissions")["message"]
    assert (sooner.status_code, itself.status_code) == (201, 201)
    check_envelope(rotated, 403, None, "insufficient_permissions")
    again = book.client.post(f"{KEYS}/{lasting['id']}/actions/rotate", headers={"Idempotency-Key": "k"})
    assert again.status_code == 201, "a refusal for want of a permission is not kept"


def test_a_use_that_can_t_be_noted_is_noted_by_the_next_request(book, monkeypatch):
    grant, _ = api_keys.authenticate(book.database, make(book)["secret"])
    touch = book.database.touch

    def unavailable(*_args, **_values):
        raise Unavailable

    monkeypatch.setattr(book.database, "touch", unavailable)
    assert api_keys.note_use(book.database, grant) == grant
    monkeypatch.setattr(book.database, "touch", touch)

    assert api_keys.note_use(book.database, grant).last_used_at > 0


def test_a_key_that_is_revoked_while_it_is_looked_up_is_refused_on_the_next_request(
    book, counting, monkeypatch
):
    read = api_keys.reading

    def read_then_revoke(*arguments):
        found = read(*arguments)
        with book.database.write(book.account_key) as writer:
            assert api_keys.revoke_key(writer, decode_id("ak", book.key_id))
        return found

    monkeypatch.setattr(api_keys, "reading", read_then_revoke)
    assert counting.count("GET", KEYS) > 0
    monkeypatch.setattr(api_keys, "reading", read)

    assert counting.status("GET", KEYS) == 401


def test_a_key_is_looked_up_with_one_look_at_the_revision(book, counting, monkeypatch):
    asked = []
    revision = book.database.revision
    monkeypatch.setattr(book.database, "revision", lambda key: asked.append(key) or revision(key))

    counting.count("GET", KEYS)

    assert asked == [book.account_key]


def _in(seconds):
    return format_ms(now_ms() + seconds * 1000)


def test_without_grace_the_old_key_ends_at_once(book):
    old = make(book)

    new = book.client.post(f"{KEYS}/{old['id']}/actions/rotate", json={"grace_seconds": 0}).json()

    assert [status_of(book, key["secret"]) for key in (old, new)] == [401, 200]
    again = book.client.post(f"{KEYS}/{old['id']}/actions/rotate")
    check_envelope(again, 410, "id", "resource_gone")


@pytest.mark.parametrize("grace", [-1, 2_592_001, "60", 1.5, None])
def test_a_time_of_grace_that_is_none_is_refused(book, grace):
    old = make(book)
    answer = book.client.post(f"{KEYS}/{old['id']}/actions/rotate", json={"grace_seconds": grace})

    check_envelope(answer, 400, "grace_seconds", "invalid_format")
    assert book.get(f"{KEYS}/{old['id']}")["expires_at"] is None


def test_a_revoked_key_is_gone_and_said_to_be_revoked(book):
    made = make(book)

    assert book.client.delete(f"{KEYS}/{made['id']}").status_code == 204

    answer = plain_http.get(book.server.url + LIST, headers={"Authorization": f"Bearer {made['secret']}"})
    check_envelope(answer, 401, None, "api_key_revoked")
    check_envelope(book.client.get(f"{KEYS}/{made['id']}"), 404, "id", "resource_not_found")
    assert made["id"] not in [key["id"] for key in book.get(KEYS)["data"]]
    with book.database.read(book.account_key) as reader:
        assert made["id"] in [row.id for row in api_keys.list_keys(reader)]


def test_when_a_key_was_used_is_known_and_costs_no_write_on_every_request(book):
    made = make(book)
    assert book.get(f"{KEYS}/{made['id']}")["last_used_at"] is None

    def use():
        for _ in range(5):
            assert status_of(book, made["secret"]) == 200
        return book.get(f"{KEYS}/{made['id']}")["last_used_at"]

    wait_until(use, "the first use to be noted")
    before, revision = use(), book.database.revision(book.account_key)
    assert use() == before
    assert book.database.revision(book.account_key) == revision
    key = decode_id("ak", made["id"])
    long_ago = now_ms() - api_keys.LAST_USED_STEP_MS - 1
    with book.database.write(book.account_key) as writer:
        writer._connection.execute(
            f"{TEST_MARK} UPDATE api_keys SET last_used_at = {long_ago}"
            f" WHERE account_id = {book.account_key} AND id = {key}"
        )

    assert use() > before


def test_a_use_is_noted_without_waiting_for_whoever_writes(book):
    made = make(book)
    with book.database.write(book.account_key):
        assert status_of(book, made["secret"]) == 200


def test_a_key_can_t_end_a_stronger_one(book):
    strong, weak = make(book), make(book, permissions=["api_keys:delete"])
    with limited(book, "api_keys:delete") as client:
        refused = client.delete(f"{KEYS}/{strong['id']}")
        done = client.delete(f"{KEYS}/{weak['id']}")

    assert "may do more" in check_envelope(refused, 403, None, "insufficient_permissions")["message"]
    assert (status_of(book, strong["secret"]), done.status_code) == (200, 204)


def test_an_account_has_only_so_many_keys_that_work(book, monkeypatch):
    monkeypatch.setattr(api_keys, "KEYS_MAX", 3)
    with client_of(application(book.database, book.server.database), book.key) as client:
        first, *_ = (client.post(KEYS, json={}) for _ in range(2))
        refused = client.post(KEYS, json={})
        client.delete(f"{KEYS}/{first.json()['id']}")
        again = client.post(KEYS, json={})

    assert "Revoke some" in check_envelope(refused, 400, None, "validation_failed")["message"]
    assert (first.status_code, again.status_code) == (201, 201)


def ask_slowly(book, method, path, body, between, **options):
    """Send the head of a request with a key of its own, do something once that was let in, then send the body.

    Returns the status line and what follows it.
    """
    key_id, secret = book.new_key(**options)
    key, whole = decode_id("ak", key_id), json.dumps(body).encode()
    url = urlsplit(book.server.url)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {secret}\r\n"
        f"Idempotency-Key: slow\r\nContent-Type: application/json\r\nContent-Length: {len(whole)}\r\n"
        "Connection: close\r\n\r\n"
    )

    def is_let_in():
        with book.database.read(book.account_key) as reader:
            return api_keys.standing_keys(reader, [key])[key].last_used_at is not None

    with socket.create_connection((url.hostname, url.port), timeout=20) as connection:
        connection.sendall(head.encode() + whole[:1])
        wait_until(is_let_in, "the look at the key")
        between(key)
        connection.sendall(whole[1:])
        return b"".join(iter(lambda: connection.recv(65_536), b"")).decode()


@pytest.mark.parametrize("what", ["a key", "a change", "a replay"])
def test_a_key_that_is_revoked_while_its_body_comes_does_nothing(book, what):
    body = {"name": "Before", "type": "type_group"}
    done = book.client.post(GROUPS, json=body, headers={"Idempotency-Key": "slow"}).json()

    def revoke(key):
        with book.database.write(book.account_key) as writer:
            assert api_keys.revoke_key(writer, key)

    if what == "a key":
        answer = ask_slowly(book, "POST", KEYS, {"name": "Made by a ghost"}, revoke)
    elif what == "a change":
        answer = ask_slowly(book, "PATCH", f"{GROUPS}/{done['id']}", {"name": "After"}, revoke)
    else:
        answer = ask_slowly(book, "POST", GROUPS, body, revoke)

    assert answer.startswith("HTTP/1.1 401"), answer
    assert "api_key_revoked" in answer
    assert [entry["name"] for entry in book.get(GROUPS)["data"]] == ["Before"]
    assert [key["id"] for key in book.get(KEYS)["data"]] == [book.key_id]


def test_a_key_that_ends_while_its_body_comes_does_nothing(book):
    end = now_ms() + 1_500
    answer = ask_slowly(
        book, "POST", KEYS, {}, lambda _: wait_until(lambda: now_ms() > end, "the end"), expires_at=end
    )

    assert answer.startswith("HTTP/1.1 401"), answer
    assert "api_key_expired" in answer
    assert len(book.get(KEYS)["data"]) == 2


def test_an_answer_with_a_secret_is_not_to_be_stored(book):
    made, replayed = (book.client.post(KEYS, json={}, headers={"Idempotency-Key": "k"}) for _ in range(2))
    rotated = book.client.post(f"{KEYS}/{made.json()['id']}/actions/rotate")

    assert replayed.headers["idempotent-replayed"] == "true"
    assert [a.headers["cache-control"] for a in (made, replayed, rotated)] == ["no-store"] * 3
