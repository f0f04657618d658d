"""What holds for every request: its id, the size of its body, its line in the log."""

import re
import secrets
import sys
from collections.abc import MutableMapping
from time import perf_counter
from typing import Any

import falcon
import msgspec
import structlog

from tradebook.errors import PayloadTooLarge

REQUEST_ID_HEADER = "X-Request-Id"
_GOOD_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


def _encode(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
    return msgspec.json.encode(event)


structlog.configure(
    processors=[
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _encode,
    ],
    logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
    cache_logger_on_first_use=True,
)
log = structlog.get_logger()


class EveryRequest:
    """Falcon's middleware: before the route is looked for, and after the answer is made."""

    def __init__(self, *, body_bytes_max: int, log_requests: bool) -> None:
        self._body_bytes_max = body_bytes_max
        self._log_requests = log_requests

    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        """Give the request its id, and refuse a body that is too large unread."""
        context = request.context
        context.started = perf_counter()
        context.account = None
        given = request.env.get("HTTP_X_REQUEST_ID", "")
        context.request_id = given if _GOOD_ID.fullmatch(given) else f"req_{secrets.token_hex(10)}"
        response.set_header(REQUEST_ID_HEADER, context.request_id)
        response.set_header("X-Content-Type-Options", "nosniff")
        length = request.env.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length[:20]) > self._body_bytes_max:
            raise PayloadTooLarge(f"The body is over {self._body_bytes_max} bytes.")

    def process_response(
        self, request: falcon.Request, response: falcon.Response, resource: Any, succeeded: bool
    ) -> None:
        """Log one line: what was asked, by which account, how it went. Never a key, a query or a name."""
        if not self._log_requests:
            return
        context = request.context
        log.info(
            "request",
            request_id=context.request_id,
            method=request.method,
            path=request.path,
            status=response.status_code,
            account=context.account,
            bytes=len(response.data) if response.data else 0,
            ms=round((perf_counter() - context.started) * 1000, 3),
        )
