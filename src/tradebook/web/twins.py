"""Twins: two requests under one idempotency key at the same time, of which the second is sent away.

What makes one row of them is the database, where writers of an account take turns and the second finds
the first one's answer. This only spares it the wait, on one machine: a lock on one byte of a file for each
key, which the kernel gives up with the process that holds it, however that ends.
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
    """Who is under way, among all processes on this machine that serve one book."""

    def __init__(self, database_url: str) -> None:
        self._file = open_shared(database_url, "twins")

    @contextmanager
    def alone(self, account_id: int, key: str | None) -> Iterator[None]:
        """Hold a key for as long as its request takes; IdempotencyKeyInUse where another one holds it."""
        if key is None:
            yield
            return
        digest = blake2b(f"{account_id} {key}".encode(), digest_size=8).digest()
        place = int.from_bytes(digest) % _PLACES
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place, os.SEEK_SET)
        except OSError:
            raise IdempotencyKeyInUse(
                "A request with this Idempotency-Key is under way. Try again shortly to have its answer.",
                param="Idempotency-Key",
            ) from None
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place, os.SEEK_SET)
