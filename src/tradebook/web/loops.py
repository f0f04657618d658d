"""The loop of a worker: when the worker is told to end, it is let finish first."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Any, TypeVarTuple

_Args = TypeVarTuple("_Args")


async def _at_once() -> None:
    """End without finishing anything."""


class WorkerLoop(asyncio.SelectorEventLoop):
    """A loop on which the server's order to end waits until `finish` is done.

    Ctrl-C in a terminal reaches the workers too. It is the main process that ends them then, each once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.finish: Callable[[], Awaitable[None]] = _at_once
        self._ending: asyncio.Task[None] | None = None

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
