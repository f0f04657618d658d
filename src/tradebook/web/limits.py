"""How often a key may ask: a sliding window, counted for all processes of a machine.

A request is counted in the current window. The part of the previous window that the sliding window still
covers counts too, as if its requests had come evenly. Over time, no more requests than the limit are
allowed; after an idle period, one burst can use almost twice the limit, and never more.
"""

import fcntl
import mmap
import os
import time
from functools import partial
from hashlib import blake2b
from math import ceil
from struct import Struct
from threading import Lock

import msgspec

from tradebook.settings import Settings
from tradebook.web.log import log
from tradebook.web.recent import Recent
from tradebook.web.shared_file import open_shared
from tradebook.web.verdict import Limiter, Verdict

_SLOT = Struct("<QIII4x")
_SLOTS_OF_BUCKET = 8
_BUCKET_BYTES = _SLOT.size * _SLOTS_OF_BUCKET
_BUCKETS = 8_192
ADDRESS_BIT = 63
"""This bit is set in the number of an address, and never in that of a key."""


AHEAD_SHARE, NAMES_AHEAD = 2_000, 10_000
"""The part of a limit that is taken ahead at once, and for how many names. Addresses have none: who has many
of them could have keys lose what is taken ahead for them."""

LEAST_WAIT_SECONDS = 0.000_001
"""A wait that rounding leaves nothing of is one all the same."""


class Limits(msgspec.Struct, frozen=True):
    """The limits that a request must be within: that of its key, and that of its account."""

    of_keys: Limiter
    of_accounts: Limiter | None = None

    def hit(self, name: int, account_id: int | None = None) -> Verdict:
        """Count a request of a key, or of an address; returns the verdict of the tighter limit.

        What a key's own limit refuses takes nothing from its account.
        """
        verdict = self.of_keys.hit(name)
        if self.of_accounts is None or account_id is None or verdict.wait_seconds:
            return verdict
        of_account = self.of_accounts.hit(account_id)
        is_tighter = of_account.wait_seconds or of_account.remaining < verdict.remaining
        return of_account if is_tighter else verdict


class MachineLimiter:
    """Counts for all processes of this machine that serve one book, in a file that they map into memory.

    Each key has a slot in a bucket. A bucket is locked while a request is counted in it. If it is full, the
    key that was seen longest ago loses its slot. Where there is no room for the file, each process counts for
    itself.
    """

    def __init__(
        self,
        database_url: str,
        limit: int,
        window_seconds: int,
        *,
        purpose: str = "limits",
        folder: str = "",
    ) -> None:
        self._limit, self._window = limit, window_seconds
        # The locks of a file are the process's: they don't keep its threads apart.
        self._lock = Lock()
        size = _BUCKETS * _BUCKET_BYTES
        self._file: int | None = None
        try:
            self._file = open_shared(database_url, purpose, size, folder)
        except OSError as error:
            log("requests are counted by each process alone", reason=str(error))
        self._memory = mmap.mmap(-1 if self._file is None else self._file, size)

    def hit(self, name: int, ahead: int = 0) -> Verdict:
        """Count a request of a key, if it is within the limit, and up to `ahead` more that remain."""
        now, elapsed = divmod(time.monotonic(), self._window)
        window = int(now)
        # Keys in one half, addresses in the other, so that no number of addresses can push a key out.
        half = _BUCKETS // 2
        bucket = name * 0x9E3779B97F4A7C15 % (1 << 64) % half + (half if name >> ADDRESS_BIT else 0)
        start = bucket * _BUCKET_BYTES
        with self._lock:
            if self._file is None:
                return self._count(start, name, window, elapsed, ahead)
            fcntl.lockf(self._file, fcntl.LOCK_EX, 1, start, os.SEEK_SET)
            try:
                return self._count(start, name, window, elapsed, ahead)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, start, os.SEEK_SET)

    def _count(self, start: int, name: int, window: int, elapsed: float, ahead: int) -> Verdict:
        place, current, previous = self._find(start, name, window)
        verdict = self._judge(current, previous, elapsed)
        if not verdict.wait_seconds:
            _SLOT.pack_into(
                self._memory, place, name, window, current + 1 + min(ahead, verdict.remaining), previous
            )
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
        return Verdict(limit, 0, ceil(window - elapsed), max(wait, LEAST_WAIT_SECONDS))


class _Taken:
    """What a process knows of a name until a window ends: what is taken ahead, or until when it refuses."""

    __slots__ = ("left", "refused_until", "remaining", "until")

    def __init__(self, until: float, left: int, remaining: int, refused_until: float) -> None:
        self.until, self.left, self.remaining = until, left, remaining
        self.refused_until = refused_until


class AheadLimiter:
    """Counts in a machine's file, but takes some requests of a name ahead, so that few have to ask there.

    What a process has taken ahead and does not use counts all the same, two thousandths of a limit at most.
    Whom the file has refused it would refuse until a moment that is known, whatever others ask.
    """

    def __init__(self, machine: MachineLimiter, limit: int, window_seconds: int) -> None:
        self._machine, self._limit, self._window = machine, limit, window_seconds
        self._ahead = limit // AHEAD_SHARE
        self._lock = Lock()
        self._taken: Recent[int, _Taken] = Recent(NAMES_AHEAD)

    def hit(self, name: int) -> Verdict:
        """Count a request of a name, if it is within the limit."""
        if name >> ADDRESS_BIT:
            return self._machine.hit(name)
        now = time.monotonic()
        with self._lock:
            taken = self._taken.get(name)
            if taken is not None and now < taken.until:
                if taken.left:
                    taken.left -= 1
                    taken.remaining -= 1
                    return Verdict(self._limit, taken.remaining, ceil(taken.until - now))
                if now < taken.refused_until:
                    return Verdict(self._limit, 0, ceil(taken.until - now), taken.refused_until - now)
            verdict = self._machine.hit(name, self._ahead)
            left = 0 if verdict.wait_seconds else min(self._ahead, verdict.remaining)
            until = (now // self._window + 1) * self._window
            self._taken.put(name, _Taken(until, left, verdict.remaining, now + verdict.wait_seconds))
            return verdict


def make_limits(settings: Settings) -> Limits | None:
    """Make the limits that the settings ask for; None if there is none."""
    shared = (settings.rate_limit_seconds, settings.rate_limit_storage)
    make = partial(make_limiter, settings.database, folder=settings.run_folder)
    of_keys = make(settings.rate_limit, *shared)
    if of_keys is None:
        return None
    of_accounts = make(settings.account_rate_limit, *shared, purpose="account-limits")
    return Limits(of_keys, of_accounts)


def make_limiter(
    database_url: str,
    limit: int,
    window_seconds: int,
    storage_url: str,
    *,
    purpose: str = "limits",
    folder: str = "",
) -> Limiter | None:
    """Make a limiter; None if there is no limit."""
    if not limit:
        return None
    machine = MachineLimiter(database_url, limit, window_seconds, purpose=purpose, folder=folder)
    if not storage_url:
        return AheadLimiter(machine, limit, window_seconds)
    # Late: a worker whose machine counts alone has no use for the library and its clients of Redis.
    from tradebook.web.shared_limiter import SharedLimiter  # noqa: PLC0415

    return SharedLimiter(storage_url, limit, window_seconds, machine, f"tradebook {purpose}")


def number_of(address: str) -> int:
    """Return the number under which requests from an address are counted; no key has it."""
    return int.from_bytes(blake2b(address.encode(), digest_size=8).digest()) | 1 << ADDRESS_BIT
