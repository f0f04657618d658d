"""The loop of a worker: it takes in at once all that has come, and has the worker finish before it ends."""

import asyncio
import signal
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context
from time import perf_counter, sleep
from types import CoroutineType
from typing import Any, TypeVarTuple

from tradebook.web.heads import Scope

REST_SECONDS, AWAKE_SECONDS = 0.002, 0.0005
"""How long the thread that hands requests over rests while more comes than can be answered, and how long it
goes on then."""

_Args = TypeVarTuple("_Args")


async def _at_once() -> None:
    """End without finishing anything."""


class WorkerLoop(asyncio.SelectorEventLoop):
    """A loop that is woken once for all that other threads hand over, until it has taken that in.

    To wake it is a call of the system, for which a thread lets go of the interpreter. It has to wait for the
    interpreter again then, for each request that comes while another one is answered.

    The server's order to end waits until `finish` is done. Ctrl-C in a terminal reaches the workers too. Then
    it is the main process that ends them, each once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.finish: Callable[[], Awaitable[None]] = _at_once
        self.meet: Callable[[list[tuple[Scope, Any]]], None] | None = None
        """Begins to answer requests, or answers them at once. The server would begin a task for each."""

        self._ending: asyncio.Task[None] | None = None
        self._handed_over: deque[tuple[Callable[..., Any], tuple[Any, ...], Context | None]] = deque()
        self._is_woken = False
        self._gives_way = False
        self._rests_at = 0.0

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[[*_Args], Any], *args: *_Args, context: Context | None = None
    ) -> None:
        """Call something on this loop's thread, soon. It can't be cancelled."""
        self._handed_over.append((callback, args, context))
        if not self._is_woken:
            self._is_woken = True
            super().call_soon_threadsafe(self._take_in)
        if self._gives_way and _is_request(args):
            self._rest()

    def give_way(self, is_overload: bool) -> None:
        """While more comes than can be answered, have the thread that hands over rest now and then."""
        self._gives_way = is_overload

    def _rest(self) -> None:
        """Keep the server's thread for a moment, so that it hands over many requests at a time.

        For each of them it takes the interpreter from the thread that answers.
        """
        if perf_counter() >= self._rests_at:
            sleep(REST_SECONDS)
            self._rests_at = perf_counter() + AWAKE_SECONDS

    def _take_in(self) -> None:
        """Meet the requests that have come, and call what else was handed over."""
        # Before it is looked: what comes from now on wakes the loop again.
        self._is_woken = False
        requests = []
        for _ in range(len(self._handed_over)):
            callback, args, context = self._handed_over.popleft()
            if self.meet is not None and _is_request(args):
                coroutine, request = args
                coroutine.close()
                requests.append((request.scope, request.proto))
            else:
                self.call_soon(callback, *args, context=context)
        if self.meet is not None and requests:
            self.meet(requests)

    def add_signal_handler(self, sig: int, callback: Callable[[*_Args], Any], *args: *_Args) -> None:
        """Call the server's handler of SIGTERM later, and none of SIGINT."""
        if sig == signal.SIGINT:
            signal.signal(sig, signal.SIG_IGN)
        else:
            super().add_signal_handler(sig, self._begin_to_end, callback, *args)

    def _begin_to_end(self, callback: Callable[[*_Args], Any], *args: *_Args) -> None:
        if self._ending is None:
            self._ending = self.create_task(self._end(callback, *args))

    async def _end(self, callback: Callable[[*_Args], Any], *args: *_Args) -> None:
        try:
            await self.finish()
        finally:
            callback(*args)


def _is_request(args: tuple[Any, ...]) -> bool:
    """Tell whether the server hands over a request: with it come what would answer it, and its two ends."""
    return len(args) == 2 and isinstance(args[0], CoroutineType)
