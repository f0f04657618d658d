"""Bodies: awaited up to a size and for a time, then read by the application as one piece."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Protocol

import falcon
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

from tradebook.errors import ApiError, PayloadTooLarge, RequestTimeout, ValidationFailed
from tradebook.web import metrics
from tradebook.web.heads import Environ
from tradebook.web.waiting import overloaded

DRAINED_BYTES_MAX = 16_777_216
DRAINED_SECONDS_MAX = 2.0
"""How much of a body that nobody wants is read and dropped, so that the client gets its answer: a client that
is still sending would lose its connection otherwise, and the answer with it."""

PIECES_MAX = 1_000
PIECE_BYTES = 256
"""In how many pieces a body may come, and one more for so many bytes. Each piece is a step of the loop."""

HELD_BYTES_MAX = 67_108_864
"""How many bytes of bodies that are not complete a worker holds. An account may hold as many as are left."""

WHOLE_DIGITS_MAX = 5
"""How many digits the length of a body has that is dropped as a whole: it is under 100 kB."""

DRAINED_MAX = 1_000
"""How many unwanted bodies are read at a time."""

LONG_SECONDS = 0.5
"""How long a worker that ends has waited for a body when it waits no more."""


class Arriving(Protocol):
    """A body that arrives in pieces."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces. At the end, and after a damage, they are empty."""


class Body(Arriving, Protocol):
    """The body of a request: it can be taken in pieces, or as a whole."""

    def __call__(self) -> Awaitable[bytes]:
        """Return the whole body."""


class Bodies:
    """Awaits bodies: each has a time of its own, and nobody else waits for it."""

    def __init__(self, bytes_max: int, timeout_ms: int) -> None:
        self._bytes_max = bytes_max
        self._seconds_max = timeout_ms / 1000
        self._waits: set[asyncio.Timeout] = set()
        self._held: dict[int, int] = {}
        self._drained = 0
        self._left: deque[tuple[asyncio.Future[bytes], float]] = deque()
        """The small bodies that are dropped when they come, and since when."""

        self._is_looking = False

    def require_small(self, request: falcon.Request) -> None:
        """Refuse a body whose Content-Length is over the limit, without reading it: PayloadTooLarge."""
        require_length(request, self._bytes_max)

    def read(self, request: falcon.Request) -> bytes:
        """Read the body, which is there as a whole; BodyWanted while it is not."""
        raw: bytes = request.env["wsgi.input"].read(self._bytes_max + 1)
        return raw

    async def arrived(self, environ: Environ, account: int, arriving: Arriving) -> bytes:
        """Wait for the whole body of an account's request.

        RequestTimeout, PayloadTooLarge, ValidationFailed if it is damaged, ServiceUnavailable if others have
        sent too much already.
        """
        pieces: list[bytes] = []
        try:
            return await self._whole(environ, account, arriving, pieces)
        finally:
            self._hold(account, -sum(map(len, pieces)))

    async def _whole(self, environ: Environ, account: int, arriving: Arriving, pieces: list[bytes]) -> bytes:
        size, ends = 0, 0
        length = length_of(environ)
        try:
            async with self._timeout():
                async for piece in arriving:
                    size += len(piece)
                    ends += not piece
                    if size <= self._bytes_max:
                        pieces.append(piece)
                        self._hold(account, len(piece))
                        require_few(len(pieces), size)
                    elif size > self._bytes_max + DRAINED_BYTES_MAX:
                        break
                    if size == length:
                        # Its end need not be waited for.
                        break
        except TimeoutError:
            raise RequestTimeout(
                f"The body did not arrive within {self._seconds_max:g} s: {size} bytes have come."
            ) from None
        if size > self._bytes_max:
            raise _too_large(self._bytes_max)
        require_whole(length, size, ends)
        return b"".join(pieces)

    async def drained(self, body: Arriving) -> bool:
        """Read and drop a body, up to a size and for a short time; False if there is more of it."""
        if self._drained >= DRAINED_MAX:
            return False
        self._drained += 1
        try:
            return await drain(body)
        except ProtocolClosed:
            return False
        finally:
            self._drained -= 1

    def leave(self, body: Body) -> bool:
        """Have a small body dropped when it comes, without waiting for it; False if there are too many.

        It is taken as a whole, beside its answer, without a task and a timer of its own: at an overload, to
        wait for it would be half of what a refusal costs.
        """
        left, loop = self._left, asyncio.get_running_loop()
        while left and left[0][0].done():
            left.popleft()
        if len(left) >= DRAINED_MAX:
            return False
        left.append((asyncio.ensure_future(body()), loop.time()))
        if not self._is_looking:
            self._is_looking = True
            loop.call_later(DRAINED_SECONDS_MAX, self._end_late_ones)
        return True

    def _end_late_ones(self) -> None:
        """Wait no more for the bodies that take too long, and look again as long as there are others."""
        loop = asyncio.get_running_loop()
        left = self._left
        while left:
            body, since = left[0]
            wait = since + DRAINED_SECONDS_MAX - loop.time()
            if wait > 0 and not body.done():
                loop.call_later(wait, self._end_late_ones)
                return
            # The server then closes the connection.
            body.cancel()
            left.popleft()
        self._is_looking = False

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

    def _hold(self, account: int, number: int) -> None:
        """Count bytes that an account has on their way; ServiceUnavailable where few are left for others."""
        held = self._held[account] = self._held.get(account, 0) + number
        if not held:
            del self._held[account]
        elif number > 0 and held > HELD_BYTES_MAX - sum(self._held.values()):
            metrics.unavailable("load")
            raise overloaded()


