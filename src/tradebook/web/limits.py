"""How often a key may ask: a sliding window, counted for all processes of a machine, or of several.

A request counts in the window of its moment; of the window before, that share counts which the sliding
window still covers, as if its requests had come evenly. Over time no more than the limit is let in; after a
quiet time a burst may use up two windows' number at once, and never more.
"""

import fcntl
import mmap
import os
import time
from hashlib import blake2b
from math import ceil
from struct import Struct
from typing import Protocol

import limits
import msgspec
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from tradebook.web.log import log
from tradebook.web.shared_file import open_shared

_SLOT = Struct("<QIII4x")
_SLOTS_OF_BUCKET = 8
_BUCKET_BYTES = _SLOT.size * _SLOTS_OF_BUCKET
_BUCKETS = 8_192
ADDRESS_BIT = 63
"""Set in the number of an address, and in no key's."""
AWAY_SECONDS = 5.0
"""How long a counter that has failed is left alone."""

ANSWER_SECONDS = 0.1
"""How long the counter of several machines may take."""


class Verdict(msgspec.Struct, frozen=True):
    """What the headers of an answer say of the limit, and whether the request is within it."""

    limit: int
    remaining: int
    reset_seconds: int
    retry_after_seconds: int = 0
    """How long to wait; 0 where the request is within the limit."""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Write the headers that every answer to a key has."""
        return (
            ("RateLimit-Limit", str(self.limit)),
            ("RateLimit-Remaining", str(self.remaining)),
            ("RateLimit-Reset", str(self.reset_seconds)),
        )


class Limiter(Protocol):
    """Counts requests."""

    def hit(self, name: int) -> Verdict:
        """Count a request of a key, if it is within the limit."""


class MachineLimiter:
    """Counts for all processes of this machine that serve one book, in a file that they map.

    Each key has a slot of a bucket that is locked while it is counted in. Where a bucket is full, whoever was
    last seen longest ago makes room.
    """

    def __init__(self, database_url: str, limit: int, window_seconds: int) -> None:
        self._limit, self._window = limit, window_seconds
        self._file = open_shared(database_url, "limits", _BUCKETS * _BUCKET_BYTES)
        self._memory = mmap.mmap(self._file, _BUCKETS * _BUCKET_BYTES)

    def hit(self, name: int) -> Verdict:
        """Count a request of a key, if it is within the limit."""
        now, elapsed = divmod(time.monotonic(), self._window)
        window = int(now)
        # Keys in one half and addresses in the other: however many addresses there are, no key makes room.
        half = _BUCKETS // 2
        bucket = name * 0x9E3779B97F4A7C15 % (1 << 64) % half + (half if name >> ADDRESS_BIT else 0)
        start = bucket * _BUCKET_BYTES
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, start, os.SEEK_SET)
        try:
            place, current, previous = self._find(start, name, window)
            verdict = self._judge(current, previous, elapsed)
            if not verdict.retry_after_seconds:
                _SLOT.pack_into(self._memory, place, name, window, current + 1, previous)
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, start, os.SEEK_SET)
        return verdict

    def _find(self, start: int, name: int, window: int) -> tuple[int, int, int]:
        """Return the key's slot, and its counts of this window and the one before."""
        oldest, place = window + 1, start
        for at in range(start, start + _BUCKET_BYTES, _SLOT.size):
            owner, seen, current, previous = _SLOT.unpack_from(self._memory, at)
            if owner == name:
                if seen == window:
                    return at, current, previous
                return at, 0, current if seen == window - 1 else 0
            if seen > window:
                # The clock counts from the start of the machine, and the file may be older.
                seen = 0
            if seen < oldest:
                oldest, place = seen, at
        return place, 0, 0

    def _judge(self, current: int, previous: int, elapsed: float) -> Verdict:
        limit, window = self._limit, self._window
        used = previous * (1 - elapsed / window) + current
        if used + 1 <= limit:
            return Verdict(limit, int(limit - used - 1), ceil(window - elapsed))
        if current < limit:
            wait = window * (1 - (limit - 1 - current) / previous) - elapsed
        else:
            wait = window - elapsed + window * (1 - (limit - 1) / current)
        return Verdict(limit, 0, ceil(window - elapsed), max(1, ceil(wait)))


class SharedLimiter:
    """Counts for several machines, in Redis or Valkey; while that is away, each machine counts by itself."""

    def __init__(self, storage_url: str, limit: int, window_seconds: int, machine: Limiter) -> None:
        storage = storage_from_string(
            storage_url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            wrap_exceptions=True,
        )
        self._strategy = SlidingWindowCounterRateLimiter(storage)
        self._item = limits.RateLimitItemPerSecond(limit, window_seconds, namespace="tradebook")
        self._machine = machine
        self._alone_until = 0.0

    def hit(self, name: int) -> Verdict:
        """Count a request of a key, if it is within the limit."""
        if time.monotonic() >= self._alone_until:
            try:
                is_within = self._strategy.hit(self._item, str(name))
                stats = self._strategy.get_window_stats(self._item, str(name))
            except StorageError as error:
                self._alone_until = time.monotonic() + AWAY_SECONDS
                log("requests are counted by this machine alone", reason=repr(error.storage_error))
            else:
                self._alone_until = 0.0
                seconds = max(1, ceil(stats.reset_time - time.time()))
                return Verdict(self._item.amount, stats.remaining, seconds, 0 if is_within else seconds)
        return self._machine.hit(name)


def make_limiter(database_url: str, limit: int, window_seconds: int, storage_url: str) -> Limiter | None:
    """Make what the settings ask for; None where nothing is limited."""
    if not limit:
        return None
    machine = MachineLimiter(database_url, limit, window_seconds)
    return SharedLimiter(storage_url, limit, window_seconds, machine) if storage_url else machine


def number_of(address: str) -> int:
    """Give an address, from which requests without a good key come, a number that is no key's."""
    return int.from_bytes(blake2b(address.encode(), digest_size=8).digest()) | 1 << ADDRESS_BIT
