"""What an API key opens."""

import msgspec

from tradebook.clock import now_ms
from tradebook.errors import ExpiredApiKey, PermissionDenied


class Grant(msgspec.Struct, frozen=True):
    """One account, some permissions, until a time."""

    account_id: int
    key_id: int
    permissions: frozenset[str]
    expires_at: int | None
    last_used_at: int = 0

    def require_unexpired(self) -> None:
        """Refuse a grant whose time is over: ExpiredApiKey."""
        if self.expires_at is not None and now_ms() >= self.expires_at:
            raise ExpiredApiKey("This API key has expired.")

    def require(self, *permissions: str) -> None:
        """Refuse what the key was not given: PermissionDenied names it."""
        for permission in permissions:
            if permission not in self.permissions:
                raise PermissionDenied(
                    f"This API key lacks the permission {permission}. Use a key that has it."
                )
