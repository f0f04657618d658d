"""Opens a book: the database that the settings name, with its standbys and every list's index."""

from tradebook.resources import INDEXES
from tradebook.settings import Settings
from tradebook.storage.database import Database
from tradebook.storage.location import locate
from tradebook.storage.replicas import Replicated


def open_database(settings: Settings) -> Database:
    """Open the book that the settings name; UnknownDatabase where its engine is unknown."""
    primary = locate(settings.database).open(timeout_ms=settings.database_timeout_ms, indexes=INDEXES)
    standbys = [
        locate(url).open(timeout_ms=settings.replica_timeout_ms, indexes=INDEXES)
        for url in settings.replicas.split()
    ]
    return Replicated(primary, standbys) if standbys else primary
