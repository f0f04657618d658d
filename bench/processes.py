"""What a process and all that it started use: processor time and memory, as Linux tells them in /proc."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
PARENT, TIMES = 1, slice(11, 15)
"""Places in a stat line after the name: the parent; user and system time, own and of children that ended."""


def _stats() -> Iterator[tuple[int, list[str]]]:
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            try:
                line = (folder / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                # It ended meanwhile. Its parent has its time.
                continue
            # A name may hold spaces and brackets: what matters stands after the last one.
            yield int(folder.name), line.rpartition(")")[2].split()


def tree(root: int) -> dict[int, list[str]]:
    """Return the stat fields of a process and of all below it."""
    stats, below = dict(_stats()), defaultdict(list)
    for process, fields in stats.items():
        below[int(fields[PARENT])].append(process)
    found: dict[int, list[str]] = {}
    waiting = [root]
    while waiting:
        process = waiting.pop()
        if process in stats:
            found[process] = stats[process]
            waiting += below[process]
    return found


def cpu_seconds(root: int) -> float:
    """Processor time of a process and all below it, those that have ended and were waited for included."""
    return sum(int(ticks) for fields in tree(root).values() for ticks in fields[TIMES]) / TICKS


def memory_mib(root: int) -> float:
    """Memory of the largest process of a tree that is no mapped file."""
    sizes = []
    for process in tree(root):
        text = (PROC / str(process) / "smaps_rollup").read_text()
        sizes.append(int(re.search(r"Anonymous:\s+(\d+)", text)[1]) / 1024)
    return round(max(sizes), 1)
