"""Files that all processes of one user on a machine share, named by the URL of the book that they serve.

They are in a folder that nobody else can look into, so that nobody else can put something in their place.
"""

import os
import tempfile
from hashlib import blake2b
from pathlib import Path

from tradebook.storage.private_folder import private_folder


def run_folder(named: str) -> Path:
    """Return the folder of shared files, and make it; OSError where it can't be had for this user alone."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if named:
        folder = Path(named)
    elif runtime:
        folder = Path(runtime) / "tradebook"
    else:
        folder = Path(tempfile.gettempdir()) / f"tradebook-{os.getuid()}"
    return private_folder(folder, parents=bool(named))


def open_shared(database_url: str, purpose: str, size_bytes: int = 0, folder: str = "") -> int:
    """Open the file, or make it, with all its room on the disk, and return its descriptor.

    OSError where that can't be had: the folder is somebody else's, or the disk is full. Without the room,
    writing to the file through memory would end the process.
    """
    name = blake2b(database_url.encode(), digest_size=10).hexdigest()
    path = run_folder(folder) / f"{name}.{purpose}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if size_bytes:
            os.posix_fallocate(descriptor, 0, size_bytes)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
