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
    Inspector,
    Reader,
    ReplicaFigures,
    Row,
    Unavailable,
    Writer,
)
from tradebook.storage.schema import Prepared

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
    """A book on a primary, read from its standbys whenever they have the same answer."""

    def __init__(self, primary: Database, standbys: Sequence[Database]) -> None:
        self._primary = primary
        self._standbys = [_Standby(database) for database in standbys]
        self._turn = count()

    @property
    def timeout_ms(self) -> int:
        """How long the engine may keep a statement waiting."""
        return self._primary.timeout_ms

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

    def write(self, account_id: int) -> AbstractContextManager[Writer]:
        """Open a transaction on one account, on the primary."""
        return self._primary.write(account_id)

    def helped(self) -> AbstractContextManager[None]:
        """Have a second process share in what is written on the primary."""
        return self._primary.helped()

    def create_account(self, account_id: int, **values: Any) -> AbstractContextManager[Writer]:
        """Add an account and open its first transaction."""
        return self._primary.create_account(account_id, **values)

    def touch(self, account_id: int, statement: Prepared, **values: Any) -> None:
        """Change what no page shows, on the primary."""
        self._primary.touch(account_id, statement, **values)

    def revision(self, account_id: int) -> int | None:
        """Return the account's revision on the primary."""
        return self._primary.revision(account_id)

    def rows_of_all_accounts(self, statement: Prepared, **values: Any) -> list[Row]:
        """Read outside any account."""
        return self._primary.rows_of_all_accounts(statement, **values)

    def run_of_all_accounts(self, statement: Prepared, **values: Any) -> None:
        """Write outside any account."""
        self._primary.run_of_all_accounts(statement, **values)

    def accounts_to_index(self) -> list[int]:
        """List the accounts whose indexes are not of this version, on the primary."""
        return self._primary.accounts_to_index()

    def remake_indexes(self, account_id: int) -> int:
        """Make the next rows of an account's indexes anew, on the primary."""
        return self._primary.remake_indexes(account_id)

    def inspect(self, account_id: int) -> AbstractContextManager[Inspector]:
        """Open a snapshot of one account on the primary, to look for faults in it."""
        return self._primary.inspect(account_id)

    def faults(self) -> Iterator[str]:
        """Name what is wrong with the primary as a whole."""
        return self._primary.faults()

    def tidy(self, account_ids: Sequence[int]) -> None:
        """Look at all rows anew, on the primary."""
        self._primary.tidy(account_ids)

    def figures(self) -> Figures:
        """Tell what was counted of the primary, and of each standby."""
        of_standbys = tuple(structs.replace(standby.figures) for standby in self._standbys)
        return structs.replace(self._primary.figures(), replicas=of_standbys)

    def schema_version(self) -> str | None:
        """Return the version of the primary's schema."""
        return self._primary.schema_version()

    def missing_parts(self) -> list[str]:
        """Name what the primary lacks of the declaration."""
        return self._primary.missing_parts()

    def why_not_written(self) -> str | None:
        """Say what keeps the primary from being written."""
        return self._primary.why_not_written()

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
        standby.leave_alone(FAILED_SECONDS)
        raise Conflict(f"A replica failed: {error}") from error
