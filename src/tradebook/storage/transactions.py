"""Does work in a transaction, and does it again if another transaction was in the way.

Work is repeated only if it was certainly not done. If the connection is lost during the commit, or the disk
fails, that is not certain (OutcomeUnknown), and there is no second try.
"""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from tradebook.storage.database import Conflict, Database, Duplicate, Reader, Writer

FIRST_PAUSE_SECONDS = 0.005
PAUSE_SECONDS_MAX = 0.25
DUPLICATES_MAX = 3

Result = TypeVar("Result")


def reading(database: Database, account_id: int, work: Callable[[Reader], Result]) -> Result:
    """Do work on a snapshot of an account. `work` may be called again, on a later snapshot."""

    def once() -> Result:
        with database.read(account_id) as reader:
            return work(reader)

    return _again(once, database.timeout_ms)


def holding(
    database: Database, account_id: int, work: Callable[[Reader], Result]
) -> tuple[Result, ExitStack]:
    """Do work on a snapshot that stays open; returns its result, and what to close or leave by an error."""

    def once() -> tuple[Result, ExitStack]:
        with ExitStack() as held:
            result = work(held.enter_context(database.hold(account_id)))
            return result, held.pop_all()

    return _again(once, database.timeout_ms)


def writing(database: Database, account_id: int, work: Callable[[Writer], Result]) -> Result:
    """Do work in one transaction of an account. `work` may be called again, after everything was undone."""

    def once() -> Result:
        with database.write(account_id) as writer:
            return work(writer)

    return _again(once, database.timeout_ms)


def remaking(database: Database, account_id: int) -> int:
    """Make the next rows of an account's indexes anew; tells how many, 0 at the end."""
    return _again(lambda: database.remake_indexes(account_id), database.timeout_ms)


def _again(once: Callable[[], Result], timeout_ms: int) -> Result:
    end = time.monotonic() + timeout_ms / 1000
    pause = FIRST_PAUSE_SECONDS
    duplicates = 0
    while True:
        try:
            return once()
        except Duplicate:
            # Unique values were checked before, so two new rows got the same random key by chance. If that
            # happens again and again, it is a bug.
            if duplicates >= DUPLICATES_MAX:
                raise
            duplicates += 1
        except Conflict:
            # A random pause, so that the two transactions don't meet again.
            delay = random.uniform(0, pause)  # noqa: S311
            if time.monotonic() + delay >= end:
                raise
            time.sleep(delay)
            pause = min(2 * pause, PAUSE_SECONDS_MAX)
