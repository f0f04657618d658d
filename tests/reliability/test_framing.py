"""Requests as no library would frame them, on the socket: refused, or done as they say, and nobody's request is another's."""

import http.client
import json
import select
import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.fixtures.engines import Sqlite
from tests.fixtures.lengths import length
from tests.fixtures.raw_http import exchange, statuses
from tests.fixtures.server import start_server, stop_server

GROUPS = "/v1/sales/account-groups"
BODY_SECONDS = length(1, 3)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of one worker with little patience."""
    folder = tmp_path_factory.mktemp("framing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADEBOOK_BODY_TIMEOUT_MS", str(BODY_SECONDS * 1000))
        running = start_server(folder, database=Sqlite().new(folder))
    yield running
    stop_server(running)


def answers_in(received):
    """The status of each answer of a connection on which several were sent."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        length = next(int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
        found.append(int(head.split()[1]))
        received = rest[length:]
    return found


def names(book):
    return sorted(group["name"] for group in book.get(GROUPS)["data"])


def body(name="A"):
    return json.dumps({"name": name, "type": "type_group"}).encode()


def chunk(data, size=None):
    return (
        f"{len(data):x}".encode() + b"\r\n" + data + b"\r\n"
        if size is None
        else size + b"\r\n" + data + b"\r\n"
    )


END = b"0\r\n\r\n"
LARGE = body("x" * 900_000)
HOST = b"Host: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def post(book, *lines, host=HOST, ends=True, target=GROUPS, connection=b"Connection: close\r\n"):
    """Write the head of a request, with lines as they are."""
    key = f"Authorization: Bearer {book.key}\r\nContent-Type: application/json\r\n".encode()
    head = b"POST " + target.encode() + b" HTTP/1.1\r\n" + host + key + connection + b"".join(lines)
    return head + b"\r\n" if ends else head


def length_of(data):
    return f"Content-Length: {len(data)}\r\n".encode()


def halves(data):
    middle = len(data) // 2
    return data[:middle], data[middle:]


DONE = {
    "a length": lambda b: post(b, length_of(body())) + body(),
    "one chunk": lambda b: post(b, CHUNKED) + chunk(body()) + END,
    "two chunks": lambda b: post(b, CHUNKED) + b"".join(map(chunk, halves(body()))) + END,
    "a chunk for each byte": lambda b: post(b, CHUNKED) + b"".join(chunk(bytes([c])) for c in body()) + END,
    "chunks with extensions": lambda b: post(b, CHUNKED) + chunk(body(), b"%x;a=b" % len(body())) + END,
    "a size in capitals with zeros": lambda b: post(b, CHUNKED) + chunk(body(), b"00%X" % len(body())) + END,
    "an empty line before": lambda b: b"\r\n" + post(b, length_of(body())) + body(),
}


@pytest.mark.parametrize("framing", DONE)
def test_what_is_framed_well_is_done_once(book, framing):
    answer = exchange(book.server.url, DONE[framing](book))

    assert statuses(answer) == [201], answer[:500]
    assert names(book) == ["A"]


