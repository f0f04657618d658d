"""No input makes a 5xx: every hostile request is refused or answered, and the server lives on."""

from urllib.parse import quote

import httpx
import pytest

from tests.contract.checkers import CUSTOMERS, assert_error, assert_refused, envelope_faults, header_claims
from tests.fixtures import raw_http
from tests.fixtures.raw_http import statuses

SCALARS = [
    "cursor",
    "limit",
    "q",
    "parent_account_status",
    "city",
    "state",
    "postal_code",
    "start_date",
    "end_date",
]
ARRAYS = [
    "customer_group_ids", "pricing_group_ids", "sales_rep_ids", "status_codes", "shipping_term_ids",
    "payment_term_ids", "commission_status_codes", "freight_status_codes", "carrier_ids", "service_level_ids",
    "include",
]  # fmt: skip
EVERY = [*SCALARS, *ARRAYS, *(f"{name}[]" for name in ARRAYS)]
# Free text takes any characters; the others take none of these.
TEXTS = ["q", "city", "state", "postal_code"]
STRICT = [name for name in EVERY if name not in TEXTS]


@pytest.fixture(scope="module")
def filled(module_book):
    module_book.add(
        {"name": "Somebody", "bill_to.name": "A", "bill_to.country": "US", "bill_to.locality": "Oslo"}
    )
    return module_book


def raw_get(book, target):
    """GET a target whose bytes go over the wire as they are."""
    url = httpx.URL(book.server.url).copy_with(raw_path=target.encode())
    return book.client.get(url)


# Bytes that are no text, refused before any query is made of them


# NUL; then what is not UTF-8: a lone byte, a cut sequence, an overlong slash and NUL, surrogates alone and in a
# pair, beyond U+10FFFF, five bytes, a stray continuation.
NO_TEXT = [
    "%00", "a%00b", "a%00", "%FF", "%C3", "%E2%82", "%C0%AF", "%C0%80", "%E0%80%AF", "%ED%A0%80", "%ED%BF%BF",
    "%ED%A0%BD%ED%B8%80", "%F4%90%80%80", "%F8%88%80%80%80", "a%80b",
]  # fmt: skip


def faults_by_text(answers, param):
    """Say what is wrong with the answers that must all be a 400 naming this parameter."""
    found = {text: envelope_faults(a, 400, "parameter_invalid", param) for text, a in answers.items()}
    return {text: faults for text, faults in found.items() if faults}


@pytest.mark.parametrize("name", EVERY)
def test_what_is_no_text_is_refused_by_name(filled, name):
    spelled = quote(name, safe="[]")

    answers = {encoded: raw_get(filled, f"{CUSTOMERS}?{spelled}={encoded}") for encoded in NO_TEXT}

    assert faults_by_text(answers, name) == {}


@pytest.mark.parametrize("encoded", ["%00", "a%00", "%FF", "%ED%A0%80", "%C0%AF"])
def test_a_name_that_is_no_text_is_refused(filled, encoded):
    answer = raw_get(filled, f"{CUSTOMERS}?{encoded}=1")

    assert answer.status_code == 400
    assert_error(answer, 400, "parameter_invalid", answer.json()["error"]["param"])


@pytest.mark.parametrize("path", ["%00", "%FF", "%ED%A0%80", "ac_%00", "%", "%zz", "ac_%0d%0a"])
def test_a_path_that_is_no_id_is_refused(filled, path):
    answer = raw_get(filled, f"{CUSTOMERS}/{path}")

    assert answer.status_code in {400, 404}
    assert_error(answer, answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["param"])


