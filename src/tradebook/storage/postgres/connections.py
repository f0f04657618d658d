"""Connections to a PostgreSQL server: opened when one is needed, kept when it is given back.

A thread uses one connection at a time, so there is no pool whose size could be set. Two things
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

IDLE_MAX = 8
"""As many as the threads of a worker use at once: with fewer, a busy worker would always open and close."""


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
                f"the database gave no answer within {self.patience_seconds:.2g} s"
            ) from error


class Connections:
    """The connections of one process to one server."""

    def __init__(self, conninfo: str, *, patience_seconds: float) -> None:
        self._conninfo = conninfo
        self._patience_seconds = patience_seconds
        self._idle: deque[PatientConnection] = deque()
        self._in_use = 0
        self._changed = threading.Condition()
        self._waiting = self._connecting = 0
        self._errors: list[BaseException] = []
        """Why no connection came, each time for one of those who wait."""

        self._at_once = IDLE_MAX
        """How many may connect at a time: one, after several were refused at once, until one is let in."""

        self._is_closed = False

    def take(self, end: float) -> PatientConnection:
        """Return a connection, idle or new; OperationalError if there is none before `end`."""
        with self._changed:
            self._is_closed = False
            self._waiting += 1
            try:
                self._wait(end)
                connection = self._idle.pop()
            finally:
                self._waiting -= 1
                del self._errors[self._waiting :]
            self._in_use += 1
            return connection

    def give_back(self, connection: PatientConnection) -> None:
        """Take a connection back from who has used it."""
        with self._changed:
            self._in_use -= 1
            is_kept = self._keep(connection)
            self._changed.notify_all()
        if not is_kept:
            connection.close()

    def numbers(self) -> tuple[int, int]:
        """Tell how many connections are idle, and how many are in use."""
        return len(self._idle), self._in_use

    def close(self) -> None:
        """Close all idle connections; those in use are closed when they are given back."""
        with self._changed:
            self._is_closed = True
            while self._idle:
                self._idle.pop().close()

    def _wait(self, end: float) -> None:
        while not self._idle:
            # One for each who waits: also where somebody has given up, whose connection still comes.
            is_missing = self._connecting + len(self._errors) < self._waiting
            if is_missing and self._connecting < self._at_once:
                self._start_to_connect()
            # A server that lets nobody else in serves those who are in, or about to be: they give back.
            if self._errors and not self._in_use and not self._connecting:
                if self._at_once == 1 or len(self._errors) == 1:
                    raise psycopg.OperationalError(str(self._errors.pop()))
                # It counts those whom it refuses, so they may have been in each other's way.
                self._errors.clear()
                self._at_once = 1
                continue
            if not self._changed.wait(end - monotonic()):
                raise psycopg.OperationalError("the database let nobody in in time")

    def _keep(self, connection: PatientConnection) -> bool:
        """Keep a connection for the next request, unless it is broken or there are enough."""
        is_whole = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if not is_whole or self._is_closed or len(self._idle) >= IDLE_MAX:
            return False
        self._idle.append(connection)
        return True

    def _start_to_connect(self) -> None:
        """Connect in a thread of its own: a server that hangs takes longer than the caller wants to wait."""
        try:
            threading.Thread(target=self._connect, daemon=True).start()
        except (RuntimeError, MemoryError) as error:
            self._errors.append(error)
        else:
            self._connecting += 1

    def _connect(self) -> None:
        connection: PatientConnection | None = None
        error: BaseException | None = None
        try:
            connection = PatientConnection.connect(
                self._conninfo,
                autocommit=True,
                # No prepared statements: poolers don't know them, and their plans fit no particular account.
                prepare_threshold=None,
                application_name="tradebook",
                connect_timeout=max(2, round(self._patience_seconds)),
            )
        except BaseException as raised:  # noqa: BLE001 - whoever waits must hear of it, whatever it is.
            error = raised
        with self._changed:
            self._connecting -= 1
            is_kept = connection is not None and self._keep(connection)
            if connection is not None:
                self._at_once = IDLE_MAX
            if error is not None and self._connecting + len(self._errors) < self._waiting:
                self._errors.append(error)
            self._changed.notify_all()
        if connection is not None and not is_kept:
            connection.close()
