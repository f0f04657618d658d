"""The tools behind the protocol of the package `mcp`: over standard input and output, or over HTTP."""

import asyncio
import json
import logging
from collections.abc import AsyncIterable, Mapping, MutableMapping
from traceback import format_exception
from typing import Any

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectSendStream
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.message import SessionMessage

import tradebook
from tradebook.errors import (
    ApiError,
    InsufficientPermissions,
    InternalError,
    ParameterUnknown,
    ServiceUnavailable,
)
from tradebook.mcp.arguments import did_you_mean, taken
from tradebook.mcp.asking import Book, Refused
from tradebook.mcp.tools import BY_NAME, TOOLS, Tool
from tradebook.storage.database import Unavailable
from tradebook.text import shortened

INSTRUCTIONS = (
    "The customer book of a B2B seller. Find customers by words or filters, then name them by number or id. "
    "Groups, carriers, terms and reps may be given by name. Preview a merge before you do it."
)

ENDING_SECONDS_MAX = 30
"""How long answers are waited for when the input has ended."""

_HEADERS = "mcp-"
"""What the names of the headers begin with that belong to the protocol."""

# What it would say goes to whoever has called: a client could fill the log of the server otherwise.
logging.getLogger("mcp").addHandler(logging.NullHandler())
logging.getLogger("mcp").propagate = False


def serve_stdio(book: Book) -> None:
    """Serve over standard input and output, until the input ends."""
    anyio.run(_serve_stdio, server_of(book))


async def _serve_stdio(server: "Server[Any]") -> None:
    async with stdio_server() as (incoming, outgoing), anyio.create_task_group() as group:
        handed, readable = anyio.create_memory_object_stream[SessionMessage | Exception]()
        answers, made = anyio.create_memory_object_stream[SessionMessage]()
        unanswered = _Unanswered()
        group.start_soon(_hand_on, incoming, handed, outgoing, unanswered)
        group.start_soon(_pass_on, made, outgoing, unanswered)
        await server.run(readable, answers, server.create_initialization_options())


class _Unanswered:
    """The ids of requests that were handed on and have no answer yet."""

    def __init__(self) -> None:
        self._ids: set[int | str] = set()
        self._changed = anyio.Event()

    def add(self, message: Any) -> None:
        """Note a request; what is none is not answered."""
        if isinstance(message, types.JSONRPCRequest):
            self._ids.add(message.id)

    def remove(self, message: Any) -> None:
        """Note an answer."""
        self._ids.discard(getattr(message, "id", None))
        self._changed.set()

    async def wait_for_none(self) -> None:
        """Wait until all are answered, for a while: one that was cancelled may never be."""
        with anyio.move_on_after(ENDING_SECONDS_MAX):
            while self._ids:
                self._changed = anyio.Event()
                await self._changed.wait()


async def _hand_on(
    incoming: AsyncIterable[SessionMessage | Exception],
    handed: MemoryObjectSendStream[SessionMessage | Exception],
    outgoing: Any,
    unanswered: _Unanswered,
) -> None:
    """Hand on what could be read, and answer the rest: the package drops it, and whoever asked would wait.

    It also drops what is not answered yet when its input ends, so the end is handed on when all is answered.
    """
    async with handed:
        async for message in incoming:
            if isinstance(message, Exception):
                await outgoing.send(SessionMessage(_unreadable(message)))
            else:
                unanswered.add(message.message)
                await handed.send(message)
        await unanswered.wait_for_none()


async def _pass_on(made: AsyncIterable[SessionMessage], outgoing: Any, unanswered: _Unanswered) -> None:
    """Pass answers on, and note them."""
    async with outgoing:
        async for message in made:
            await outgoing.send(message)
            unanswered.remove(message.message)


