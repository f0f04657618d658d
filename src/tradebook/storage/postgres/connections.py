"""Connections to a PostgreSQL server: opened when one is needed, kept when it is given back.

A thread uses one connection at a time, so there is no pool whose size could be set. Two things
matter: nobody waits longer than its time limit, and the first request after an outage finds the server
again (docs/decisions/0007 says why no library does this).
"""

import threading
from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import Any

import psycopg
from psycopg import abc, errors
from psycopg.adapt import Loader, Transformer
from psycopg.generators import execute as fetch_all
from psycopg.generators import fetch_many
from psycopg.generators import send as send_all
from psycopg.pq.abc import PGresult

from tradebook.storage.database import Row
from tradebook.storage.postgres.literals import ENCODING, Statement, Written, written
from tradebook.storage.postgres.row_security import NO_ROLE, ROLE_SETTING

Connection = psycopg.Connection[tuple[Any, ...]]

IDLE_MAX = 24
"""As many as the threads of a worker use at once: with fewer, a busy worker would always open and close."""


KEPT_MAX = 100
"""How many statements a connection keeps: each takes memory of the server."""

KEPT_ELSEWHERE = (errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement)
"""What a server says of statements where a session is not the connection's own."""

PLANS_SECONDS_MAX = 10.0
"""How long it keeps their plans, and those of references: few rows may have a plan that is wrong for many."""

_KEEPS = f"SELECT pg_backend_pid(), COALESCE(current_setting('{ROLE_SETTING}', true), '') <> '{NO_ROLE}'"


class Utf8(Loader):
    """Reads a text as its bytes: the client asks for UTF-8."""

    def load(self, data: abc.Buffer) -> bytes:
        """Read a value."""
        return bytes(data)


