"""Turns: who waits for the one that works, for how long, and who is sent away.

Requests that come while a worker works wait in line. The next turn is for the account whose turns have taken
the least time, however many requests each of them has sent. If the line is longer than a client would want to
wait, a request of the account with the most of them is refused at once, which costs next to nothing. A burst
may fill the line. Where it is full for long, more comes than can be done, and a long line would only have
everybody wait: then few may wait, until nobody had to be refused for a while. So what is let in is answered
in time, at any load.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Collection, Mapping
from time import perf_counter

from tradebook.errors import ServiceUnavailable
from tradebook.web import metrics
from tradebook.web.metrics import Queue

ALWAYS = 32
"""How many may wait in any case: short bursts of slow requests are no overload."""

FEW, FEW_FOR_A_THREAD, FEW_FOR_THREADS = 4, 5, 1
"""How many may wait while more comes than can be done: enough that the worker is never without work. Who
waits for a thread is counted while the body is on its way. Several threads are seldom free at the same time.
"""

TRYING_SECONDS = 4.0
"""How long an overload lasts until it is tried whether it is over, and how long that is tried. Clients that
ask again at once, but are no more than may always wait, would have it last for ever."""

LONGER = 1.4
"""Where a turn takes so many times longer while more than half of the threads work, twice as many get little
more done: they wait for each other, or for a processor."""

HALF_MAX = 4
"""How many threads half of them are at most: with more, answers took twice as long at an overload."""

SLICE_SECONDS = 0.001
"""How long the worker works before it looks at what has come meanwhile."""

CREDIT_SECONDS, IN_A_ROW = 0.02, 2
"""How much of the time that an account had a right to, and did not take, it may take later, and how many of
its requests may be in line then. So one that asks for little may ask twice in a row.
"""

LATE = 2
"""How many times longer than it may wait a request has waited when nobody waits for its answer any more."""

ACCOUNTS_MAX = 10_000
"""Of how many accounts it is remembered what time they have taken. Then all begin anew."""

_FIRST_GUESS_SECONDS = 0.001
_WEIGHT = 0.05
"""How much the newest duration counts in the mean."""

_NONE: Mapping[int, int] = {}


class Waiting:
    """The requests that wait, by account, and the time that the turns of each have taken."""

    def __init__(self, name: Queue, seconds_max: float, few: int = FEW) -> None:
        self.number = self.free = 0
        """How many wait, and how many threads have nothing to do: so many newcomers don't have to wait."""

        self.mean_seconds = self._turn_seconds = _FIRST_GUESS_SECONDS
        """How long it is from one turn's end to the next one's, and how long a turn takes."""

        self._name = name
        self._seconds_max = seconds_max
        self._few = few
        self._of: dict[int, deque[asyncio.Future[None]]] = {}
        self._held: Counter[int] = Counter()
        """How many requests of each account are in line, or were let in and are expected there."""

        self._held_number = 0
        self._taken: dict[int, float] = {}
        self._last_seconds = 0.0
        self._stands_since = 0.0
        """Since when there has always been somebody who waits."""

        self._overload_ends = 0.0
        """When a burst may fill the line again, unless somebody has to be refused before."""

        self._refused = 0
        """How many were refused since there is always somebody who waits."""

        self._try_at = self._try_ends = 0.0
        """When it is tried whether an overload is over, and until when it goes on at once if it is not."""

        self._least = 0.0
        """What the account had taken whose turn it was last: who comes anew begins there, and who has been
        away for a while a little before.
        """

        self._ended: float | None = None
        """When the last turn ended, if others have waited ever since."""

    def note(self, account: int, began: float) -> float:
        """Charge an account with its turn, which ends now, and return how long that was.

        Where others have waited all the time, the mean also has what lies between two turns: refusing many
        takes time too.
        """
        now = perf_counter()
        seconds = self._last_seconds = now - began
        if len(self._taken) > ACCOUNTS_MAX:
            self._taken.clear()
        self._taken[account] = self._taken_by(account) + seconds
        self._turn_seconds += _WEIGHT * (seconds - self._turn_seconds)
        self.mean_seconds += _WEIGHT * (
            (seconds if self._ended is None else now - self._ended) - self.mean_seconds
        )
        if self.number:
            self._ended = now
        else:
            # Whoever has worked alone owes nobody anything.
            self._ended, self._least = None, max(self._least, self._taken[account])
        return seconds

    def is_full_for(self, account: int) -> bool:
        """Tell whether a newcomer of this account is to be refused."""
        if not self._is_long() or self._has_had_little(account):
            return False
        if self._held[account] + 1 < max(self._held.values()):
            return False
        self._note_refusal()
        return True

    def _is_long(self) -> bool:
        """Tell whether somebody has to be refused for who comes now. Where that lasts, few may wait."""
        number = self._held_number
        if number < self._few + self.free:
            return False
        now = perf_counter()
        if now < self._overload_ends:
            if now < self._try_at:
                return True
            self._overload_ends, self._try_ends = 0.0, now + TRYING_SECONDS
        return number >= ALWAYS and (now < self._try_ends or number * self.mean_seconds >= self._seconds_max)

    def _has_had_little(self, account: int) -> bool:
        """Tell whether an account has had less than its share: it is let in while not too many wait.

        Else many who ask for little would be refused beside one who asks for much.
        """
        held = self._held[account]
        expected = held * self._turn_seconds
        return (
            held < IN_A_ROW
            and self._held_number < ALWAYS
            and self._taken_by(account) + expected < self._least
        )

    def _note_refusal(self) -> None:
        """Take it for an overload that somebody is refused, if it is no burst."""
        now = perf_counter()
        if now < self._overload_ends:
            self._overload_ends = now + self._seconds_max
            return
        is_over = now >= self._try_ends
        self._refused += 1
        if is_over and now - self._stands_since <= self._seconds_max and self._refused <= self._held_number:
            return
        self._overload_ends, self._try_at = now + self._seconds_max, now + TRYING_SECONDS
        self._refuse_all_but_few()

    def _refuse_all_but_few(self) -> None:
        """Refuse those who stood in line before it was known for an overload, but for one of each account."""
        while self.number > self._few and self._refuse_one():
            pass

    def _refuse_one(self) -> bool:
        """Refuse the newest of who has the most in line, unless it is its only one or it had little."""
        most = max(self._of, key=lambda each: len(self._of[each]))
        if len(self._of[most]) == 1 or self._has_had_little(most):
            return False
        self._remove(most, newest=True, error=overloaded())
        return True

    def expect(self, account: int) -> None:
        """Count a request that was let in as one in line, from now on and until `expect_no_more`."""
        self._hold(account, 1)

    def expect_no_more(self, account: int) -> None:
        """Count a request no more that was expected: it stands in line now, or never will."""
        self._hold(account, -1)

    def _hold(self, account: int, number: int) -> None:
        self._held_number += number
        self._held[account] += number
        if not self._held[account]:
            del self._held[account]

    async def wait(self, account: int) -> bool:
        """Wait for a turn; False if it has come too late. ServiceUnavailable where the line is too long."""
        came = perf_counter()
        await self._put(account)
        seconds = perf_counter() - came
        metrics.waited(self._name, seconds)
        return seconds <= LATE * self._seconds_max

    @property
    def is_overload(self) -> bool:
        """Whether few may wait, as more comes than can be done."""
        return perf_counter() < self._overload_ends

    @property
    def moves(self) -> bool:
        """Whether few wait, and only as the machine is slow; not because a turn waits for the book's lock."""
        return self.number < ALWAYS and self._last_seconds <= self._seconds_max

    def take(self, without: Collection[int] = (), turns: Mapping[int, int] = _NONE) -> int | None:
        """Give the next one its turn and return whose it is; None if nobody waits.

        Nobody's turn it is who is in `without`. `turns` are those under way, which will have taken time too.
        """

        def will_have_taken(account: int) -> float:
            return self._taken_by(account) + turns.get(account, 0) * self._turn_seconds

        while True:
            able = [account for account in self._of if account not in without]
            if not able:
                break
            account = min(able, key=will_have_taken)
            self._least = max(self._least, self._taken_by(account))
            if self._remove(account, newest=False, error=None):
                return account
        if not self.number:
            self._ended = None
        return None

    def _put(self, account: int) -> asyncio.Future[None]:
        """Stand in line; ServiceUnavailable for the newcomer, or the newest of one with more in line."""
        if self.is_full_for(account):
            raise overloaded()
        if self.number and self._is_long() and self._refuse_one():
            self._note_refusal()
        if not self.number:
            self._stands_since, self._refused = perf_counter(), 0
        place = asyncio.get_running_loop().create_future()
        self._of.setdefault(account, deque()).append(place)
        self._taken[account] = self._taken_by(account)
        self._hold(account, 1)
        self.number += 1
        return place

    def _remove(self, account: int, *, newest: bool, error: ServiceUnavailable | None) -> bool:
        """Take a request out of the line, to answer or to refuse it; False if it waits no more."""
        places = self._of[account]
        place = places.pop() if newest else places.popleft()
        self._hold(account, -1)
        self.number -= 1
        if not places:
            del self._of[account]
        if place.done():
            return False
        if error is None:
            place.set_result(None)
        else:
            place.set_exception(error)
        return True

    def _taken_by(self, account: int) -> float:
        return max(self._taken.get(account, self._least), self._least - CREDIT_SECONDS)