def _unreadable(invalid: Any) -> types.JSONRPCError:
    """Say what is wrong with a line, to the request that it was meant to be; `invalid` is of Pydantic."""
    causes = invalid.errors(include_url=False)
    code, message = types.INVALID_REQUEST, "Invalid request: this is no message of JSON-RPC 2.0."
    # What lacks a part of a message is the message itself, or a part of it, which lies deeper.
    whole = next(
        (each["input"] for each in causes if each["type"] == "missing" and len(each["loc"]) == 2), None
    )
    if causes[0]["type"] == "json_invalid":
        code, message = types.PARSE_ERROR, "Parse error: the line is no JSON, or has half a character."
        whole = _loosely_read(causes[0]["input"])
    return types.JSONRPCError(
        jsonrpc="2.0", id=_id_in(whole), error=types.ErrorData(code=code, message=message)
    )


def _loosely_read(line: str) -> Any:
    """Read a line as Python does, which takes more for JSON than the package; None if that fails too."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _id_in(message: Any) -> int | str | None:
    """Return the id of a message; None if it has none that an answer could have."""
    found = message.get("id") if isinstance(message, dict) else None
    if isinstance(found, str):
        return found if found.encode(errors="ignore").decode() == found else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def answer_http(book: Book, raw: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Answer one message that came over HTTP. Nothing is kept for the next one, which may go elsewhere."""
    return asyncio.run(_answer_http(server_of(book), raw, headers))


async def _answer_http(server: "Server[Any]", raw: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    status, pieces = 0, []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": raw, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        pieces.append(message.get("body", b""))

    # JSON is all that is ever answered, so that is what is said to be asked for: an answer of many pieces
    # would keep a thread.
    sent = {"content-type": "application/json", "accept": "application/json", "host": "tradebook"}
    sent |= {name: value for name, value in headers.items() if name.startswith(_HEADERS)}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/mcp",
        "query_string": b"",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
    }
    manager = StreamableHTTPSessionManager(
        server, json_response=True, stateless=True, max_request_body_size=len(raw) + 1
    )
    async with manager.run():
        await manager.handle_request(scope, receive, send)
    return int(status), b"".join(pieces)


def server_of(book: Book) -> "Server[Any]":
    """Make the server of one key's tools."""

    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        grant = book.grant()
        offered = [tool for tool in TOOLS if tool.is_offered(grant, may_write=book.may_write)]
        return types.ListToolsResult(tools=[_shown(tool) for tool in offered])

    async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            text, is_error = called(book, params.name, params.arguments or {}), False
        except Refused as refused:
            text, is_error = str(refused), True
        except ApiError as error:
            text, is_error = f"{error.code}: {error.message}", True
        except Unavailable:
            text, is_error = f"{ServiceUnavailable.code}: The database is away. Try again shortly.", True
        except Exception as error:  # noqa: BLE001 - whatever it is, the agent gets an answer
            book.note_fault("".join(format_exception(error)).rstrip())
            text, is_error = f"{InternalError.code}: The server failed on this call.", True
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=is_error)

    return Server(
        "tradebook",
        version=tradebook.__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def called(book: Book, name: str, arguments: Mapping[str, Any]) -> str:
    """Call a tool and return its answer; Refused or an ApiError says what is wrong with the call."""
    tool = BY_NAME.get(name)
    if tool is None:
        hint = did_you_mean(name, list(BY_NAME)) or f"; there are {', '.join(BY_NAME)}."
        raise Refused(ParameterUnknown.code, f"There is no tool {shortened(name)}{hint}")
    if tool.changes:
        _require_offered(book, tool)
    given = taken(arguments, tool.schema)
    if not tool.changes:
        given = {name: value for name, value in given.items() if value is not None}
    return tool.run(book, given)


def _require_offered(book: Book, tool: Tool) -> None:
    if not book.may_write:
        raise Refused(
            InsufficientPermissions.code,
            f"{tool.name} is not offered: tradebook mcp was started without --write. Ask whoever runs it.",
        )
    book.grant().require(*tool.permissions)


def _shown(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.schema,
        # What destroys and what may be repeated is asked only of tools that change something.
        annotations=types.ToolAnnotations(
            read_only_hint=not tool.changes,
            destructive_hint=tool.destroys if tool.changes else None,
            idempotent_hint=tool.is_idempotent if tool.changes else None,
            open_world_hint=False,
        ),
    )
