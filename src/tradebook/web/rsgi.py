"""The side of the sockets: requests as the server hands them over, and answers as it takes them.

A worker process has one loop. Heads and bodies are awaited on it, so no client keeps another one waiting.
The application is called synchronously. What reads is called once when its turn comes: on the loop's own
thread where the book is a file, and in threads where it is on a server, which has to be waited for. What
changes the book is called in another thread, where it may wait for the lock of the book and for the disk:
once, with its body, if that is small and the key is known. Else a first call checks the key, and ends where
the body is wanted.
"""

import asyncio
import gc
import io
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from time import perf_counter
from traceback import format_exception
from typing import Any, NamedTuple

from tradebook.errors import ApiError, InternalError, ServiceUnavailable
from tradebook.web.agents import AGENTS_PATH
from tradebook.web.auth import Caller
from tradebook.web.bodies import Bodies, is_small, rewind_body
from tradebook.web.connections import LARGE_BYTES, Connections
from tradebook.web.cors import Cors
from tradebook.web.envelope import error_answer
from tradebook.web.gathering import Gather, GatheringThread
from tradebook.web.heads import REFUSAL, BodyWanted, Environ, Scope, has_body
from tradebook.web.log import log, write_gathered
from tradebook.web.loops import WorkerLoop
from tradebook.web.middleware import REPEATABLE, REQUEST_ID_HEADERS, good_request_id
from tradebook.web.repeats import Repeats
from tradebook.web.request import READING, Headers, Request, Transport
from tradebook.web.sending import Sending
from tradebook.web.shedding import OF_REFUSALS, Callers, Shedding
from tradebook.web.streams import Stream
from tradebook.web.uploads import RECEIVED, WANTED, Received, Uploads
from tradebook.web.waiting import LoopTurns, ThreadTurns

SWITCH_SECONDS = 0.0005
"""How long a thread keeps the interpreter from another one: a tenth of the default. A writer lets go of it
at each statement, and would wait for so long each time while others are refused."""

COLLECT_AFTER = 20_000, 10, 20
"""After how many new objects the interpreter looks for circles among them; then among the older ones."""

ENDING_SECONDS_MAX = 1.5
QUIET_SECONDS = 0.5
LOOK_SECONDS = 0.05
"""How long a worker that is told to end goes on at most; how short ago a connection has sent something on
which it waits for a next request; and how often it looks whether there are such connections."""

EXPECTED_SECONDS = 0.05
"""How long a request that was let in holds a place in line before its body is there."""

_LIVENESS, _READINESS = "/healthz", "/readyz"
"""Paths that are answered however long the line is: a supervisor asks whether the server lives."""

OK = 200
CLOSE = ("connection", "close")

Called = tuple[int, Headers, bytes]
Answered = tuple[int, Headers, bytes | Stream]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Threads(NamedTuple):
    """How many threads an engine is served best by."""

    reading: int
    """0 for the loop's own thread: where reading needs no waiting."""

    writing: int
    of_each: int
    """How many changes a thread has at a time: those that it commits together."""

    at_once: int
    """How many of all these an account may have at a time."""

    agents: int
    """For agents, who read and write in one request, and whose protocol takes time of its own."""


_Executor = ThreadPoolExecutor | GatheringThread


