"""Bodies that mean harm: each is refused with the envelope, and nothing is written (reliability.md, section 4)."""

import gzip
import json
from functools import cache

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures.raw_http import exchange
from tests.fixtures.samples import CHANGED, WRITTEN, Maker, creating

GROUPS = "/v1/sales/account-groups"
JSON = {"Content-Type": "application/json"}
GOOD = {"name": "A", "type": "type_group"}

NOT_JSON = {
    "empty of all": b"",
    "white space": b" \n ",
    "half": b'{"name": "A"',
    "a list": b"[1]",
    "a text": b'"A"',
    "a number": b"1",
    "null": b"null",
    "two": b'{"name": "A"}{}',
    "single quotes": b"{'name': 'A'}",
    "a comment": b'{/* */"name": "A"}',
    "a comma too many": b'{"name": "A",}',
    "not a number": b'{"name": "A", "type": NaN}',
    "infinity": b'{"name": "A", "type": -Infinity}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep and whole": b'{"name": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "latin": '{"name": "é", "type": "type_group"}'.encode("latin-1"),
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "overlong": b'{"name": "\xc0\xaf", "type": "type_group"}',
    "a surrogate in bytes": b'{"name": "\xed\xa0\x80", "type": "type_group"}',
    "a control character": b'{"name": "a\x01b", "type": "type_group"}',
    "form data": b"name=A&type=type_group",
}
WRONG = {
    "twice the same key": b'{"name": "A", "name": "B", "type": "type_group"}',
    "twice inside": b'{"name": "A", "type": "type_group", "x": {"y": 1, "y": 2}}',
    "a huge number": b'{"name": 1e400, "type": "type_group"}',
    "a long number": b'{"name": ' + b"9" * 100_000 + b', "type": "type_group"}',
    "a lone surrogate": b'{"name": "\\ud800", "type": "type_group"}',
    "a surrogate as a key": b'{"\\udfff": 1, "name": "A", "type": "type_group"}',
    "U+0000": b'{"name": "a\\u0000b", "type": "type_group"}',
    "a line break in a name": b'{"name": "a\\nb", "type": "type_group"}',
    "a name that is too long": json.dumps({"name": "x" * 256, "type": "type_group"}).encode(),
    "a name that shows nothing": b'{"name": "\\u200b\\ufeff", "type": "type_group"}',
    "a delete character": b'{"name": "a\\u007f", "type": "type_group"}',
    "an account": b'{"name": "A", "type": "type_group", "account_id": "ac_0000000000000"}',
    "an owner": b'{"name": "A", "type": "type_group", "is_system": true}',
    "a prototype": b'{"name": "A", "type": "type_group", "__proto__": {"admin": true}}',
}

CODES = {
    **dict.fromkeys(NOT_JSON, "validation_failed"),
    **dict.fromkeys(WRONG, "invalid_format"),
    **dict.fromkeys(("empty of all", "white space"), "missing_field"),
    **dict.fromkeys(("twice the same key", "twice inside"), "validation_failed"),
    **dict.fromkeys(("an account", "an owner", "a prototype"), "parameter_unknown"),
}


@pytest.fixture
def untouched(module_book):
    """A book in which nothing has been written when the test is over."""
    yield module_book
    assert module_book.get(GROUPS)["data"] == []


@pytest.mark.parametrize("name", NOT_JSON | WRONG)
def test_a_body_that_can_t_be_meant_is_400(untouched, name):
    content = (NOT_JSON | WRONG)[name]

    answer = untouched.client.post(GROUPS, content=content, headers=JSON)

    error = check_envelope(answer, 400, answer.json()["error"]["param"], CODES[name])
    assert len(answer.content) < 2_000
    assert "Traceback" not in error["message"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ('Application/JSON;charset="UTF-8"', 201),
        ("application/merge-patch+json", 201),
        (None, 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/json; charset=latin-1", 415),
        ("application/xml", 415),
        ("", 201),
        ("nonsense", 415),
    ],
)
def test_a_body_must_say_that_it_is_json(book, kind, status):
    headers = {} if kind is None else {"Content-Type": kind}

    answer = book.client.post(GROUPS, content=json.dumps(GOOD).encode(), headers=headers)

    if status == 415:
        check_envelope(answer, 415, None, "unsupported_media_type")
    assert answer.status_code == status, answer.text


@cache
def bomb() -> bytes:
    """Little that becomes very much when it is unpacked."""
    return gzip.compress(b" " * 50_000_000)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "nonsense"])
def test_a_compressed_body_is_refused_and_not_unpacked(untouched, coding):
    answer = untouched.client.post(GROUPS, content=bomb(), headers={**JSON, "Content-Encoding": coding})

    check_envelope(answer, 415, None, "unsupported_media_type")


