"""`tradebook mcp`: the command that a host starts, with a key in its environment."""

import json
import os
import sys

import pytest
from mcp import StdioServerParameters

from tests.agents.test_protocol import INITIALIZE
from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tradebook.app import opened_for_agent
from tradebook.mcp.asking import Refused
from tradebook.mcp.server import called
from tradebook.settings import Settings


@pytest.fixture
def command(tmp_path):
    made = CommandLine(tmp_path, Sqlite().new(tmp_path))
    made.account = made.good("accounts", "create", "Acme")
    return made


def parameters(command, key, *arguments):
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "tradebook", "mcp", *arguments],
        env={**os.environ, "TRADEBOOK_DATABASE": command.database, "TRADEBOOK_API_KEY": key},
    )


def test_the_tools_are_served_with_the_permissions_of_the_key(command, agents):
    key = command.good("keys", "create", "--account", command.account, "--permission", "customers:read")

    agent = agents.at(parameters(command, key))

    assert "The customer book of Acme" in agent.call("describe_book")
    assert (
        agent.call("find_customers") == "No customer matches. Fewer words in q, or fewer filters, find more."
    )
    assert len(agent.tools()) == 5
    assert "--write" in agent.refused("create_customer", name="A")


def test_more_tools_are_served_with_write_and_a_revoked_key_is_refused(command, agents):
    key = command.good("keys", "create", "--account", command.account)
    agent = agents.at(parameters(command, key, "--write"))
    tools = agent.tools()
    key_id = (
        command.good("keys", "list", "--account", command.account, "--json").split('"id":"')[1].split('"')[0]
    )

    command.good("keys", "revoke", key_id, "--account", command.account)

    assert len(tools) == 8
    assert "revoked" in agent.refused("find_customers")


def test_all_that_was_asked_is_answered_although_the_input_has_ended(command, monkeypatch):
    key = command.good("keys", "create", "--account", command.account)
    monkeypatch.setenv("TRADEBOOK_API_KEY", key)
    calls = [
        {
            "jsonrpc": "2.0",
            "id": number,
            "method": "tools/call",
            "params": {"name": "find_customers", "arguments": {}},
        }
        for number in range(100, 120)
    ]
    begun = [INITIALIZE, {"jsonrpc": "2.0", "method": "notifications/initialized"}]
    lines = "\n".join(map(json.dumps, [*begun, *calls])) + "\n"

    ended = command.run_as_process("mcp", given=lines.encode())

    answered = {answer["id"] for answer in map(json.loads, ended.stdout.splitlines()) if "result" in answer}
    assert answered >= {call["id"] for call in calls}
    assert ended.returncode == 0


UNREADABLE = {
    "garbage": (-32700, None),
    "": (-32700, None),
    "[" * 50_000: (-32700, None),
    '{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}': (-32700, None),
    '{"jsonrpc":"2.0","id":%s,"method":"ping"}' % ("9" * 5_000): (-32700, None),
    '{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"find_customers","arguments":'
    '{"q":"\\ud800"}}}': (-32700, 8),
    '{"jsonrpc":"2.0","id":9}': (-32600, 9),
    '{"jsonrpc":"2.0","id":0,"method":"tools/call","params":[]}': (-32600, 0),
    '{"jsonrpc":"1.0","id":"a\\n","method":"ping"}': (-32600, "a\n"),
    '{"jsonrpc":"2.0","id":true}': (-32600, None),
    '{"jsonrpc":"2.0","error":{"id":5}}': (-32600, None),
    "17": (-32600, None),
    "[]": (-32600, None),
}


def test_a_line_that_is_no_message_is_answered(command, monkeypatch):
    """Whoever asked would wait for ever; what comes behind it is answered as well."""
    key = command.good("keys", "create", "--account", command.account)
    monkeypatch.setenv("TRADEBOOK_API_KEY", key)
    begun = json.dumps(INITIALIZE)

    ended = command.run_as_process(
        "mcp", given=("\n".join((*UNREADABLE, begun, *UNREADABLE)) + "\n").encode()
    )

    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    told = [(answer["error"]["code"], answer["id"]) for answer in answers if "error" in answer]
    assert told == [*UNREADABLE.values()] * 2
    assert [answer["result"]["serverInfo"]["name"] for answer in answers if "result" in answer] == [
        "tradebook"
    ]
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(("key", "code", "says"), [("", 2, "is not set"), ("nonsense", 1, "no such API key")])
def test_a_key_that_opens_nothing_ends_the_command(command, monkeypatch, key, code, says):
    monkeypatch.setenv("TRADEBOOK_API_KEY", key)

    ended = command.run("mcp")

    assert (ended.returncode, ended.stdout) == (code, "")
    assert ended.stderr.startswith("Error: TRADEBOOK_API_KEY")
    assert says in ended.stderr
    assert "Warning" not in ended.stderr


def test_no_book_is_made_for_an_agent(tmp_path, monkeypatch):
    monkeypatch.setenv("TRADEBOOK_API_KEY", "tb_sk_test_x")

    ended = CommandLine(tmp_path, f"sqlite:///{tmp_path / 'none.db'}").run("mcp")

    assert ended.returncode == 1
    assert "There is no book" in ended.stderr
    assert not (tmp_path / "none.db").exists()


def test_an_agent_that_asks_too_much_is_told_to_wait(command):
    key = command.good("keys", "create", "--account", command.account)
    settings = Settings(
        database=command.database, rate_limit=2, log_requests=False, run_folder=str(command.folder)
    )

    with opened_for_agent(settings, key, may_write=False) as book:
        answered = [called(book, "find_customers", {}) for _ in range(2)]
        with pytest.raises(Refused, match=r"^rate_limit_exceeded: .* Wait \d+ s\."):
            called(book, "find_customers", {})

    assert answered == ["No customer matches. Fewer words in q, or fewer filters, find more."] * 2
