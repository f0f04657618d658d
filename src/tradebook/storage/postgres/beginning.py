"""A transaction that begins together with its first statement, in one round trip."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic

import psycopg
from psycopg import errors

from tradebook.storage.database import Conflict, Row, Unavailable
from tradebook.storage.postgres.connections import KEPT_ELSEWHERE, Connections, PatientConnection
from tradebook.storage.postgres.literals import Statement, Written
from tradebook.storage.postgres.row_security import APPLICATION

AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    # A standby that became a primary, or the reverse.
    errors.ReadOnlySqlTransaction,
    # What Citus says of a machine that is gone.
    errors.InternalError_,
)

_SAVEPOINT, _RELEASE = Written(b"SAVEPOINT part"), Statement("RELEASE SAVEPOINT part")


class Beginning:
    """One transaction. It takes a connection, and begins, when it is asked for something."""

    def __init__(
        self, connections: Connections, beginning: Sequence[Statement], patience_seconds: float
    ) -> None:
        self._connections = connections
        self._beginning = beginning
        self._patience_seconds = patience_seconds
        self._taken: PatientConnection | None = None
        self._later: list[Written] = []
        self._places: list[int | None] = []
        """How much was left for later before each place that is marked; None where the server knows of it."""
        self._of_others = 0
        """How many of what was left for later an earlier part has left."""
        self.failure_of_others: psycopg.Error | None = None
        """What the server has said of that, if it has refused it: then nothing of the transaction stands."""

    @property
    def has_begun(self) -> bool:
        """Whether there is a connection, and a transaction on it."""
        return self._taken is not None

    @property
    def is_lost(self) -> bool:
        """Whether its connection is gone."""
        return self._taken is None or self._taken.closed

    @property
    def is_broken(self) -> bool:
        """Whether it can't go on, whatever the part that is under way does."""
        return self.is_lost or self.failure_of_others is not None or self.has_failed

    @property
    def has_failed(self) -> bool:
        """Whether the server has refused a statement of the transaction, and waits for its end."""
        return self.connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.INERROR

    @property
    def connection(self) -> PatientConnection:
        """The connection on which the transaction has begun."""
        assert self._taken is not None
        return self._taken

    def begin(self, *statements: Statement) -> Sequence[list[Row]]:
        """Begin, and run some statements at once; returns the rows of the last beginning, and of each."""
        end = monotonic() + self._patience_seconds
        while True:
            connection = self._connections.take(end)
            try:
                # What is left of the time: it may have been spent on the way to the connection.
                connection.patience_seconds = max(0.001, end - monotonic())
                found = connection.together(*self._beginning, *statements)
                connection.patience_seconds = self._patience_seconds
            except BaseException as error:
                self._let_go(connection)
                # The connection was cut while it was idle, or its session has not kept what it was to keep.
                # Nothing has been done yet, so try another one, or without.
                is_idle = isinstance(error, AWAY) and connection.closed
                if (is_idle or isinstance(error, KEPT_ELSEWHERE)) and monotonic() < end:
                    continue
                if isinstance(error, errors.InsufficientPrivilege):
                    raise Unavailable(f"{error} (GRANT {APPLICATION} TO this user)") from error
                raise
            self._taken = connection
            return found[len(self._beginning) - 1 :]

    def later(self, statement: Statement) -> None:
        """Have a statement, whose answer nobody waits for, sent before the next one whose answer is wanted.

        If it fails, so does that one.
        """
        # Written out at once: what can't be written fails here, not in what is sent with it.
        self._later.append(self.connection.written(statement))

    def flush(self) -> None:
        """Have everything done that was left for later, before a change that is not."""
        self._mark(len(self._later) + 1)
        self.ask()

    def ask(self, *statements: Statement) -> Sequence[list[Row]]:
        """Run statements in one round trip, what was left for later before them; returns the rows of each."""
        texts = [self.connection.written(each) for each in statements]
        later = self._take_later()
        of_others, self._of_others = self._of_others, 0
        if not later and not texts:
            self.connection.settle()
            return ()
        try:
            return self.connection.send([*later, *texts])[len(later) :]
        except psycopg.Error as error:
            if self.is_lost or not self.has_failed or self.connection.done >= of_others:
                raise
            self.failure_of_others = error
            raise Conflict(f"Another writer of the same transaction failed: {error}") from error

    def send_ahead(self) -> None:
        """Have the server do what was left for later, while this process goes on; unless it is busy."""
        if self._of_others:
            self.ask()
        elif not self.connection.is_working:
            self.connection.send_ahead(self._take_later())

    def _take_later(self) -> list[Written]:
        """Return what was left for later, to be sent."""
        self._mark(len(self._later))
        later, self._later = self._later, []
        self._places = [None if place is None else 0 for place in self._places]
        return later

    def _mark(self, number: int) -> None:
        """Have the server told of each place before the last one of so many changes."""
        for at, place in reversed(list(enumerate(self._places))):
            if place is not None and place < number:
                self._later.insert(place, _SAVEPOINT)
                self._places[at] = None

    def begin_part(self) -> None:
        """Begin a part: if what is left by now fails, that is not the fault of this one."""
        self._of_others = len(self._later)

    def end_part(self) -> None:
        """End a part. What it has left goes with what the next one asks, unless two have left something."""
        if self._of_others or self.connection.is_ahead:
            self.ask()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Mark a place; an exception undoes everything since then.

        The server is told when it is sent a change that may be undone. What is sent later is not there yet.
        """
        self._places.append(len(self._later))
        try:
            yield
        except BaseException:
            place = self._places.pop()
            if place is not None:
                del self._later[place:]
            else:
                self._later.clear()
                if not self.is_lost and self.failure_of_others is None:
                    with suppress(psycopg.Error):
                        self.connection.settle()
                    self.connection.together(Statement("ROLLBACK TO SAVEPOINT part"), _RELEASE)
            raise
        if self._places.pop() is None:
            self.later(_RELEASE)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Give the connection back in the end, with nothing left of a transaction that was not ended."""
        try:
            yield
        finally:
            connection, self._taken = self._taken, None
            if connection is not None:
                self._let_go(connection)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """As `kept`, for a transaction that only reads: its end is not waited for."""
        with self.kept():
            yield
            if self._taken is not None:
                self._taken.commit_soon()

    def _let_go(self, connection: PatientConnection) -> None:
        if not connection.closed and not connection.is_ending and connection.is_in_transaction:
            with suppress(psycopg.Error):
                connection.settle()
            with suppress(psycopg.Error):
                connection.rollback()
        self._connections.give_back(connection)
