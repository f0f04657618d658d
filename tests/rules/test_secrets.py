"""What nobody may read in a log: keys, questions, names. Planted wherever a request can carry them."""

import json

import pytest

from tests.fixtures import plain_http
from tests.fixtures.book import Book
from tests.fixtures.server import wait_until

CANARY = "canary5e7"


def lines_with(log: str, secrets: list[str]) -> list[str]:
    """Return the lines of a log that hold any of the secrets."""
    return [line for line in log.splitlines() if any(secret in line for secret in secrets)]


def test_no_key_question_or_name_is_in_the_log(server):
    start = server.log.stat().st_size
    book = Book(server, name=f"Account {CANARY}")
    book.add({"number": f"n{CANARY}", "name": f"Customer {CANARY}", "email": f"{CANARY}@x.example"})
    url = f"{server.url}/v1/sales/customers"
    key = {"Authorization": f"Bearer {book.key}"}

    (found,) = plain_http.get(url, headers=key, params={"q": CANARY}).json()["data"]
    requests = [
        (f"{url}/{found['id']}", key, 200),
        (f"{url}?q={CANARY}&cursor={CANARY}", key, 400),
        (f"{url}?status_codes={CANARY}", key, 400),
        (f"{url}?{CANARY}=1", key, 400),
        (f"{url}?key={book.key}", {}, 401),
        (f"{url}/{book.key}", key, 400),
        (f"{server.url}/{book.key}/{book.key}", key, 404),
        (url, {"Authorization": f"Bearer {book.key[:-1]}{chr(ord(book.key[-1]) ^ 1)}"}, 401),
        (url, {"Authorization": f"Basic {CANARY}"}, 401),
        (url, {**key, "X-Request-Id": f"{CANARY} not good"}, 200),
        (url, {**key, "Cookie": CANARY, "User-Agent": CANARY, "Referer": CANARY}, 200),
    ]
    for address, headers, status in requests:
        assert plain_http.get(address, headers=headers).status_code == status, address
    assert plain_http.post(url, headers=key, content=CANARY).status_code == 400
    plain_http.get(server.url, headers={"X-Request-Id": "the-last-one"})
    wait_until(lambda: "the-last-one" in server.log.read_text(), "the log's last line")
    log = server.log.read_bytes()[start:].decode()
    book.close()

    assert lines_with(log, [CANARY, book.key, book.key[-20:], book.key[11:31]]) == []
    assert found["id"] in log
    assert log.count('"event":"request"') >= len(requests) + 3


@pytest.mark.parametrize(
    "path", ["/v1/%0d%0a%7B%22event%22:%22forged%22%7D", "/%00%1b[2J", "/" + "%22%5c" * 20]
)
def test_a_path_cannot_forge_a_line_of_the_log(server, path):
    start = server.log.stat().st_size
    plain_http.get(f"{server.url}{path}", headers={"X-Request-Id": "forger"})
    wait_until(lambda: b"forger" in server.log.read_bytes()[start:], "the log's line")

    lines = server.log.read_bytes()[start:].splitlines()
    (line,) = [json.loads(line) for line in lines if b"forger" in line]
    assert line["event"] == "request"
    assert not any(line.startswith(b'{"event":"forged"') for line in lines)


def test_a_secret_in_a_log_is_noticed():
    assert lines_with(f"a\nkey {CANARY} b\nc", [CANARY]) == [f"key {CANARY} b"]
