"""Turns among the writers of a book, in all processes of the machine and all their threads.

SQLite lets those who wait look again now and then, and whoever looks at the right moment writes next. That is
fast, and mostly the one who has just written: under load some wait for seconds. So whoever has waited for
long draws a number. Numbers are served in their order, and while somebody has one, nobody else begins. A
number is a locked byte: when a process ends, in whatever way, the kernel gives it free.

A turn is a courtesy. The lock of SQLite keeps the book whole, and that is what a writer goes on to where it
can't have a turn: it does not come, or the file can't be made.
"""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import apsw

SUFFIX = "-turns"
HURRY_SECONDS = 0.05
"""After which wait a writer draws a number. Each time that writers change costs a pause, and in the order of
numbers they change with every transaction."""

_DRAWING, _FIRST = 0, 8
"""The byte of who draws, before the bytes of the numbers."""

_NUMBER, _LOCK = struct.Struct("q"), struct.Struct("hhqqi")
# Locks of the opened file, not of the process: its threads exclude each other too, and whoever else opens and
# closes the file takes none away. Where a system has no such locks, there are no turns.
_SET, _LOOK = getattr(fcntl, "F_OFD_SETLK", 0), getattr(fcntl, "F_OFD_GETLK", 0)
_PAUSE_SECONDS, _PAUSE_SECONDS_MAX = 0.0001, 0.001


class Turns:
    """The way of one writer to its turns; each thread has its own."""

    def __init__(self, book: Path) -> None:
        self._file = _opened(book)

    def begin(self, connection: apsw.Connection, patience_seconds: float) -> None:
        """Begin a transaction that writes; BusyError if others have written for longer than this."""
        start = monotonic()
        soon = start + min(HURRY_SECONDS, patience_seconds / 2)
        if self._let_pass(soon):
            with suppress(apsw.BusyError):
                _begin(connection, soon)
                return
        with self.taken(patience_seconds / 2):
            _begin(connection, start + patience_seconds)

    @contextmanager
    def taken(self, patience_seconds: float) -> Iterator[None]:
        """Draw a number, wait until it is served, no longer than this, and keep the next one waiting."""
        end = monotonic() + patience_seconds
        number = None
        # The disk of the file may be full, or know no locks.
        with suppress(OSError):
            number = self._draw(end)
            if number is not None:
                self._wait(number - 1, end)
        try:
            yield
        finally:
            if number is not None:
                self._lock(fcntl.F_UNLCK, number - 1, 2)

    def is_awaited(self) -> bool:
        """Tell whether somebody else has a number."""
        with suppress(OSError):
            return self._file is not None and _has_numbers(self._file)
        return False

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _let_pass(self, end: float) -> bool:
        """Wait until nobody has a number; False where somebody still has one at the end."""
        pauses = _pauses()
        with suppress(OSError):
            while self._file is not None and _has_numbers(self._file):
                if monotonic() >= end:
                    return False
                sleep(next(pauses))
        return True

    def _draw(self, end: float) -> int | None:
        """Draw a number and lock its byte; None where that can't be."""
        if self._file is None or not self._wait(_DRAWING, end):
            return None
        try:
            before = os.pread(self._file, _NUMBER.size, 0) or bytes(_NUMBER.size)
            number: int = _NUMBER.unpack(before)[0] + 1
            os.pwrite(self._file, _NUMBER.pack(number), 0)
            self._lock(fcntl.F_WRLCK, _FIRST + number)
        finally:
            self._lock(fcntl.F_UNLCK, _DRAWING)
        return _FIRST + number

    def _wait(self, byte: int, end: float) -> bool:
        """Wait until nobody else has a byte, and lock it; False where somebody still has it at the end."""
        pauses = _pauses()
        while True:
            try:
                self._lock(fcntl.F_WRLCK, byte)
            except (BlockingIOError, PermissionError):
                if monotonic() >= end:
                    return False
                sleep(next(pauses))
            else:
                return True

    def _lock(self, kind: int, byte: int, count: int = 1) -> None:
        assert self._file is not None
        fcntl.fcntl(self._file, _SET, _LOCK.pack(kind, os.SEEK_SET, byte, count, 0))


def _has_numbers(descriptor: int) -> bool:
    found = fcntl.fcntl(descriptor, _LOOK, _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, _FIRST, 0, 0))
    return bool(_LOCK.unpack(found)[0] != fcntl.F_UNLCK)


def _begin(connection: apsw.Connection, end: float) -> None:
    connection.set_busy_timeout(max(0, int((end - monotonic()) * 1000)))
    connection.execute("BEGIN IMMEDIATE")


def _pauses() -> Iterator[float]:
    """Yield pauses that grow: who is nearly there hears of it soon, who is not costs little."""
    pause = _PAUSE_SECONDS
    while True:
        yield pause
        pause = min(2 * pause, _PAUSE_SECONDS_MAX)


def _opened(book: Path) -> int | None:
    """Open the file beside a book, as private and of the same owner; None where that can't be."""
    if not _SET:
        return None
    try:
        known = book.stat()
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(f"{book}{SUFFIX}", flags, known.st_mode & 0o666)
        if os.geteuid() == 0:
            # As SQLite does with its log: a command of the administrator must not keep the service out.
            os.fchown(descriptor, known.st_uid, known.st_gid)
    except OSError:
        return None
    return descriptor
