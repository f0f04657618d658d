"""The worker's loop: woken once, told of requests, and seldom interrupted where too much comes."""

import asyncio
import threading
from contextlib import closing
from contextvars import copy_context
from types import SimpleNamespace

import pytest
from granian._futures import _cbsched_aioschedule, _future_watcher_wrapper

from tradebook.web import loops
from tradebook.web.loops import WorkerLoop


@pytest.fixture
def loop():
    with closing(WorkerLoop()) as made:
        yield made


def run_once(loop):
    """Let a loop do all that is there, and what that leaves for its next rounds."""
    for _ in range(4):
        loop.call_soon(loop.stop)
        loop.run_forever()


def hand_over(loop, *requests):
    """Hand requests over as the server does, from a thread of its own."""

    async def begun(scope, transport):
        transport.append(scope)

    schedule = _cbsched_aioschedule(loop, copy_context(), _future_watcher_wrapper(begun))

    def from_there():
        for scope, transport in requests:
            schedule(
                SimpleNamespace(
                    scope=scope,
                    proto=transport,
                    taskref=lambda _: None,
                    done=lambda: None,
                    err=lambda _: None,
                )
            )

    thread = threading.Thread(target=from_there)
    thread.start()
    thread.join(20)


def test_all_requests_that_have_come_are_met_together_and_without_a_task(loop):
    met, transport = [], []
    loop.meet = met.append

    hand_over(loop, ("a", transport), ("b", transport))
    run_once(loop)

    assert met == [[("a", transport), ("b", transport)]]
    assert transport == []


def test_where_nobody_meets_them_they_have_a_task(loop):
    transport = []

    hand_over(loop, ("a", transport), ("b", transport))
    run_once(loop)

    assert transport == ["a", "b"]


def test_the_loop_is_woken_once_for_all_that_is_handed_over(loop, monkeypatch):
    called, woken = [], []
    waking = asyncio.SelectorEventLoop.call_soon_threadsafe
    monkeypatch.setattr(
        asyncio.SelectorEventLoop,
        "call_soon_threadsafe",
        lambda self, *args, **options: (woken.append(1), waking(self, *args, **options)),
    )

    for _ in range(2):
        for number in range(3):
            loop.call_soon_threadsafe(called.append, number)
        run_once(loop)

    assert called == [0, 1, 2] * 2
    assert len(woken) == 2


def test_at_an_overload_the_thread_that_hands_over_rests_and_no_other_one(loop, monkeypatch):
    rests = []
    monkeypatch.setattr(loops, "sleep", rests.append)
    monkeypatch.setattr(loops, "AWAKE_SECONDS", 60)
    loop.meet = lambda _: None

    hand_over(loop, ("before", []))
    loop.give_way(True)
    loop.call_soon_threadsafe(print)
    assert rests == []
    hand_over(loop, ("a", []), ("b", []))
    assert rests == [loops.REST_SECONDS]
    loop.give_way(False)
    loop._rests_at = 0
    hand_over(loop, ("after", []))
    assert rests == [loops.REST_SECONDS]
    run_once(loop)
