"""What happens for every request: its id, the size of its body, its line in the log."""

import re
from collections.abc import Callable
from functools import partial
from random import getrandbits
from time import perf_counter
from typing import Any, NamedTuple

import falcon
from falcon.constants import COMBINED_METHODS

from tradebook.web import metrics
from tradebook.web.compression import compress_answer, compressed, compressed_once
from tradebook.web.heads import REFUSAL
from tradebook.web.log import KEY_START, log_request, members_of
from tradebook.web.page_cache import PageKey
from tradebook.web.streams import Stream
from tradebook.web.tracing import Tracing

REQUEST_ID_HEADERS = ("X-Request-Id", "Request-Id")
"""Both carry the id, and either may bring one. Where they differ, the first counts: proxies set it."""
_FIRST_ID, _LATER_ID = REQUEST_ID_HEADERS
RETRY_HEADER = "x-should-retry"
_OF_EVERY_ANSWER = (("X-Content-Type-Options", "nosniff"), (RETRY_HEADER, "false"))
API = "/v1/"
"""Paths that begin with this need a key."""

LIMIT, REPEATABLE = "tradebook.limit", "tradebook.repeatable"
"""Where the environment holds the verdict about a request that was counted already; and, once it is answered,
what can be said again."""

Step = Callable[[falcon.Request], None]
_GOOD_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_CONTEXT = "tradebook.context"
"""Where the environment holds what the first call of the application knew of the request."""
_NO_ROUTE = re.compile(r"\A[^/]|/\.{0,2}(?:/|\Z)")
"""A path that no route is spelled like: a segment of it is empty, `.` or `..`."""


def good_request_id(*given: str | None) -> str:
    """Take the first of the client's ids of a request that is one, or make one."""
    for each in given:
        if each and _GOOD_ID.fullmatch(each) and KEY_START not in each.lower():
            return each
    # It is no secret, only for finding a line: `random` is enough, and takes a tenth of the time.
    return f"req_{getrandbits(80):020x}"


class Repeatable(NamedTuple):
    """An answer that is a kept page: which page, of which revision, and what was noted about the request."""

    page_key: PageKey
    revision: int
    template: str | None
    line: str


class EveryRequest:
    """Falcon's middleware: runs before the route is found, and after the answer is made."""

    def __init__(
        self,
        *,
        require_small_body: Step,
        count: Step,
        log_requests: bool,
        tracing: Tracing | None,
        before_names: tuple[str, ...],
    ) -> None:
        self._require_small_body = require_small_body
        self._count = count
        self._log_requests = log_requests
        self._tracing = tracing
        self._before_names = before_names

    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        """Give the request its id; refuse a body that is too large, unread, and a path that is no route's."""
        env = request.env
        context = env.setdefault(_CONTEXT, request.context)
        if context is request.context:
            self._meet(request)
        request.context = context
        if self._tracing is not None:
            self._tracing.begin(request)
        request_id = context.request_id
        response.set_headers(((_FIRST_ID, request_id), (_LATER_ID, request_id), *_OF_EVERY_ANSWER))
        if request.method not in COMBINED_METHODS:
            # Refused like TRACE: then Falcon answers with the allowed methods, and not only that the
            # request is bad.
            request.method = "TRACE"
        if REFUSAL in env:
            # Taken out: its traceback leads to the request, which would be in a circle, and be let go of some
            # time. The server closes a connection whose body was left when that has happened.
            raise env.pop(REFUSAL)
        self._require_small_body(request)
        # Falcon looks past slashes in front, and takes an empty id. Proxies and clients read such paths in
        # ways of their own, `//v1/…` as a host called v1: what one of them let through was not this route.
        path = request.path
        if path != "/" and _NO_ROUTE.search(path) and not path.startswith(self._before_names):
            raise falcon.HTTPRouteNotFound

    @staticmethod
    def _meet(request: falcon.Request) -> None:
        context = request.context
        context.started = perf_counter()
        context.account = None
        context.page = None
        context.granted = None
        given = request.env.get
        context.limit = given(LIMIT)
        context.request_id = good_request_id(given("HTTP_X_REQUEST_ID"), given("HTTP_REQUEST_ID"))

    def process_response(
        self, request: falcon.Request, response: falcon.Response, resource: Any, succeeded: bool
    ) -> None:
        """Set the headers of the rate limit, and write the request's line to the log."""
        context = request.context
        if context.limit is None and request.path.startswith(API):
            # Refused before its key was checked: because of its size, its method or its path.
            self._count(request)
        if context.limit is not None:
            response.set_headers(context.limit.headers)
        if "HTTP_ACCEPT_ENCODING" in request.env:
            is_open_page = not request.path.startswith(API)
            compress_answer(request, response, compressed_once if is_open_page else compressed)
        seconds = perf_counter() - context.started
        metrics.observe(request.env["REQUEST_METHOD"], request.uri_template, response.status_code, seconds)
        if self._tracing is not None:
            self._tracing.end(request, response)
        if self._log_requests or context.page is not None:
            self._tell(request, response, seconds)

    def _tell(self, request: falcon.Request, response: falcon.Response, seconds: float) -> None:
        """Write the request's line to the log, and note it for who says the same page again."""
        context = request.context
        told: dict[str, Any] = {
            "method": request.env["REQUEST_METHOD"],
            "path": self._shown(request.path),
            "status": response.status_code,
            "account": context.account,
        }
        if isinstance(response.stream, Stream):
            if self._log_requests:
                # When it has ended: then it is known how much that was.
                tell = partial(_tell_of_stream, context.request_id, told, context.started)
                response.stream.on_close.append(tell)
            return
        line = members_of({**told, "bytes": len(response.data) if response.data else 0})
        if context.page is not None:
            key, page = context.page
            request.env[REPEATABLE] = Repeatable(key, page.revision, request.uri_template, line)
        if self._log_requests:
            log_request(context.request_id, line, seconds)

    def _shown(self, path: str) -> str:
        """Write a path without what a customer is called: the log holds no names."""
        for before in self._before_names:
            if path.startswith(before):
                return f"{before}…"
        return path


def _tell_of_stream(request_id: str, told: dict[str, Any], started: float, stream: Stream) -> None:
    of_stream = {"bytes": stream.bytes, "rows": stream.rows, "is_whole": stream.is_whole}
    log_request(request_id, members_of({**told, **of_stream}), perf_counter() - started)