def rewind_body(environ: Environ) -> None:
    """Have the body of a request, which was read, be read again."""
    environ["wsgi.input"].seek(0)


def is_small(length: str | None) -> bool:
    """Tell whether a body says, in its head, that it is small."""
    return length is not None and length.isdecimal() and len(length) <= WHOLE_DIGITS_MAX


async def drain(arriving: Arriving) -> bool:
    """Read and drop what comes, up to a size and for a short time; False if there is more of it."""
    size, pieces = 0, 0
    try:
        async with asyncio.timeout(DRAINED_SECONDS_MAX):
            async for piece in arriving:
                size += len(piece)
                pieces += 1
                if size > DRAINED_BYTES_MAX or pieces > PIECES_MAX + size // PIECE_BYTES:
                    return False
    except TimeoutError:
        return False
    return True


def require_length(request: falcon.Request, bytes_max: int) -> None:
    """Refuse a body that its head says is too large: PayloadTooLarge."""
    length = request.env.get("CONTENT_LENGTH")
    if length and (not length.isdecimal() or int(length.lstrip("0")[:20] or "0") > bytes_max):
        raise _too_large(bytes_max)


def _too_large(bytes_max: int) -> ApiError:
    return PayloadTooLarge(f"The body is over {bytes_max} bytes.")


def length_of(environ: Environ) -> int | None:
    """Read how long a body is; None where that is told in its chunks."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return None
    return int(environ.get("CONTENT_LENGTH", "").lstrip("0") or 0)


def require_whole(length: int | None, size: int, ends: int) -> None:
    """Refuse a body that was cut or damaged on its way; `ends` is how many of its pieces were empty."""
    if length is not None:
        if size != length:
            raise ValidationFailed(f"The body ends after {size} of {length} bytes.")
    elif ends > 1 or not size:
        # The server tells of damage by one more empty piece, and takes trailers for such.
        raise ValidationFailed(
            "The body that Transfer-Encoding announces did not come, was cut off, or has trailers, which are "
            "not read here."
        )


def require_few(pieces: int, size: int) -> None:
    """Refuse a body in very many pieces, as each is a step of the loop."""
    if pieces > PIECES_MAX + size // PIECE_BYTES:
        raise ValidationFailed("The body comes in too many small pieces. Send larger ones.")
