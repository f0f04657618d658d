"""From bytes to numbered lines: detects the encoding of a file, and marks what can't be read."""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

SAMPLE_BYTES = 262_144
LINE_LENGTH_MAX = 1_000_000
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


class Decoded(msgspec.Struct):
    """A file as text: its detected encoding, its beginning, and all of its lines."""

    encoding: str
    sample: str
    text: io.TextIOWrapper

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield each physical line with its number and its line end; a line that is too long is cut off.

        Bytes that are invalid in the file's encoding become lone surrogates, which the checks of cells
        refuse.
        """
        number = 0
        while True:
            number += 1
            try:
                line = self.text.readline(LINE_LENGTH_MAX)
                rest = line
                while len(rest) == LINE_LENGTH_MAX and not rest.endswith(("\n", "\r")):
                    rest = self.text.readline(LINE_LENGTH_MAX)
            except UnicodeDecodeError:
                # A UTF-16 file that ends in the middle of a character.
                yield number, "\udcff"
                return
            if not line:
                return
            yield number, line


def decode(file: BinaryIO) -> Decoded:
    """Detect the encoding by the file's beginning, which is kept: a pipe can't be read again."""
    head = _read(file, SAMPLE_BYTES)
    codec, encoding = _recognise(head)
    errors = "surrogatepass" if codec.startswith("utf-16") else "surrogateescape"
    sample = codecs.getincrementaldecoder(codec)(errors).decode(head)
    raw = io.BufferedReader(_Chained(head, file), SAMPLE_BYTES)
    return Decoded(encoding, sample, io.TextIOWrapper(raw, codec, errors, newline=""))


def _recognise(head: bytes) -> tuple[str, str]:
    for bom, codec, encoding in _BOMS:
        if head.startswith(bom):
            return codec, encoding
    # In UTF-16, a NUL byte is beside each Latin letter.
    if head[1:200:2].count(0) > len(head[1:200:2]) // 2:
        return "utf-16-le", "UTF-16 without a byte order mark"
    if head[0:200:2].count(0) > len(head[0:200:2]) // 2:
        return "utf-16-be", "UTF-16 without a byte order mark"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252", "Windows-1252"
    return "utf-8", "UTF-8"


def _read(file: BinaryIO, size: int) -> bytes:
    """Read this many bytes, or all that there are: one read of a pipe may return fewer."""
    parts = []
    while size:
        part = file.read(size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class _Chained(io.RawIOBase):
    """The bytes that were read to detect the encoding, then the rest of the file."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head = io.BytesIO(head)
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        part = self._head.read(len(buffer)) or self._file.read(len(buffer)) or b""
        buffer[: len(part)] = part
        return len(part)
