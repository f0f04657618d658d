"""A copy of an embedded book, taken while others read and write it, and verified before it gets its name."""

import errno
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import msgspec

from tradebook.storage.database import Unavailable

STEP_PAGES = 2_000
"""How many pages are copied before an interrupt is noticed."""

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}
"""How a file system says that it has no hard links."""


class NotWhole(Exception):
    """The copy is not a whole book, so it got no name: a sentence says what is wrong with it."""


class Backup(msgspec.Struct, frozen=True):
    """What was copied."""

    target: str
    bytes: int
    schema: str


def back_up(book: Path, target: Path, *, timeout_ms: int) -> Backup:
    """Copy a book to a new file, for its owner alone; OSError, Unavailable or NotWhole leave no file."""
    # SQLite follows no link in the whole name. A link among the folders is the operator's own.
    target = target.parent.resolve(strict=True) / target.name
    part = target.with_name(f"{target.name}.part")
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    try:
        with _translated():
            _copy(book, part, timeout_ms)
            schema = _verify(part)
        os.fsync(descriptor)
        size = os.fstat(descriptor).st_size
        _give_name(part, target)
    finally:
        os.close(descriptor)
        part.unlink(missing_ok=True)
    _sync_folder(target.parent)
    return Backup(str(target), size, schema)


def _copy(book: Path, part: Path, timeout_ms: int) -> None:
    with (
        closing(apsw.Connection(str(book), flags=apsw.SQLITE_OPEN_READWRITE)) as source,
        closing(_opened_alone(str(part), apsw.SQLITE_OPEN_READWRITE)) as copy,
    ):
        source.set_busy_timeout(timeout_ms)
        source.pragma("query_only", 1)
        # The file has no name yet and is synced as a whole: no journal of it could help anybody.
        copy.pragma("journal_mode", "off")
        copy.pragma("synchronous", "off")
        # From here on the source shows one state. Otherwise SQLite would begin anew whenever somebody
        # commits, and beside a busy server never come to an end.
        source.execute("BEGIN; SELECT count(*) FROM sqlite_schema").fetchall()
        with copy.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(STEP_PAGES)
        source.execute("COMMIT")


def _verify(part: Path) -> str:
    """Read the whole copy, as SQLite checks it; returns the version of its schema."""
    # Immutable: no log is made beside it.
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    with closing(_opened_alone(f"{part.as_uri()}?immutable=1", flags)) as copy:
        if not copy.table_exists("main", "alembic_version"):
            raise NotWhole("It has no schema, so it is no book of Tradebook.")
        for line in copy.execute("PRAGMA integrity_check"):
            if line != ("ok",):
                raise NotWhole(f"SQLite finds a fault in it: {line[0]}")
        for table, *_ in copy.execute("PRAGMA foreign_key_check"):
            raise NotWhole(f"A row of {table} refers to one that is not there.")
        return str(copy.execute("SELECT version_num FROM alembic_version").get)


def _opened_alone(name: str, flags: int) -> apsw.Connection:
    return apsw.Connection(name, flags=flags | apsw.SQLITE_OPEN_NOFOLLOW)


def _give_name(part: Path, target: Path) -> None:
    """Name the finished file, unless another one has got that name meanwhile."""
    try:
        # A second name is refused where a file has it already; `rename` would replace that file.
        target.hardlink_to(part)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        part.rename(target)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise NotWhole(f"SQLite finds a fault in it: {error}") from error
    except apsw.Error as error:
        raise Unavailable(str(error)) from error
