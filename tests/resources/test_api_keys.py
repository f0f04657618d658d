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


ALL = {"name": "All", "permissions": list(ALL_PERMISSIONS)}


def make(book, **fields):
    """Make a key; returns what is shown of it, and under `secret` its secret."""
    return made_of(book.client.post(KEYS, json={**ALL, **fields}))


def rotate(book, key, **fields):
    return made_of(book.client.post(f"{KEYS}/{key['id']}/actions/rotate", json=fields))


def made_of(answer):
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{KEYS}/{answer.json()['api_key_info']['id']}"
    return answer.json()["api_key_info"] | {"secret": answer.json()["api_key_secret"]}


def revoked_at(book, key):
    return parse_rfc3339(book.get(f"{KEYS}/{key['id']}")["revoked_at"])[0]


def status_of(book, secret, path=LIST):
    return plain_http.get(book.server.url + path, headers={"Authorization": f"Bearer {secret}"}).status_code


def test_a_key_opens_what_it_says_and_its_secret_is_shown_once(book):
    made = make(book, name="Sync", permissions=["customers:read"], expires_at="2099-01-01T00:00:00Z")

    assert status_of(book, made["secret"]) == 200
    assert status_of(book, made["secret"], "/v1/sales/addresses") == 403
    shown = book.get(f"{KEYS}/{made['id']}")
    assert list(shown) == KEYS_OF_A_KEY
    assert shown | {"id": "", "updated_at": "", "created_at": "", "last_used_at": None} == {
        "id": "",
        "object": "api_key",
        "name": "Sync",
        "redacted_value": f"tb_sk_test_****{made['secret'][-4:]}",
        "role": None,
        "permissions": ["customers:read"],
        "expires_at": "2099-01-01T00:00:00.000Z",
        "revoked_at": None,
        "last_used_at": None,
        "created_at": "",
        "updated_at": "",
    }
    assert made["secret"].startswith("tb_sk_test_")
    assert made["secret"] not in book.client.get(KEYS).text + book.client.get(f"{KEYS}/{made['id']}").text


KEYS_OF_A_KEY = [
    "id", "object", "name", "redacted_value", "role", "permissions", "expires_at", "revoked_at", "last_used_at",
    "created_at", "updated_at",
]  # fmt: skip


def test_what_creates_and_rotates_a_key_answers_its_secret_beside_the_key(book):
    path = KEYS
    for _ in range(2):
        answer = book.client.post(path, json=ALL if path == KEYS else {}).json()

        assert list(answer) == ["object", "api_key_secret", "api_key_info"]
        assert answer["object"] == "created_api_key"
        assert list(answer["api_key_info"]) == KEYS_OF_A_KEY
        assert answer["api_key_info"] == book.get(f"{KEYS}/{answer['api_key_info']['id']}")
        path = f"{KEYS}/{answer['api_key_info']['id']}/actions/rotate"


def test_a_new_key_says_what_it_is_for_and_what_it_may_do(book):
    for fields, param in (
        ({"permissions": ["customers:read"]}, "name"),
        ({"permissions": ["customers:read"], "name": None}, "name"),
        ({"name": "A"}, "permissions"),
        ({"name": "A", "permissions": None}, "permissions"),
        ({"name": "A", "role_id": "rl_0000000000000"}, "role_id"),
        ({"name": "A", "role_id": "ac_0000000000000"}, "role_id"),
        ({"name": "A", "role_id": "rl_0000000000000", "permissions": ["customers:read"]}, "role_id"),
        ({"name": "A", "role": None, "permissions": ["customers:read"]}, "role"),
    ):
        check_envelope(book.client.post(KEYS, json=fields), 400, param)
    assert len(book.get(KEYS)["data"]) == 1


@pytest.mark.parametrize(
    "permissions", [[], ["customers:fly"], "customers:read", [5], ["customers:read", None]]
)
def test_permissions_that_are_none_are_refused(book, permissions):
    answer = book.client.post(KEYS, json={"name": "A", "permissions": permissions})

    check_envelope(answer, 400, "permissions", "invalid_format")


@pytest.mark.parametrize("expires_at", ["2020-01-01T00:00:00Z", "tomorrow", 5])
def test_an_end_that_is_none_or_over_is_refused(book, expires_at):
    check_envelope(
        book.client.post(KEYS, json={**ALL, "expires_at": expires_at}), 400, "expires_at", "invalid_format"
    )


def test_a_key_of_the_command_line_has_a_name_too(book):
    assert book.get(f"{KEYS}/{book.key_id}")["name"] == "Unnamed"


def limited(book, *permissions):
    _, secret = book.new_key(permissions=permissions)
    return plain_http.Client(base_url=book.server.url, headers={"Authorization": f"Bearer {secret}"})


