"""The page of agents: who is let in, what it answers to anything that is sent, and that it keeps nothing."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import apsw
import pytest

from tests.fixtures.application import client_of
from tests.fixtures.book import Book
from tests.fixtures.engines import Sqlite
from tests.fixtures.server import start_server, stop_server
from tradebook.app import create_app
from tradebook.settings import Settings
from tradebook.web.account_header import NAMES

PATH = "/mcp"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
PING = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
LIST = {"jsonrpc": "2.0", "id": 3, "method": "tools/list"}


def call(name, /, **arguments):
    return {
        "jsonrpc": "2.0",
        "id": 4,
        "method": "tools/call",
        "params": {"name": name, "arguments": arguments},
    }


def post(book, message, **headers):
    content = message if isinstance(message, bytes) else json.dumps(message).encode()
    return book.client.post(PATH, content=content, headers={"Content-Type": "application/json"} | headers)


def test_a_client_of_each_age_of_the_protocol_is_answered(agents, book):
    book.add({"name": "Acme", "number": "1"})

    answers = [agents.of(book, mode=mode).call("find_customers") for mode in ("legacy", "auto", "2026-07-28")]

    assert len(set(answers)) == 1
    assert "| 1 | Acme" in answers[0]


def test_messages_are_answered_one_by_one(book):
    made, told, pong = (
        post(book, INITIALIZE),
        post(book, {"jsonrpc": "2.0", "method": "notifications/initialized"}),
        post(book, PING),
    )

    result = made.json()["result"]
    assert (result["serverInfo"]["name"], result["protocolVersion"]) == ("tradebook", "2025-06-18")
    assert len(result["instructions"]) < 400
    assert "mcp-session-id" not in made.headers
    assert (told.status_code, told.content) == (202, b"")
    assert pong.json() == {"jsonrpc": "2.0", "id": 2, "result": {}}


@pytest.mark.parametrize(
    "headers",
    [{"Accept": "application/json"}, {"Accept": "*/*"}, {"Accept": "text/event-stream, application/json"}],
)
def test_answers_are_json_whatever_is_accepted(book, headers):
    answer = post(book, LIST, **headers)

    assert answer.headers["content-type"] == "application/json"
    assert len(answer.json()["result"]["tools"]) == 8


def test_nobody_is_let_in_without_a_good_key(book):
    none = book.client.post(PATH, json=PING, headers={"Authorization": ""})
    wrong = post(book, PING, Authorization="Bearer nonsense")
    basic = book.client.post(PATH, json=PING, auth=(book.key, ""))

    assert [answer.status_code for answer in (none, wrong, basic)] == [401, 401, 200]
    assert none.headers["www-authenticate"].startswith("Bearer")
    assert none.json()["error"]["code"] == wrong.json()["error"]["code"] == "invalid_credentials"


def test_a_key_that_is_revoked_meanwhile_is_refused(agents, book):
    key_id, key = book.new_key()
    agent = agents.of(book, key, "legacy")
    agent.call("find_customers")

    book.client.delete(f"/v1/auth/api-keys/{key_id}")

    with pytest.raises(Exception, match="error response"):
        agent.call("find_customers")
    assert post(book, PING, Authorization=f"Bearer {key}").status_code == 401


def test_other_verbs_and_other_media_are_refused(book):
    got = book.client.get(PATH)
    gone = book.client.delete(PATH)
    text = post(book, PING, **{"Content-Type": "text/plain"})

    assert (got.status_code, "POST" in got.headers["allow"]) == (405, True)
    assert (gone.status_code, text.status_code) == (405, 415)
    assert text.json()["error"]["code"] == "unsupported_media_type"


def test_a_page_of_another_site_is_refused(book):
    origins = {
        "https://evil.example": 403,
        "http://evil.example:8000": 403,
        "null": 403,
        "http://[": 403,
        "http://localhost.evil.example": 403,
        "http://localhost:6274": 200,
        "http://127.0.0.1": 200,
        "http://[::1]:3000": 200,
    }

    assert {origin: post(book, PING, Origin=origin).status_code for origin in origins} == origins


def test_a_page_of_an_allowed_origin_is_let_in(book):
    settings = Settings(
        database=book.server.database, cors_origins="https://app.example", rate_limit=0, log_requests=False
    )
    with client_of(create_app(settings), book.key) as client:
        statuses = [
            client.post(PATH, json=PING, headers={"Origin": origin}).status_code
            for origin in ("https://app.example", "https://evil.example")
        ]

    assert statuses == [200, 403]


@pytest.mark.parametrize("name", NAMES)
def test_no_account_but_the_keys_own_is_taken(book, name):
    own = post(book, PING, **{name: book.account})
    refused = [post(book, PING, **{name: account}) for account in ("ac_0000000000001", "nonsense", "")]

    assert own.status_code == 200
    assert [answer.status_code for answer in refused] == [400] * 3
    assert {(answer.json()["error"]["code"], answer.json()["error"]["param"]) for answer in refused} == {
        ("parameter_invalid", name)
    }


GARBAGE = (
    b"",
    b"{",
    b"null",
    b"[]",
    b"17",
    b"\xff\xfe",
    b"[" * 50_000,
    b'{"a":' * 50_000,
    json.dumps([PING, PING]).encode(),
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find_customers","arguments":[1]}}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}',
    b'{"jsonrpc":"2.0","id":{},"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"result":{}}',
    b'{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{}}',
    b'{"jsonrpc":"2.0","id":1,"method":"no/such"}',
    b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":' + b"9" * 5_000 + b',"method":"ping"}',
)


def test_garbage_is_the_clients_error(book):
    for version in (None, "2025-06-18", "2026-07-28", "1999-01-01"):
        for garbage in GARBAGE:
            answer = post(book, garbage, **({"MCP-Protocol-Version": version} if version else {}))
            assert answer.status_code < 500, (version, garbage[:100], answer.text)
            assert answer.status_code in {202, 406} or "error" in answer.json(), (version, garbage[:100])


def test_a_body_that_is_too_large_is_refused(book):
    answer = post(book, call("find_customers", q="x" * 1_100_000))

    assert answer.status_code == 413


def test_an_agent_that_reads_waits_for_no_writer(tmp_path):
    """Reading agents have a line of their own: neither the writer's thread nor the lock of the book is in it."""
    server = start_server(tmp_path, database=Sqlite().new(tmp_path))
    book = Book(server)
    post(book, call("find_customers"))
    with (
        closing(apsw.Connection(server.database.removeprefix("sqlite:///"))) as other,
        ThreadPoolExecutor(1) as threads,
    ):
        other.execute("BEGIN IMMEDIATE")
        writing = threads.submit(
            book.client.post, "/v1/sales/account-groups", json={"name": "A", "type": "type_group"}
        )

        found = [post(book, call("find_customers")).status_code for _ in range(3)]
        is_waiting = not writing.done()

        other.execute("ROLLBACK")
    assert (found, is_waiting) == ([200] * 3, True)
    assert writing.result().status_code == 201
    book.close()
    stop_server(server)
