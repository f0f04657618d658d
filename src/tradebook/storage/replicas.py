"""A primary and its standbys: a read goes to a standby that has everything the primary had when it began.

Before each read, the primary is asked for the account's revision, which is one row. A standby answers the
read if its own snapshot of the account has at least this revision. So every read sees all writes that ended
before it, no matter who made them. Only the account counts, not how far the standby is as a whole.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import count
from time import monotonic
from typing import Any

from msgspec import structs

from tradebook.ids import milliseconds_of
from tradebook.storage.database import (
    Conflict,
    Database,
    Figures,
    Reader,
    ReplicaFigures,
    Unavailable,
)

FAILED_SECONDS, BEHIND_SECONDS = 5.0, 0.1
"""How long a standby is not asked: after it failed, and after it was behind, which may be over at once."""


class _Standby:
    """A standby, and until when it is not asked."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.figures = ReplicaFigures()
        self._alone_until = 0.0

    @property
    def is_asked(self) -> bool:
        return monotonic() >= self._alone_until

    def leave_alone(self, seconds: float) -> None:
        self._alone_until = monotonic() + seconds


class Replicated:
    """A book on a primary, read from its standbys whenever they have the same answer.

    What is not a read, or outside any account, is done on the primary, as if it stood alone.
    """

    def __init__(self, primary: Database, standbys: Sequence[Database]) -> None:
        self._primary = primary
        self._standbys = [_Standby(database) for database in standbys]
        self._turn = count()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._primary, name)

    @contextmanager
    def read(self, account_id: int) -> Iterator[Reader]:
        """Open a snapshot of one account that is not older than the call."""
        with ExitStack() as stack:
            reader = self._reader_on_standby(stack, account_id)
            yield reader or stack.enter_context(self._primary.read(account_id))

    def hold(self, account_id: int) -> AbstractContextManager[Reader]:
        """Open a snapshot that lasts, on a standby too."""
        return self.read(account_id)

    def _reader_on_standby(self, stack: ExitStack, account_id: int) -> Reader | None:
        asked = [standby for standby in self._standbys if standby.is_asked]
        if not asked:
            return None
        needed = self._primary.revision(account_id)
        first = next(self._turn) % len(asked)
        for standby in asked[first:] + asked[:first]:
            with ExitStack() as trial:
                try:
                    trial.enter_context(_left_alone_on_failure(standby))
                    reader = trial.enter_context(standby.database.read(account_id))
                    revision = reader.revision
                except Conflict:
                    standby.figures.failed += 1
                    continue
                if needed is None or revision >= needed:
                    standby.figures.answered += 1
                    standby.figures.lag_ms = 0
                    stack.push(trial.pop_all())
                    return reader
                standby.figures.behind += 1
                standby.figures.lag_ms = milliseconds_of(needed) - milliseconds_of(revision)
            standby.leave_alone(BEHIND_SECONDS)
        return None

    def figures(self) -> Figures:
        """Tell what was counted of the primary, and of each standby."""
        of_standbys = tuple(structs.replace(standby.figures) for standby in self._standbys)
        return structs.replace(self._primary.figures(), replicas=of_standbys)

    def close(self) -> None:
        """Close all connections."""
        for database in (self._primary, *(standby.database for standby in self._standbys)):
            database.close()


@contextmanager
def _left_alone_on_failure(standby: _Standby) -> Iterator[None]:
    """If a standby fails, even in the middle of a read, don't ask it for a while; the work is done again."""
    try:
        yield
    except Unavailable as error:
        standby.figures.failed += 1
        standby.leave_alone(FAILED_SECONDS)
        raise Conflict(f"A replica failed: {error}") from error
