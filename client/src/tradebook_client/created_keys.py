"""A key that was just made, with the secret that is shown this one time."""

import msgspec

from tradebook_client.objects import ApiKey


class CreatedApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key and its secret."""

    api_key_secret: str
    api_key_info: ApiKey

    def __repr__(self) -> str:
        """Leave the secret out: what is printed ends in logs."""
        return f"CreatedApiKey(api_key_info={self.api_key_info!r})"