def test_a_key_can_t_make_a_stronger_one(book):
    with limited(book, "api_keys:create", "api_keys:delete", "customers:read") as client:
        same = ["api_keys:create", "api_keys:delete", "customers:read"]
        stronger = client.post(
            KEYS, json={"name": "A", "permissions": ["customers:read", "customers:delete"]}
        )
        as_strong = client.post(KEYS, json={"name": "A", "permissions": same})
        strong = make(book)
        rotated = client.post(f"{KEYS}/{strong['id']}/actions/rotate")

    assert "customers:delete" in check_envelope(stronger, 403, None, "insufficient_permissions")["message"]
    assert sorted(made_of(as_strong)["permissions"]) == same
    check_envelope(rotated, 403, None, "insufficient_permissions")
    assert status_of(book, strong["secret"]) == 200
    assert book.get(f"{KEYS}/{strong['id']}")["revoked_at"] is None


def test_a_rotated_key_works_for_the_time_of_grace(book):
    old = make(book, name="Sync", permissions=["customers:read"])

    new = rotate(book, old, grace_seconds=3600)

    assert (new["name"], new["permissions"]) == ("Sync", ["customers:read"])
    assert new["id"] != old["id"]
    assert new["secret"] != old["secret"]
    assert [status_of(book, key["secret"]) for key in (old, new)] == [200, 200]
    assert 3_590_000 < revoked_at(book, old) - now_ms() <= 3_600_000
    assert new["expires_at"] is None


def test_unless_told_the_time_of_grace_is_a_day(book):
    old = make(book)

    rotate(book, old)

    assert 86_390_000 < revoked_at(book, old) - now_ms() <= 86_400_000


def test_a_rotated_key_is_revoked_at_the_time_that_is_asked_for(book):
    for seconds, still_works in ((30 * 86_400 - 60, True), (60, True), (0, False), (-86_400, False)):
        old, at = make(book), now_ms() + seconds * 1000

        new = rotate(book, old, revoke_at=format_ms(at))

        assert [status_of(book, key["secret"]) for key in (old, new)] == [200 if still_works else 401, 200]
        assert 0 <= revoked_at(book, old) - max(at, now_ms() - 60_000) < 60_000


