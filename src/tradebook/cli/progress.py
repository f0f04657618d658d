"""What a command shows of its progress on a terminal; in a pipe, nothing."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tradebook.text import counted

Report = Callable[[int], None]


@contextlib.contextmanager
def progress_of(unit: str) -> Iterator[Report | None]:
    """Show how much is done, where nobody knows how much there is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn(unit), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(unit, total=None)
        yield lambda done: bar.update(task, completed=done)


@contextlib.contextmanager
def rows_read(stream: BinaryIO) -> Iterator[Report | None]:
    """Show how many rows of a file were read, how many a second, and the time that is left."""
    size = _size_of(stream)
    with _rows("Read", size) as show:
        # How much of the file that is, its place tells.
        yield None if show is None else lambda rows: show(rows, min(stream.tell(), size) if size else 0, size)


@contextlib.contextmanager
def rows_written() -> Iterator[Callable[[int, int], None] | None]:
    """Show how many rows were written, how many a second, and the time that is left."""
    with _rows("Written", None) as show:
        yield None if show is None else lambda done, total: show(done, done, total)


@contextlib.contextmanager
def _rows(what: str, total: int | None) -> Iterator[Callable[[int, int, int | None], None] | None]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}")),
        *(TextColumn("left"), TimeRemainingColumn()),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total, told="")
        began = time.monotonic()

        def show(rows: int, completed: int, total: int | None) -> None:
            seconds = max(time.monotonic() - began, 0.001)
            told = f"{counted(rows, 'row')}, {rows / seconds:,.0f} a second"
            bar.update(task, completed=completed, total=total, told=told)

        yield show


def _size_of(stream: BinaryIO) -> int | None:
    """Return the size of a file; None for what can't tell its place, such as a pipe."""
    try:
        return os.fstat(stream.fileno()).st_size if stream.seekable() else None
    except OSError:
        return None
