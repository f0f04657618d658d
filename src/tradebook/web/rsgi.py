"""The side of the sockets: requests as the server hands them over, and answers as it takes them.

A worker process has one loop. Heads and bodies are awaited on it, so no client keeps another one waiting.
The application is called synchronously. What reads is called once, on the loop's own thread, when its turn
comes. What changes the book is called twice: the first call checks the key, and ends where the body is
wanted. The second one, with the body, runs in another thread, where it may wait for the lock of the book and
for the disk.
"""

import asyncio
import io
import os
import signal
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Any, Protocol

from tradebook.errors import ApiError
from tradebook.web.bodies import DRAINED_BYTES_MAX, Arriving, Bodies, drained
from tradebook.web.connections import Connections
from tradebook.web.heads import REFUSAL, BodyWanted, Environ, Scope, environ_of, has_body
from tradebook.web.loops import WorkerLoop
from tradebook.web.waiting import LoopTurns, ThreadTurns

WRITERS = 1
"""How many threads change the book: more would only wait for each other's lock."""

SWITCH_SECONDS = 0.0005
"""How long a thread keeps the interpreter from the other one: a tenth of the default, as reads are short."""

ENDING_SECONDS_MAX = 2.0
QUIET_SECONDS = 0.5
LOOK_SECONDS = 0.05
"""How long a worker that is told to end goes on at most; how short ago a connection has sent something on
which it waits for a next request; and how often it looks whether there are such connections."""

_UNHURRIED = frozenset({"/healthz", "/readyz"})
"""Paths that are answered however long the line is: a supervisor asks whether the server lives."""

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
        account_of: Callable[[Environ], int],
        *,
        read_queue_seconds: float,
        write_queue_seconds: float,
        connections: Connections,
        close: Callable[[], None],
    ) -> None:
        self._application = application
        self._bodies = bodies
        self._account_of = account_of
        self._reads = LoopTurns(read_queue_seconds)
        self._writes = ThreadTurns(WRITERS, write_queue_seconds)
        self._threads = ThreadPoolExecutor(WRITERS, thread_name_prefix="writer")
        self._connections = connections
        self._close = close
        self._is_ending = False

    def __rsgi_init__(self, loop: WorkerLoop) -> None:
        """Prepare, before the first request."""
        sys.setswitchinterval(SWITCH_SECONDS)
        loop.finish = self._finish
        self._connections.watch(on_orphaned=lambda: os.kill(os.getpid(), signal.SIGTERM))

    def __rsgi_del__(self, loop: WorkerLoop) -> None:
        """Close the book, after the last request."""
        self._threads.shutdown()
        self._close()

    async def _finish(self) -> None:
        """Answer on, and close each connection with its next answer, until no client is busy asking."""
        self._is_ending = True
        for _ in range(ceil(ENDING_SECONDS_MAX / LOOK_SECONDS)):
            if not self._connections.active(QUIET_SECONDS):
                break
            await asyncio.sleep(LOOK_SECONDS)

    async def __rsgi__(self, scope: Scope, transport: Transport) -> None:
        environ = environ_of(scope)
        status, headers, body = await self._answer(environ, transport)
        if self._is_ending:
            headers.append(("connection", "close"))
        transport.response_bytes(status, headers, body)

    async def _answer(self, environ: Environ, transport: Transport) -> Called:
        account = self._account_of(environ)
        try:
            if environ["PATH_INFO"] in _UNHURRIED:
                return self._call(environ)
            began = await self._reads.wait(account)
            try:
                answer = self._call(environ)
            finally:
                self._reads.done(began)
        except BodyWanted:
            return await self._change(environ, account, transport)
        except ApiError as refusal:
            answer = self._refuse(environ, refusal)
        if has_body(environ):
            await self._leave(environ, transport, answer)
        return answer

    async def _change(self, environ: Environ, account: int, transport: Transport) -> Called:
        """Answer a request that changes the book, once its body is there."""
        try:
            raw = await self._bodies.arrived(environ, transport) if has_body(environ) else b""
            environ["wsgi.input"] = io.BytesIO(raw)
            began = await self._writes.wait(account)
        except ApiError as refusal:
            answer = self._refuse(environ, refusal)
            answer[1].append(("connection", "close"))
            return answer
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._call, environ)
        finally:
            self._writes.done(began)

    async def _leave(self, environ: Environ, transport: Transport, answer: Called) -> None:
        """End the connection of a request whose body nobody has read: it would be taken for the next one."""
        answer[1].append(("connection", "close"))
        if "HTTP_EXPECT" not in environ:
            await drained(transport, DRAINED_BYTES_MAX)

    def _refuse(self, environ: Environ, refusal: ApiError) -> Called:
        environ[REFUSAL] = refusal
        return self._call(environ)

    def _call(self, environ: Environ) -> Called:
        """Call the application, as WSGI has it."""
        begun: list[tuple[int, Headers]] = []

        def start(status: str, headers: Headers, _: Any = None) -> None:
            begun.append((int(status[:3]), headers))

        body = b"".join(self._application(environ, start))
        return (*begun[0], body)