REFUSED = {
    "no host": lambda b: post(b, length_of(body()), host=b"") + body(),
    "two hosts": lambda b: post(b, length_of(body()), host=HOST + b"Host: y\r\n") + body(),
    "the same host twice": lambda b: post(b, length_of(body()), host=HOST * 2) + body(),
    "two lengths": lambda b: post(b, length_of(body()), b"Content-Length: 5\r\n") + body(),
    "two lengths in one": lambda b: post(b, b"Content-Length: %d, 5\r\n" % len(body())) + body(),
    "a length with a sign": lambda b: post(b, b"Content-Length: +%d\r\n" % len(body())) + body(),
    "a negative length": lambda b: post(b, b"Content-Length: -5\r\n") + body(),
    "a length in hexadecimal": lambda b: post(b, b"Content-Length: 0x%x\r\n" % len(body())) + body(),
    "a length past all numbers": lambda b: post(b, b"Content-Length: 18446744073709551617\r\n") + body(),
    "chunked twice": lambda b: post(b, CHUNKED, CHUNKED) + chunk(body()) + END,
    "chunked after another coding": lambda b: post(b, b"Transfer-Encoding: gzip, chunked\r\n") + chunk(body()) + END,
    "another coding": lambda b: post(b, b"Transfer-Encoding: gzip\r\n") + body(),
    "chunked in a quoted word": lambda b: post(b, b'Transfer-Encoding: "chunked"\r\n') + chunk(body()) + END,
    "a line that goes on": lambda b: post(b, b"X-A: b\r\n c\r\n", length_of(body())) + body(),
    "a length that goes on": lambda b: post(b, b"Content-Length:\r\n %d\r\n" % len(body())) + body(),
    "a space before the colon": lambda b: post(b, b"Content-Length : %d\r\n" % len(body())) + body(),
    "a space before the first header": lambda b: post(b, length_of(body()), host=b" Host: x\r\n") + body(),
    "a bare carriage return": lambda b: post(b, b"X-A: b\rc\r\n", length_of(body())) + body(),
    "a NUL in a header": lambda b: post(b, b"X-A: b\0c\r\n", length_of(body())) + body(),
    "a name with a space": lambda b: post(b, b"X A: b\r\n", length_of(body())) + body(),
    "a line without a colon": lambda b: post(b, b"nonsense\r\n", length_of(body())) + body(),
    "another version": lambda b: post(b, length_of(body())).replace(b"HTTP/1.1", b"HTTP/1.2") + body(),
    "no version": lambda b: post(b, length_of(body())).replace(b" HTTP/1.1", b"") + body(),
    "a chunk that is too short": lambda b: post(b, CHUNKED) + chunk(body(), b"%x" % (len(body()) - 1)) + END,
    "a chunk that is too long": lambda b: post(b, CHUNKED) + chunk(body(), b"%x" % (len(body()) + 9)) + END,
    "a size that is none": lambda b: post(b, CHUNKED) + chunk(body(), b"zz") + END,
    "a negative size": lambda b: post(b, CHUNKED) + chunk(body(), b"-1") + END,
    "a size past all numbers": lambda b: post(b, CHUNKED) + chunk(body(), b"f" * 17) + END,
    "a huge size": lambda b: post(b, CHUNKED) + chunk(body(), b"7fffffffffffffff") + END,
    "trailers": lambda b: post(b, CHUNKED) + chunk(body()) + b"0\r\nX-A: b\r\n\r\n",
    "chunks with bare line feeds": lambda b: post(b, CHUNKED) + chunk(body()).replace(b"\r\n", b"\n") + b"0\n\n",
    "chunks that end early": lambda b: post(b, CHUNKED) + chunk(body()),
    "a body that ends early": lambda b: post(b, length_of(body())) + body()[:-1],
    "a head that ends early": lambda b: post(b, length_of(body()), ends=False),
}  # fmt: skip


LINE_FEEDS = {
    "in all lines": lambda b: post(b, length_of(body())).replace(b"\r\n", b"\n") + body(),
    "in one line": lambda b: post(b, b"X-A: b\n", length_of(body())) + body(),
    "before a length": lambda b: post(b, b"X-A: b\nContent-Length: 5\r\n", length_of(body())) + body(),
}


@pytest.mark.parametrize("framing", LINE_FEEDS)
def test_a_line_feed_alone_ends_a_line_or_is_refused(book, framing):
    """As RFC 9112 has it in section 2.2; what it hides from others counts here."""
    answer = exchange(book.server.url, LINE_FEEDS[framing](book))

    possible = ([400], []) if framing == "before a length" else ([201], [400], [])
    assert statuses(answer) in possible, answer[:500]
    assert names(book) == ["A"] * (statuses(answer) == [201])


EARLY = {
    "a chunk that is too long",
    "a huge size",
    "chunks that end early",
    "a body that ends early",
    "a head that ends early",
}
"""What the server has to wait for, as more could come."""


@pytest.mark.parametrize("framing", sorted(REFUSED.keys() - EARLY))
def test_what_could_be_read_in_two_ways_is_refused_and_nothing_is_done(book, framing):
    """By the envelope, by the server's own 400, or by a closed connection."""
    answer = exchange(book.server.url, REFUSED[framing](book))

    assert statuses(answer) in ([], [400], [413], [501], [505]), answer[:500]
    assert names(book) == []


