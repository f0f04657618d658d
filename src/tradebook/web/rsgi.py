"""The side of the sockets: requests as the server hands them over, and answers as it takes them.

A worker process has one loop. Heads and bodies are awaited on it, so no client keeps another one waiting.
The application is called synchronously. What reads is called once, on the loop's own thread, when its turn
comes. What changes the book is called twice: the first call checks the key, and ends where the body is
wanted. The second one, with the body, runs in another thread, where it may wait for the lock of the book and
for the disk.
"""

import asyncio
import gc
import io
import os
import signal
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Any, Protocol

from tradebook.errors import ApiError, Overloaded
from tradebook.web import metrics
from tradebook.web.bodies import Arriving, Bodies, drained
from tradebook.web.connections import Connections
from tradebook.web.envelope import error_answer
from tradebook.web.heads import REFUSAL, BodyWanted, Environ, Scope, environ_of, has_body
from tradebook.web.log import log
from tradebook.web.loops import WorkerLoop
from tradebook.web.middleware import REQUEST_ID_HEADER, good_request_id
from tradebook.web.waiting import LoopTurns, ThreadTurns, overloaded

WRITERS = 1
"""How many threads change the book: more would only wait for each other's lock."""

SWITCH_SECONDS = 0.0005
"""How long a thread keeps the interpreter from the other one: a tenth of the default, as reads are short."""

COLLECT_AFTER = 20_000, 10, 20
"""After how many new objects the interpreter looks for circles among them; then among the older ones."""

ENDING_SECONDS_MAX = 1.5
QUIET_SECONDS = 0.5
LOOK_SECONDS = 0.05
"""How long a worker that is told to end goes on at most; how short ago a connection has sent something on
which it waits for a next request; and how often it looks whether there are such connections."""

TELLING_SECONDS = 1.0
"""How often the log tells of refusals for overload: a line for each would cost more than they do."""

_UNHURRIED = frozenset({"/healthz", "/readyz"})
"""Paths that are answered however long the line is: a supervisor asks whether the server lives."""

CLOSE = ("connection", "close")
_SHED = error_answer(overloaded())
_SHED_HEADERS = [("content-type", "application/json"), ("x-content-type-options", "nosniff"), *_SHED.headers]

Headers = list[tuple[str, str]]
Called = tuple[int, Headers, bytes]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Transport(Arriving, Protocol):
    """The server's end of one request."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer."""