@pytest.mark.parametrize("broken", ["%", "%z", "%zz", "%1", "%u0041", "%%", "100%"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_percent_sign_that_begins_nothing_is_itself(filled, name, broken):
    answer = raw_get(filled, f"{CUSTOMERS}?{name}={broken}")

    assert (answer.status_code, answer.json()["data"]) == (200, [])


# Integers of every size, dates at the ends of time


@pytest.mark.parametrize(
    "limit",
    [
        *(str(2**bits + off) for bits in (15, 16, 31, 32, 53, 63, 64, 128) for off in (-1, 0, 1)),
        "0", "-1", "1001", "ten", "1e3", "10.0", "+5", " 5", "5 ", "05", "1_0",
        "-9223372036854775808", "9" * 30, "9" * 5000, "-0", "0" * 5000, "1" + "0" * 4400,
        "1e400", "NaN", "Infinity", "-Infinity", "1.0", "1,0", "0b1", "0o7", "0xff", "true", "null", "[]", "{}",
        "１０", "٥", "१०", "Ⅷ", "²", "½", "一", "10\n", "\t10", "10\u00a0", "\u200b10", "1 0", "10;", "10'",
    ],
)  # fmt: skip
def test_what_is_no_number_from_1_to_1000_is_refused(filled, limit):
    assert_refused(filled.client.get(CUSTOMERS, params={"limit": limit}), "limit")


@pytest.mark.parametrize("name", ["start_date", "end_date"])
@pytest.mark.parametrize(
    "moment",
    [
        "", "yesterday", "2024-05-01", "2024-05-01T09:30:00", "2024-05-01T09:30Z", "2024-05-01T09:30:00.Z",
        "2024-05-01T09:30:00,5Z", "2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z", "2024-05-01T24:00:00Z",
        "2024-05-01T09:60:00Z", "2024-05-01T09:30:00+24:00", "2024-05-01T09:30:00+02", "2024-05-01T09:30:00+020",
        "1714555800", "2024-W18-3T00:00:00Z", "+002024-05-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999999999-00:01", "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00+00:01", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z",
        "2016-12-31T23:59:60Z", "2016-12-31T23:59:61Z", "2024-05-01T09:30:00+99:99", "2024-05-01T09:30:00+23:60",
        "2023-02-29T00:00:00Z", "2024-00-10T00:00:00Z", "2024-01-00T00:00:00Z", "99999999999999999999",
        "２０２４-05-01T09:30:00Z", "2024-05-01T٠٩:30:00Z", "2024-05-01T09:30:00.٥Z", "2024-05-01T09:30:00−02:00",
        "2024-05-01T09:30:00Z\n", " 2024-05-01T09:30:00Z", "2024-05-01T09:30:00Z ", "2024-05-01T09:30:00ZZ",
    ],
)  # fmt: skip
def test_what_is_no_rfc_3339_time_is_refused(filled, name, moment):
    assert_refused(filled.client.get(CUSTOMERS, params={name: moment}), name)


@pytest.mark.parametrize("name", ["start_date", "end_date"])
@pytest.mark.parametrize(
    "moment",
    [
        "9999-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59",
        "0001-01-01T00:00:00-23:59", "1969-12-31T23:59:59.999Z", "2262-04-11T23:47:16.854775808Z",
        "2109-05-15T07:35:11.103Z", "2109-05-15T07:35:11.104Z", "2038-01-19T03:14:08Z",
        f"2024-05-01T09:30:00.{'0' * 4900}Z", f"2024-05-01T09:30:00.{'9' * 4900}Z",
    ],
)  # fmt: skip
def test_times_at_the_ends_of_every_range_are_read(filled, name, moment):
    answer = filled.client.get(CUSTOMERS, params={name: moment})

    assert answer.status_code == 200, answer.text


# Length


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("letter", ["a", "%", '"', "\\"])
def test_a_value_of_ten_thousand_characters_is_refused(filled, name, letter):
    assert_refused(filled.client.get(CUSTOMERS, params={name: letter * 10_000}), name)


@pytest.mark.parametrize("name", EVERY)
def test_a_value_of_thousands_of_wide_characters_is_refused(filled, name):
    assert_refused(filled.client.get(CUSTOMERS, params={name: "é" * 5_000}), name)


def test_a_value_too_large_for_a_request_line_is_431(filled):
    assert filled.client.get(CUSTOMERS, params={"q": "é" * 10_000}).status_code in {400, 414, 431}


def test_a_list_of_more_than_a_thousand_ids_is_read(filled):
    ids = ",".join(f"cr_{n:013}" for n in range(1500))

    answer = filled.client.get(f"{CUSTOMERS}?carrier_ids={ids}")

    assert (answer.status_code, answer.json()["data"]) == (200, [])


def test_a_thousand_parameters_are_read_or_refused(filled):
    repeated = filled.client.get(f"{CUSTOMERS}?{'&'.join(['status_codes=normal'] * 1000)}")
    unknown = filled.client.get(f"{CUSTOMERS}?{'&'.join(f'p{n}=1' for n in range(1000))}")
    empty = filled.client.get(f"{CUSTOMERS}?{'&' * 30_000}")

    assert [answer.status_code for answer in (repeated, unknown, empty)] == [200, 400, 200]


# Names


@pytest.mark.parametrize("name", SCALARS)
def test_a_scalar_with_brackets_is_unknown(filled, name):
    assert_refused(filled.client.get(f"{CUSTOMERS}?{name}[]=1"), f"{name}[]")


@pytest.mark.parametrize("name", SCALARS)
def test_a_scalar_given_twice_is_refused(filled, name):
    good = {
        "limit": "5", "parent_account_status": "parent", "start_date": "2024-05-01T09:30:00Z",
        "end_date": "2024-05-01T09:30:00Z",
    }.get(name, "x")  # fmt: skip

    assert_refused(filled.client.get(f"{CUSTOMERS}?{name}={good}&{name}={good}"), name)


@pytest.mark.parametrize(
    "name",
    [
        "page", "offset", "status", "Status_codes", "", "a b", "é",
        "Limit", "LIMIT", " limit", "limit ", "limit\n", "lim\u200bit", "ｌｉｍｉｔ", "limit.x", "limit[0]", "$limit",
        "__proto__", "constructor", "account_id", "id", "is_parent", "type_id", "deleted", "order", "sort",
        "fields", "expand", "expand[]", "where", "key", "access_token", "filter", "' OR 1=1 --", "🦊", "a" * 300,
    ],
)  # fmt: skip
def test_an_unknown_name_is_refused_by_name(filled, name):
    assert_refused(filled.client.get(CUSTOMERS, params={name: "1"}), name)


@pytest.mark.parametrize(
    ("query", "param"),
    [("city", "city"), ("=1", ""), ("=", ""), ("status_codes", "status_codes"), ("?", "?")],
)
def test_a_parameter_without_name_or_value_is_refused(filled, query, param):
    assert_refused(filled.client.get(f"{CUSTOMERS}?{query}"), param)


def test_a_semicolon_separates_nothing(filled):
    assert_refused(raw_get(filled, f"{CUSTOMERS}?limit=5;q=x"), "limit")


# Text that other systems take for a program

PROGRAMS = [
    '"', '""', '"a', 'a"b', "*", "a*", "^a", "a AND b", "a OR", "NOT", "NEAR(a b, 2)", "NEAR(", "name:a", "{a b}:c",
    "-a", "+a", "a - b", "(" * 150, ")", "((a)", "a:", ":", "%", "_", "\\", "\\%", "'", "''", "'; --", "1=1",
    "x' OR '1'='1", "'; DROP TABLE customers; --", "$1", ":name", "?", "?1", "@x", "{{7*7}}", "${7*7}", "<script>",
    "../../etc/passwd", "%s%n", "\r\nX-Evil: 1", "\u202ereversed", "\ufeff", "\u200b", "\ufffe", "\U0010ffff",
    "a" + "\u0301" * 150, "\u0301" * 200, "ﷺ" * 200, "\u1e9e" * 200, "👩‍👩‍👧‍👦", "\x01\x02\x1b[31m", "\x7f", "\x85",
]  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_text_and_never_a_program(filled, name):
    answers = {text: filled.client.get(CUSTOMERS, params={name: text}) for text in PROGRAMS}

    assert {text: a.text for text, a in answers.items() if a.status_code != 200} == {}
    assert [text for text, a in answers.items() if "x-evil" in a.headers] == []


@pytest.mark.parametrize("name", STRICT)
def test_text_where_none_is_taken_is_refused(filled, name):
    answers = {text: filled.client.get(CUSTOMERS, params={name: text}) for text in PROGRAMS}

    assert faults_by_text(answers, name) == {}


# Headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept-Encoding": "gzip;q=nonsense"}, {"Content-Type": "multipart/form-data"},
        {"Content-Type": "\xff"}, {"If-None-Match": "\xff\xfe"}, {"If-None-Match": ',,,"' * 100},
        {"If-None-Match": "x" * 8000}, {"If-Modified-Since": "yesterday"}, {"Range": "bytes=9-1"},
        {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"X-Forwarded-Prefix": "//evil.example"},
        {"X-HTTP-Method-Override": "DELETE"}, {"X-Original-URL": "/errors"}, {"Cookie": "\xff=\xfe;;;"},
        {"Expect": "nonsense"}, {"Origin": "null"}, {"Forwarded": 'for="\\"'},
        {"X-Request-Id": "\xff"}, {"X-Request-Id": "x" * 9000}, {"Date": "never"}, {"Idempotency-Key": "x" * 5000},
        {"Traceparent": "00-0-0-0"}, {"Content-Encoding": "gzip"}, {"Upgrade": "websocket"},
    ],
    ids=str,
)  # fmt: skip
def test_junk_in_headers_changes_no_answer(filled, headers):
    wanted = filled.client.get(CUSTOMERS).json()
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]

    answer = filled.client.get(CUSTOMERS, headers=raw)

    assert answer.status_code in {200, 400, 417}
    assert [claim for claim, holds in header_claims(answer).items() if not holds] == []
    assert answer.json().get("data", wanted["data"]) == wanted["data"]
    assert b"evil" not in answer.content


