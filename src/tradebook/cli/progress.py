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


class ImportProgress:
    """Shows how many rows were read and written, how many a second, and the time that is left."""

    def __init__(self, bar: Progress, stream: BinaryIO) -> None:
        self._bar, self._stream = bar, stream
        self._size = _size_of(stream)
        self._task = bar.add_task("Read", total=self._size, told="")
        self._began = time.monotonic()
        self._is_writing = False

    def read(self, rows: int) -> None:
        """Show that so many rows were read; how much of the file that is, its place tells."""
        place = min(self._stream.tell(), self._size) if self._size else 0
        self._bar.update(self._task, completed=place, told=self._told(rows))

    def written(self, done: int, total: int) -> None:
        """Show that so many rows were written."""
        if not self._is_writing:
            self._is_writing = True
            self._bar.remove_task(self._task)
            self._task = self._bar.add_task("Written", total=total, told="")
            self._began = time.monotonic()
        self._bar.update(self._task, completed=done, total=total, told=self._told(done))

    def _told(self, rows: int) -> str:
        seconds = max(time.monotonic() - self._began, 0.001)
        return f"{rows:,} rows, {rows / seconds:,.0f} a second"


def _size_of(stream: BinaryIO) -> int | None:
    """Return the size of a file; None for what can't tell its place, such as a pipe."""
    try:
        return os.fstat(stream.fileno()).st_size if stream.seekable() else None
    except OSError:
        return None


@contextlib.contextmanager
def progress_of_import(stream: BinaryIO) -> Iterator[ImportProgress | None]:
    """Show the progress of an import of a file."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}")),
        *(TextColumn("left"), TimeRemainingColumn()),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield ImportProgress(bar, stream)
