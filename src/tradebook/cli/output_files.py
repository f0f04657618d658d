"""Files that commands write."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

STANDARD = "-"


@contextlib.contextmanager
def written(file: str) -> Iterator[BinaryIO]:
    """Open the output. A file gets its name only when it is complete, and is its owner's alone."""
    if file == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if _is_device(Path(file)):
        # It is written to directly: a finished file can't take its place.
        with Path(file).open("wb") as stream:
            yield stream
        return
    partial = Path(f"{file}.part")
    # What an export left behind that was killed; or a link, which goes, and not what it points to.
    partial.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(partial, flags, 0o600), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _is_device(path: Path) -> bool:
    """Tell whether it is a device or a named pipe. No link is followed, but those of the system."""
    if path.is_symlink() and Path("/dev") not in path.absolute().parents:
        return False
    return path.exists() and not path.is_file()