def test_an_end_that_can_t_be_meant_rotates_nothing(book):
    path = f"{KEYS}/{make(book)['id']}/actions/rotate"
    for fields, param in (
        ({"revoke_at": _in(30 * 86_400 + 60)}, "revoke_at"),
        ({"revoke_at": "tomorrow"}, "revoke_at"),
        ({"revoke_at": None}, "revoke_at"),
        ({"revoke_at": "2020-01-01T00:00:00Z", "grace_seconds": 0}, "revoke_at"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ):
        check_envelope(book.client.post(path, json=fields), 400, param)
    assert len(book.get(KEYS)["data"]) == 2


def test_the_new_key_expires_when_the_old_one_would_have_unless_told(book):
    end, sooner = _in(600), _in(60)
    first, second = (make(book, expires_at=end) for _ in range(2))

    assert rotate(book, first)["expires_at"] == end
    assert rotate(book, second, expires_at=sooner)["expires_at"] == sooner


def test_rotated_again_a_key_is_replaced_by_one_that_lasts_as_long_as_it_was_to(book):
    """As after a lost answer: neither the grace nor the end of the first rotation goes on to the next key."""
    old = make(book)
    ends = []
    for grace in (60, 3600, 30):
        assert rotate(book, old, grace_seconds=grace)["expires_at"] is None
        ends.append(revoked_at(book, old))

    assert ends[0] == ends[1] > ends[2]


def test_a_key_that_ends_can_t_make_one_that_goes_on(book):
    lasting = make(book)
    mortal = make(book, expires_at=_in(600))
    with plain_http.Client(
        base_url=book.server.url, headers={"Authorization": f"Bearer {mortal['secret']}"}
    ) as client:
        made = client.post(KEYS, json=ALL)
        later = client.post(KEYS, json={**ALL, "expires_at": _in(601)})
        sooner = client.post(KEYS, json={**ALL, "expires_at": _in(60)})
        rotated = client.post(f"{KEYS}/{lasting['id']}/actions/rotate", headers={"Idempotency-Key": "k"})
        itself = client.post(f"{KEYS}/{mortal['id']}/actions/rotate")

    assert made_of(made)["expires_at"] == mortal["expires_at"]
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


def test_a_key_is_looked_at_together_with_the_page_it_asks_for(book, counting, monkeypatch):
    asked = []
    revision = book.database.revision
    monkeypatch.setattr(book.database, "revision", lambda key: asked.append(key) or revision(key))

    counting.count("GET", KEYS)

    assert asked == []


def test_what_is_wrong_is_told_to_nobody_whose_key_has_ended_meanwhile(book):
    """Another process revokes it: this one knows it as good, and looks only when it has read the request."""
    key_id, secret = book.new_key()
    with client_of(application(book.database, book.server.database), secret) as client:
        assert client.get(LIST, params={"limit": 3}).status_code == 200
        assert client.post(GROUPS, json={}).status_code == 400
        assert book.client.delete(f"{KEYS}/{key_id}").status_code == 200
        asked = [
            client.get(LIST, params={"limit": 2}),
            client.get(LIST, params={"limit": 0}),
            client.get(f"{LIST}/ac_0000000000001"),
            client.post(GROUPS, json={}),
            client.post(GROUPS, json={"name": "New", "type": "type_group"}),
            client.post(GROUPS, json={"name": "New", "type": "type_group"}),
        ]

    for answer in asked:
        check_envelope(answer, 401, None, "api_key_revoked")


def _in(seconds):
    return format_ms(now_ms() + seconds * 1000)


def test_without_grace_the_old_key_ends_at_once(book):
    old = make(book)

    new = rotate(book, old, grace_seconds=0)

    assert [status_of(book, key["secret"]) for key in (old, new)] == [401, 200]
    again = book.client.post(f"{KEYS}/{old['id']}/actions/rotate")
    check_envelope(again, 410, "id", "resource_gone")


@pytest.mark.parametrize("grace", [-1, 2_592_001, "60", 1.5, None])
def test_a_time_of_grace_that_is_none_is_refused(book, grace):
    old = make(book)
    answer = book.client.post(f"{KEYS}/{old['id']}/actions/rotate", json={"grace_seconds": grace})

    check_envelope(answer, 400, "grace_seconds", "invalid_format")
    assert book.get(f"{KEYS}/{old['id']}")["revoked_at"] is None


def test_a_revoked_key_is_refused_and_still_shown(book):
    made = make(book)

    assert book.client.delete(f"{KEYS}/{made['id']}").status_code == 200

    answer = plain_http.get(book.server.url + LIST, headers={"Authorization": f"Bearer {made['secret']}"})
    check_envelope(answer, 401, None, "api_key_revoked")
    shown = book.get(f"{KEYS}/{made['id']}")
    assert abs(parse_rfc3339(shown["revoked_at"])[0] - now_ms()) < 60_000
    assert shown in book.get(KEYS)["data"]
    check_envelope(book.client.delete(f"{KEYS}/{made['id']}"), 404, "id", "resource_not_found")
    check_envelope(book.client.post(f"{KEYS}/{made['id']}/actions/rotate"), 410, "id", "resource_gone")
    assert book.get(f"{KEYS}/{made['id']}") == shown


def test_a_new_key_has_a_tag_for_if_match(book):
    made = book.client.post(KEYS, json=ALL)
    path = f"{KEYS}/{made_of(made)['id']}"
    changed = {"If-Match": made.headers["etag"]}
    rotate(book, made_of(made))

    check_envelope(book.client.delete(path, headers=changed), 412, None, "precondition_failed")
    current = {"If-Match": book.client.get(path).headers["etag"]}
    assert book.client.delete(path, headers=current).status_code == 200


def test_the_tag_of_a_new_key_is_good_until_it_changes(book):
    made = book.client.post(KEYS, json=ALL)

    answer = book.client.delete(f"{KEYS}/{made_of(made)['id']}", headers={"If-Match": made.headers["etag"]})

    assert answer.status_code == 200


def ended_keys(book):
    """Make keys of each kind, the last one first; the rotated and the expired ones ended after they were made."""
    in_a_moment = format_ms(now_ms() + 1_000)
    expired, both, rotated = (make(book, expires_at=end) for end in (in_a_moment, in_a_moment, None))
    rotate(book, rotated, revoke_at=in_a_moment)
    waiting, revoked = make(book), make(book)
    rotate(book, waiting, grace_seconds=600)
    for key in (both, revoked):
        assert book.client.delete(f"{KEYS}/{key['id']}").status_code == 200
    wait_until(lambda: format_ms(now_ms()) > in_a_moment, "the end")
    return {"expired": [expired], "revoked": [revoked, rotated, both]}


def test_a_rotated_key_whose_time_is_over_is_revoked_whoever_asks(book):
    """Also for a server that has seen it work, as nothing is written when the time comes."""
    old = make(book)
    with client_of(application(book.database, book.server.database), old["secret"]) as client:
        end = now_ms() + 500
        rotate(book, old, revoke_at=format_ms(end))
        before = client.get(LIST)
        wait_until(lambda: now_ms() > end, "the end")
        after = client.get(LIST)

    assert before.status_code == 200
    check_envelope(after, 401, None, "api_key_revoked")
    assert status_of(book, old["secret"]) == 401
    check_envelope(book.client.delete(f"{KEYS}/{old['id']}"), 404, "id", "resource_not_found")


@pytest.mark.parametrize("spelling", ["statuses[]={}", "statuses={}"])
def test_keys_are_listed_by_what_they_are_now(book, spelling):
    ended = ended_keys(book)
    every = [key["id"] for key in book.get(KEYS)["data"]]
    ids = {status: [key["id"] for key in keys] for status, keys in ended.items()}
    ids["active"] = [key for key in every if all(key not in those for those in ids.values())]

    def listed(*statuses):
        """Walk in pages of two, forward and then back."""
        pages = []
        url = f"{KEYS}?limit=2&" + "&".join(map(spelling.format, statuses))
        while url:
            page = book.get(url)
            pages.append([key["id"] for key in page["data"]])
            url, back = page["page_info"]["next_page_url"], page["page_info"]["previous_page_url"]
        assert back is None or [key["id"] for key in book.get(back)["data"]] == pages[-2]
        return [key for page in pages for key in page]

    assert len(every) == 8
    for statuses in (["active"], ["expired"], ["revoked"], ["active", "revoked"], ["expired", "active"]):
        assert listed(*statuses) == [key for key in every if any(key in ids[s] for s in statuses)]
        assert listed(",".join(statuses)) == listed(*statuses)
    assert listed("active", "expired", "revoked") == every
    cursor = book.get(f"{KEYS}?limit=1&statuses=active")["page_info"]["next_page_url"]
    check_envelope(book.client.get(cursor.replace("active", "revoked")), 400, "cursor", "parameter_invalid")
    check_envelope(book.client.get(f"{KEYS}?statuses=old"), 400, "statuses", "parameter_invalid")


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
    with book.database.write(book.account_key) as writer:
        assert writer.revision
        assert status_of(book, made["secret"]) == 200


def test_a_key_can_t_end_a_stronger_one(book):
    strong, weak = make(book), make(book, permissions=["api_keys:delete"])
    with limited(book, "api_keys:delete") as client:
        refused = client.delete(f"{KEYS}/{strong['id']}")
        done = client.delete(f"{KEYS}/{weak['id']}")

    assert "may do more" in check_envelope(refused, 403, None, "insufficient_permissions")["message"]
    assert (status_of(book, strong["secret"]), done.status_code) == (200, 200)


def test_an_account_has_only_so_many_keys_that_work(book, monkeypatch):
    monkeypatch.setattr(api_keys, "KEYS_MAX", 3)
    with client_of(application(book.database, book.server.database), book.key) as client:
        first, *_ = (client.post(KEYS, json=ALL) for _ in range(2))
        refused = client.post(KEYS, json=ALL)
        client.delete(f"{KEYS}/{made_of(first)['id']}")
        again = client.post(KEYS, json=ALL)

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
            return api_keys.records.find(reader, key)["last_used_at"] is not None

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
        answer = ask_slowly(book, "POST", KEYS, ALL, revoke)
    elif what == "a change":
        answer = ask_slowly(book, "PATCH", f"{GROUPS}/{done['id']}", {"name": "After"}, revoke)
    else:
        answer = ask_slowly(book, "POST", GROUPS, body, revoke)

    assert answer.startswith("HTTP/1.1 401"), answer
    assert "api_key_revoked" in answer
    assert [entry["name"] for entry in book.get(GROUPS)["data"]] == ["Before"]
    assert [key["id"] for key in book.get(f"{KEYS}?statuses=active")["data"]] == [book.key_id]
    assert len(book.get(KEYS)["data"]) == 2


def test_a_key_that_ends_while_its_body_comes_does_nothing(book):
    end = now_ms() + 1_500
    answer = ask_slowly(
        book, "POST", KEYS, ALL, lambda _: wait_until(lambda: now_ms() > end, "the end"), expires_at=end
    )

    assert answer.startswith("HTTP/1.1 401"), answer
    assert "api_key_expired" in answer
    assert len(book.get(KEYS)["data"]) == 2


def test_an_answer_with_a_secret_is_not_to_be_stored(book):
    made, replayed = (book.client.post(KEYS, json=ALL, headers={"Idempotency-Key": "k"}) for _ in range(2))
    rotated = book.client.post(f"{KEYS}/{made_of(made)['id']}/actions/rotate")

    assert replayed.headers["idempotent-replayed"] == "true"
    assert [a.headers["cache-control"] for a in (made, replayed, rotated)] == ["no-store"] * 3
