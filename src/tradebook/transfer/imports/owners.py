"""Who works at an import, and whether that process still lives.

A process is known by its machine, its number and when it was started: the number alone is given again. Of
another machine, and of another container, nothing can be seen; it renews a lease as long as it works.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from tradebook.clock import now_ms

LEASE_MS = 30_000
"""How long a process of another machine is believed to live after it was last heard of."""

_at_work: set[int] = set()
"""What this process works at."""


def this_process() -> str:
    """Name this process."""
    pid = os.getpid()
    return f"{_machine()} {pid} {_start_of(pid)}"


def lease_until() -> int:
    """Return until when to believe in this process."""
    return now_ms() + LEASE_MS


@contextmanager
def at_work(key: int) -> Iterator[None]:
    """Work at an import; True of `is_gone` where another thread asks meanwhile would be wrong."""
    _at_work.add(key)
    try:
        yield
    finally:
        _at_work.discard(key)


def is_gone(key: int, owner: str | None, lease: int | None) -> bool:
    """Tell whether nobody works at an import any more."""
    if owner is None:
        return True
    if owner == this_process():
        return key not in _at_work
    machine, pid, start = owner.rsplit(" ", 2)
    if machine != _machine():
        return lease is None or lease < now_ms()
    return not pid.isdigit() or _start_of(int(pid)) != start


@cache
def _machine() -> str:
    """Name the machine, as it was booted, and what numbers of processes mean on it."""
    found = [socket.gethostname()]
    with suppress(OSError):
        found.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with suppress(OSError):
        found.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return "/".join(found).replace(" ", "_")


def _start_of(pid: int) -> str:
    """Tell when a process was started: `gone` where there is none, `there` where a system does not say."""
    try:
        # The name of the program stands in brackets and may have any character.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "gone" if fields[0] in {"Z", "X"} else fields[19]
    except (OSError, IndexError):
        pass
    if Path("/proc/self/stat").exists():
        return "gone"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except OSError:
        pass
    return "there"
