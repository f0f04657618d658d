"""Folders of this user alone, so that nobody else can put something in the place of what is there."""

import os
import stat
from pathlib import Path

ONLY_MINE = 0o700


def private_folder(folder: Path, *, parents: bool = False) -> Path:
    """Make a folder, or take the one that is there; OSError where it is not this user's alone."""
    folder.mkdir(ONLY_MINE, parents=parents, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} must be a folder of this user alone, with the mode 0700.")
    return folder
