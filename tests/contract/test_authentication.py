"""Section 4: a key opens one account, some permissions, until its time is over; nothing else opens any."""

import zlib
from base64 import b64encode

import pytest
import sqlalchemy as sa

from tests.contract.checkers import CUSTOMERS, assert_error, fetch
from tests.fixtures import plain_http
from tests.fixtures.book import Book
from tradebook.clock import now_ms
from tradebook.ids import decode_id, encode_body
from tradebook.resources import api_keys
from tradebook.storage.schema import ACCOUNT, prepare

_EXPIRE = prepare(
    sa.update(api_keys.api_keys)
    .where(api_keys.api_keys.c.account_id == ACCOUNT, api_keys.api_keys.c.id == sa.bindparam("key"))
    .values(expires_at=sa.bindparam("moment"))
)
_HASHES = prepare(sa.select(api_keys.api_keys).where(api_keys.api_keys.c.account_id == ACCOUNT))
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def ask(book, header, path=CUSTOMERS):
    return plain_http.get(f"{book.server.url}{path}", headers=[("Authorization", header)] if header else [])


def revoke(book, key_id):
    with book.database.write(book.account_key) as writer:
        assert api_keys.revoke_key(writer, decode_id("ak", key_id))


def with_checksum(front):
    return front + encode_body(zlib.crc32(front.encode()))[-7:]


# A good key


def test_a_key_is_prefixed_by_its_environment(server):
    test, prod = Book(server, environment="test"), Book(server, environment="prod")

    assert test.key.startswith("tb_sk_test_")
    assert prod.key.startswith("tb_sk_prod_")
    assert [ask(made, f"Bearer {made.key}").status_code for made in (test, prod)] == [200, 200]
    test.close()
    prod.close()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_written_in_any_case(book, scheme):
    assert ask(book, f"{scheme} {book.key}").status_code == 200


def test_several_keys_of_an_account_are_good_at_once(book):
    _, second = book.new_key()

    assert [ask(book, f"Bearer {key}").status_code for key in (book.key, second)] == [200, 200]


def test_a_key_is_kept_as_a_hash(book):
    with book.database.read(book.account_key) as reader:
        kept = repr(reader.rows(_HASHES))

    assert book.key not in kept
    assert book.key[-50:] not in kept


# No key, or none of ours


def test_an_empty_header_is_no_key(book):
    answer = plain_http.get(f"{book.server.url}{CUSTOMERS}", headers={"Authorization": ""})

    assert_error(answer, 401, "invalid_credentials")


def test_a_request_without_the_header_is_told_how_to_send_it(book):
    answer = ask(book, None)

    assert_error(answer, 401, "invalid_credentials")
    assert "Authorization: Bearer" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "make",
    [
        lambda key: "Bearer",
        lambda key: key,
        lambda key: f"Basic {key}",
        lambda key: f"Token {key}",
        lambda key: f"Bearer{key}",
        lambda key: f"Bearer {key}x",
        lambda key: f"Bearer x{key}",
        lambda key: f"Bearer {key[:-1]}",
        lambda key: f"Bearer {key.upper()}",
        lambda key: f"Bearer {key} {key}",
        lambda key: f"Bearer {key},{key}",
        lambda key: f"Bearer {key.replace('tb_sk', 'xx_sk')}",
        lambda key: f"Bearer {key.replace('_test_', '_prod_')}",
        lambda key: f"Bearer {key.replace('_test_', '_live_')}",
        lambda key: f'Bearer "{key}"',
        lambda key: "Bearer null",
        lambda key: "Bearer ' OR 1=1 --",
        lambda key: f"Bearer {'x' * 10_000}",
    ],
)
def test_a_malformed_key_is_401(book, make):
    answer = ask(book, make(book.key))

    assert_error(answer, 401, "invalid_credentials")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def basic(text):
    return f"Basic {b64encode(text.encode()).decode()}"


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_a_key_as_user_name_with_an_empty_password_is_the_same_as_bearer(book, scheme):
    answer = ask(book, basic(f"{book.key}:").replace("Basic", scheme))

    assert (answer.status_code, answer.content) == (200, ask(book, f"Bearer {book.key}").content)
    again = plain_http.get(f"{book.server.url}{CUSTOMERS}", auth=(book.key, ""))
    assert again.content == answer.content


@pytest.mark.parametrize(
    "make",
    [
        basic,
        lambda key: basic(f"{key}:secret"),
        lambda key: basic(f":{key}"),
        lambda key: basic(":"),
        lambda key: "Basic",
        lambda key: "Basic %%%",
        lambda key: f"Basic {key}",
        lambda key: "Basic /w==",
        lambda key: basic(f"{key[:-1]}:"),
    ],
)
def test_anything_else_in_basic_authentication_is_401(book, make):
    assert_error(ask(book, make(book.key)), 401, "invalid_credentials")


def test_a_key_that_is_revoked_is_refused_in_basic_authentication_too(book):
    key_id, secret = book.new_key()
    assert ask(book, basic(f"{secret}:")).status_code == 200

    book.client.delete(f"/v1/auth/api-keys/{key_id}")

    assert_error(ask(book, basic(f"{secret}:")), 401, "api_key_revoked")


@pytest.mark.parametrize("tail", ["é".encode(), b"\xff\xfe", "１".encode()])
def test_a_key_with_bytes_that_are_no_ascii_opens_nothing(book, tail):
    answer = ask(book, f"Bearer {book.key}".encode() + tail)

    # The HTTP server leaves such a header out, but tells that it was there.
    assert_error(answer, 401, "invalid_credentials")


