"""Turns: who waits for the one that works, for how long, and who is sent away.

A worker does one thing at a time. Requests that come while it works wait in line: an account after the other
takes a turn, however many requests each of them has sent. If the line is longer than a client would want to
wait, a request of the account with the most of them is refused at once, which costs next to nothing. So what
is let in is answered in time, at any load.
"""

import asyncio
from collections import OrderedDict, deque
from time import perf_counter
from typing import Literal

from tradebook.errors import Overloaded
from tradebook.web import metrics

ALWAYS = 32
"""How many may wait in any case: short bursts of slow requests are no overload."""

SLICE_SECONDS = 0.002
"""How long the worker works before it looks at what has come meanwhile."""

LATE = 2
"""How many times longer than it may wait a request has waited when nobody waits for its answer any more."""

_FIRST_GUESS_SECONDS = 0.001
_WEIGHT = 0.05
"""How much the newest duration counts in the mean."""


class Waiting:
    """The requests that wait, an account after the other."""

    def __init__(self, name: Literal["read", "write"], seconds_max: float) -> None:
        self.number = 0
        self._name = name
        self.mean_seconds = _FIRST_GUESS_SECONDS
        self._ended = 0.0
        self._were_others = False
        self._seconds_max = seconds_max
        self._of: OrderedDict[int, deque[asyncio.Future[None]]] = OrderedDict()

    def note(self, began: float) -> float:
        """Learn from how long a turn has taken, which ends now, and return it.

        Where others have waited all the time, what lies between two turns is part of what one takes: refusing
        many takes time too.
        """
        now = perf_counter()
        seconds = now - (self._ended if self._were_others else began)
        self._ended, self._were_others = now, self.number > 0
        self.mean_seconds += _WEIGHT * (seconds - self.mean_seconds)
        return now - began

    def is_full_for(self, account: int) -> bool:
        """Tell whether a newcomer of this account would be refused."""
        if self.number < ALWAYS or self.number * self.mean_seconds < self._seconds_max:
            return False
        return len(self._of.get(account, ())) + 1 >= max(map(len, self._of.values()))

    async def wait(self, account: int) -> bool:
        """Wait for a turn; False if it has come too late. Overloaded where the line is too long."""
        came = perf_counter()
        await self._put(account)
        seconds = perf_counter() - came
        metrics.waited(self._name, seconds)
        return seconds <= LATE * self._seconds_max

    def _put(self, account: int) -> asyncio.Future[None]:
        """Stand in line; Overloaded for the newcomer, or for the newest of one that has more in line."""
        if self.number >= ALWAYS and self.number * self.mean_seconds >= self._seconds_max:
            if self.is_full_for(account):
                raise overloaded()
            self._send_one_away()
        place = asyncio.get_running_loop().create_future()
        self._of.setdefault(account, deque()).append(place)
        self.number += 1
        return place

    def take(self) -> bool:
        """Give the next one its turn; False if nobody waits."""
        while self._of:
            account, places = self._of.popitem(last=False)
            place = places.popleft()
            self.number -= 1
            if places:
                self._of[account] = places
            if not place.done():
                place.set_result(None)
                return True
        return False

    def _send_one_away(self) -> None:
        """Refuse the newest of the account that has the most in line."""
        greediest = max(self._of, key=lambda account: len(self._of[account]))
        places = self._of[greediest]
        place = places.pop()
        self.number -= 1
        if not places:
            del self._of[greediest]
        if not place.done():
            place.set_exception(overloaded())


def overloaded() -> Overloaded:
    """Make the refusal of a request that can't be answered in time."""
    return Overloaded("More requests have come than can be answered in time. Try again shortly.")


class LoopTurns:
    """Turns on the loop's own thread: in each of its rounds, as many as fit into a slice of time.

    All that has come is looked at between two rounds, so a refusal waits for a slice at most.
    """

    def __init__(self, seconds_max: float) -> None:
        self.waiting = Waiting("read", seconds_max)
        self._spent = 0.0
        self._is_round_open = False

    async def wait(self, account: int) -> float:
        """Wait for a turn; returns when it began. End it with `done`, without awaiting anything between."""
        if self.waiting.number or self._spent >= SLICE_SECONDS:
            self._open_round()
            # Where few wait behind it, the machine is slow and not asked for too much: they are all answered.
            if not await self.waiting.wait(account) and self.waiting.number >= ALWAYS:
                raise overloaded()
        return perf_counter()

    def done(self, began: float) -> None:
        """End a turn."""
        self._spent += self.waiting.note(began)
        self._open_round()

    def _open_round(self) -> None:
        if not self._is_round_open:
            self._is_round_open = True
            asyncio.get_running_loop().call_soon(self._end_round)

    def _end_round(self) -> None:
        self._is_round_open = False
        self._spent = 0.0
        granted = 0.0
        while granted < SLICE_SECONDS and self.waiting.take():
            granted += self.waiting.mean_seconds
        if granted:
            self._open_round()


class ThreadTurns:
    """Turns in threads of their own, as many at a time as there are threads."""

    def __init__(self, threads: int, seconds_max: float) -> None:
        self.waiting = Waiting("write", seconds_max)
        self._free = threads

    async def wait(self, account: int) -> float:
        """Wait for a turn; returns when it began. End it with `done`."""
        if self._free:
            self._free -= 1
        elif not await self.waiting.wait(account):
            self._give_on()
            raise overloaded()
        return perf_counter()

    def done(self, began: float) -> None:
        """End a turn and give it to the next one."""
        self.waiting.note(began)
        self._give_on()

    def _give_on(self) -> None:
        if not self.waiting.take():
            self._free += 1