def test_a_body_over_the_limit_is_413_however_it_comes(untouched):
    large = json.dumps(GOOD | {"description": "x" * 1_100_000}).encode()

    def in_pieces():
        for at in range(0, len(large), 65_536):
            yield large[at : at + 65_536]

    whole = untouched.client.post(GROUPS, content=large, headers=JSON)
    chunked = untouched.client.post(GROUPS, content=in_pieces(), headers=JSON)

    check_envelope(whole, 413, None, "payload_too_large")
    check_envelope(chunked, 413, None, "payload_too_large")


def test_a_body_in_chunks_is_read(book):
    def in_pieces():
        yield b'{"name": "A", '
        yield b'"type": "type_group"}'

    answer = book.client.post(GROUPS, content=in_pieces(), headers=JSON)

    assert (answer.status_code, answer.json()["name"]) == (201, "A")


@pytest.mark.parametrize("body", [b"", b"zz\r\n{}\r\n0\r\n\r\n", b"5"], ids=["cut", "damaged", "half"])
def test_a_body_in_chunks_that_does_not_come_is_no_empty_body(book, body):
    """Where a body may be left out, one that was lost would have its defaults: here, every permission."""
    head = (
        f"POST /v1/auth/api-keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {book.key}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    before = book.get("/v1/auth/api-keys")["data"]

    answer = exchange(book.server.url, head.encode() + body, is_cut=True)

    assert not answer or answer.split(b" ")[1] == b"400", answer[:200]
    assert book.get("/v1/auth/api-keys")["data"] == before


@pytest.mark.parametrize("length", ["00000000000000000000200000000", "1048577", "9" * 400])
def test_a_body_over_the_limit_is_refused_by_its_length_however_that_is_written(untouched, length):
    head = (
        f"POST {GROUPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {untouched.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )

    answer = exchange(untouched.server.url, head.encode(), is_cut=True)

    assert not answer or answer.split(b" ")[1] in (b"400", b"413"), answer[:200]


@pytest.mark.parametrize("value", ["0" * 900_000 + "x", "1" * 900_000, "0." + "0" * 30, "-" + "9" * 25])
def test_an_amount_of_too_many_digits_is_refused_before_it_is_looked_at(untouched, value):
    """Looked at by an expression that goes back, the first would take hours."""
    maker = Maker(untouched)

    answer = untouched.client.post(
        "/v1/operations/shipping-terms", json={"name": "A", "flat_rate": {"value": value}}, timeout=10
    )

    error = check_envelope(answer, 400, "flat_rate.value", "invalid_format")
    assert "more than" in error["message"]
    assert maker.book.get(GROUPS)["data"] == []


def test_a_bad_character_is_told_by_its_field_and_a_bad_place_once(untouched):
    answers = [
        untouched.client.post(GROUPS, content=content, headers=JSON)
        for content in (
            b'{"name": "A", "type": "type_group", "description": "a\\u0000"}',
            b'{"name": "A',
        )
    ]

    check_envelope(answers[0], 400, "description", "invalid_format")
    assert " at at " not in check_envelope(answers[1], 400, None, "validation_failed")["message"]


def test_a_body_that_is_refused_waits_for_nobody_who_writes(untouched):
    """Nothing is to be kept, so an import under way is no reason for 503."""
    with untouched.database.write(untouched.account_key) as writer:
        assert writer.revision
        answer = untouched.client.post(GROUPS, json={"nonsense": 1})

    check_envelope(answer, 400, "nonsense", "parameter_unknown")


@pytest.fixture(scope="module")
def maker(module_book):
    return Maker(module_book)


@pytest.mark.parametrize("resource", WRITTEN, ids=lambda resource: resource.name)
def test_nobody_assigns_what_is_not_his(maker, resource):
    """Every column and every key of the answer that no field sets is refused by name."""
    route = creating(resource)
    fields = {field.name for field in route.body.fields}
    body = maker.required(resource)
    for name in {
        *resource.shape.__struct_fields__,
        "account_id",
        "is_system",
        "deleted_at",
        "secret_hash",
    } - fields:
        answer = maker.client.post(maker.path(route), json=body | {name: None})
        check_envelope(answer, 400, name, "parameter_unknown")


@pytest.mark.parametrize("resource", CHANGED, ids=lambda resource: resource.name)
def test_a_change_that_is_wrong_in_one_field_changes_none(maker, resource):
    path, _ = maker.make_at(resource)
    before = maker.client.get(path).json()

    answer = maker.client.patch(path, json={"name": "Changed", "nonsense": 1})

    check_envelope(answer, 400, "nonsense", "parameter_unknown")
    assert maker.client.get(path).json() == before


@pytest.mark.parametrize(
    "text",
    ["\u202egnp.exe", "a" + "\u0301" * 150, "😀" * 50, "'; DROP TABLE customers; --", "%s%n", "=1+1", "<b>"],
)
def test_what_is_only_odd_is_kept_as_it_is(book, text):
    made = book.client.post(GROUPS, json=GOOD | {"name": text})

    assert made.status_code == 201, made.text
    assert book.get(f"{GROUPS}/{made.json()['id']}")["name"] == text