@pytest.mark.parametrize("framing", sorted(EARLY))
def test_what_is_cut_off_is_not_done(book, framing):
    answer = exchange(book.server.url, REFUSED[framing](book), is_cut=True)

    assert statuses(answer) in ([], [400], [408]), answer[:500]
    assert names(book) == []


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_length_and_chunks_the_chunks_count_and_nothing_follows(book, order):
    """As RFC 9112 has it in section 6.3; a refusal would be as good."""
    lines = (length_of(body()), CHUNKED)[::order]
    framed = post(book, *lines, connection=b"") + chunk(body()) + END

    answer = exchange(book.server.url, framed + post(book, length_of(body("B"))) + body("B"))

    assert answers_in(answer) in ([201], [400]), answer[:500]
    assert names(book) == ["A"] * (answers_in(answer) == [201])


@pytest.mark.parametrize("framing", sorted(EARLY - {"a head that ends early"}))
def test_what_stays_away_is_waited_for_until_the_deadline_and_no_longer(book, framing):
    """The client waits too: nobody closes but the server."""
    began = time.monotonic()

    answer = exchange(book.server.url, REFUSED[framing](book))

    assert statuses(answer) in ([408], [400], [413], []), answer[:500]
    assert names(book) == []
    assert time.monotonic() - began < BODY_SECONDS + 4


@pytest.mark.parametrize("host", [HOST, HOST * 2])
def test_whoever_sends_on_after_its_answer_is_not_kept_and_can_read_it(book, host):
    """It does not look for an answer before all is sent, as most libraries do."""
    parts = urlsplit(book.server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=9) as connection:
        connection.sendall(post(book, length_of(LARGE), host=host) + LARGE[:9])
        assert select.select([connection], [], [], 9)[0]

        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            connection.sendall(LARGE * 20)

        answer = connection.recv(65_536)
    assert statuses(answer) == [408 if host == HOST else 400]


def test_requests_in_one_go_are_answered_in_order(book):
    first = [post(book, length_of(body(name)), connection=b"") + body(name) for name in ("A", "B", "C")]
    chunked = post(book, CHUNKED, connection=b"") + chunk(body("D")) + END
    bad = post(book, length_of(b"{}"), connection=b"") + b"{}"
    last = post(book, length_of(body("E"))) + body("E")

    answer = exchange(book.server.url, b"".join([*first, chunked, bad, last]))

    assert answers_in(answer) == [201, 201, 201, 201, 400, 201], answer[:500]
    assert names(book) == ["A", "B", "C", "D", "E"]


SMUGGLED = b"DELETE /v1/sales/account-groups/acgr_0000000000000 HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("status", [401, 404, 405, 413])
def test_a_body_that_is_refused_unread_is_never_the_next_request(book, status):
    """It would be one that nobody has looked at on the way."""
    key = book.key if status != 401 else "sk_none"
    target = {404: "/nix", 405: "/v1/sales/account-groups/acgr_0000000000000"}.get(status, GROUPS)
    filling = SMUGGLED * (20_000 if status == 413 else 3)
    head = (
        f"POST {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(filling)}\r\n\r\n"
    )

    answer = exchange(book.server.url, head.encode() + filling)

    assert answers_in(answer) == [status], answer[:500]


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_refusal_before_the_body_is_read_reaches_the_client(book, status):
    """It says that the connection ends, and waits until the client has sent what it is sending."""
    key = {401: "sk_none", 403: book.new_key(permissions=("customers:read",))[1]}.get(status, book.key)
    target = {404: "/nix", 405: "/v1/sales/account-groups/acgr_0000000000000"}.get(status, GROUPS)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    for _ in range(length(5, 100)):
        connection = http.client.HTTPConnection(urlsplit(book.server.url).netloc, timeout=9)

        connection.request("POST", target, LARGE, headers)
        answer = connection.getresponse()

        assert (answer.status, answer.headers["connection"]) == (status, "close")
        assert json.loads(answer.read())["error"]["code"]
        connection.close()


def test_whoever_waits_to_be_told_to_go_on_is_told_or_refused(book):
    """Expect: 100-continue, as curl sends it for large bodies."""
    head = post(book, length_of(body()), b"Expect: 100-continue\r\n")
    parts = urlsplit(book.server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=9) as connection:
        connection.sendall(head)
        told = connection.recv(65_536)
        connection.sendall(body())
        answer = told + connection.makefile("rb").read()

    assert statuses(answer) == [100, 201], answer[:500]
    refused = exchange(book.server.url, head.replace(book.key.encode(), b"sk_none"))
    assert statuses(refused) == [401], refused[:500]
