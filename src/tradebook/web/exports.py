"""How many exports are under way."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

from tradebook.errors import RateLimitExceeded

IN_ALL_MAX = 16
"""How many a worker process has under way at most: each holds a snapshot."""

RETRY_SECONDS = 5


class Exports:
    """How many exports are under way, of each account and in all."""

    def __init__(self, of_account_max: int, seconds_max: float) -> None:
        self.seconds_max = seconds_max
        self._of_account_max = of_account_max
        self._under_way: Counter[int] = Counter()
        self._lock = Lock()

    def enter(self, account_id: int) -> Callable[[], Any]:
        """Count one more, and return what counts it no more; RateLimitExceeded where there are too many."""
        with self._lock:
            if self._under_way[account_id] >= self._of_account_max:
                told = f"This account has {self._of_account_max} exports under way"
            elif self._under_way.total() >= IN_ALL_MAX:
                told = f"The server has {IN_ALL_MAX} exports under way"
            else:
                self._under_way[account_id] += 1
                return partial(self._leave, account_id)
        raise RateLimitExceeded(f"{told}. Wait for one of them to end.", retry_after_seconds=RETRY_SECONDS)

    def _leave(self, account_id: int) -> None:
        with self._lock:
            self._under_way[account_id] -= 1
            # A Counter keeps what is counted to nothing.
            self._under_way += Counter()
