"""A second process, for what takes the processor's time and nothing else: it is asked while this one writes.

It ends when whoever asks closes its end of the pipe, as the kernel does for a process that is killed. Where
there is none, or none any more, the work is done here.
"""

import multiprocessing
import os
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any

READING_SECONDS = 0.0002
"""After what time work gives way to the thread that reads, each time that it has something to read: who asks
waits for it."""

Work = Callable[[bytes], bytes]
"""Does what is asked, and says what came of it."""


class Helper:
    """Does what it is asked, one piece of work after another; what came of each is fetched in that order."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._asked: deque[bytes] = deque()
        self._answered: deque[bytes] = deque()
        self._unwanted = 0
        """How many answers are still to come to what was dropped."""
        self._pipe: Connection | None = None
        self._process: Any = None
        if _may_fork():
            with suppress(OSError):
                self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("fork")
        own, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, own, self._work), daemon=True)
        with warnings.catch_warnings():
            # Of other threads, whose locks a copy would wait for: what it does here takes none.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        theirs.close()
        self._pipe = own

    @property
    def is_there(self) -> bool:
        """Whether there is another process; without, it is simpler not to ask."""
        return self._pipe is not None

    def ask(self, asked: bytes) -> None:
        """Have something be done. It doesn't wait for what was asked before."""
        self._asked.append(asked)
        if self._pipe is not None:
            try:
                self._pipe.send_bytes(asked)
            except OSError:
                self._lose()

    def fetch(self) -> bytes:
        """Return what came of the first thing that was asked and not fetched yet."""
        asked = self._asked.popleft()
        try:
            while not self._answered and self._pipe is not None:
                self._receive()
        except (EOFError, OSError):
            self._lose()
        return self._answered.popleft() if self._answered else self._work(asked)

    @property
    def has_answered(self) -> bool:
        """Whether `fetch` has something to return and need not wait for it."""
        with suppress(EOFError, OSError):
            self._receive_ready()
        return bool(self._answered)

    def _receive_ready(self) -> None:
        while self._pipe is not None and self._pipe.poll():
            self._receive()

    def _receive(self) -> None:
        assert self._pipe is not None
        answer = self._pipe.recv_bytes()
        if self._unwanted:
            self._unwanted -= 1
        else:
            self._answered.append(answer)

    @property
    def waiting(self) -> int:
        """How many answers come before that to the next question."""
        return self._unwanted + len(self._asked)

    def drop(self) -> None:
        """Forget what was asked: its transaction is undone."""
        self._unwanted += len(self._asked) - len(self._answered)
        self._asked.clear()
        self._answered.clear()

    def close(self) -> None:
        """End the process."""
        self._lose()
        if self._process is not None:
            self._process.join()

    def _lose(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None


def _may_fork() -> bool:
    """Tell whether a second core is there, and a copy of this process does no harm.

    Elsewhere than on Linux, libraries of the system have threads, for whose locks a copy may wait for ever.
    """
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1


@contextmanager
def helping(work: Work) -> Iterator[Helper]:
    """Have a helper for some work as long as this goes on."""
    helper = Helper(work)
    try:
        yield helper
    finally:
        helper.close()


def _serve(pipe: Connection, others: Connection, work: Work) -> None:
    # While this end is open here as well, the other process could be gone and nobody would see it.
    others.close()
    # Ctrl-C in a terminal reaches this process too. It ends with the one that it helps.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    asked: SimpleQueue[bytes | None] = SimpleQueue()
    answers: SimpleQueue[bytes] = SimpleQueue()
    # What is asked is read at once: otherwise each could wait for the other to read what it says.
    sys.setswitchinterval(READING_SECONDS)
    Thread(target=_read, args=(pipe, asked), daemon=True).start()
    # And a pipe holds little: work goes on while nobody reads what came of it.
    Thread(target=_tell, args=(pipe, answers), daemon=True).start()
    while (piece := asked.get()) is not None:
        answers.put(work(piece))


def _tell(pipe: Connection, answers: SimpleQueue[bytes]) -> None:
    with suppress(OSError):
        while True:
            pipe.send_bytes(answers.get())


def _read(pipe: Connection, asked: SimpleQueue[bytes | None]) -> None:
    with suppress(EOFError, OSError):
        while True:
            asked.put(pipe.recv_bytes())
    asked.put(None)
