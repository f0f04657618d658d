"""Answers are compressed for who asks for it: the same bytes once unpacked, and the same conditions."""

import gzip
import json

import pytest
import zstandard

from tests.contract.checkers import CUSTOMERS
from tests.fixtures import plain_http
from tests.fixtures.samples import Maker
from tradebook.resources import customers
from tradebook.resources.api_keys import ALL_PERMISSIONS
from tradebook.web.compression import BYTES_MIN, encoding_of

UNPACK = {
    "gzip": gzip.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}
ENCODINGS = pytest.mark.parametrize("encoding", sorted(UNPACK))


@pytest.fixture(scope="module")
def filled(module_book):
    module_book.add(*({"number": f"{n}", "name": f"Customer {n}", "note": "n" * 50} for n in range(60)))
    return module_book


def raw(client, method, path, encoding, **options):
    """Send a request; returns the answer and its bytes as they came."""
    headers = {**options.pop("headers", {}), "Accept-Encoding": encoding}
    with client.stream(method, path, headers=headers, **options) as answer:
        body = b"".join(answer.iter_raw())
    return answer, body


@ENCODINGS
@pytest.mark.parametrize(
    "path", [CUSTOMERS, f"{CUSTOMERS}?include=defaults&limit=50", "/openapi.json", "/errors", "/docs"]
)
def test_a_large_answer_is_the_same_one_unpacked(filled, encoding, path):
    plain, body = raw(filled.client, "GET", path, "identity")
    for _ in range(2):
        answer, packed = raw(filled.client, "GET", path, encoding)

        assert answer.status_code == 200
        assert answer.headers["content-encoding"] == encoding
        assert UNPACK[encoding](packed) == body
        assert answer.headers["content-length"] == str(len(packed))
        assert len(packed) < len(body) / 2
        assert "Accept-Encoding" in answer.headers["vary"]
    assert "content-encoding" not in plain.headers


@ENCODINGS
def test_head_is_as_get(filled, encoding):
    answer, _packed = raw(filled.client, "GET", CUSTOMERS, encoding)
    head, nothing = raw(filled.client, "HEAD", CUSTOMERS, encoding)

    assert nothing == b""
    for name in ("content-encoding", "content-length", "etag", "vary"):
        assert head.headers[name] == answer.headers[name]


@ENCODINGS
@pytest.mark.parametrize("kind", ["application/x-ndjson", "text/csv"])
def test_an_export_is_compressed_while_it_is_sent(filled, encoding, kind):
    _, plain = raw(filled.client, "GET", CUSTOMERS, "identity", headers={"Accept": kind})
    answer, packed = raw(filled.client, "GET", CUSTOMERS, encoding, headers={"Accept": kind})
    head, _ = raw(filled.client, "HEAD", CUSTOMERS, encoding, headers={"Accept": kind})

    assert UNPACK[encoding](packed) == plain
    assert answer.headers["content-encoding"] == head.headers["content-encoding"] == encoding
    assert "content-length" not in answer.headers


def test_a_small_answer_stays_as_it_is(filled):
    for path in ("/healthz", f"{CUSTOMERS}?q=nobody", f"{CUSTOMERS}/ac_1", f"{CUSTOMERS}?limit=0"):
        answer, _ = raw(filled.client, "GET", path, "gzip")
        assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "encoding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate", "gzip"),
        ("deflate, br", None),
        ("zstd;q=0.5, gzip", "gzip"),
        ("zstd;q=0, gzip;q=0", None),
        ("gzip; q = 0.0", None),
        ("*", "gzip"),
        ("*;q=0", None),
        ("zstd;q=0, *", "gzip"),
        ("gzip;q=0, *", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=1", "gzip"),
        ("identity;q=0", None),
        ("gzip;q=nonsense", None),
        (",,;;,", None),
        ("gzip," * 10_000, "gzip"),
    ],
)
def test_the_encoding_is_the_one_that_is_liked_best(asked, encoding):
    assert encoding_of(asked) == encoding


@ENCODINGS
def test_each_form_has_a_tag_of_its_own_and_each_is_known_again(filled, encoding):
    plain, _ = raw(filled.client, "GET", CUSTOMERS, "identity")
    packed, _ = raw(filled.client, "GET", CUSTOMERS, encoding)

    assert plain.headers["etag"] != packed.headers["etag"]
    for tag in (plain.headers["etag"], packed.headers["etag"], f"W/{packed.headers['etag']}"):
        for asked in ("identity", encoding):
            again, body = raw(filled.client, "GET", CUSTOMERS, asked, headers={"If-None-Match": tag})
            assert (again.status_code, body) == (304, b"")
    again, _ = raw(
        filled.client, "GET", CUSTOMERS, encoding, headers={"If-None-Match": packed.headers["etag"]}
    )
    assert again.headers["etag"] == packed.headers["etag"]


@ENCODINGS
def test_the_tag_of_a_compressed_answer_is_good_for_a_change(filled, encoding):
    path = f"{CUSTOMERS}/{filled.get(CUSTOMERS, limit=1)['data'][0]['id']}"
    filled.client.patch(path, json={"note": "n" * 3_000})
    read, _ = raw(filled.client, "GET", path, encoding)
    assert read.headers["content-encoding"] == encoding

    changed, packed = raw(
        filled.client,
        "PATCH",
        path,
        encoding,
        json={"note": "m" * 3_000},
        headers={"If-Match": read.headers["etag"]},
    )
    stale, _ = raw(
        filled.client, "PATCH", path, encoding, json={}, headers={"If-Match": read.headers["etag"]}
    )
    next_one, _ = raw(
        filled.client, "PATCH", path, encoding, json={}, headers={"If-Match": changed.headers["etag"]}
    )

    assert [each.status_code for each in (changed, stale, next_one)] == [200, 412, 200]
    assert json.loads(UNPACK[encoding](packed))["note"] == "m" * 3_000


@ENCODINGS
def test_a_replayed_answer_is_in_the_form_that_is_asked_for_then(filled, encoding):
    body = {**Maker(filled).required(customers.resource), "note": "n" * 3_000}
    headers = {"Idempotency-Key": f"once {encoding}"}

    _, first = raw(filled.client, "POST", CUSTOMERS, encoding, json=body, headers=headers)
    again, second = raw(filled.client, "POST", CUSTOMERS, "identity", json=body, headers=headers)

    assert again.headers["idempotent-replayed"] == "true"
    assert UNPACK[encoding](first) == second


def test_an_answer_with_a_secret_is_never_compressed(filled):
    answer, body = raw(
        filled.client,
        "POST",
        "/v1/auth/api-keys",
        "gzip",
        json={"name": "K" * 250, "permissions": list(ALL_PERMISSIONS)},
    )

    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert len(body) > BYTES_MIN
    assert "content-encoding" not in answer.headers


def test_what_is_written_is_seen_in_every_form(filled):
    path = f"{CUSTOMERS}?limit=50"
    for encoding, unpack in UNPACK.items():
        raw(filled.client, "GET", path, encoding)
        first = filled.get(CUSTOMERS, limit=1)["data"][0]["id"]
        filled.client.patch(f"{CUSTOMERS}/{first}", json={"name": f"Seen by {encoding}"})

        _, packed = raw(filled.client, "GET", path, encoding)

        assert f"Seen by {encoding}".encode() in unpack(packed)


def test_a_client_without_the_header_gets_it_plain(filled):
    answer = plain_http.get(
        filled.server.url + CUSTOMERS,
        headers={"Authorization": f"Bearer {filled.key}", "Accept-Encoding": ""},
    )

    assert "content-encoding" not in answer.headers
