"""Connections to a PostgreSQL server: opened when one is needed, kept when it is given back.

A worker process uses one connection at a time, so there is no pool whose size could be set. Two things
matter: nobody waits longer than its time limit, and the first request after an outage finds the server
again (docs/decisions/0007 says why no library does this).
"""

import threading
from collections import deque
from time import monotonic
from typing import Any

import psycopg
from psycopg import errors

Connection = psycopg.Connection[tuple[Any, ...]]

IDLE_MAX = 4


class PatientConnection(Connection):
    """A connection that waits for an answer no longer than its time limit, whatever happens to the server."""

    patience_seconds = 10.0

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer. If none comes in time, the connection is closed."""
        try:
            return super().wait(gen, interval, self.patience_seconds if timeout is None else timeout)
        except errors._WaitTimeout as error:  # noqa: SLF001 - it has no public name
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"the database gave no answer within {self.patience_seconds:g} s"
            ) from error


class Connections:
    """The connections of one process to one server."""

    def __init__(self, conninfo: str, *, patience_seconds: float) -> None:
        self._conninfo = conninfo
        self._patience_seconds = patience_seconds
        self._idle: deque[PatientConnection] = deque()
        self._in_use = 0
        self._changed = threading.Condition()
        self._is_connecting = False
        self._error: psycopg.Error | None = None
        self._is_closed = False

    def take(self, end: float) -> PatientConnection:
        """Return a connection, idle or new; OperationalError if there is none before `end`."""
        with self._changed:
            self._is_closed = False
            while not self._idle:
                if not self._is_connecting:
                    self._is_connecting, self._error = True, None
                    # In a thread of its own, because a server that hangs takes longer than the caller wants
                    # to wait.
                    threading.Thread(target=self._connect, daemon=True).start()
                if not self._changed.wait(end - monotonic()):
                    raise psycopg.OperationalError("the database let nobody in in time")
                if self._error is not None and not self._idle:
                    raise psycopg.OperationalError(str(self._error))
            self._in_use += 1
            return self._idle.pop()

    def give_back(self, connection: PatientConnection) -> None:
        """Take a connection back from who has used it."""
        with self._changed:
            self._in_use -= 1
        self._keep(connection)

    def numbers(self) -> tuple[int, int]:
        """Tell how many connections are idle, and how many are in use."""
        return len(self._idle), self._in_use

    def _keep(self, connection: PatientConnection) -> None:
        """Keep a connection for the next request, unless it is broken or there are enough."""
        status = connection.info.transaction_status
        with self._changed:
            is_wanted = len(self._idle) < IDLE_MAX and not self._is_closed
            if is_wanted and status == psycopg.pq.TransactionStatus.IDLE:
                self._idle.append(connection)
                self._changed.notify_all()
                return
        connection.close()

    def close(self) -> None:
        """Close all idle connections; those in use are closed when they are given back."""
        with self._changed:
            self._is_closed = True
            while self._idle:
                self._idle.pop().close()

    def _connect(self) -> None:
        try:
            connection = PatientConnection.connect(
                self._conninfo,
                autocommit=True,
                # No prepared statements: poolers don't know them, and their plans fit no particular account.
                prepare_threshold=None,
                application_name="tradebook",
                connect_timeout=max(2, round(self._patience_seconds)),
            )
        except psycopg.Error as error:
            self._error = error
        else:
            connection.patience_seconds = self._patience_seconds
            self._keep(connection)
        with self._changed:
            self._is_connecting = False
            self._changed.notify_all()