class Worker:
    """What the server calls for each request."""

    def __init__(
        self,
        application: Application,
        bodies: Bodies,
        uploads: Uploads,
        callers: Callers,
        *,
        threads: Threads,
        is_long: Callable[[str], bool] = lambda _: False,
        read_queue_seconds: float,
        write_queue_seconds: float,
        connections: Connections,
        cors: Cors,
        send_seconds_max: float,
        repeats: Repeats | None = None,
        gather: Gather | None = None,
        parent: int,
        on_listening: Callable[[], object] = lambda: None,
        close: Callable[[], None],
    ) -> None:
        self._application = application
        self._bodies, self._uploads = bodies, uploads
        self._callers, self._shedding = callers, Shedding(callers)
        self._is_long = is_long
        self._reads: LoopTurns | ThreadTurns = LoopTurns(read_queue_seconds)
        self._readers = None
        if threads.reading:
            self._reads = ThreadTurns("read", threads.reading, read_queue_seconds, at_once=threads.reading)
            self._readers = ThreadPoolExecutor(threads.reading, thread_name_prefix="reader")
        self._writes = ThreadTurns(
            "write", threads.writing, write_queue_seconds, at_once=threads.at_once, of_each=threads.of_each
        )
        self._writers: _Executor
        if gather is None:
            self._writers = ThreadPoolExecutor(threads.writing, thread_name_prefix="writer")
        else:
            self._writers = GatheringThread(gather, lambda request: rewind_body(request.environ))
        self._of_agents = ThreadTurns("agent", threads.agents, write_queue_seconds, at_once=1)
        self._agents = ThreadPoolExecutor(threads.agents, thread_name_prefix="agent")
        self._connections = connections
        self._cors = cors if cors.is_on else None
        self._sending = Sending(connections, send_seconds_max)
        self._repeats = repeats
        self._parent = parent
        self._on_listening = on_listening
        self._close = close
        self._is_ending = False
        self._tasks: set[asyncio.Task[None] | None] = set()

    def __rsgi_init__(self, loop: WorkerLoop) -> None:
        """Prepare, before the first request."""
        sys.setswitchinterval(SWITCH_SECONDS)
        # What is there by now stays until the end. Looking through it again and again took a quarter of the
        # time at ten times what can be answered.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        loop.finish = self._finish
        loop.meet = self.meet
        self._shedding.give_way = loop.give_way
        self._connections.watch(
            self._parent,
            on_listening=self._on_listening,
            on_orphaned=lambda: os.kill(os.getpid(), signal.SIGTERM),
        )

    def __rsgi_del__(self, loop: WorkerLoop) -> None:
        """Close the book, after the last request."""
        for threads in (self._readers, self._writers, self._agents):
            if threads is not None:
                threads.shutdown()
        self._uploads.close()
        self._close()
        write_gathered()

    def lengths(self) -> tuple[int, int, int]:
        """Tell how many requests wait: to read, to write, and those of agents."""
        lines = (self._reads, self._writes, self._of_agents)
        reads, writes, agents = (line.waiting.number for line in lines)
        return reads, writes, agents

    async def _finish(self) -> None:
        """Answer on, and close each connection with its next answer, until no client is busy asking."""
        connections = self._connections
        self._is_ending = True
        asking = connections.active(QUIET_SECONDS)
        for _ in range(ceil(ENDING_SECONDS_MAX / LOOK_SECONDS)):
            asking &= connections.active(QUIET_SECONDS)
            if not asking and not self._sending.number:
                break
            await asyncio.sleep(LOOK_SECONDS)
        connections.take_no_more()
        self._bodies.wait_no_more()
        self._uploads.wait_no_more()
        for _ in range(ceil(QUIET_SECONDS / LOOK_SECONDS)):
            await asyncio.sleep(LOOK_SECONDS)
            if not connections.has_queue() and not connections.active(QUIET_SECONDS):
                break
        self._sending.cut()

    def meet(self, requests: Iterable[tuple[Scope, Transport]]) -> None:
        """Answer requests at once where nothing has to be waited for, or begin to answer them."""
        if isinstance(self._reads, LoopTurns):
            self._reads.begin_round()
        for scope, transport in requests:
            request = Request(scope, transport)
            try:
                answer = self._at_once(request)
                if answer is not None:
                    self._send(request, *answer)
                elif self._lets_in(request):
                    self._begin(self._serve(request))
            except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer
                self._send(request, *self._fault(error))

    async def __rsgi__(self, scope: Scope, transport: Transport) -> None:
        """Answer a request that has a task, as it has where the loop does not know of `meet`."""
        await self._serve(Request(scope, transport))

    def _begin(self, answering: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(answering)
        # The loop itself does not hold it.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, request: Request) -> None:
        try:
            status, headers, body = self._at_once(request) or await self._answer(request)
        except Exception as error:  # noqa: BLE001 - as above
            status, headers, body = self._fault(error)
        finally:
            request.expect_no_more()
        if not isinstance(body, Stream):
            self._send(request, status, headers, body)
            return
        self._complete(request, headers)
        scope, transport = request.scope, request.transport
        try:
            await self._sending.send(scope.client, transport, status, headers, body, self._next_part)
        finally:
            self._end(body)

    def _complete(self, request: Request, headers: Headers) -> None:
        if self._is_ending:
            _say_close(headers)
        if self._cors is not None:
            self._cors.put_on(request.scope, headers)

    def _send(self, request: Request, status: int, headers: Headers, body: bytes) -> None:
        self._complete(request, headers)
        if not body and _has_no_length(request.scope.method, status, headers):
            # The answer to its GET is sent in parts: a length would be a wrong one.
            request.transport.response_stream(status, headers)
            return
        if len(body) >= LARGE_BYTES:
            self._connections.note_large(request.scope.client, len(body))
        request.transport.response_bytes(status, headers, body)

    async def _next_part(self, stream: Stream) -> bytes | None:
        """Make the next part of a stream when its turn comes; None at the end."""
        while True:
            try:
                began = await self._reads.wait(stream.account_id)
                break
            except ServiceUnavailable:
                # It is under way already: it waits until others do no more.
                await asyncio.sleep(LOOK_SECONDS)
        try:
            if self._readers is None:
                return next(stream, None)
            return await asyncio.get_running_loop().run_in_executor(self._readers, next, stream, None)
        finally:
            self._reads.done(stream.account_id, began)

    def _end(self, stream: Stream) -> None:
        """End a stream; where the book is on a server, it is told so by a thread."""
        if self._readers is None:
            stream.close()
        else:
            self._readers.submit(stream.close)

    def _at_once(self, request: Request) -> Called | None:
        """Give an answer again whose turn would begin at once; None where there is none, or others wait."""
        if not isinstance(self._reads, LoopTurns) or not self._reads.is_free:
            return None
        began = perf_counter()
        answer = self._again(request)
        if answer is not None:
            self._reads.done(request.account, began)
        return answer

    def _again(self, request: Request) -> Called | None:
        """Give an answer again, unless it was looked for already."""
        if self._repeats is None or not isinstance(self._reads, LoopTurns) or not request.may_be_repeated:
            return None
        if request.scope.method not in READING:
            # A change is not repeated, and may be answered in a thread of its own.
            return None
        request.may_be_repeated = False
        return self._repeats.answer(request, self._reads.open_round())

    def _lets_in(self, request: Request) -> bool:
        """Count a request in line if it may wait for its turn, or refuse it."""
        scope, path = request.scope, request.scope.path
        caller = self._know_caller(request)
        if path in {_LIVENESS, _READINESS}:
            return True
        waiting = self._line(scope.method, path)[0].waiting
        if waiting.is_full_for(request.account):
            self._refuse(request, caller)
            return False
        request.expect(waiting)
        return True

    def _refuse(self, request: Request, caller: Caller) -> None:
        """Refuse a request before anything is done for it."""
        given = request.scope.headers.get
        refused = self._shedding.answer(request.scope, caller)
        if has_body(given):
            is_known = given("expect") is None and given("transfer-encoding") is None
            if not is_known or not is_small(given("content-length")):
                self._begin(self._refuse_large(request, refused))
                return
            if not self._bodies.leave(request.transport):
                _say_close(refused[1])
        self._send(request, *refused)

    async def _refuse_large(self, request: Request, refused: Called) -> None:
        await self._leave(request, refused[1], is_kept=True)
        self._send(request, *refused)

    def _know_caller(self, request: Request) -> Caller:
        scope = request.scope
        caller = self._callers.caller_of(
            scope.headers.get("authorization"), lambda: scope.client.rpartition(":")[0]
        )
        request.account, request.is_known = caller.account, caller.account_id is not None
        return caller

    async def _answer(self, request: Request) -> Answered:
        scope = request.scope
        try:
            if scope.path == _LIVENESS:
                answer = self._call(request)
            elif scope.path == _READINESS:
                answer = await self._called(self._readers, request)
            elif request.may_come_whole:
                return await self._change(request)
            else:
                answer = await self._in_turn(self._reads, self._readers, request)
        except BodyWanted:
            return await self._change(request)
        except ServiceUnavailable:
            answer = self._shedding.answer(scope, self._know_caller(request))
        if has_body(scope.headers.get):
            await self._leave(request, answer[1])
        return answer

    async def _leave(self, request: Request, headers: Headers, *, is_kept: bool = False) -> None:
        """Drop a body, so that its client reads the answer, and close: a rest would be the next request.

        A client that expects to be asked for it has not sent it yet. With `is_kept` the connection stays if
        all was read.
        """
        given = request.scope.headers.get
        is_read = given("expect") is None and await self._bodies.drained(request.transport)
        if not is_read or not is_kept:
            _say_close(headers)

    async def _change(self, request: Request) -> Answered:
        """Answer a request that changes the book, once its body is there."""
        environ = request.environ
        # A first call has looked at the key, so now it is known whose it is.
        caller = self._know_caller(request)
        try:
            await self._receive(request)
        except ApiError as refusal:
            environ[REFUSAL] = refusal
            answer = self._call(request)
            _say_close(answer[1])
            return answer
        turns, threads = self._line(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        try:
            return await self._in_turn(turns, threads, request)
        except ServiceUnavailable:
            return self._shedding.answer(request.scope, caller)
        finally:
            received: Received | None = environ.get(RECEIVED)
            if received is not None:
                received.close()

    async def _receive(self, request: Request) -> None:
        """Wait for the body, and put it where the application finds it; an ApiError refuses it."""
        environ, raw = request.environ, b""
        if has_body(request.scope.headers.get):
            begin = environ.get(WANTED)
            # It may take long, and nobody else is refused for that.
            timer = asyncio.get_running_loop().call_later(EXPECTED_SECONDS, request.expect_no_more)
            try:
                if begin is None:
                    raw = await self._bodies.arrived(environ, request.account, request.transport)
                else:
                    environ[RECEIVED] = await self._uploads.arrived(environ, begin, request.transport)
            finally:
                timer.cancel()
        environ["wsgi.input"] = io.BytesIO(raw)

    def _line(self, method: str, path: str) -> tuple[LoopTurns | ThreadTurns, _Executor | None]:
        """Tell in which line a request waits, and in which threads it is answered."""
        if method in READING:
            return self._reads, self._readers
        if path == AGENTS_PATH or self._is_long(path):
            return self._of_agents, self._agents
        return self._writes, self._writers

    async def _in_turn(
        self, turns: LoopTurns | ThreadTurns, threads: _Executor | None, request: Request
    ) -> Answered:
        if turns.waiting is request.expected_in:
            request.expect_no_more()
        began = await turns.wait(request.account)
        try:
            return await self._called(threads, request)
        finally:
            turns.done(request.account, began)

    async def _called(self, threads: _Executor | None, request: Request) -> Answered:
        """Call the application, in one of the threads if there are any."""
        if threads is None:
            return self._call(request)
        return await asyncio.wrap_future(threads.submit(self._call, request))

    @staticmethod
    def _fault(error: Exception) -> Called:
        """Answer where something is wrong outside the application, as it would answer itself."""
        request_id = good_request_id()
        log("fault", request_id=request_id, exception="".join(format_exception(error)).rstrip())
        message = f"The server failed on this request. Report it with the id {request_id}."
        answer = error_answer(InternalError(message))
        headers = [
            *((name, request_id) for name in REQUEST_ID_HEADERS),
            CLOSE,
            *OF_REFUSALS,
            *answer.headers,
        ]
        return answer.status, headers, answer.body or b""

    def _call(self, request: Request) -> Answered:
        """Call the application, as WSGI has it, if the answer can't be given again without."""
        again = self._again(request)
        if again is not None:
            return again
        environ = request.environ
        begun: list[tuple[int, Headers]] = []

        def start(status: str, headers: Headers, _: Any = None) -> None:
            begun.append((int(status[:3]), headers))

        body = self._application(environ, start)
        if isinstance(body, Stream):
            return (*begun[0], body)
        whole = (*begun[0], b"".join(body))
        if self._repeats is not None and REPEATABLE in environ:
            self._repeats.remember(request, environ[REPEATABLE], whole)
        return whole


def _has_no_length(method: str, status: int, headers: Headers) -> bool:
    """Tell whether this is the head of an answer whose length is not known."""
    return method == "HEAD" and status == OK and all(name != "content-length" for name, _ in headers)


def _say_close(headers: Headers) -> None:
    if CLOSE not in headers:
        headers.append(CLOSE)