def test_a_header_that_is_not_ascii_is_refused_where_it_is_read_and_otherwise_ignored(filled):
    """Proxies add such ones, with the city of a client or the name of a user."""
    body = {"name": "x", "type": "type_group"}
    customer = filled.client.get(CUSTOMERS).json()["data"][0]["id"]

    def asked(name, method="GET", path=CUSTOMERS, value="São", **others):
        headers = [(name.encode(), value.encode()), (b"X-A", b"1"), (b"X-A", b"2")]
        answer = filled.client.request(method, path, headers=headers, **others)
        return answer.status_code, answer.json().get("error", {}).get("param")

    ignored = ("X-City", "User-Agent", "Idempotency-Key", "If-None-Match", "Accept", "X-Request-Id", "Cookie")
    assert {name: asked(name) for name in ignored} == dict.fromkeys(ignored, (200, None))
    assert asked("Idempotency-Key", "POST", "/v1/sales/account-groups", json=body) == (400, "Idempotency-Key")
    assert asked("If-Match", "PATCH", f"{CUSTOMERS}/{customer}", json={}) == (400, "If-Match")
    assert asked("Augno-Account") == (400, "Augno-Account")
    assert asked("Content-Type", "POST", "/v1/sales/account-groups", content=b"{}") == (415, None)
    assert asked("Authorization", value="Bearer São") == (401, None)


