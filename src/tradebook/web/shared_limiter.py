"""How often a key may ask, counted for several machines in Redis or Valkey."""

import time
from math import ceil

import limits
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from tradebook.web.log import log
from tradebook.web.verdict import Limiter, Verdict

AWAY_SECONDS = 5.0
"""How long a counter that has failed is not asked."""

ANSWER_SECONDS = 0.1
"""How long the shared counter may take to answer."""


class SharedLimiter:
    """Counts for several machines, in Redis or Valkey. If that is down, each machine counts for itself."""

    def __init__(
        self,
        storage_url: str,
        limit: int,
        window_seconds: int,
        machine: Limiter,
        namespace: str = "tradebook",
    ) -> None:
        storage = storage_from_string(
            storage_url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            wrap_exceptions=True,
        )
        self._strategy = SlidingWindowCounterRateLimiter(storage)
        self._item = limits.RateLimitItemPerSecond(limit, window_seconds, namespace=namespace)
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
                return Verdict(self._item.amount, stats.remaining, seconds, 0.0 if is_within else seconds)
        return self._machine.hit(name)
