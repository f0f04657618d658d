"""A copy of an embedded book, taken while others read and write it, and verified before it gets its name."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw
import msgspec

from tradebook.storage.database import Unavailable
from tradebook.storage.sqlite.connections import beside, name_to_look_into

STEP_PAGES = 2_000
"""How many pages are copied before an interrupt is noticed."""

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}
"""How a file system says that it has no hard links."""

_BEGINNINGS = (b"", bytes(16), b"SQLite format 3\0")
"""What a copy begins with while it is made; its first page may come last."""


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
    _require_free(book, target)
    part = target.with_name(f"{target.name}.part")
    with _made(part) as descriptor:
        with _translated():
            _copy(book, part, timeout_ms)
            schema = _verify(part)
        os.fsync(descriptor)
        size = os.fstat(descriptor).st_size
        _give_name(part, target)
    _sync_folder(target.parent)
    return Backup(str(target), size, schema)


def _require_free(book: Path, target: Path) -> None:
    """FileExistsError where a file has the name, or one that SQLite would take for a part of the copy."""
    # The first one by itself: the root of all folders exists, and nothing lies beside it.
    if os.path.lexists(target):
        raise _exists(target)
    if target in beside(book):
        raise OSError(errno.EINVAL, "it would be taken for a part of the book")
    for path in filter(os.path.lexists, beside(target)):
        raise _exists(path)


@contextmanager
def _made(part: Path) -> Iterator[int]:
    """Make the part, and remove it in the end. Its lock ends with the process: after a kill nobody has it."""
    try:
        descriptor = _opened_anew(part)
    except FileExistsError:
        _remove_left(part)
        descriptor = _opened_anew(part)
    try:
        # Where the file system knows no locks, nobody can take it over.
        _lock(part, descriptor)
        _require_name(part, descriptor)
        try:
            yield descriptor
        finally:
            # While it is locked: afterwards the name may be that of another backup.
            part.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _opened_anew(part: Path) -> int:
    return os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW, 0o600)


def _remove_left(part: Path) -> None:
    """Remove a part that a killed backup of this user has left; FileExistsError if it is anything else."""
    try:
        descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _exists(part) from error
    try:
        if not (_is_of_a_backup(descriptor) and _lock(part, descriptor)):
            raise _exists(part)
        _require_name(part, descriptor)
        # The name alone: where the kill came after the copy got its other name, the copy stays.
        part.unlink()
    finally:
        os.close(descriptor)


def _is_of_a_backup(descriptor: int) -> bool:
    found = os.fstat(descriptor)
    is_own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
    return is_own and stat.S_IMODE(found.st_mode) == 0o600 and os.pread(descriptor, 16, 0) in _BEGINNINGS


def _lock(part: Path, descriptor: int) -> bool:
    """Lock a part; FileExistsError if another backup holds it, False where there are no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _exists(part) from error
    except OSError:
        return False
    return True


def _require_name(part: Path, descriptor: int) -> None:
    """FileExistsError where another backup has made a file of this name since this one was opened."""
    with suppress(FileNotFoundError):
        if os.path.samestat(part.lstat(), os.fstat(descriptor)):
            return
    raise _exists(part)


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def _copy(book: Path, part: Path, timeout_ms: int) -> None:
    with (
        closing(
            apsw.Connection(name_to_look_into(book), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI)
        ) as source,
        # Nobody else opens it, and on NFS the locks of SQLite would wait for our own.
        closing(_opened_alone(f"{part.as_uri()}?nolock=1", apsw.SQLITE_OPEN_READWRITE)) as copy,
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
    with closing(_opened_alone(f"{part.as_uri()}?immutable=1", apsw.SQLITE_OPEN_READONLY)) as copy:
        if not copy.table_exists("main", "alembic_version"):
            raise NotWhole("It has no schema, so it is no book of Tradebook.")
        for line in copy.execute("PRAGMA integrity_check"):
            if line != ("ok",):
                raise NotWhole(f"SQLite finds a fault in it: {line[0]}")
        for table, *_ in copy.execute("PRAGMA foreign_key_check"):
            raise NotWhole(f"A row of {table} refers to one that is not there.")
        return str(copy.execute("SELECT version_num FROM alembic_version").get)


def _opened_alone(uri: str, flags: int) -> apsw.Connection:
    return apsw.Connection(uri, flags=flags | apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_NOFOLLOW)


def _give_name(part: Path, target: Path) -> None:
    """Name the finished file, unless another one has got that name meanwhile."""
    try:
        # A second name is refused where a file has it already; `rename` would replace that file.
        target.hardlink_to(part)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):
            raise _exists(target) from None
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
        raise NotWhole(f"SQLite finds a fault in it: {error}.") from error
    except apsw.FullError as error:
        # SQLite itself says "not an error" of it.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
    except apsw.Error as error:
        raise Unavailable(str(error)) from error
