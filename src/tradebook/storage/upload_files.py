"""Files that clients have sent and that are yet to be read: a folder on the disk of this machine.

Whoever writes a file holds its lock until a row of the book names it. So a file that nobody holds, and that
no row names, is left over from a process that has ended, and may go.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from tradebook.storage.private_folder import private_folder

_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)


class NewUpload:
    """A file that is being written; it goes when it is closed, unless it is kept."""

    def __init__(self, folder: Path) -> None:
        self.name = token_hex(16)
        self.size = 0
        self._path = folder / self.name
        self._is_kept = False
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def write(self, piece: bytes) -> None:
        """Add a piece; OSError where the disk is full."""
        view = memoryview(piece)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self.size += len(piece)

    def settle(self) -> None:
        """Have it on the disk, so that it outlives a power cut that comes after the answer."""
        os.fsync(self._descriptor)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def keep(self) -> None:
        """Leave it there when it is closed: a row of the book names it."""
        self._is_kept = True

    def close(self) -> None:
        """Let go of it; without `keep` it is removed."""
        if not self._is_kept:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


class UploadFolder:
    """The folder of a book's uploads, made when the first one comes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make the folder, if it is not there; OSError where it can't be had for this user alone."""
        private_folder(self.path, parents=True)

    def new(self) -> NewUpload:
        """Begin a file; OSError as `make`."""
        self.make()
        return NewUpload(self.path)

    def find(self, name: str) -> Path | None:
        """Return where a file is; None where this machine has it not."""
        path = self.path / name
        return path if _NAME.fullmatch(name) and path.is_file() else None

    def remove(self, name: str) -> None:
        """Remove a file that was read, or is not wanted any more."""
        if _NAME.fullmatch(name):
            (self.path / name).unlink(missing_ok=True)

    def is_empty(self) -> bool:
        """Tell whether there is no file."""
        return not any(self._names())

    def sweep(self, is_wanted: Callable[[str], bool]) -> None:
        """Remove the files that nobody writes and no row names.

        The row is looked for after the lock is had: who held it before has committed, or has ended.
        """
        for name in self._names():
            with suppress(OSError):
                self._sweep_one(name, is_wanted)

    def _sweep_one(self, name: str, is_wanted: Callable[[str], bool]) -> None:
        descriptor = os.open(self.path / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not is_wanted(name):
                self.remove(name)
        finally:
            os.close(descriptor)

    def _names(self) -> Iterator[str]:
        with suppress(FileNotFoundError):
            yield from [path.name for path in self.path.iterdir() if _NAME.fullmatch(path.name)]
