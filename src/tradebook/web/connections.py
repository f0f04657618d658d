"""The connections of a worker: bounded in number, from one address and in all, and cut if they don't read.

The server accepts and closes connections by itself, and doesn't tell of it. So a thread looks at the sockets
of this process. Where there are too many, those go that have been silent the longest; whoever asks is served.
"""

import fcntl
import os
import socket
import stat
import struct
import termios
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ctypes import addressof, create_string_buffer
from pathlib import Path
from time import thread_time

import msgspec

from tradebook.web import metrics
from tradebook.web.log import log

LOOK_SECONDS = 0.5
HURRIED_SECONDS = 0.1
"""How long between two looks, and where there are nearly too many connections."""

STARTING_SECONDS = 0.01
"""How long between two looks whether this process listens yet."""

NEARLY = 0.75
SHARE = 50
"""How many times longer than the last look has worked the pause after it is at least. How long it had to wait
for a processor doesn't count: on a busy machine, nothing would be bounded for that long."""

UNSENT_BYTES = 262_144
"""How much of its answers the system keeps for a client that doesn't read. It would be megabytes."""

SILENT_SECONDS = 1.0
CROWDED_SILENT_SECONDS = 0.25
"""How long a connection has to be silent before it may be closed: its next request could be on its way. The
second is for when there are so many that nobody else gets in."""

LARGE_BYTES = 65_536
"""How large an answer has to be to be counted while it is unread. Smaller ones the system's buffers hold."""

_DESCRIPTORS = Path("/proc/self/fd")
_INFO_BYTES = 104
_LAST_RECEIVED = struct.Struct("=52xI")
"""Where the kernel's tcp_info tells how long ago the last data came, in milliseconds."""

_IN_ITS_QUEUE = struct.Struct("=24xI")
"""Where it tells of a socket that listens how many are connected and not accepted yet."""

_SO_ATTACH_FILTER = 26
_INSTRUCTION, _LOAD_BYTE, _SKIP_UNLESS_SET, _TAKE = struct.Struct("=HBBI"), 0x30, 0x45, 0x06
_FLAGS_AT, _SYN = 13, 2
_INSTRUCTIONS = (
    (_LOAD_BYTE, 0, 0, _FLAGS_AT),
    (_SKIP_UNLESS_SET, 0, 1, _SYN),
    (_TAKE, 0, 0, 0),
    (_TAKE, 0, 0, 0xFFFFFFFF),
)
_DROPPING = create_string_buffer(b"".join(_INSTRUCTION.pack(*each) for each in _INSTRUCTIONS))
_DROP_THE_FIRST = struct.pack("@HP", len(_INSTRUCTIONS), addressof(_DROPPING))
"""A filter of packets: of those with which a connection begins take no byte, of others all."""


class Connection(msgspec.Struct, frozen=True):
    """An open connection: its descriptor, which socket that was, and whose."""

    descriptor: int
    inode: int
    address: str
    port: int


