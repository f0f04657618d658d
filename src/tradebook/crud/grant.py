"""Grants: what an API key may do."""

import msgspec

from tradebook.clock import now_ms
from tradebook.errors import ApiKeyExpired, InsufficientPermissions


class Grant(msgspec.Struct, frozen=True):
    """What one API key may do: in one account, with some permissions, until some time."""

    account_id: int
    key_id: int
    permissions: frozenset[str]
    expires_at: int | None
    last_used_at: int = 0

    def require_unexpired(self) -> None:
        """Refuse a grant that has expired: ApiKeyExpired."""
        if self.expires_at is not None and now_ms() >= self.expires_at:
            raise ApiKeyExpired("This API key has expired.")

    def require(self, *permissions: str) -> None:
        """Refuse an action without its permission: InsufficientPermissions, which names the permission."""
        for permission in permissions:
            if permission not in self.permissions:
                raise InsufficientPermissions(
                    f"This API key lacks the permission {permission}. Use a key that has it."
                )
