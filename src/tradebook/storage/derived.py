"""Derived values: what was made from an account's rows, kept in memory until the account changes."""

from typing import Any

ACCOUNTS_MAX = 64


class Derived:
    """One dictionary for each account, emptied as soon as the account has another revision."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, dict[Any, Any]]] = {}

    def of(self, account_id: int, revision: int) -> dict[Any, Any]:
        """Return the account's derived values at a revision; an empty dictionary if it has changed since."""
        known = self._known.get(account_id)
        if known is None or known[0] != revision:
            if len(self._known) >= ACCOUNTS_MAX:
                self._known.clear()
            known = self._known[account_id] = (revision, {})
        return known[1]
