"""A key that was just made, with the secret that is shown this one time."""

from typing import Any

import msgspec

from tradebook_client.objects import ApiKey


class CreatedApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key and its secret."""

    api_key_secret: str
    api_key_info: ApiKey

    def __repr__(self) -> str:
        """Leave the secret out: what is printed ends in logs."""
        return f"CreatedApiKey(api_key_info={self.api_key_info!r})"


def in_one_form(answer: Any) -> Any:
    """Return a new key in its published form: servers before 1.0 put the secret into the key itself."""
    if isinstance(answer, dict) and "secret" in answer:
        return {"api_key_secret": answer["secret"], "api_key_info": answer}
    return answer
