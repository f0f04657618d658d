"""The definitions of the tools: few tokens, names that every host takes, and what the declarations say."""

import json
import re
from contextlib import suppress

import pytest

from tests.agents.test_changing import NEW
from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tradebook.app import opened_for_agent
from tradebook.crud.grant import Grant
from tradebook.crud.kinds import Id, Many
from tradebook.errors import ApiError
from tradebook.mcp.asking import Book, Refused
from tradebook.mcp.choices import NAMED
from tradebook.mcp.routes import CREATE, FILTERS, UPDATE
from tradebook.mcp.server import called, server_of
from tradebook.mcp.tokens import tokens
from tradebook.mcp.tools import TOOLS
from tradebook.settings import Settings

ARGUMENT = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
CHANGING = {"create_customer", "update_customer", "merge_customers"}
ELSEWHERE = {"parent_account_id", "bill_to_address_id", "ship_to_address_id"}
"""Fields with an id that is not of a choice: a customer's, and those of addresses."""


class Caller:
    def __init__(self, *permissions):
        self._grant = Grant(1, 1, frozenset(permissions), None)

    def grant(self):
        return self._grant


def offered(agents, caller, **options):
    return agents.at(server_of(Book(caller, None, **options))).tools()


@pytest.fixture
def definitions(agents):
    return offered(agents, Caller("customers:create", "customers:update", "customers:delete"))


def test_there_are_eight_tools_of_few_tokens(definitions):
    shown = json.dumps(
        [tool.model_dump(by_alias=True, exclude_none=True) for tool in definitions.values()],
        separators=(",", ":"),
        ensure_ascii=False,
    )

    assert list(definitions) == [
        "find_customers", "get_customer", "list_choices", "describe_book", "preview_merge",
        "create_customer", "update_customer", "merge_customers",
    ]  # fmt: skip
    assert len(shown) / 3.5 <= 2_500, f"{len(shown)} characters"


def test_every_host_takes_the_schemas(definitions):
    for tool in definitions.values():
        schema = tool.input_schema
        text = json.dumps(schema)
        assert schema["type"] == "object"
        assert not {"$ref", "anyOf", "oneOf", "allOf", "$defs"} & set(re.findall(r'"([^"]+)":', text))
        assert '"type": [' not in text, "some hosts take one type of an argument"
        assert all(ARGUMENT.match(name) for name in schema["properties"])
        assert set(schema.get("required", ())) <= set(schema["properties"])
        assert ARGUMENT.match(tool.name)
        assert tool.description


def test_the_arguments_are_those_of_the_declarations(definitions):
    arguments = {name: set(tool.input_schema["properties"]) for name, tool in definitions.items()}
    filters = {parameter.name.removesuffix("[]") for parameter in FILTERS}

    assert arguments["find_customers"] == filters | {"limit", "cursor", "max_tokens"}
    assert arguments["create_customer"] == {field.name for field in CREATE.body.fields}
    assert arguments["update_customer"] == {"id", "clear", *(field.name for field in UPDATE.body.fields)}
    assert arguments["merge_customers"] == {"target", "sources"}


def test_every_reference_may_be_a_name():
    fields = {
        field.name
        for field in (*CREATE.body.fields, *UPDATE.body.fields)
        if isinstance(field.kind.kind if isinstance(field.kind, Many) else field.kind, Id)
    }
    filters = {parameter.name.removesuffix("[]") for parameter in FILTERS if isinstance(parameter.kind, Id)}

    assert fields | filters == NAMED.keys() | ELSEWHERE


def test_hints_say_what_a_tool_does_to_the_book(definitions):
    hints = {name: tool.annotations for name, tool in definitions.items()}

    assert {name for name, hint in hints.items() if not hint.read_only_hint} == CHANGING
    assert {name for name, hint in hints.items() if hint.destructive_hint} == {
        "update_customer",
        "merge_customers",
    }
    assert {name for name in CHANGING if hints[name].idempotent_hint} == {"update_customer"}
    assert all(hint.open_world_hint is False for hint in hints.values())


def test_tools_that_change_are_offered_where_that_is_wanted_and_the_key_may(agents):
    caller = Caller("customers:read", "customers:update", "customers:create")

    assert CHANGING & offered(agents, caller).keys() == {"create_customer", "update_customer"}
    assert not CHANGING & offered(agents, caller, may_write=False).keys()
    assert not CHANGING & offered(agents, Caller("customers:read")).keys()
    assert len(offered(agents, Caller())) == len(TOOLS) - len(CHANGING)


def test_tokens_are_counted_with_care():
    # As counted by two tokenizers that are in wide use: the larger number of the two.
    counted = {
        "The customer book of a B2B seller. Give names or ids; numbers identify customers.": 19,
        "Donaudampfschifffahrtsgesellschaft Müller & Söhne GmbH, 10623 Berlin": 24,
        "株式会社山田商店 | 東京都, JP | normal": 19,
        "ООО Ромашка | Москва, RU": 14,
        "+1 759 555 0123; https://example.com/path?x=1&y=2 info@example.com": 26,
        "ac_37r9k3wn00000 | 10300 | Riverside Whitaker Catering Corp. | Omaha, NE, US": 28,
    }

    assert all(count * 0.9 <= tokens(text) <= count * 1.6 for text, count in counted.items())


ODD = (None, True, -1, 10**40, 10**5_000, 1.5, float("nan"), "", " ", "\0", "\ud800", "%", "../..", "a,b", "ac_1", [], [[]], [None], {}, {"name": [], "country": {}})  # fmt: skip


def test_no_value_of_an_argument_is_a_fault(tmp_path):
    """Whatever an argument is, the tool answers or refuses."""
    command = CommandLine(tmp_path, Sqlite().new(tmp_path))
    key = command.good("keys", "create", "--account", command.good("accounts", "create", "A"))
    settings = Settings(database=command.database, log_requests=False, rate_limit=0)
    required = {"target": "1", "sources": ["1"]} | NEW

    with opened_for_agent(settings, key, may_write=True) as book:
        for tool in TOOLS:
            given = {name: required[name] for name in tool.required}
            for name in tool.properties:
                for value in ODD:
                    with suppress(Refused, ApiError):
                        assert isinstance(called(book, tool.name, given | {name: value}), str)
