"""Answers that are made while they are sent, step by step."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from time import monotonic, perf_counter

from tradebook.crud.whole import Block, Pace
from tradebook.storage.database import Unavailable
from tradebook.web.compression import Compressor


class TookTooLong(Exception):
    """The answer would be under way for longer than its snapshot may be held."""


class Stream:
    """The parts of an answer. Close it, whether or not it was read to its end: it holds a snapshot."""

    def __init__(
        self,
        account_id: int,
        blocks: Iterator[Block],
        held: ExitStack,
        pace: Pace,
        packing: Compressor | None,
        *,
        seconds_max: float,
    ) -> None:
        """Take the blocks that are read, and the snapshot that they are read from."""
        self.account_id = account_id
        self.rows = self.bytes = 0
        self.is_whole = self._is_made = False
        self.on_close: list[Callable[[Stream], object]] = []
        self._blocks, self._held, self._pace, self._packing = blocks, held, pace, packing
        self._ends_at = monotonic() + seconds_max
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def require_in_time(self) -> None:
        """TookTooLong if its snapshot has been held for as long as it may be."""
        if not self._is_made and monotonic() >= self._ends_at:
            raise TookTooLong

    def __next__(self) -> bytes:
        """Make the next part, which may be empty where it is compressed."""
        if self._is_made:
            self.is_whole = True
            raise StopIteration
        self.require_in_time()
        began = perf_counter()
        block = self._next_block()
        if block is None:
            # Only now it is known that all of it was one snapshot.
            self._held.close()
            self._is_made = True
            part = b"" if self._packing is None else self._packing.flush()
        else:
            part = block.body if self._packing is None else self._packing.compress(block.body)
            self.rows += block.rows
            if block.rows:
                self._pace.note(perf_counter() - began)
        self.bytes += len(part)
        return part

    def _next_block(self) -> Block | None:
        try:
            return next(self._blocks, None)
        except Exception as error:
            # Whose snapshot it is says what that means: perhaps that the database is away.
            self._held.__exit__(type(error), error, error.__traceback__)
            raise

    def close(self) -> None:
        """End the snapshot, and tell those who wait for it."""
        if not self._is_closed:
            self._is_closed = True
            with suppress(Unavailable):
                self._held.close()
            for tell in self.on_close:
                tell(self)