class PatientConnection(Connection):
    """A connection that waits for an answer no longer than its time limit, whatever happens to the server."""

    patience_seconds = 10.0
    is_ending = False
    """Whether the end of its transaction was sent, and the answer to that not read yet."""
    is_ahead = False
    """Whether statements were sent whose answers are not read yet."""

    keeps = False
    """Whether the server keeps statements for it."""

    done = 0
    """How many statements the server had done of what it was sent last, before one failed."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept: set[str] | None = set()
        """The names of the statements that the server keeps; None where that is not clear."""
        self._keeps_then: set[str] | None = self._kept
        """The same, once what was sent is done."""
        self._plans_end = monotonic() + PLANS_SECONDS_MAX

    def look_around(self) -> None:
        """Find out whether this session is its own: a pooler gives each transaction another one.

        Citus, which has no role, plans some statements only with their values.
        """
        ((own, is_whole),) = self.execute(_KEEPS).fetchall()
        self.keeps = bool(is_whole) and own == self.pgconn.backend_pid

    @property
    def is_in_transaction(self) -> bool:
        """Whether there is anything to end, as far as is known."""
        return self.pgconn.transaction_status != psycopg.pq.TransactionStatus.IDLE

    def together(self, *statements: Statement) -> list[list[Row]]:
        """Run statements in one round trip, all or none; returns the rows of each.

        The values are written into the text: several statements can't have values beside it. Without a cursor
        of the driver, which takes longer for one than all the rest.
        """
        return self.send([self.written(each) for each in statements])

    def written(self, statement: Statement) -> Written:
        """Write a statement out, as `send` takes it."""
        return written(statement, self, keeps=self.keeps)

    def send(self, statements: Sequence[Written]) -> list[list[Row]]:
        """Run statements that are written out, as `together` does."""
        prepared = self._start(statements)
        reading = Transformer(self)
        results = self.wait(fetch_all(self.pgconn))
        self.done = sum(is_asked for _, is_asked in prepared[: len(results) - 1])
        self._require_done(results)
        # From the end, as the first statement may be several, of which the last one counts.
        ended = zip(reversed(results), reversed(prepared), strict=False)
        answers = [result for result, (_, is_asked) in ended if is_asked]
        return [_rows_of(result, reading) for result in reversed(answers)]

    def _start(self, statements: Sequence[Written]) -> list[tuple[bytes, bool]]:
        """Send statements with what they need; returns each, and whether it is one of them."""
        self.settle()
        prepared, self._keeps_then = self._with_preparations(statements)
        if self._keeps_then is not self._kept:
            self._kept = None
        self.pgconn.send_query(b"; ".join([text for text, _ in prepared]))
        return prepared

    def _with_preparations(
        self, statements: Sequence[Written]
    ) -> tuple[list[tuple[bytes, bool]], set[str] | None]:
        """Have the server keep what it does not yet, each before it is needed; returns what it keeps then."""
        texts, names = [], self._kept
        for text, kept in statements:
            if kept is not None and (now := monotonic()) >= self._plans_end:
                self._plans_end = now + PLANS_SECONDS_MAX
                texts.append((b"DISCARD PLANS", False))
            if kept is not None and (names is None or kept.name not in names):
                if names is None or len(names) >= KEPT_MAX:
                    texts.append((b"DEALLOCATE ALL", False))
                    names = set()
                texts.append((kept.preparation, False))
                names = names | {kept.name}
            texts.append((text, True))
        return texts, names

    def send_ahead(self, statements: Sequence[Written]) -> None:
        """Have the server begin with statements; whoever asks it next reads how they ended."""
        self._start(statements)
        self.is_ahead = True
        self.wait(send_all(self.pgconn))

    @property
    def is_working(self) -> bool:
        """Whether the server still works on what was sent ahead."""
        if self.is_ahead:
            self.pgconn.consume_input()
        return self.is_ahead and bool(self.pgconn.is_busy())

    def commit_soon(self) -> None:
        """Send the end of a transaction that has read; who takes the connection next reads the answer.

        It can't fail in a way that matters: what was read is of one snapshot already.
        """
        self.pgconn.send_query(b"COMMIT")
        self.is_ending = True
        if self.pgconn.flush():
            self.settle()

    def settle(self) -> None:
        """Read the answers to what was sent, and not waited for."""
        if self.is_ending or self.is_ahead:
            was_ahead, self.is_ending, self.is_ahead = self.is_ahead, False, False
            results = self.wait(fetch_many(self.pgconn))
            if was_ahead:
                self._require_done(results)

    def _require_done(self, results: Sequence[PGresult]) -> None:
        if results[-1].status == psycopg.pq.ExecStatus.FATAL_ERROR:
            error = errors.error_from_result(results[-1], encoding=self.info.encoding)
            self.keeps = self.keeps and not isinstance(error, KEPT_ELSEWHERE)
            raise error
        self._kept = self._keeps_then

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer. If none comes in time, the connection is closed."""
        try:
            return super().wait(gen, interval, self.patience_seconds if timeout is None else timeout)
        except errors._WaitTimeout as error:  # noqa: SLF001 - it has no public name
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"the database gave no answer within {self.patience_seconds:.2g} s"
            ) from error


def _rows_of(result: PGresult, reading: abc.Transformer) -> list[Row]:
    if not result.nfields:
        return []
    reading.set_pgresult(result)
    return reading.load_rows(0, result.ntuples, tuple)


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
        if (
            (connection.is_in_transaction and not connection.is_ending)
            or self._is_closed
            or len(self._idle) >= IDLE_MAX
        ):
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
                # The driver's own prepared statements can't be sent with others (docs/decisions/0007).
                prepare_threshold=None,
                application_name="tradebook",
                # Values are written into statements.
                client_encoding=ENCODING,
                connect_timeout=max(2, round(self._patience_seconds)),
            )
            connection.adapters.register_loader("bpchar", Utf8)
            connection.patience_seconds = self._patience_seconds
            connection.look_around()
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
