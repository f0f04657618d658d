"""A file that is there when it is whole, and not before."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import IO, Self


class NewFile:
    """Writes PATH.part, which its user alone can read, and renames it to PATH when nothing went wrong."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self._path = Path(path)
        if self._path.is_dir():
            raise IsADirectoryError(f"{self._path} is a folder: name a file.")
        # The file would take the place of the device, for every program of the machine.
        if self._path.parent.absolute() == Path("/dev") or (self._path.exists() and not self._path.is_file()):
            raise ValueError(f"{self._path} is a device or a pipe: name a file.")
        self._part = self._path.with_name(f"{self._path.name}.part")

    def __enter__(self) -> Self:
        # What a killed export has left is of no use. A link that somebody has put there is not followed.
        self._part.unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._file = os.fdopen(os.open(self._part, flags, 0o600), "w+b")
        self._identity = os.fstat(self._file.fileno())
        return self

    def write(self, data: bytes) -> None:
        """Write at the end."""
        self._file.write(data)

    def lines(self) -> Iterator[bytes]:
        """Read what is written so far, line by line."""
        self._file.seek(0)
        yield from self._file

    def replace(self, other: IO[bytes]) -> None:
        """Write what is in another file in the place of all that is written so far."""
        self._file.seek(0)
        self._file.truncate()
        other.seek(0)
        shutil.copyfileobj(other, self._file)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
        finally:
            is_mine = self._is_mine()
            self._file.close()
            if kind is not None and is_mine:
                self._part.unlink(missing_ok=True)
        if kind is None:
            if not is_mine:
                raise FileExistsError(f"{self._part} is another export's by now; this one is lost.")
            self._part.replace(self._path)

    def _is_mine(self) -> bool:
        with suppress(OSError):
            return os.path.samestat(self._part.stat(follow_symlinks=False), self._identity)
        return False
