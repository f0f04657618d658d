"""How many requests that last are under way."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

from tradebook.errors import RateLimitExceeded

IN_ALL_MAX = 16
"""How many of a kind a worker process has under way at most: an export holds a snapshot, an upload a file."""

RETRY_SECONDS = 5


class UnderWay:
    """How many of a kind are under way, of each account and in all."""

    def __init__(self, what: str, of_account_max: int) -> None:
        self._what = what
        self._of_account_max = of_account_max
        self._counted: Counter[int] = Counter()
        self._lock = Lock()

    def enter(self, account_id: int) -> Callable[[], Any]:
        """Count one more, and return what counts it no more; RateLimitExceeded where there are too many."""
        with self._lock:
            if self._counted[account_id] >= self._of_account_max:
                told = f"This account has {self._of_account_max} {self._what} under way"
            elif self._counted.total() >= IN_ALL_MAX:
                told = f"The server has {IN_ALL_MAX} {self._what} under way"
            else:
                self._counted[account_id] += 1
                return partial(self._leave, account_id)
        raise RateLimitExceeded(f"{told}. Wait for one of them to end.", retry_after_seconds=RETRY_SECONDS)

    def _leave(self, account_id: int) -> None:
        with self._lock:
            self._counted[account_id] -= 1
            # A Counter keeps what is counted to nothing.
            self._counted += Counter()
