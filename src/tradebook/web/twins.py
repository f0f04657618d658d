"""Twins: two equal requests under one idempotency key at the same time. The second one is refused at once.

Twins would be safe without this: writers of an account take turns in the database, so the second request
would wait and then find the answer of the first. Refusing it only saves that wait, on one machine. Each key
locks one byte of a shared file. When a process ends, in whatever way, the kernel releases its locks.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

from tradebook.errors import IdempotencyKeyInUse
from tradebook.web.shared_file import open_shared

_PLACES = 1 << 62


class Twins:
    """The idempotency keys in use, among all processes of this machine that serve one book."""

    def __init__(self, database_url: str) -> None:
        self._file = open_shared(database_url, "twins")

    @contextmanager
    def alone(self, account_id: int, key: str | None) -> Iterator[None]:
        """Hold a key as long as its request runs; IdempotencyKeyInUse if another request holds it."""
        if key is None:
            yield
            return
        digest = blake2b(f"{account_id} {key}".encode(), digest_size=8).digest()
        place = int.from_bytes(digest) % _PLACES
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place, os.SEEK_SET)
        except OSError:
            raise IdempotencyKeyInUse(
                "A request with this Idempotency-Key is still running. Try again shortly to get its answer.",
                param="Idempotency-Key",
            ) from None
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place, os.SEEK_SET)
