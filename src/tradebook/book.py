"""Opens a book: the database that the settings name, with its standbys and every list's index.

And tells where files for it are kept that are yet to be read.
"""

import os
from hashlib import blake2b
from pathlib import Path
from typing import cast

from tradebook.resources import INDEXES
from tradebook.settings import Settings
from tradebook.storage.database import Database
from tradebook.storage.location import locate
from tradebook.storage.replicas import Replicated
from tradebook.storage.sqlite.location import SqliteLocation
from tradebook.storage.upload_files import UploadFolder

DISK = Path("/var/tmp")  # noqa: S108 - a folder of this user alone in it; /tmp may be memory
"""Where large files may lie."""


def open_database(settings: Settings) -> Database:
    """Open the book that the settings name; UnknownDatabase where its engine is unknown."""
    primary = locate(settings.database).open(timeout_ms=settings.database_timeout_ms, indexes=INDEXES)
    standbys = [
        locate(url).open(timeout_ms=settings.replica_timeout_ms, indexes=INDEXES)
        for url in settings.replicas.split()
    ]
    return cast("Database", Replicated(primary, standbys)) if standbys else primary


def uploads_of(settings: Settings) -> UploadFolder:
    """Name the folder of a book's uploads; several books may be told the same one."""
    location = locate(settings.database)
    beside = location.path if isinstance(location, SqliteLocation) else None
    if not settings.import_folder and beside is not None:
        return UploadFolder(beside.with_name(f"{beside.name}-imports"))
    folder = Path(settings.import_folder or DISK / f"tradebook-imports-{os.getuid()}")
    return UploadFolder(folder / blake2b(location.url.encode(), digest_size=10).hexdigest())
