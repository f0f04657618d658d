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
from threading import Lock

from tradebook.errors import IdempotencyInProgress
from tradebook.web.log import log
from tradebook.web.shared_file import open_shared

_PLACES = 1 << 62


class Twins:
    """The idempotency keys in use, among all processes of this machine that serve one book."""

    def __init__(self, database_url: str, folder: str = "") -> None:
        # The file's locks are the process's: they don't keep its threads apart.
        self._lock = Lock()
        self._own: set[int] = set()
        self._file: int | None = None
        try:
            self._file = open_shared(database_url, "twins", folder=folder)
        except OSError as error:
            log("equal requests are noticed within a process alone", reason=str(error))

    @contextmanager
    def alone(self, account_id: int, key: str | None) -> Iterator[None]:
        """Hold a key as long as its request runs; IdempotencyInProgress if another request holds it."""
        if key is None:
            yield
            return
        digest = blake2b(f"{account_id} {key}".encode(), digest_size=8).digest()
        place = int.from_bytes(digest) % _PLACES
        if not self._take(place):
            raise IdempotencyInProgress(
                "A request with this Idempotency-Key is still running. Try again shortly to get its answer.",
                param="Idempotency-Key",
            )
        try:
            yield
        finally:
            self._give_back(place)

    def _take(self, place: int) -> bool:
        with self._lock:
            if place in self._own:
                return False
            if self._file is not None:
                try:
                    fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place, os.SEEK_SET)
                except BlockingIOError:
                    return False
            self._own.add(place)
            return True

    def _give_back(self, place: int) -> None:
        with self._lock:
            self._own.remove(place)
            if self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place, os.SEEK_SET)
