"""Sends answers that are made while they are sent.

The server takes whatever it is given, however little the client has read, and where an answer ends early it
tells the client that this is all. So how much has arrived is asked of the socket, and where an answer can't
be made to its end, its connection is shut before the server hears of it: the client misses the last chunk.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from traceback import format_exception
from typing import Protocol

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

from tradebook.storage.database import Unavailable
from tradebook.web.connections import Connection, Connections, borrowed, close, is_open
from tradebook.web.log import log
from tradebook.web.streams import Stream, TookTooLong

WINDOW_BYTES = 1 << 20
"""How much may be under way to a client: what is kept in memory of a stream."""

PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.001, 0.02
_INFO_BYTES = 128
_ACKNOWLEDGED = struct.Struct("=B119xQ")
"""Where the kernel's tcp_info tells the state of a connection, and how many bytes have arrived."""

_READS = frozenset({1, 8})
"""The states of a connection whose client may read: established, or with nothing more to say itself."""

Step = Callable[[Stream], Awaitable[bytes | None]]


class Sender(Protocol):
    """The server's end of an answer that is sent in parts."""

    def send_bytes(self, body: bytes) -> Awaitable[None]:
        """Take a part."""


class Transport(Protocol):
    """The server's end of a request."""

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Sender:
        """Begin an answer."""


class _ClientGone(Exception):
    """The client has closed its connection, or does not read."""


class _Flow:
    """What is under way to one client."""

    def __init__(self, connection: Connection, seconds_max: float) -> None:
        self._connection, self._seconds_max = connection, seconds_max
        self._arrived = self._sent = self._arrived_by_now()

    def note(self, size: int) -> None:
        """Count a part that was sent, with the length and the line ends around it."""
        self._sent += size + len(f"{size:x}") + 4

    async def room(self, stream: Stream) -> None:
        """Wait until the client has read most of what was sent.

        _ClientGone if it reads nothing for long, TookTooLong if it reads so little that the stream is late.
        """
        pause, moved_at = PAUSE_SECONDS_MIN, monotonic()
        while self._sent - (arrived := self._arrived_by_now()) > WINDOW_BYTES:
            if arrived > self._arrived:
                self._arrived, moved_at = arrived, monotonic()
            elif monotonic() - moved_at > self._seconds_max:
                raise _ClientGone("it does not read")
            stream.require_in_time()
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE_SECONDS_MAX)

    def cut(self) -> None:
        """Shut the connection, so that the client sees that this was not all."""
        close(self._connection)

    def _arrived_by_now(self) -> int:
        with suppress(OSError):
            if is_open(self._connection):
                with borrowed(self._connection.descriptor) as end:
                    info = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
                state, arrived = _ACKNOWLEDGED.unpack_from(info)
                if state in _READS:
                    return int(arrived)
        raise _ClientGone("it has closed its connection")


class Sending:
    """The streams of a worker that are under way."""

    def __init__(self, connections: Connections, seconds_max: float) -> None:
        self._connections, self._seconds_max = connections, seconds_max
        self._flows: set[_Flow] = set()

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self._flows)

    def cut(self) -> None:
        """Shut the connections of all of them."""
        for flow in self._flows:
            flow.cut()

    async def send(
        self,
        client: str,
        transport: Transport,
        status: int,
        headers: list[tuple[str, str]],
        stream: Stream,
        step: Step,
    ) -> None:
        """Send an answer to its end, or shut its connection."""
        connection = self._connections.of(client)
        if connection is None:
            # It has gone before anything was sent.
            return
        try:
            flow = _Flow(connection, self._seconds_max)
        except _ClientGone:
            return
        self._flows.add(flow)
        try:
            sender = transport.response_stream(status, headers)
            while (part := await step(stream)) is not None:
                if part:
                    flow.note(len(part))
                    await sender.send_bytes(part)
                await flow.room(stream)
        except (TookTooLong, Unavailable, _ClientGone, ProtocolClosed) as reason:
            flow.cut()
            log("answer cut", rows=stream.rows, reason=str(reason) or type(reason).__name__)
        except BaseException as error:
            flow.cut()
            if not isinstance(error, Exception):
                raise
            log("fault", exception="".join(format_exception(error)).rstrip())
        finally:
            self._flows.discard(flow)
