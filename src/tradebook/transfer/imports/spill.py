"""What an import has to remember for each row of a file, kept in temporary files instead of memory."""

import heapq
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec

BLOCK_ENTRIES = 1_000
RUN_ENTRIES = 50_000

Entry = TypeVar("Entry")
Ordered = TypeVar("Ordered", bound=tuple[object, ...] | int)


class Spill(Generic[Entry]):
    """Entries in the order in which they were added. They can be read any number of times.

    `entry_type` is what msgspec can encode and decode; at most one block of entries is in memory.
    """

    def __init__(self, entry_type: Any) -> None:
        self._decoder = msgspec.msgpack.Decoder(list[entry_type])
        self._recent: list[Entry] = []
        self._blocks: list[tuple[int, int]] = []
        self._file: BinaryIO | None = None
        self._end = 0
        self.count = 0

    def close(self) -> None:
        """Close the temporary file, which deletes it."""
        if self._file is not None:
            self._file.close()

    def add(self, entry: Entry) -> None:
        """Remember one more entry."""
        self._recent.append(entry)
        self.count += 1
        if len(self._recent) >= self._recent_max:
            self._write_out()

    @property
    def _recent_max(self) -> int:
        return BLOCK_ENTRIES

    def _write_out(self) -> None:
        self._write_block(self._recent)
        self._recent = []

    def _write_block(self, entries: list[Entry]) -> None:
        if self._file is None:
            # The file has no name, so nobody else can read it: these are customers.
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it
        block = msgspec.msgpack.encode(entries)
        view = memoryview(block)
        while view:
            view = view[os.pwrite(self._file.fileno(), view, self._end + len(block) - len(view)) :]
        self._blocks.append((self._end, len(block)))
        self._end += len(block)

    def _read(self, blocks: Iterable[tuple[int, int]]) -> Iterator[Entry]:
        for start, length in blocks:
            assert self._file is not None
            yield from self._decoder.decode(os.pread(self._file.fileno(), length, start))

    def __iter__(self) -> Iterator[Entry]:
        yield from self._read(self._blocks)
        yield from self._recent


class SortedSpill(Spill[Ordered]):
    """Entries in sorted order, no matter how they were added: parts are sorted and then merged."""

    def __init__(self, entry_type: Any) -> None:
        super().__init__(entry_type)
        self._runs: list[list[tuple[int, int]]] = []

    @property
    def _recent_max(self) -> int:
        return RUN_ENTRIES

    def _write_out(self) -> None:
        self._recent.sort()
        before = len(self._blocks)
        for start in range(0, len(self._recent), BLOCK_ENTRIES):
            self._write_block(self._recent[start : start + BLOCK_ENTRIES])
        self._runs.append(self._blocks[before:])
        self._recent = []

    def __iter__(self) -> Iterator[Ordered]:
        runs = [self._read(run) for run in self._runs]
        return heapq.merge(*runs, sorted(self._recent))


def chunks_of(entries: Iterable[Entry], size: int) -> Iterator[list[Entry]]:
    """Yield the entries of any iterable in lists of at most this size."""
    chunk: list[Entry] = []
    for entry in entries:
        chunk.append(entry)
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
