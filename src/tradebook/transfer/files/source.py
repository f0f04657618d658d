"""The bytes of a file, so that they can be looked at as a whole and read again."""

import gzip
import io
import shutil
import struct
import tempfile
import zipfile
import zlib
from contextlib import ExitStack
from typing import BinaryIO, cast

GZIP = b"\x1f\x8b"
HEAD_BYTES = 262_144
WORKBOOK_BYTES_MAX = 256 << 20
UNPACKED_BYTES_MAX = 1 << 36
"""64 GiB. What packs a thousand to one can't keep a machine busy for days."""


BROKEN_ZIP = (
    zipfile.BadZipFile,
    OSError,
    EOFError,
    KeyError,
    NotImplementedError,  # of zipfile: a way of packing that it doesn't know
    RuntimeError,
    UnicodeError,
    struct.error,
    zlib.error,
)
"""What zipfile ends with where an archive is damaged, or protected by a password."""


class Unreadable(ValueError):
    """A file as a whole can't be read; the text says why, and what to do."""


def open_source(file: BinaryIO, opened: ExitStack) -> BinaryIO:
    """Return the stream to read from: what a packed file holds, or the file.

    A pipe goes to a temporary file: which encoding it has shows only when all of it was seen.
    """
    stream = file if _is_seekable(file) else _spooled(file, opened)
    if head_of(stream, 2) != GZIP:
        return stream
    unpacked = cast("BinaryIO", _Unpacked(stream))
    if head_of(unpacked, 2) == GZIP:
        raise Unreadable("The file is packed by gzip twice: unpack it once.")
    return unpacked


def head_of(stream: BinaryIO, size: int = HEAD_BYTES) -> bytes:
    """Return the beginning of a stream, which stands at its beginning again afterwards."""
    stream.seek(0)
    parts = []
    while size > 0:
        part = stream.read(size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    stream.seek(0)
    return b"".join(parts)


def _is_seekable(file: BinaryIO) -> bool:
    try:
        return file.seekable() and file.seek(0) == 0
    except (OSError, AttributeError, ValueError):
        return False


def at_random(stream: BinaryIO, opened: ExitStack) -> BinaryIO:
    """Return a stream that can be read from anywhere: what was packed goes to a temporary file."""
    if not isinstance(stream, _Unpacked):
        return stream
    stream.seek(0)
    spool = _unnamed(opened)
    while part := stream.read(1 << 20):
        if spool.tell() + len(part) > WORKBOOK_BYTES_MAX:
            raise Unreadable(f"The gzip file holds a workbook of more than {WORKBOOK_BYTES_MAX >> 20} MiB.")
        spool.write(part)
    spool.seek(0)
    return spool


def _unnamed(opened: ExitStack) -> BinaryIO:
    # The file has no name, so nobody else can read it: these are customers.
    return cast("BinaryIO", opened.enter_context(tempfile.TemporaryFile()))


def _spooled(file: BinaryIO, opened: ExitStack) -> BinaryIO:
    spool = _unnamed(opened)
    shutil.copyfileobj(file, spool, 1 << 20)
    spool.seek(0)
    return spool


class _Unpacked(io.RawIOBase):
    """What a packed file holds. It is unpacked anew each time, so that it takes no room."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._file = gzip.GzipFile(fileobj=packed)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        assert (offset, whence) == (0, io.SEEK_SET), "it is only ever read from its beginning"
        self._packed.seek(0)
        self._file = gzip.GzipFile(fileobj=self._packed)
        return 0

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        try:
            part = self._file.read(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            reason = (
                "it ends too early" if isinstance(error, EOFError) else "its check sum or its form is wrong"
            )
            raise Unreadable(f"The gzip file is damaged: {reason}. Fetch it again.") from None
        if self._file.tell() > UNPACKED_BYTES_MAX:
            raise Unreadable("The gzip file holds more than 64 GiB: divide it.")
        buffer[: len(part)] = part
        return len(part)
