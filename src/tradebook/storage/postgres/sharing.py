"""Writers of an account that come at once share a transaction: each has its turn, and one commit is for all.

The server lets the next writer of an account begin when the commit of the last one is on its disk. With a
commit for each, an account could not be changed more often in a second than the disk ends a write.

What one leaves for later goes with what the next one asks first, in one round trip. If the server refuses it,
all of the transaction is undone. Who left it is told why, and the others do their work again.

What a writer has done is told when it is committed. A refusal waits for that too: the reason for it may be
something that another one has written, and that is not true before.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from threading import Lock
from time import monotonic

from tradebook.storage.database import Conflict, Row, Unavailable
from tradebook.storage.postgres.beginning import Beginning

MEMBERS_MAX = 16
OPEN_SECONDS_MAX = 0.05
"""How many have a turn in one transaction, and until when: the first one waits for the last one."""


class Shared:
    """One transaction, and those who have written in it."""

    def __init__(self, transaction: Beginning, account_id: int) -> None:
        self.transaction, self.account_id = transaction, account_id
        self.account: list[Row] = []
        """The account's row, once the transaction has begun."""
        self.members = 0
        self.revision = 0
        """That of the account, once it is committed."""
        self.is_full = False
        self.failure: BaseException | None = None
        self.line: _Line | None = None
        self.left_by: Lock | None = None
        """What the last one waits for whose part has ended well: what it left may still fail."""
        self.told: list[Lock] = []
        """What those wait for who have had their turn: the end of the transaction."""
        self._until = 0.0
        self._kept = ExitStack()
        self._kept.enter_context(transaction.kept())

    def is_awaited(self) -> bool:
        """Tell whether somebody in this process waits for a turn."""
        return self.line is not None and self.line.waiting > 0

    @contextmanager
    def part(self) -> Iterator[None]:
        """Have what is done inside undone alone if it fails: the first one's is all that there is."""
        self.transaction.begin_part()
        with self.transaction.savepoint() if self.members else nullcontext():
            yield
            # The first one has waited for the lock.
            self._until = self._until or monotonic() + OPEN_SECONDS_MAX
            is_late = self.members + 1 >= MEMBERS_MAX or monotonic() >= self._until
            self.is_full = is_late or not self.is_awaited()
            self.transaction.end_part()
        self.members += 1

    def failure_of(self, told: Lock) -> BaseException | None:
        """Return what one of them is told, by what it has waited for."""
        is_fault = told is self.left_by and self.transaction.failure_of_others is not None
        return self.transaction.failure_of_others if is_fault else self.failure

    def end(self, failure: BaseException | None = None) -> None:
        """Give the connection back; with a failure, nothing was done, as far as is known."""
        self.failure = failure
        self._kept.close()


class _Line:
    """Those who write in one account. Each waits for a lock of its own, so nobody is woken in vain."""

    def __init__(self) -> None:
        self.users = 0
        self.places: deque[Lock] = deque()
        """What those wait for whose turn has not come yet."""
        self.is_busy = False
        """Whether somebody has a turn, or commits."""
        self.shared: Shared | None = None

    @property
    def waiting(self) -> int:
        return len(self.places)

    def pass_on(self) -> bool:
        """Give the turn to the next one; False if nobody waits."""
        if self.places:
            self.places.popleft().release()
            return True
        return False


class Sharing:
    """The transactions that the threads of a process share, one for each account at a time."""

    def __init__(
        self, begin: Callable[[int], Shared], commit: Callable[[Shared], None], patience_seconds: float
    ) -> None:
        self._begin, self._commit = begin, commit
        self._patience_seconds = patience_seconds
        self._lock = Lock()
        self._lines: dict[int, _Line] = {}

    @contextmanager
    def turn(self, account_id: int) -> Iterator[Shared]:
        """Wait for a turn, have it, and wait until what was done in it is committed."""
        with self._line(account_id) as line:
            self._wait_for_turn(line)
            error: BaseException | None = None
            try:
                shared = line.shared = line.shared or self._begin(account_id)
                shared.line = line
                try:
                    with shared.part():
                        yield shared
                except BaseException as raised:  # noqa: BLE001 - it is raised again, whatever it is
                    error = raised
            except BaseException:
                self._pass_on(line)
                raise
            self._settle(line, shared, error)
            if error is not None:
                raise error

    @contextmanager
    def _line(self, account_id: int) -> Iterator[_Line]:
        with self._lock:
            line = self._lines.setdefault(account_id, _Line())
            line.users += 1
        try:
            yield line
        finally:
            with self._lock:
                line.users -= 1
                if not line.users:
                    del self._lines[account_id]

    def _wait_for_turn(self, line: _Line) -> None:
        with self._lock:
            if not line.is_busy:
                line.is_busy = True
                return
            line.places.append(place := _taken())
        if not place.acquire(timeout=self._patience_seconds):
            with self._lock:
                # Else it has come in this moment.
                if place in line.places:
                    line.places.remove(place)
                    raise Unavailable("The writers before this one took too long.")

    def _settle(self, line: _Line, shared: Shared, error: BaseException | None) -> None:
        """Let others go on in the transaction or, as the last one, commit; returns when that is done."""
        if error is not None and (not shared.members or shared.transaction.is_broken):
            failure = Conflict(f"Another writer of the same transaction failed: {error}")
            self._end(line, shared, lambda: shared.end(failure))
            return
        shared.told.append(told := _taken())
        if error is None:
            shared.left_by = told
        with self._lock:
            is_last = shared.is_full or not line.pass_on()
        if is_last:
            self._end(line, shared, lambda: self._commit(shared))
        else:
            told.acquire()
        if reason := shared.failure_of(told):
            raise type(reason)(*reason.args) from reason

    def _end(self, line: _Line, shared: Shared, end: Callable[[], None]) -> None:
        try:
            end()
            shared.end(shared.failure)
        except BaseException as failure:  # noqa: BLE001 - everybody hears of it
            shared.end(failure)
        finally:
            line.shared = None
            self._pass_on(line)
            for told in shared.told:
                told.release()

    def _pass_on(self, line: _Line) -> None:
        with self._lock:
            line.is_busy = line.pass_on()


def _taken() -> Lock:
    """Make a lock that is taken until somebody else lets it go."""
    lock = Lock()
    lock.acquire()
    return lock
