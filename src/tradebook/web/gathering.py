"""Changes of an embedded book, in one thread: those that come while one is done are committed together."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, NamedTuple

from tradebook.storage.database import Gathering
from tradebook.web.log import log

Gather = Callable[[Callable[[], bool]], Gathering | None]
"""Has the changes of this thread share a commit, as long as there is a next one."""


class _Asked(NamedTuple):
    """A call that was asked for, and where its end is told."""

    future: Future[Any]
    call: Callable[[Any], Any]
    request: Any
    at: float


class GatheringThread:
    """Calls one after another in a thread, and tells what came of them when that is committed.

    The last one of those that wait commits for all. If it can't, each is called again, and meets the reason
    in its transaction. `rewind` is told before what it is called with.
    """

    def __init__(self, gather: Gather, rewind: Callable[[Any], object]) -> None:
        self._gather, self._rewind = gather, rewind
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[Any], Any], request: Any, /) -> Future[Any]:
        """Have a request answered."""
        future: Future[Any] = Future()
        self._asked.put(_Asked(future, call, request, monotonic()))
        return future

    def shutdown(self) -> None:
        """Do what was asked, and end."""
        self._asked.put(None)
        self._thread.join()

    def _work(self) -> None:
        gathering = self._gather(lambda: not self._asked.empty())
        assert gathering is not None, "an embedded book has one writer"
        held: list[tuple[_Asked, Any, BaseException | None]] = []
        while True:
            asked = self._asked.get()
            if asked is not None and asked.future.set_running_or_notify_cancel():
                held.append((asked, *_outcome(asked, gathering)))
            if asked is not None and gathering.is_open and not self._asked.empty():
                continue
            failure = gathering.settle()
            if failure is not None:
                log(
                    "changes undone, as the commit that they shared failed",
                    changes=len(held),
                    reason=str(failure),
                )
                for each, *_ in held:
                    self._rewind(each.request)
                held = [(each, *_outcome(each, gathering)) for each, *_ in held]
                gathering.forget()
            for each, answer, error in held:
                if error is None:
                    each.future.set_result(answer)
                else:
                    each.future.set_exception(error)
            held.clear()
            if asked is None:
                return


def _outcome(asked: _Asked, gathering: Gathering) -> tuple[Any, BaseException | None]:
    gathering.asked_at = asked.at
    try:
        return asked.call(asked.request), None
    except BaseException as error:  # noqa: BLE001 - whoever waits for it hears of it
        return None, error
