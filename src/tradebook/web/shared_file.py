"""A file that all processes of one user on a machine share, named by the URL of the book that they serve."""

import os
import stat
import tempfile
from hashlib import blake2b
from pathlib import Path


def open_shared(database_url: str, purpose: str, size_bytes: int = 0) -> int:
    """Open the file, or make it, and return its descriptor.

    OSError if somebody else has put something in its place.
    """
    name = blake2b(f"{os.getuid()} {database_url}".encode(), digest_size=10).hexdigest()
    path = Path(tempfile.gettempdir()) / f"tradebook-{name}.{purpose}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    found = os.fstat(descriptor)
    if found.st_uid != os.getuid() or not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise PermissionError(f"{path} belongs to somebody else.")
    if found.st_size < size_bytes:
        os.ftruncate(descriptor, size_bytes)
    return descriptor
