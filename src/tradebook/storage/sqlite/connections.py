"""The open connections of a process to a book's file, and whether that file is still where it was.

An opened file goes on to exist without its name: what were written into a book that somebody has deleted or
replaced would be gone with the last process that has it open. So before a write ends, and now and then before
a read, the path is looked at. Where another file is there, it is opened in the place of the old one.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple
from weakref import WeakSet

import apsw

from tradebook.storage.database import Conflict, Unavailable
from tradebook.storage.sqlite.turns import SUFFIX, Turns

MMAP_BYTES = 1 << 36
CACHE_KIBIBYTES = 8_192
LOG_PAGES, LOG_PAGES_OF_MANY = 1_000, 4_000
"""From how many pages on the log is written into the file; and while a thread writes many rows: each of its
transactions changes many pages that the one before has changed."""

LOG_BYTES = 8 << 20
"""What the log is cut to when it begins anew, twice as long as its pages. A reader that takes long keeps it
from doing so, and the log grows. Where it has more pages, it is as many times as long."""

PATIENCE_SECONDS_MIN = 0.05
"""How long at least a change waits for others of the book, however long it has waited in its own process."""

FOLLOW_SECONDS = 0.5
"""How long reads may go on in a file that was replaced."""

ROOM_BYTES_MIN = 131_072
"""How much has to be left on the disk: the log grows by about so much with one change."""

_TABLES = "SELECT count(*), sum(name IN ('accounts', 'alembic_version')) FROM sqlite_schema"
_OF_A_BOOK = 2
_IMMUTABLE = "?immutable=1"


class _File(NamedTuple):
    """What tells one file from another under the same name."""

    device: int
    number: int


class _State(NamedTuple):
    """What tells whether a file was written to, which a connection that takes no locks does not see."""

    file: _File
    bytes: int
    changed_ns: int
    has_log: bool


class Connections:
    """A connection to read, one to write and one to note what must not wait, for each thread."""

    def __init__(self, path: Path, *, timeout_ms: int) -> None:
        self.path = path
        self.timeout_ms = timeout_ms
        self.own = threading.local()
        """What the thread has open, and `age`, which tells whether it is of the file that is there now."""
        self.age = 0
        self.follow_at = 0.0
        self._log_path = _log_of(path)
        self._lock = threading.RLock()
        self._all: WeakSet[apsw.Connection] = WeakSet()
        self._file: _File | None = None
        self._log: _File | None = None
        self._foreign_log: int | None = None

    def reading(self) -> apsw.Connection:
        """Return the thread's connection to read, of the file that is there; else of the one that was."""
        if "reading" not in self.own.__dict__ or monotonic() >= self.follow_at:
            self._follow()
        own = self._own()
        is_of_log = "reading" in own and own["still"] is None
        if is_of_log and own["reading"].readonly("main") and self.why_not_written() is None:
            self.close()
            own = self._own()
        still = own.get("still")
        if still is not None and still != self._state():
            own.pop("reading").close()
        if "reading" not in own:
            own["reading"], own["still"] = self._open_to_read()
            own["looking"] = own["reading"].cursor()
            own["data_version"], own["revisions"] = None, {}
        connection: apsw.Connection = own["reading"]
        if own["still"] is not None or connection.readonly("main"):
            # As long as the disk can't be written, each read looks whether it can.
            self.follow_at = 0.0
        return connection

    def require_unchanged(self) -> None:
        """Conflict if what was read without locks was written to meanwhile."""
        still = self.own.still
        if still is not None and still != self._state():
            raise Conflict(f"{self.path} was written to while it was read as one that can't be.")

    @contextmanager
    def apart(self) -> Iterator[apsw.Connection]:
        """Open a connection to read that belongs to no thread."""
        self._follow()
        connection, still = self._open_to_read()
        try:
            yield connection
            if still is not None and still != self._state():
                raise Unavailable(f"{self.path} was written to while it was read as one that can't be.")
        finally:
            connection.close()

    def begin(self, waited_seconds: float) -> apsw.Connection:
        """Begin a transaction that writes, in the thread's turn; `require_named` before it is committed.

        Who has waited so long for others of the process waits so much shorter for others of the book.
        """
        try:
            return self._begun(waited_seconds)
        except apsw.ReadOnlyError:
            # All connections of a process share the index of the log, as the first one could open it. If that
            # was on a disk that could not be written, nobody writes until all are closed.
            if self.why_not_written() is not None:
                raise
            self.close()
            return self._begun(waited_seconds)

    def _begun(self, waited_seconds: float) -> apsw.Connection:
        connection = self._to_write("writing", self.timeout_ms)
        own = self.own.__dict__
        if "turns" not in own:
            own["turns"] = Turns(self.path)
        own["turns"].begin(connection, max(PATIENCE_SECONDS_MIN, self.timeout_ms / 1000 - waited_seconds))
        return connection

    def keep_log(self, pages: int) -> None:
        """Have the log be written into the file when this thread has brought it to so many pages."""
        connection = self._own().get("writing")
        if connection is not None:
            connection.pragma("wal_autocheckpoint", pages)
            connection.pragma("journal_size_limit", LOG_BYTES * pages // LOG_PAGES)

    def is_awaited(self) -> bool:
        """Tell whether somebody waits for his turn behind the thread."""
        turns: Turns | None = self.own.__dict__.get("turns")
        return turns is not None and turns.is_awaited()

    def touching(self) -> apsw.Connection:
        """Return the thread's connection to write at once or not at all."""
        return self._to_write("touching", 0)

    def require_named(self) -> None:
        """Unavailable where the path does not lead to the file that the thread has open."""
        # Another thread may have followed a new file while this one was in a statement on the old one, so
        # `_file` alone says nothing of it. The age is looked at last, as it changes first.
        if self._file != _file_at(self.path) or self.own.age != self.age:
            raise Unavailable(f"{self.path} was moved, deleted or replaced.")

    def why_not_written(self) -> str | None:
        """Say what keeps the file from being written; None where nothing does."""
        if self._file is not None and self._file != _file_at(self.path):
            return "was moved, deleted or replaced."
        logged = self._log_path if self._log_path.exists() else self.path.parent
        if not (_is_writable(self.path) and _is_writable(logged)):
            return "can't be written."
        return "has no room left on its disk." if _is_full(self.path.parent) else None

    def close(self) -> None:
        """Close the connections of all threads; with the last one, SQLite writes the log into the file.

        One that is in the middle of a statement is left to its thread.
        """
        with self._lock:
            self.age += 1
            self.follow_at = 0.0
            self._file = self._log = None
            connections = list(self._all)
        for connection in connections:
            _close(connection)

    def _own(self) -> dict[str, Any]:
        own = self.own.__dict__
        if own.get("age") != self.age:
            for kept in own.values():
                if isinstance(kept, (apsw.Connection, Turns)):
                    kept.close()
            own.clear()
            own["age"] = self.age
        return own

    def _to_write(self, purpose: str, timeout_ms: int) -> apsw.Connection:
        self._follow()
        own = self._own()
        if purpose not in own:
            if not _is_writable(self.path):
                raise Unavailable(f"{self.path} can't be written.")
            opened = self._open(timeout_ms=timeout_ms)
            if opened.readonly("main"):
                opened.close()
                raise Unavailable(f"{self.path} can't be written.")
            own[purpose] = opened
        self.require_named()
        connection: apsw.Connection = own[purpose]
        return connection

    def _follow(self) -> None:
        """Let go of a file in whose place another one is."""
        self.follow_at = monotonic() + FOLLOW_SECONDS
        found = _file_at(self.path)
        if found is None or self._file is None or found == self._file:
            return
        with self._lock:
            if self._log is not None and _file_at(self._log_path) == self._log:
                # Kept open, so that no other file gets its number.
                self._foreign_log = os.open(self._log_path, os.O_RDONLY | os.O_CLOEXEC)
            self.close()

    def _require_own_log(self) -> None:
        """Unavailable where the log beside the file is that of another one: SQLite would not notice."""
        with self._lock:
            if self._foreign_log is None:
                return
            found = os.fstat(self._foreign_log)
            if _file_at(self._log_path) == _File(found.st_dev, found.st_ino):
                raise Unavailable(
                    f"{self.path} was replaced, and {self._log_path.name} is the log of what was there "
                    f"before. Move {self._log_path.name} and {self.path.name}-shm away."
                )
            os.close(self._foreign_log)
            self._foreign_log = None

    def _open_to_read(self) -> tuple[apsw.Connection, _State | None]:
        try:
            return self._open(timeout_ms=self.timeout_ms, query_only=True), None
        except (apsw.CantOpenError, apsw.ReadOnlyError):
            state = self._state()
            if state is None or not _is_sealed(self.path):
                raise
        return self._open(timeout_ms=self.timeout_ms, query_only=True, is_immutable=True), state

    def _open(
        self, *, timeout_ms: int, query_only: bool = False, is_immutable: bool = False
    ) -> apsw.Connection:
        self._require_own_log()
        found = _file_at(self.path)
        if found is None:
            raise Unavailable(f"{self.path} is not there.")
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI
        name = f"{self.path.as_uri()}{_IMMUTABLE if is_immutable else ''}"
        connection = apsw.Connection(name, flags=flags, statementcachesize=200)
        connection.set_busy_timeout(timeout_ms)
        self._require_no_other(connection)
        for pragma, value in (
            ("journal_mode", "wal"),
            ("journal_size_limit", LOG_BYTES),
            # FULL: an answered write survives a power cut. NORMAL would lose the last ones.
            ("synchronous", "full"),
            ("foreign_keys", 1),
            ("trusted_schema", 0),
            # What a writer puts aside is small, and its disk may be full. A reader may have much to sort.
            ("temp_store", "default" if query_only else "memory"),
            ("mmap_size", MMAP_BYTES),
            ("cache_size", -CACHE_KIBIBYTES),
            ("query_only", int(query_only)),
        ):
            connection.pragma(pragma, value)
        # SQLite opens the log when it first reads.
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        with self._lock:
            if self._file is None:
                self._file, self._log = found, _file_at(self._log_path)
            if self._file != found or _file_at(self.path) != found:
                connection.close()
                raise Unavailable(f"{self.path} was just replaced.")
            self._all.add(connection)
        return connection

    def _require_no_other(self, connection: apsw.Connection) -> None:
        """Unavailable where the file is another program's, before anything is written into it."""
        tables, own = connection.execute(_TABLES).get
        if tables and own != _OF_A_BOOK:
            connection.close()
            raise Unavailable(f"{self.path} is the database of another program, and no book of Tradebook.")

    def _state(self) -> _State | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        file = _File(found.st_dev, found.st_ino)
        return _State(file, found.st_size, found.st_mtime_ns, self._log_path.exists())


def beside(path: Path) -> list[Path]:
    """Name the files that SQLite and the turns keep beside a book, or would take for those of one."""
    return [path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm", "-journal", SUFFIX)]


def name_to_look_into(path: Path) -> str:
    """Write how SQLite is to open a file that a command looks into."""
    return f"{path.as_uri()}{_IMMUTABLE if _is_sealed(path) else ''}"


def _is_sealed(path: Path) -> bool:
    """Tell whether nothing changes a file: no log is there, and no disk to write. Then it needs no locks."""
    return not _log_of(path).exists() and not _is_writable(path.parent)


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _file_at(path: Path) -> _File | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _File(found.st_dev, found.st_ino)


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _is_full(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    # A disk that tells no size does not tell what is left of it either.
    return disk.f_blocks > 0 and disk.f_bavail * disk.f_frsize < ROOM_BYTES_MIN


def _close(connection: apsw.Connection) -> None:
    # One that is just at work is closed by its thread, which sees the new age.
    with suppress(apsw.ThreadingViolationError):
        connection.close()