class Worker:
    """What the server calls for each request."""

    def __init__(
        self,
        application: Application,
        bodies: Bodies,
        account_of: Callable[[str | None, str], int],
        *,
        read_queue_seconds: float,
        write_queue_seconds: float,
        connections: Connections,
        parent: int,
        close: Callable[[], None],
    ) -> None:
        self._application = application
        self._bodies = bodies
        self._account_of = account_of
        self._reads = LoopTurns(read_queue_seconds)
        self._writes = ThreadTurns(WRITERS, write_queue_seconds)
        self._threads = ThreadPoolExecutor(WRITERS, thread_name_prefix="writer")
        self._connections = connections
        self._parent = parent
        self._close = close
        self._is_ending = False
        self._is_telling = False
        self._shed_since_told = 0

    def __rsgi_init__(self, loop: WorkerLoop) -> None:
        """Prepare, before the first request."""
        sys.setswitchinterval(SWITCH_SECONDS)
        # What is there by now stays until the end. Looking through it again and again took a quarter of the
        # time at ten times what can be answered.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        loop.finish = self._finish
        self._connections.watch(self._parent, on_orphaned=lambda: os.kill(os.getpid(), signal.SIGTERM))

    def __rsgi_del__(self, loop: WorkerLoop) -> None:
        """Close the book, after the last request."""
        self._threads.shutdown()
        self._close()

    def lengths(self) -> tuple[int, int]:
        """Tell how many requests wait: to read, and to write."""
        return self._reads.waiting.number, self._writes.waiting.number

    async def _finish(self) -> None:
        """Answer on, and close each connection with its next answer, until no client is busy asking."""
        connections = self._connections
        self._is_ending = True
        asking = connections.active(QUIET_SECONDS)
        for _ in range(ceil(ENDING_SECONDS_MAX / LOOK_SECONDS)):
            asking &= connections.active(QUIET_SECONDS)
            if not asking:
                break
            await asyncio.sleep(LOOK_SECONDS)
        connections.take_no_more()
        self._bodies.wait_no_more()
        for _ in range(ceil(QUIET_SECONDS / LOOK_SECONDS)):
            await asyncio.sleep(LOOK_SECONDS)
            if not connections.active(QUIET_SECONDS):
                break

    async def __rsgi__(self, scope: Scope, transport: Transport) -> None:
        given = scope.headers.get
        account = self._account_of(given("authorization"), scope.client)
        if (
            self._reads.waiting.is_full_for(account)
            and scope.method == "GET"
            and scope.path not in _UNHURRIED
        ):
            # Before anything is done for it: at ten times what can be answered, refusing is most of the work.
            status, headers, body = self._shed(given("x-request-id"))
        else:
            status, headers, body = await self._answer(scope, environ_of(scope), account, transport)
        self._connections.note_answer(scope.client, len(body))
        if self._is_ending and CLOSE not in headers:
            headers.append(CLOSE)
        transport.response_bytes(status, headers, body)

    async def _answer(self, scope: Scope, environ: Environ, account: int, transport: Transport) -> Called:
        try:
            if environ["PATH_INFO"] in _UNHURRIED:
                return self._call(environ)
            began = await self._reads.wait(account)
            try:
                answer = self._call(environ)
            finally:
                self._reads.done(began)
        except BodyWanted:
            return await self._change(scope, environ, account, transport)
        except Overloaded:
            answer = self._shed(environ.get("HTTP_X_REQUEST_ID"))
        if has_body(environ):
            await self._leave(scope, environ, transport, answer)
        return answer

    async def _change(self, scope: Scope, environ: Environ, account: int, transport: Transport) -> Called:
        """Answer a request that changes the book, once its body is there."""
        try:
            raw = await self._bodies.arrived(environ, transport) if has_body(environ) else b""
        except ApiError as refusal:
            environ[REFUSAL] = refusal
            answer = self._call(environ)
            answer[1].append(CLOSE)
            self._connections.end(scope.client)
            return answer
        environ["wsgi.input"] = io.BytesIO(raw)
        try:
            began = await self._writes.wait(account)
        except Overloaded:
            return self._shed(environ.get("HTTP_X_REQUEST_ID"))
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._call, environ)
        finally:
            self._writes.done(began)

    async def _leave(self, scope: Scope, environ: Environ, transport: Transport, answer: Called) -> None:
        """End the connection of a request whose body nobody has read: it would be taken for the next one."""
        answer[1].append(CLOSE)
        if "HTTP_EXPECT" in environ or not await drained(transport):
            self._connections.end(scope.client)

    def _shed(self, request_id: str | None) -> Called:
        """Refuse a request that can't be answered in time, without a call of the application: that costs."""
        self._shed_since_told += 1
        metrics.shed()
        if not self._is_telling:
            self._is_telling = True
            asyncio.get_running_loop().call_later(TELLING_SECONDS, self._tell)
        headers = [(REQUEST_ID_HEADER, good_request_id(request_id)), *_SHED_HEADERS]
        return _SHED.status, headers, _SHED.body or b""

    def _tell(self) -> None:
        self._is_telling = False
        log("requests refused, as more have come than can be answered in time", refused=self._shed_since_told)
        self._shed_since_told = 0

    def _call(self, environ: Environ) -> Called:
        """Call the application, as WSGI has it."""
        begun: list[tuple[int, Headers]] = []

        def start(status: str, headers: Headers, _: Any = None) -> None:
            begun.append((int(status[:3]), headers))

        body = b"".join(self._application(environ, start))
        return (*begun[0], body)