@pytest.mark.parametrize("place", [-1, -7, -8, -20, 11, 12, 23, 24, 40])
def test_a_key_with_one_letter_changed_is_401(book, place):
    letter = ALPHABET[(ALPHABET.index(book.key[place]) + 1) % 32]
    at = place % len(book.key)

    assert_error(ask(book, f"Bearer {book.key[:at]}{letter}{book.key[at + 1 :]}"), 401, "invalid_credentials")


def test_an_unknown_key_with_a_good_checksum_is_401(book):
    forged = with_checksum(f"{book.key[:24]}{'0' * 32}")

    assert len(forged) == len(book.key)
    assert_error(ask(book, f"Bearer {forged}"), 401, "invalid_credentials")


def test_a_key_of_an_account_that_does_not_exist_is_401(book):
    forged = with_checksum(f"tb_sk_test_{'0' * 13}{'0' * 32}")

    assert_error(ask(book, f"Bearer {forged}"), 401, "invalid_credentials")


def test_another_accounts_chance_under_this_accounts_name_is_401(book, server):
    other = Book(server)
    forged = with_checksum(book.key[:24] + other.key[24:-7])

    assert_error(ask(book, f"Bearer {forged}"), 401, "invalid_credentials")
    other.close()


def test_malformed_unknown_and_mistyped_keys_get_the_same_answer(book):
    forged = with_checksum(f"{book.key[:24]}{'0' * 32}")

    bodies = {ask(book, f"Bearer {key}").text for key in ("nonsense", forged, f"{book.key[:-1]}")}

    assert len(bodies) == 1


def test_two_keys_in_one_request_are_refused(book):
    _, second = book.new_key()
    headers = [("Authorization", f"Bearer {book.key}"), ("Authorization", f"Bearer {second}")]

    answer = plain_http.get(f"{book.server.url}{CUSTOMERS}", headers=headers)

    assert answer.status_code in {400, 401}


@pytest.mark.parametrize("place", ["X-Api-Key", "Cookie", "Proxy-Authorization"])
def test_a_key_in_another_header_opens_nothing(book, place):
    answer = plain_http.get(f"{book.server.url}{CUSTOMERS}", headers={place: f"Bearer {book.key}"})

    assert_error(answer, 401, "invalid_credentials")


# A key that was good


def test_a_revoked_key_is_401_on_the_very_next_request_of_every_worker(book):
    key_id, secret = book.new_key()
    before = [ask(book, f"Bearer {secret}").status_code for _ in range(10)]

    revoke(book, key_id)
    answers = [ask(book, f"Bearer {secret}") for _ in range(20)]

    assert before == [200] * 10
    assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {
        (401, "api_key_revoked")
    }
    assert_error(answers[0], 401, "api_key_revoked")


def test_revoking_one_key_leaves_the_others_good(book):
    key_id, _ = book.new_key()
    revoke(book, key_id)

    assert ask(book, f"Bearer {book.key}").status_code == 200


def test_a_key_whose_time_is_over_is_401(book):
    _, secret = book.new_key(expires_at=now_ms())

    assert_error(ask(book, f"Bearer {secret}"), 401, "api_key_expired")


def test_a_key_that_was_used_before_its_time_was_over_is_401_after(book):
    key_id, secret = book.new_key(expires_at=now_ms() + 86_400_000)
    before = [ask(book, f"Bearer {secret}").status_code for _ in range(10)]
    with book.database.write(book.account_key) as writer:
        writer.run(_EXPIRE, key=decode_id("ak", key_id), moment=1)

    after = [ask(book, f"Bearer {secret}").status_code for _ in range(10)]

    assert before == [200] * 10
    assert after == [401] * 10


def test_a_revoked_key_that_has_expired_too_is_401(book):
    key_id, secret = book.new_key(expires_at=now_ms())
    revoke(book, key_id)

    assert ask(book, f"Bearer {secret}").status_code == 401


# Permissions


def test_a_key_without_any_permission_opens_nothing(book):
    _, none = book.new_key(permissions=())

    assert_error(ask(book, f"Bearer {none}"), 403, "insufficient_permissions")


def test_a_403_comes_before_the_parameters_are_read_or_the_object_is_looked_for(book):
    _, none = book.new_key(permissions=())
    header = f"Bearer {none}"

    bodies = {
        ask(book, header, path).text
        for path in (CUSTOMERS, f"{CUSTOMERS}?limit=0", f"{CUSTOMERS}/ac_0000000000000", f"{CUSTOMERS}/x")
    }

    assert len(bodies) == 1


def test_a_page_that_was_made_for_one_key_is_not_given_to_a_weaker_one(book):
    book.add({"name": "Somebody"})
    _, none = book.new_key(permissions=())
    strong = [fetch(book.client, CUSTOMERS)["data"][0]["name"] for _ in range(4)]

    assert strong == ["Somebody"] * 4
    assert [ask(book, f"Bearer {none}").status_code for _ in range(4)] == [403] * 4


def test_no_answer_and_no_line_of_the_log_holds_the_key(book):
    answers = [
        book.client.get(path, headers={"X-Request-Id": book.key[:20]})
        for path in (CUSTOMERS, "/nix", f"{CUSTOMERS}?limit=0", f"{CUSTOMERS}?api_key={book.key}")
    ]
    ask(book, f"Bearer {book.key}x")
    logged = book.server.log.read_text()

    assert [a for a in answers if book.key in a.text + str(a.headers)] == []
    assert book.key not in logged
