"""Bodies: awaited up to a size and for a time, then read by the application as one piece."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import falcon

from tradebook.errors import ApiError, PayloadTooLarge, RequestTimeout, ValidationFailed
from tradebook.web.heads import Environ

DRAINED_BYTES_MAX = 16_777_216
DRAINED_SECONDS_MAX = 2.0
"""How much of a body that nobody wants is read and dropped, so that the client gets its answer: a client that
is still sending would lose its connection otherwise, and the answer with it."""


LONG_SECONDS = 0.5
"""How long a worker that ends has waited for a body when it waits no more."""


class Arriving(Protocol):
    """A body that arrives in pieces."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces. At the end, and after a damage, they are empty."""


class Bodies:
    """Awaits bodies: each has a time of its own, and nobody else waits for it."""

    def __init__(self, bytes_max: int, timeout_ms: int) -> None:
        self._bytes_max = bytes_max
        self._seconds_max = timeout_ms / 1000
        self._waits: set[asyncio.Timeout] = set()

    def require_small(self, request: falcon.Request) -> None:
        """Refuse a body whose Content-Length is over the limit, without reading it: PayloadTooLarge."""
        length = request.env.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length.lstrip("0")[:20] or "0") > self._bytes_max:
            raise self._too_large()

    def read(self, request: falcon.Request) -> bytes:
        """Read the body, which is there as a whole; BodyWanted while it is not."""
        raw: bytes = request.env["wsgi.input"].read(self._bytes_max + 1)
        return raw

    async def arrived(self, environ: Environ, arriving: Arriving) -> bytes:
        """Wait for the whole body; RequestTimeout, PayloadTooLarge, or ValidationFailed if it is damaged."""
        pieces, size, ends = [], 0, 0
        try:
            async with self._timeout():
                async for piece in arriving:
                    size += len(piece)
                    ends += not piece
                    if size <= self._bytes_max:
                        pieces.append(piece)
                    elif size > self._bytes_max + DRAINED_BYTES_MAX:
                        break
        except TimeoutError:
            raise RequestTimeout(
                f"The body did not arrive within {self._seconds_max:g} s: {size} bytes have come."
            ) from None
        if size > self._bytes_max:
            raise self._too_large()
        self._require_whole(environ, size, ends)
        return b"".join(pieces)

    def wait_no_more(self) -> None:
        """End the time of all bodies that have been awaited for long: RequestTimeout for each."""
        now = asyncio.get_running_loop().time()
        for wait in self._waits:
            if now - (wait.when() or now) + self._seconds_max > LONG_SECONDS:
                wait.reschedule(now)

    @asynccontextmanager
    async def _timeout(self) -> AsyncIterator[None]:
        async with asyncio.timeout(self._seconds_max) as wait:
            self._waits.add(wait)
            try:
                yield
            finally:
                self._waits.discard(wait)

    def _too_large(self) -> ApiError:
        return PayloadTooLarge(f"The body is over {self._bytes_max} bytes.")

    def _require_whole(self, environ: Environ, size: int, ends: int) -> None:
        if "HTTP_TRANSFER_ENCODING" not in environ:
            length = int(environ.get("CONTENT_LENGTH") or 0)
            if size != length:
                raise ValidationFailed(f"The body ends after {size} of {length} bytes.")
        elif ends > 1 or not size:
            # The server tells of damage by one more empty piece, and takes trailers for such.
            raise ValidationFailed(
                "The body that Transfer-Encoding announces did not come, was cut off, or has trailers, which "
                "are not read here."
            )


async def drained(arriving: Arriving) -> bool:
    """Read and drop a body, up to a number of bytes and for a short time; False if there is more of it."""
    left = DRAINED_BYTES_MAX
    try:
        async with asyncio.timeout(DRAINED_SECONDS_MAX):
            async for piece in arriving:
                left -= len(piece)
                if left <= 0:
                    return False
    except TimeoutError:
        return False
    return True
