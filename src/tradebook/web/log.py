"""The log: lines of JSON on standard error, for programs to read."""

import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog

_lines = structlog.BytesLogger(sys.stderr.buffer)


def _write(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
    return msgspec.json.encode(event)


structlog.configure(
    processors=[
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _write,
    ],
    logger_factory=lambda: _lines,
    cache_logger_on_first_use=True,
)
log = structlog.get_logger()


class RequestLine(msgspec.Struct, frozen=True):
    """One line of the log: what was asked, by which account, how it went.

    Never a key, a query, a name: what a customer is asked by stays out of the log.
    """

    event: str
    timestamp: str
    request_id: str
    method: str
    path: str
    status: int
    account: str | None
    bytes: int
    ms: float


def write_line(line: RequestLine) -> None:
    """Write a request's line, around structlog's processors, which would cost as much as a cached page."""
    _lines.msg(msgspec.json.encode(line))
