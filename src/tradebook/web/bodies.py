"""Reads the bytes of a body, up to a limit and within a time."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import falcon

from tradebook.errors import PayloadTooLarge, ValidationFailed
from tradebook.web.log import log

DRAINED_BYTES_MAX = 16_777_216
"""How much of a too large body is read and dropped, so that the client gets its answer."""


class Bodies:
    """Reads bodies, and ends the process if a body does not arrive.

    A worker answers one request at a time, and nothing can interrupt the server's read. So a client that
    stops in the middle would block the worker for ever. When the time is over, the worker ends and another
    one takes its place. A proxy that reads whole bodies before it passes them on keeps such clients away.
    """

    def __init__(self, bytes_max: int, timeout_ms: int) -> None:
        self._bytes_max = bytes_max
        self._seconds_max = timeout_ms / 1000
        self._waiting_since: float | None = None
        self._watch: threading.Thread | None = None

    def require_small(self, request: falcon.Request) -> None:
        """Refuse a body whose Content-Length is over the limit, without reading it: PayloadTooLarge."""
        length = request.env.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length.lstrip("0")[:20] or "0") > self._bytes_max:
            raise self._too_large()

    def read(self, request: falcon.Request) -> bytes:
        """Read as many bytes as Content-Length says; without it (chunked), read up to the limit."""
        stream = request.env["wsgi.input"]
        if request.env.get("HTTP_TRANSFER_ENCODING"):
            with self._watched():
                return self._read_chunked(stream)
        length = int(request.env.get("CONTENT_LENGTH") or 0)
        if not length:
            return b""
        with self._watched():
            raw: bytes = stream.read(length)
        if len(raw) != length:
            raise ValidationFailed(f"The body ends after {len(raw)} of {length} bytes.")
        return raw

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The body is over {self._bytes_max} bytes.")

    def _read_chunked(self, stream: Any) -> bytes:
        found: bytes = stream.read(self._bytes_max + 1)
        if len(found) > self._bytes_max:
            # Otherwise a client that is still sending would lose its connection and get no answer.
            left = DRAINED_BYTES_MAX
            while left > 0 and (piece := stream.read(65_536)):
                left -= len(piece)
            raise self._too_large()
        if not found:
            # For the server, a body that was cut off or damaged looks like an empty one.
            raise ValidationFailed("The body that Transfer-Encoding announces did not come, or was cut off.")
        return found

    @contextmanager
    def _watched(self) -> Iterator[None]:
        if self._watch is None:
            self._watch = threading.Thread(target=self._end_when_over, daemon=True)
            self._watch.start()
        self._waiting_since = time.monotonic()
        try:
            yield
        finally:
            self._waiting_since = None

    def _end_when_over(self) -> None:
        while True:
            time.sleep(self._seconds_max / 10)
            since = self._waiting_since
            if since is not None and time.monotonic() - since > self._seconds_max:
                log("a body did not come in time; this worker is replaced", seconds=self._seconds_max)
                os._exit(1)
