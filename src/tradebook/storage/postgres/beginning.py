"""A transaction that begins together with its first statement, in one round trip."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic

import psycopg
from psycopg import errors

from tradebook.storage.database import Row, Unavailable
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

_RELEASE = Statement("RELEASE SAVEPOINT part")


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
        self._sent = 0
        """How often what was left for later has been sent."""

    @property
    def has_begun(self) -> bool:
        """Whether there is a connection, and a transaction on it."""
        return self._taken is not None

    @property
    def is_lost(self) -> bool:
        """Whether its connection is gone."""
        return self._taken is None or self._taken.closed

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

    def ask(self, *statements: Statement) -> Sequence[list[Row]]:
        """Run statements in one round trip, what was left for later before them; returns the rows of each."""
        texts = [self.connection.written(each) for each in statements]
        later, self._later = self._later, []
        self._sent += 1
        if later or texts:
            return self.connection.send([*later, *texts])[len(later) :]
        self.connection.settle()
        return ()

    def send_ahead(self) -> None:
        """Have the server do what was left for later, while this process goes on; unless it is busy."""
        if not self.connection.is_working:
            later, self._later = self._later, []
            self._sent += 1
            self.connection.send_ahead(later)

    def flush(self) -> None:
        """Have everything done that was left for later and can fail."""
        if self.connection.is_ahead or any(each.text != _RELEASE.sql.encode() for each in self._later):
            self.ask()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Mark a place; an exception undoes everything since then. Both are sent with what comes next."""
        place, sent = len(self._later), self._sent
        self.later(Statement("SAVEPOINT part"))
        try:
            yield
        except BaseException:
            if self._sent == sent:
                del self._later[place:]
            else:
                self._later.clear()
                if not self.is_lost:
                    with suppress(psycopg.Error):
                        self.connection.settle()
                    self.connection.together(Statement("ROLLBACK TO SAVEPOINT part"), _RELEASE)
            raise
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