def overloaded() -> ServiceUnavailable:
    """Make the refusal of a request that can't be answered in time."""
    return ServiceUnavailable("More requests have come than can be answered in time. Try again shortly.")


class LoopTurns:
    """Turns on the loop's own thread: in each of its rounds, as many as fit into a slice of time.

    All that has come is looked at between two rounds, so a refusal waits for a slice at most.
    """

    def __init__(self, seconds_max: float) -> None:
        self.waiting = Waiting("read", seconds_max)
        self._spent = 0.0
        self._is_round_open = False
        self._round = 0

    @property
    def is_free(self) -> bool:
        """Whether a turn would begin at once."""
        return not self.waiting.number and self._spent < SLICE_SECONDS

    async def wait(self, account: int) -> float:
        """Wait for a turn; returns when it began. End it with `done`, without awaiting anything between."""
        if not self.is_free:
            self.open_round()
            # Where few wait behind it, the machine is slow and not asked for too much: they are all answered.
            if not await self.waiting.wait(account) and self.waiting.number >= ALWAYS:
                raise overloaded()
        return perf_counter()

    def done(self, account: int, began: float) -> None:
        """End a turn."""
        self._spent += self.waiting.note(account, began)
        self.open_round()

    def open_round(self) -> int:
        """Begin a round, if none is under way; return its number. Who comes from now on is in a later one."""
        if not self._is_round_open:
            self._is_round_open = True
            asyncio.get_running_loop().call_soon(self._end_round)
        return self._round

    def begin_round(self) -> None:
        """Have those who come now be in a later round than all before."""
        self._round += 1

    def _end_round(self) -> None:
        self._is_round_open = False
        self._round += 1
        self._spent = 0.0
        granted = 0.0
        while granted < SLICE_SECONDS and self.waiting.take() is not None:
            granted += self.waiting.mean_seconds
        if granted:
            self.open_round()


