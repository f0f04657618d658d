"""Changes of a thread that share a commit: what comes while one is done is done in the same transaction.

To end a transaction is to wait for the disk, and to write each page that it has changed. Who changes the book
in a thread that has more to do leaves that to the last one. What was done is told to nobody before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic

import apsw

from tradebook.storage.database import OutcomeUnknown, Unavailable

MEMBERS_MAX = 16
OPEN_SECONDS_MAX = 0.05
"""How many changes have a part in one transaction, and until when: the first one waits for the last one."""


class Gathering:
    """The transaction of a thread, and how many have a part in it that is not committed yet."""

    def __init__(
        self,
        begin: Callable[[float], apsw.Connection],
        commit: Callable[[apsw.Connection], None],
        goes_on: Callable[[], bool],
    ) -> None:
        """Leave a commit to the next change where `goes_on` says that there is one.

        `begin` takes for how many seconds this one has been waiting already.
        """
        self._begin, self._commit, self._goes_on = begin, commit, goes_on
        self._connection: apsw.Connection | None = None
        self._until = 0.0
        self.asked_at: float | None = None
        """When the change was asked for that is done now."""
        self._failure: BaseException | None = None
        """Why nothing is done of what others have done in the transaction."""
        self._members = 0

    @property
    def is_open(self) -> bool:
        """Whether something was done that is not committed yet."""
        return self._connection is not None

    @contextmanager
    def part(self) -> Iterator[apsw.Connection]:
        """Have a part in the transaction, or begin one; an exception undoes this part alone."""
        if self._failure is not None:
            kind = OutcomeUnknown if isinstance(self._failure, OutcomeUnknown) else Unavailable
            raise kind(f"Another change of the same transaction failed: {self._failure}")
        connection, is_first = self._connection, self._connection is None
        if connection is None:
            waited = 0.0 if self.asked_at is None else monotonic() - self.asked_at
            connection, self._until = self._begin(waited), monotonic() + OPEN_SECONDS_MAX
        else:
            connection.execute("SAVEPOINT member")
        try:
            yield connection
            if not is_first:
                connection.execute("RELEASE member")
        except BaseException as error:
            if is_first or not _undo_part(connection):
                self._lose(connection, self._members, error)
            raise
        self._connection = connection
        self._members += 1
        if self._members >= MEMBERS_MAX or monotonic() >= self._until or not self._goes_on():
            self._end(connection, others=self._members - 1)

    def settle(self) -> BaseException | None:
        """Commit what is left open; tells why nothing is done of what was done since the last time, if so.

        Then every part fails for that reason, until `forget`.
        """
        if self._connection is not None:
            with suppress(Exception):
                self._end(self._connection, others=self._members)
        return self._failure

    def forget(self) -> None:
        """Begin anew: whoever has had a part in what failed has heard of it."""
        self._failure = None

    def _end(self, connection: apsw.Connection, others: int) -> None:
        try:
            self._commit(connection)
        except BaseException as error:
            self._lose(connection, others, error)
            raise
        self._connection, self._members = None, 0

    def _lose(self, connection: apsw.Connection, others: int, error: BaseException) -> None:
        """Undo all of the transaction. Whoever fails hears of it by himself, and others by `settle`."""
        self._failure = error if others else None
        self._connection, self._members = None, 0
        with suppress(apsw.ConnectionClosedError):
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _undo_part(connection: apsw.Connection) -> bool:
    """Undo one part; False where that can't be, or all of the transaction is gone, as a full disk has it."""
    with suppress(apsw.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK TO member")
            connection.execute("RELEASE member")
            return True
    return False