class Connections:
    """Looks at the connections of this process to one port."""

    def __init__(
        self,
        port: int,
        *,
        per_address_max: int,
        in_all_max: int,
        send_seconds_max: float,
        unread_bytes_max: int,
    ) -> None:
        self.number = 0
        """How many were open when it was last looked."""
        self._port = port
        self._unread_bytes_max = unread_bytes_max
        self._large: dict[tuple[str, int], int] = {}
        self._new_large: dict[tuple[str, int], int] = {}
        self._is_hurried = False
        self._per_address_max = per_address_max
        self._in_all_max = in_all_max
        self._send_ms_max = int(send_seconds_max * 1000)
        self._known: dict[int, Connection | int] = {}

    def watch(
        self, parent: int, *, on_listening: Callable[[], object], on_orphaned: Callable[[], None]
    ) -> None:
        """Look again and again, in a thread.

        Tell when this process listens, and when the process that has started it is gone.
        """
        pause = threading.Event()

        def look_on() -> None:
            while _DESCRIPTORS.exists() and not _listeners() and os.getppid() == parent:
                pause.wait(STARTING_SECONDS)
            on_listening()
            while True:
                began = thread_time()
                try:
                    self.look()
                except OSError as error:
                    log("the connections can't be looked at", reason=str(error))
                if os.getppid() != parent:
                    on_orphaned()
                    return
                seconds = HURRIED_SECONDS if self._is_hurried else LOOK_SECONDS
                pause.wait(max(seconds, SHARE * (thread_time() - began)))

        threading.Thread(target=look_on, name="connections", daemon=True).start()

    def note_large(self, client: str, size: int) -> None:
        """Remember the size of an answer of `LARGE_BYTES` or more, until its client has read it."""
        self._new_large[_client(client)] = size

    def of(self, client: str) -> Connection | None:
        """Find a client's connection; None if it has gone, or where connections can't be looked at."""
        name = _client(client)
        known = (each for each in list(self._known.values()) if isinstance(each, Connection))
        found = next((each for each in known if (each.address, each.port) == name), None)
        if found is not None and is_open(found):
            return found
        for descriptor, inode in _sockets().items():
            with suppress(OSError), borrowed(descriptor) as end:
                if end.getpeername()[:2] == name and end.getsockname()[1] == self._port:
                    return Connection(descriptor, inode, *name)
        return None

    def look(self) -> int:
        """Close what is too much, and return how many connections are left."""
        found = list(self._open())
        by_address = defaultdict(list)
        for connection in found:
            by_address[connection.address].append(connection)
        most = max(map(len, by_address.values()), default=0)
        self._is_hurried = most > NEARLY * self._per_address_max or len(found) > NEARLY * self._in_all_max
        closed = 0
        for listed in by_address.values():
            closed += self._close_silent(listed, len(listed) - self._per_address_max, SILENT_SECONDS)
        closed += self._close_silent(found, len(found) - closed - self._in_all_max, CROWDED_SILENT_SECONDS)
        unread = self._close_unread(found)
        metrics.closed("too_many", closed)
        metrics.closed("unread", unread)
        closed += unread
        self.number = len(found) - closed
        if closed:
            log(
                "connections closed, as they or what they leave unread are too many",
                closed=closed,
                open=self.number,
            )
        return self.number

    def active(self, seconds: float) -> set[int]:
        """Tell on which connections something came within the last seconds, by their inodes."""
        return {each.inode for each in self._open() if _silent_seconds(each) < seconds}

    def take_no_more(self) -> None:
        """Let nobody connect from now on, while those that are connected are answered.

        If the listening socket were closed instead, those in its queue would be cut, who have perhaps sent
        a request already. With a filter that drops their first packet, those who connect go on trying until
        it is closed, and then know that nothing was sent. Who was answered before is connected, and let in,
        unless its answer to that is on its way for longer than a worker waits.
        """
        for descriptor in _listeners():
            with suppress(OSError), borrowed(descriptor) as end:
                end.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, _DROP_THE_FIRST)

    def has_queue(self) -> bool:
        """Tell whether somebody is connected whom the server has not accepted yet."""
        for descriptor in _listeners():
            with suppress(OSError), borrowed(descriptor) as end:
                info = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
                if _IN_ITS_QUEUE.unpack_from(info)[0]:
                    return True
        return False

    def _open(self) -> Iterator[Connection]:
        """List the connections that are open."""
        known, self._known = self._known, {}
        for descriptor, inode in _sockets().items():
            entry = known.get(descriptor)
            if entry is None or (entry.inode if isinstance(entry, Connection) else entry) != inode:
                entry = self._meet(descriptor, inode)
            self._known[descriptor] = entry
            if isinstance(entry, Connection):
                yield entry

    def _meet(self, descriptor: int, inode: int) -> Connection | int:
        """Find out whose a new socket is, and have it cut if its client stops reading."""
        try:
            with borrowed(descriptor) as end:
                if end.family in {socket.AF_INET, socket.AF_INET6} and end.getsockname()[1] == self._port:
                    address, port = end.getpeername()[:2]
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._send_ms_max)
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
                    return Connection(descriptor, inode, address, port)
        except OSError:
            # It listens, or is closed already.
            pass
        return inode

    def _close_unread(self, connections: list[Connection]) -> int:
        """Close those that have left large answers unread the longest, where these are too many bytes."""
        sizes, new = self._large, self._new_large
        # What was answered since the last look may not have reached the socket yet: it is kept for one more.
        self._large, self._new_large = new, {}
        unread = []
        for connection in connections:
            client = connection.address, connection.port
            if client in sizes and _has_unread(connection):
                self._large.setdefault(client, sizes[client])
                unread.append((_silent_seconds(connection), connection))
        too_many = sum(sizes[each.address, each.port] for _, each in unread) - self._unread_bytes_max
        closed = 0
        for _, connection in sorted(unread, key=lambda pair: -pair[0]):
            if too_many <= 0:
                break
            too_many -= sizes[connection.address, connection.port]
            closed += close(connection)
        return closed

    def _close_silent(self, connections: list[Connection], number: int, seconds_min: float) -> int:
        if number <= 0:
            return 0
        silent = sorted(((_silent_seconds(each), each) for each in connections), key=lambda pair: -pair[0])
        return sum(close(each) for seconds, each in silent[:number] if seconds >= seconds_min)


def _client(name: str) -> tuple[str, int]:
    """Take the server's name of a client apart: `127.0.0.1:4711`, `[::1]:4711`."""
    address, _, port = name.rpartition(":")
    return address.strip("[]"), int(port)


def _has_unread(connection: Connection) -> bool:
    """Tell whether something was sent that the client's side has not taken yet."""
    try:
        waiting = fcntl.ioctl(connection.descriptor, termios.TIOCOUTQ, bytes(4))
    except OSError:
        return False
    return any(waiting)


def _silent_seconds(connection: Connection) -> float:
    """Tell how long nothing has come on a connection; none at all where it is gone."""
    try:
        with borrowed(connection.descriptor) as end:
            info = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return 0.0
    return float(_LAST_RECEIVED.unpack_from(info)[0] / 1000)


def is_open(connection: Connection) -> bool:
    """Tell whether its descriptor is still its own."""
    try:
        return os.fstat(connection.descriptor).st_ino == connection.inode
    except OSError:
        return False


def close(connection: Connection) -> bool:
    """Shut a connection down, if its descriptor is still its own; the server then closes it."""
    try:
        if not is_open(connection):
            return False
        with borrowed(connection.descriptor) as end:
            end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return False
    return True


def _sockets() -> dict[int, int]:
    """List the sockets of this process: descriptors and inodes."""
    found = {}
    # Not by pathlib, which makes an object of each: there may be ten thousand.
    for name in os.listdir(_DESCRIPTORS) if _DESCRIPTORS.exists() else ():  # noqa: PTH208
        with suppress(OSError):
            descriptor = int(name)
            status = os.fstat(descriptor)
            if stat.S_ISSOCK(status.st_mode):
                found[descriptor] = status.st_ino
    return found


def _listeners() -> list[int]:
    """List the sockets of this process that listen."""
    found = []
    for descriptor in _sockets():
        with suppress(OSError), borrowed(descriptor) as end:
            if end.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                found.append(descriptor)
    return found


@contextmanager
def borrowed(descriptor: int) -> Iterator[socket.socket]:
    """Use a socket of the server's, and leave it open; OSError where it is none any more."""
    end = socket.socket(fileno=descriptor)
    try:
        yield end
    finally:
        end.detach()
