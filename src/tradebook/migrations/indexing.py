"""Makes indexes anew that were made from something else than this version makes them from."""

from collections.abc import Callable

from tradebook.resources import INDEXES
from tradebook.storage.database import Unavailable
from tradebook.storage.location import locate
from tradebook.storage.readiness import some_of
from tradebook.storage.transactions import remaking

TIMEOUT_MS = 60_000

Progress = Callable[[int], None]


def remake_indexes(url: str, progress: Progress | None = None) -> None:
    """Make them anew, some rows in each transaction: others read and write between.

    `progress` is told now and then how many rows were indexed.
    """
    database = locate(url).open(timeout_ms=TIMEOUT_MS, indexes=INDEXES)
    done = 0
    try:
        if lacking := database.missing_parts():
            raise Unavailable(f"No step makes what it lacks: {some_of(lacking)}. Restore a backup.")
        for account_id in database.accounts_to_index():
            while count := remaking(database, account_id):
                done += count
                if progress is not None:
                    progress(done)
    finally:
        database.close()
