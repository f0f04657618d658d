"""Grants: what an API key may do."""

import msgspec

from tradebook.clock import now_ms
from tradebook.errors import ApiKeyExpired, ApiKeyRevoked, InsufficientPermissions


class Grant(msgspec.Struct, frozen=True):
    """What one API key may do: in one account, with some permissions, until some time."""

    account_id: int
    key_id: int
    permissions: frozenset[str]
    expires_at: int | None = None
    revoked_at: int | None = None
    """In the future where its key was rotated and still works for a while."""
    last_used_at: int = 0

    @property
    def ends_at(self) -> int | None:
        """When it ends, one way or the other."""
        return min((end for end in (self.expires_at, self.revoked_at) if end is not None), default=None)

    def require_standing(self) -> None:
        """Refuse a grant that has ended: ApiKeyRevoked or ApiKeyExpired."""
        if self.expires_at is None and self.revoked_at is None:
            return
        ends_at = self.ends_at
        if ends_at is None or now_ms() < ends_at:
            return
        if self.revoked_at is not None and now_ms() >= self.revoked_at:
            raise ApiKeyRevoked("This API key was revoked.")
        raise ApiKeyExpired("This API key has expired.")

    def require(self, *permissions: str) -> None:
        """Refuse an action without its permission: InsufficientPermissions, which names the permission."""
        for permission in permissions:
            if permission not in self.permissions:
                raise InsufficientPermissions(
                    f"This API key lacks the permission {permission}. Use a key that has it."
                )
