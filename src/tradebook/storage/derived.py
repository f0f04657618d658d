"""Derived values: what was made from an account's rows, kept in memory until the account changes."""

from collections import OrderedDict
from threading import Lock
from typing import Any

BYTES_MAX = 16_777_216
"""How much a worker keeps of all accounts: as much as two of them can fill, in a worker of 120 MB.

Most take up less than 100 KB, so there is room for more than a hundred that are busy.
"""

ACCOUNT_OVERHEAD_BYTES = 4_000
"""What an account takes up that keeps nothing large."""


class Values(dict[Any, Any]):
    """What was made from an account's rows at one revision, by name, and what it takes up.

    Whoever adds what is large does so with the lock held, and tells how large it is.
    """

    def __init__(self, revision: int = 0, kept_by: "Derived | None" = None) -> None:
        """`kept_by` is None for what one transaction has for itself."""
        super().__init__()
        self.revision = revision
        self.kept_by = kept_by
        self.lock = Lock() if kept_by is None else kept_by.lock
        self.size_bytes = ACCOUNT_OVERHEAD_BYTES

    def grow(self, size_bytes: int) -> None:
        """Count what was added, less what is gone; the lock is held."""
        self.size_bytes += size_bytes
        if self.kept_by is not None:
            self.kept_by.count(size_bytes)


class Derived:
    """The values of the accounts that were asked for last, up to a number of bytes."""

    def __init__(self) -> None:
        self.lock = Lock()
        self._known: OrderedDict[int, Values] = OrderedDict()
        self.size_bytes = 0

    def of(self, account_id: int, revision: int) -> Values:
        """Return the account's derived values at a revision; nothing yet if it has changed since.

        They stay with who has them, also when they are no longer kept for others.
        """
        with self.lock:
            known = self._known.get(account_id)
            if known is not None and known.revision == revision:
                self._known.move_to_end(account_id)
                return known
            if known is not None:
                self._let_go(account_id)
            known = self._known[account_id] = Values(revision, self)
            self.count(known.size_bytes)
            return known

    def count(self, size_bytes: int) -> None:
        """Count what values have grown by, and let go of accounts not asked for the longest; locked."""
        self.size_bytes += size_bytes
        while self.size_bytes > BYTES_MAX:
            self._let_go(next(iter(self._known)))

    def _let_go(self, account_id: int) -> None:
        values = self._known.pop(account_id)
        values.kept_by = None
        self.size_bytes -= values.size_bytes
