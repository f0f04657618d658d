"""From bytes to physical lines of text; what is no text in the file's encoding is marked."""

import io
from typing import BinaryIO

from tradebook.text import MARKED
from tradebook.transfer.files.encodings import Encoding

LINE_LENGTH_MAX = 1_000_000
_BUFFER_BYTES = 262_144
_BOM = "\ufeff"


class Lines:
    """The physical lines of a file, with their line ends; `number` is that of the last one that was read.

    Bytes that are no text become what `text.mark_bytes` says. Of a line of more than a million characters the
    first million is returned; `is_cut` then tells so.
    """

    def __init__(self, stream: BinaryIO, encoding: Encoding) -> None:
        stream.seek(0)
        buffered = io.BufferedReader(_Kept(stream), _BUFFER_BYTES)
        self._text = io.TextIOWrapper(buffered, encoding.codec, MARKED, newline="")
        self.number = 0
        self.is_cut = False

    def next(self) -> str:
        """Read one more line; empty at the end."""
        line = self._text.readline(LINE_LENGTH_MAX)
        self.number += 1
        if line.startswith(_BOM):
            # It begins a file, also one that was joined to another.
            line = line[1:]
        self.is_cut = len(line) >= LINE_LENGTH_MAX
        if self.is_cut:
            rest = line
            while len(rest) == LINE_LENGTH_MAX and not rest.endswith(("\n", "\r")):
                rest = self._text.readline(LINE_LENGTH_MAX)
        return line

    def read(self, characters: int) -> str:
        """Read on without looking for lines."""
        part = self._text.read(characters)
        self.number += 1
        return part.removeprefix(_BOM) if self.number == 1 else part


class _Kept(io.RawIOBase):
    """A stream that stays open when nobody reads its text any more."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        part = self._stream.read(len(buffer)) or b""
        buffer[: len(part)] = part
        return len(part)


def sample_of(head: bytes, encoding: Encoding) -> str:
    """Decode the beginning of a file."""
    text = io.TextIOWrapper(io.BytesIO(head), encoding.codec, MARKED, newline="").read()
    return text.removeprefix(_BOM)
