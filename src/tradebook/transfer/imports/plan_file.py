"""A plan in a file: written by one command, shown by another, and applied by a third, perhaps days later.

It has the customers' data in it, so its owner alone may read it. It belongs to one account of one book, and
has the number under which that book remembers that it was applied.
"""

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec
import zstandard

from tradebook.resources.import_shapes import ImportDoubt
from tradebook.transfer.imports.plan import Plan, PlannedRow
from tradebook.transfer.imports.summary import Summary
from tradebook.transfer.rows import Match, Problem

MAGIC = b"tradebook plan 1\n"
"""What a file begins with. Raise the number when an older version could not read it any more."""

ENTRIES_AT_ONCE = 1_000
PART_BYTES_MAX = 1 << 30
"""What a part of a thousand rows never is of: who claims more is damaged, and no memory is asked for."""

_PART = struct.Struct(">cII")
"""What a part has, how many bytes it is of, and how many they were before they were compressed."""

_HEAD, _ROWS, _PROBLEMS, _WARNINGS, _END = b"H", b"R", b"P", b"W", b"E"

Entry = TypeVar("Entry")


class NoPlan(Exception):
    """The file is no plan, or not as it was written."""


class Head(msgspec.Struct, frozen=True):
    """What a plan is of."""

    account: str
    import_id: int
    """Under which the book remembers it."""
    source: str | None
    made_at: str
    made_by: str
    """The version of Tradebook."""
    match: Match
    keeps_empty: bool
    largest_number: int
    summary: Summary


def write_plan(file: BinaryIO, plan: Plan, head: Head) -> None:
    """Write a plan."""
    _Writing(file).write(plan, head)


class _Writing:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, plan: Plan, head: Head) -> None:
        self._put(MAGIC)
        self._part(_HEAD, msgspec.msgpack.encode(head))
        for kind, entries in ((_ROWS, plan), (_PROBLEMS, plan.problems()), (_WARNINGS, plan.warnings())):
            self._parts(kind, entries)
        # Last, so that a file that was cut is noticed too.
        self._part(_END, self._digest.digest())

    def _parts(self, kind: bytes, entries: Iterable[Any]) -> None:
        listed = iter(entries)
        while some := list(islice(listed, ENTRIES_AT_ONCE)):
            self._part(kind, msgspec.msgpack.encode(some))

    def _part(self, kind: bytes, content: bytes) -> None:
        packed = zstandard.ZstdCompressor().compress(content)
        self._put(_PART.pack(kind, len(packed), len(content)) + packed)

    def _put(self, content: bytes) -> None:
        self._digest.update(content)
        self._file.write(content)


class FilePlan:
    """A plan that was read from a file; see `plan.Plan`. The whole file was looked at before."""

    def __init__(self, file: BinaryIO, head: Head) -> None:
        self._file = file
        self.head = head
        self.match, self.keeps_empty, self.summary = head.match, head.keeps_empty, head.summary
        self.largest_number = head.largest_number

    def __iter__(self) -> Iterator[PlannedRow]:
        """Yield every row of the file, in its order."""
        return self._entries(_ROWS, list[PlannedRow])

    def problems(self) -> Iterator[Problem]:
        """Yield every problem, in the order of the file."""
        return self._entries(_PROBLEMS, list[Problem])

    def warnings(self) -> Iterator[ImportDoubt]:
        """Yield every warning, in the order of the file."""
        return self._entries(_WARNINGS, list[ImportDoubt])

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _entries(self, wanted: bytes, kind: type[list[Entry]]) -> Iterator[Entry]:
        decoder = msgspec.msgpack.Decoder(kind)
        at = len(MAGIC)
        while True:
            # Several may be read at the same time.
            part, content, at = _read_part(self._file, at)
            if part == wanted:
                yield from decoder.decode(content())
            if part == _END:
                return


@contextmanager
def opened_plan(path: Path) -> Iterator[FilePlan]:
    """Open a plan; NoPlan where the file is none, or damaged."""
    with path.open("rb") as file:
        yield FilePlan(file, _checked(file))


def _checked(file: BinaryIO) -> Head:
    """Look at the whole file once."""
    begin = file.read(len(MAGIC))
    if begin != MAGIC:
        if begin.startswith(MAGIC[:15]) and begin.endswith(b"\n"):
            raise NoPlan("is a plan of another version of Tradebook: make it anew from the file.")
        raise NoPlan("is no plan: tradebook import customers FILE --plan PLAN writes one.")
    digest = hashlib.sha256(begin)
    head, at = None, len(MAGIC)
    try:
        while True:
            kind, content, end = _read_part(file, at)
            if kind == _END:
                is_whole = content() == digest.digest() and not os.pread(file.fileno(), 1, end)
                break
            if kind == _HEAD:
                head = content
            digest.update(os.pread(file.fileno(), end - at, at))
            at = end
    except (EOFError, zstandard.ZstdError):
        is_whole = False
    if not is_whole or head is None:
        raise NoPlan("is damaged or incomplete: make the plan anew from the file.")
    return msgspec.msgpack.decode(head(), type=Head)


def _read_part(file: BinaryIO, at: int) -> tuple[bytes, Any, int]:
    """Return the kind of the part at a place, what reads it, and where the next one begins."""
    kind, packed, whole = _PART.unpack(_exactly(file, at, _PART.size))
    if max(packed, whole) > PART_BYTES_MAX:
        raise EOFError
    begin = at + _PART.size

    def content() -> bytes:
        found = _exactly(file, begin, packed)
        if zstandard.frame_content_size(found) != whole:
            # Damaged, it may ask for more memory than there is.
            raise EOFError
        return zstandard.ZstdDecompressor().decompress(found)

    return kind, content, begin + packed


def _exactly(file: BinaryIO, at: int, count: int) -> bytes:
    found = os.pread(file.fileno(), count, at)
    if len(found) < count:
        raise EOFError
    return found