@pytest.mark.parametrize("count", [100, 1000])
def test_many_headers_are_read_or_refused(filled, count):
    answer = filled.client.get(CUSTOMERS, headers=[(f"X-Junk-{n}", "1") for n in range(count)])

    assert answer.status_code in {200, 400, 431}


@pytest.mark.parametrize("body", [b"{", b"\xff" * 100, b"[" * 10_000, b"null", b"limit=0", b"1e400"])
def test_a_body_that_nobody_asked_for_is_ignored(filled, body):
    answer = filled.client.request(
        "GET", CUSTOMERS, content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 200


def test_a_body_in_pieces_is_ignored(filled):
    answer = filled.client.request("GET", CUSTOMERS, content=iter([b"{", b"}" * 1000]))

    assert answer.status_code == 200


# Broken framing, straight on the socket


def exchange(book, request, *, is_cut=False):
    """Send bytes to the book's server."""
    return raw_http.exchange(book.server.url, request, is_cut=is_cut)


def head(book, *lines, target=CUSTOMERS, method="GET", version="HTTP/1.1"):
    return raw_http.head(book.key, *lines, target=target, method=method, version=version)


def assert_alive(book):
    assert [book.client.get(CUSTOMERS).status_code for _ in range(4)] == [200] * 4


def test_the_socket_is_asked_rightly(filled):
    """The tooth of the tests below: a good request written by the same hand is answered."""
    assert statuses(exchange(filled, head(filled))) == [200]


CUT = [
    lambda book: b"",
    lambda book: b"\r\n\r\n",
    lambda book: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    lambda book: head(book, "Content-Length: 10") + b"cut",
    lambda book: head(book, "Content-Length: 2000000"),
    lambda book: head(book, "Transfer-Encoding: chunked") + b"5\r\nab",
    lambda book: head(book)[:-2],
    lambda book: head(book)[:20],
]
BROKEN = [
    lambda book: b"nonsense\r\n\r\n",
    lambda book: b"\x00" * 1000,
    lambda book: bytes(range(256)) * 40,
    lambda book: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    lambda book: b"GET\r\n\r\n",
    lambda book: b"GET /\r\n\r\n",
    lambda book: head(book, version="HTTP/9.9"),
    lambda book: head(book, version="HTTP/1.1 extra"),
    lambda book: head(book, target="no-slash"),
    lambda book: head(book, target="*"),
    lambda book: head(book, target="http://evil.example/v1/sales/customers?limit=0"),
    lambda book: head(book, target=f"{CUSTOMERS}?limit=0#fragment"),
    lambda book: head(book, target=f"{CUSTOMERS}?limit=\x01"),
    lambda book: head(book, target=f"{CUSTOMERS}?limit=\xff"),
    lambda book: head(book, target=f"{CUSTOMERS}?limit= 5"),
    lambda book: head(book, method="G\x00T"),
    lambda book: head(book, method="\xff"),
    lambda book: head(book, method="A" * 5000),
    lambda book: head(book, "No colon here"),
    lambda book: head(book, ": no name"),
    lambda book: head(book, "Space : before"),
    lambda book: head(book, "Folded: a", " b"),
    lambda book: head(book, "Control: a\x01b"),
    lambda book: head(book, "Nul: a\x00b"),
    lambda book: head(book, "Content-Length: -1"),
    lambda book: head(book, "Content-Length: nonsense"),
    lambda book: head(book, f"Content-Length: {'9' * 40}"),
    lambda book: head(book, "Content-Length: 5", "Content-Length: 6"),
    lambda book: head(book, "Transfer-Encoding: identity"),
    lambda book: head(book, "Transfer-Encoding: xchunked"),
    lambda book: head(book, "Transfer-Encoding: chunked") + b"zz\r\n",
    lambda book: head(book, "Transfer-Encoding: chunked") + b"ffffffffffffffff\r\nx",
    lambda book: head(book, "Host: y"),
    lambda book: head(book).replace(b"Host: x\r\n", b""),
    lambda book: head(book).replace(b"\r\n", b"\n"),
    lambda book: head(book, f"Huge: {'x' * 1_000_000}"),
    lambda book: head(book, *(f"H{n}: x" for n in range(5000))),
    lambda book: head(book, target=f"{CUSTOMERS}?q={'x' * 1_000_000}"),
    lambda book: head(book, target=f"/{'x' * 100_000}"),
]


@pytest.mark.parametrize("make", BROKEN)
def test_broken_framing_is_refused_and_the_server_lives_on(filled, make):
    received = exchange(filled, make(filled))

    assert [status for status in statuses(received) if status >= 500] == []
    assert filled.key.encode() not in received
    assert_alive(filled)


@pytest.mark.parametrize("make", CUT)
def test_a_request_that_is_cut_off_harms_nobody(filled, make):
    received = exchange(filled, make(filled), is_cut=True)

    assert [status for status in statuses(received) if status >= 500] == []
    assert_alive(filled)


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Content-Length: 0", "Content-Length: 44"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: xchunked"],
        ["Content-Length: +5"],
    ],
)
def test_a_request_of_two_lengths_is_answered_once(filled, lines):
    """What is smuggled behind it must not be taken for a second request."""
    smuggled = b"0\r\n\r\n" + head(filled, target="/healthz")
    first = head(filled, *lines).replace(b"Connection: close\r\n", b"")

    answered = statuses(exchange(filled, first + smuggled))

    assert len(answered) <= 1
    assert [status for status in answered if status >= 500] == []


@pytest.mark.parametrize(
    "make",
    [
        lambda book: head(book, target=f"{CUSTOMERS}?q={'x' * 70_000}"),
        lambda book: head(book, target=f"/{'x' * 70_000}"),
        lambda book: head(book, f"Huge: {'x' * 70_000}"),
    ],
)
def test_a_head_over_the_limit_is_414_or_431(filled, make):
    assert statuses(exchange(filled, make(filled))) in ([414], [431])


def test_nothing_of_all_this_was_a_fault(filled):
    assert '"fault"' not in filled.server.log.read_text()
    assert "Traceback" not in filled.server.log.read_text()
    assert filled.server.process.poll() is None