class ThreadTurns:
    """Turns in threads of their own, each of which has some at a time: those that it commits together.

    Writers of an account wait for each other, so that an account has only some turns at a time, `at_once`.
    """

    def __init__(
        self, name: Queue, threads: int, seconds_max: float, *, at_once: int, of_each: int = 1
    ) -> None:
        few = FEW_FOR_A_THREAD if threads == 1 else FEW_FOR_THREADS
        self.waiting = Waiting(name, seconds_max, few)
        self._all, self._at_once = threads * of_each, at_once
        self._half = min((threads + 1) // 2, HALF_MAX) * of_each
        self._under_way, self._is_half = 0, False
        self._turns: Counter[int] = Counter()
        self._busy: set[int] = set()
        """The accounts that have as many turns as they may."""

        self._seconds = [0.0, 0.0]
        """How long a turn takes while half of the threads work at most, and while more do; 0: unknown."""

        self._count(0)

    async def wait(self, account: int) -> float:
        """Wait for a turn; returns when it began. End it with `done`."""
        if self.waiting.free and account not in self._busy:
            self._begin(account)
            return perf_counter()
        if not await self.waiting.wait(account) and not self.waiting.moves:
            self._end(account)
            raise overloaded()
        return perf_counter()

    def done(self, account: int, began: float) -> None:
        """End a turn and give it to the next one."""
        seconds, are_many = self.waiting.note(account, began), self._under_way > self._half
        mean = self._seconds[are_many] or seconds
        self._seconds[are_many] = mean + _WEIGHT * (seconds - mean)
        self._end(account)

    def _count(self, more: int) -> None:
        """Count turns under way, and the threads left: of half of them at an overload, if more are no use."""
        self._under_way += more
        with_few, with_many = self._seconds
        # Once few work, how long many take is not measured any more: so it stays at that.
        self._is_half = self.waiting.is_overload and (self._is_half or with_many > LONGER * with_few > 0)
        self.waiting.free = max(0, (self._half if self._is_half else self._all) - self._under_way)

    def _begin(self, account: int) -> None:
        self._count(1)
        self._turns[account] += 1
        if self._turns[account] >= self._at_once:
            self._busy.add(account)

    def _end(self, account: int) -> None:
        self._count(-1)
        self._busy.discard(account)
        self._turns[account] -= 1
        if not self._turns[account]:
            del self._turns[account]
        while self.waiting.free:
            taken = self.waiting.take(self._busy, self._turns)
            if taken is None:
                break
            self._begin(taken)
