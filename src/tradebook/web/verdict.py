"""What whoever counts requests says of one."""

from math import ceil
from typing import Protocol

import msgspec


class Verdict(msgspec.Struct, frozen=True):
    """Whether a request is within the limit, and what the headers of its answer say about the limit."""

    limit: int
    remaining: int
    reset_seconds: int
    wait_seconds: float = 0.0
    """How long nothing is let in; 0 if the request is within the limit."""

    @property
    def retry_after_seconds(self) -> int:
        """Tell how long to wait, in whole seconds; 0 if the request is within the limit."""
        return ceil(self.wait_seconds)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Write the headers about the limit."""
        return (
            ("ratelimit-limit", str(self.limit)),
            ("ratelimit-remaining", str(self.remaining)),
            ("ratelimit-reset", str(self.reset_seconds)),
        )


class Limiter(Protocol):
    """Counts requests."""

    def hit(self, name: int) -> Verdict:
        """Count a request of a key, if it is within the limit."""
