"""Turns: shared by the time that they take, refused where the line is too long."""

import asyncio
import itertools
from time import perf_counter

import pytest

from tradebook.errors import ServiceUnavailable
from tradebook.web.waiting import (
    ALWAYS,
    FEW,
    FEW_FOR_THREADS,
    TRYING_SECONDS,
    LoopTurns,
    ThreadTurns,
    Waiting,
)

GREEDY, POLITE = 1, 2


def begin(waiting, account):
    """Stand in line, as a task does."""
    return asyncio.ensure_future(waiting.wait(account))


async def in_line(waiting, *accounts):
    """Have requests of accounts in line."""
    made = [begin(waiting, account) for account in accounts]
    await asyncio.sleep(0)
    return made


async def leave(waiting, tasks):
    """Let everybody have a turn, and be done."""
    while waiting.take() is not None:
        pass
    await asyncio.gather(*tasks, return_exceptions=True)


def test_an_account_whose_turns_take_long_does_not_have_as_many():
    async def story():
        waiting = Waiting("read", 10)
        tasks = await in_line(waiting, *[GREEDY] * 9, *[POLITE] * 9)
        turns = []
        for _ in range(10):
            account = waiting.take()
            waiting.note(account, perf_counter() - (0.040 if account == GREEDY else 0.001))
            turns.append(account)
        await leave(waiting, tasks)
        return turns

    assert asyncio.run(story()).count(GREEDY) == 1


def test_who_has_worked_alone_owes_nothing_to_who_comes():
    async def story():
        waiting = Waiting("read", 10)
        waiting.note(GREEDY, perf_counter() - 3_600)
        tasks = await in_line(waiting, *[GREEDY] * 3, *[POLITE] * 3)
        turns = []
        for _ in range(4):
            turns.append(waiting.take())
            waiting.note(turns[-1], perf_counter() - 0.001)
        await leave(waiting, tasks)
        return turns

    assert sorted(asyncio.run(story())) == [GREEDY, GREEDY, POLITE, POLITE]


def test_the_newest_of_who_has_the_most_in_line_is_refused(monkeypatch):
    monkeypatch.setattr("tradebook.web.waiting.perf_counter", lambda: 1.0)

    async def story():
        waiting = Waiting("read", 0.01)
        greedy = await in_line(waiting, *[GREEDY] * ALWAYS)
        assert waiting.is_full_for(GREEDY)
        assert not waiting.is_full_for(POLITE)
        with pytest.raises(ServiceUnavailable):
            await waiting.wait(GREEDY)
        polite = await in_line(waiting, POLITE)
        with pytest.raises(ServiceUnavailable):
            await greedy[-1]
        await leave(waiting, greedy + polite)
        return polite[0].exception()

    assert asyncio.run(story()) is None


def test_where_more_comes_than_can_be_done_few_may_wait_until_nobody_is_refused(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("tradebook.web.waiting.perf_counter", lambda: clock[0])

    async def story():
        waiting = Waiting("read", 0.1)
        tasks = await in_line(waiting, *[GREEDY] * 100)

        def found_with(number, at):
            while waiting.number > number:
                waiting.take()
            clock[0] = at
            waiting.mean_seconds = 0.002
            return waiting.is_full_for(GREEDY)

        burst = found_with(50, 0.1), found_with(49, 0.1)
        tasks += await in_line(waiting, GREEDY)
        overload = found_with(50, 0.11), found_with(FEW, 0.2), found_with(FEW - 1, 0.2)
        tasks += await in_line(waiting, GREEDY)
        over = found_with(FEW, 0.31)
        await leave(waiting, tasks)
        return burst, overload, over

    assert asyncio.run(story()) == ((True, False), (True, True, False), False)


@pytest.mark.parametrize("number", [ALWAYS - 1, ALWAYS])
def test_an_overload_ends_where_no_more_ask_than_may_always_wait(monkeypatch, number):
    """Also if those that are refused ask again at once."""
    clock = [0.2]
    monkeypatch.setattr("tradebook.web.waiting.perf_counter", lambda: clock[0])
    waiting = Waiting("read", 0.1)
    waiting.mean_seconds = 0.002

    def come(number):
        while waiting._held_number < number and not waiting.is_full_for(GREEDY):
            waiting.expect(GREEDY)
        return waiting.is_full_for(GREEDY)

    assert come(50)
    for _ in range(50 - FEW):
        waiting.expect_no_more(GREEDY)
    asked = []
    while clock[0] < 0.2 + TRYING_SECONDS:
        asked.append(waiting.is_full_for(GREEDY))
        clock[0] += 0.05
    assert all(asked)
    assert come(number) == (number >= ALWAYS)


def test_where_more_are_refused_than_wait_it_is_no_burst(monkeypatch):
    """Few may wait from then on, however short the line has stood."""
    monkeypatch.setattr("tradebook.web.waiting.perf_counter", lambda: 0.001)

    async def story():
        waiting = Waiting("read", 0.05)
        tasks = await in_line(waiting, *[GREEDY] * 100)
        of_burst = waiting.number
        tasks += await in_line(waiting, GREEDY)
        found = of_burst, waiting.number, waiting.is_full_for(GREEDY)
        waiting.take()
        found += (waiting.is_full_for(GREEDY),)
        await leave(waiting, tasks)
        return found

    assert asyncio.run(story()) == (50, FEW, True, False)


@pytest.mark.parametrize(("threads", "few"), [(1, 5), (8, 1)])
def test_fewer_wait_where_there_are_more_threads(monkeypatch, threads, few):
    """Eight are seldom free at the same time."""
    monkeypatch.setattr("tradebook.web.waiting.perf_counter", lambda: 1.0)
    waiting = ThreadTurns("write", threads, 0.1, at_once=1).waiting
    waiting.free = 0
    for _ in range(300):
        if not waiting.is_full_for(GREEDY):
            waiting.expect(GREEDY)
    while waiting.is_full_for(GREEDY):
        waiting.expect_no_more(GREEDY)

    assert waiting._held_number == few - 1


def test_an_overload_that_goes_on_is_tried_again_and_again(monkeypatch):
    """And what a try lets in is refused at once, if it is none that many may wait for."""
    clock = [0.2]
    monkeypatch.setattr("tradebook.web.waiting.perf_counter", lambda: clock[0])

    async def story():
        waiting, tasks, tried, left = Waiting("read", 0.1), [], [], []
        while clock[0] < 30:
            more = 0
            while not waiting.is_full_for(GREEDY):
                tasks += await in_line(waiting, GREEDY)
                more += 1
            if more:
                tried.append(clock[0])
                left.append(waiting.number)
            clock[0] += 0.05
        await leave(waiting, tasks)
        return tried, left

    tried, left = asyncio.run(story())

    pauses = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert [round(pause) for pause in pauses] == [TRYING_SECONDS] * 7
    assert left == [100, *[FEW] * 7]


def test_who_stands_in_line_when_it_is_known_for_an_overload_is_refused_but_for_few(monkeypatch):
    """The newest of those with the most, and nobody's only one: a long line would be slow for all in it."""
    monkeypatch.setattr("tradebook.web.waiting.perf_counter", lambda: 0.001)

    async def story():
        waiting = Waiting("read", 0.05)
        polite = await in_line(waiting, *range(POLITE, POLITE + 3))
        greedy = await in_line(waiting, *[GREEDY] * 200)
        # Those who are refused are told.
        await asyncio.sleep(0)
        refused = [each.done() for each in greedy]
        polite_refused = any(each.done() for each in polite)
        await leave(waiting, polite + greedy)
        return refused, polite_refused

    refused, polite_refused = asyncio.run(story())

    assert not polite_refused
    assert refused == [False] * (FEW - 3) + [True] * (200 - FEW + 3)


@pytest.mark.parametrize(
    ("threads", "of_each", "longer", "under_way"), [(8, 1, 1.2, 8), (8, 1, 2, 4), (16, 1, 2, 4), (1, 8, 2, 8)]
)
def test_half_of_the_threads_work_at_an_overload_where_more_get_no_more_done(
    monkeypatch, threads, of_each, longer, under_way
):
    """All do where a turn takes hardly longer beside seven others, as with a server far away.

    Of many threads, four do and not the half.
    And turns of one thread share a commit: the more, the better.
    """
    clock = [100.0]
    monkeypatch.setattr("tradebook.web.waiting.perf_counter", lambda: clock[0])

    async def story():
        turns = ThreadTurns("read", threads, 0.1, at_once=8, of_each=of_each)
        tasks, most = [], 0
        for _ in range(9):
            await turns.wait(GREEDY)
            turns.done(GREEDY, clock[0] - 0.01)
        begun = [await turns.wait(GREEDY) for _ in range(3)]
        for step in range(400):
            tasks += [asyncio.ensure_future(turns.wait(GREEDY)) for _ in range(20)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            begun += [each.result() for each in tasks if each.done() and not each.exception()]
            tasks = [each for each in tasks if not each.done()]
            clock[0] += 0.001
            most = max(most, len(begun)) if step > 200 else 0
            turns.done(GREEDY, clock[0] - (0.01 if len(begun) <= 4 else 0.01 * longer))
            begun.pop()
        assert turns.waiting.is_overload
        return most

    assert asyncio.run(story()) == under_way


def test_who_finds_a_thread_free_is_let_in_at_an_overload_too(monkeypatch):
    """Else some clients who ask again at once, no more than there are threads, would have it last."""
    monkeypatch.setattr("tradebook.web.waiting.perf_counter", lambda: 1.0)

    async def story():
        turns = ThreadTurns("write", 8, 0.1, at_once=8)
        begun = [await turns.wait(GREEDY) for _ in range(8)]
        others = [asyncio.ensure_future(turns.wait(GREEDY)) for _ in range(200)]
        await asyncio.sleep(0)
        was_full = turns.waiting.is_full_for(GREEDY)
        for began in begun:
            turns.done(GREEDY, began)
        # Those whose turn it is are woken, and their tasks end.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        under_way = [each.result() for each in others if each.done() and not each.exception()]
        for began in under_way:
            turns.done(GREEDY, began)
        let_in = 0
        while not turns.waiting.is_full_for(GREEDY):
            turns.waiting.expect(GREEDY)
            let_in += 1
        return was_full, let_in

    assert asyncio.run(story()) == (True, 8 + FEW_FOR_THREADS)


def test_turns_under_way_count_before_they_have_taken_their_time(monkeypatch):
    """Else all threads that are free meanwhile would be one account's, and the others would wait for them."""
    monkeypatch.setattr("tradebook.web.waiting.perf_counter", lambda: 1.0)

    async def story():
        turns = ThreadTurns("read", 4, 10, at_once=4)
        begun = [await turns.wait(GREEDY) for _ in range(4)]
        others = [asyncio.ensure_future(turns.wait(account)) for account in [GREEDY] * 4 + [POLITE] * 4]
        await asyncio.sleep(0)
        for began in begun:
            turns.done(GREEDY, began)
        await asyncio.sleep(0)
        return [each.done() for each in others]

    assert asyncio.run(story()) == [True, True, False, False] * 2


def test_who_asks_for_little_is_let_in_where_few_may_wait(monkeypatch):
    """Twice in a row too, and it is not sent away for others. But nobody is let in once many wait."""
    monkeypatch.setattr("tradebook.web.waiting.perf_counter", lambda: 1.0)
    strangers = range(11, 11 + FEW)

    async def story():
        waiting = Waiting("read", 0.1)
        waiting.note(POLITE, 0.999)
        tasks = await in_line(waiting, *[GREEDY] * 300)
        while waiting.take() is not None:
            waiting.note(GREEDY, 0.999)
        tasks += await in_line(waiting, *strangers)
        found = [waiting.is_full_for(GREEDY), waiting.is_full_for(POLITE)]
        polite = await in_line(waiting, POLITE, POLITE)
        tasks += await in_line(waiting, *strangers)
        found.append(any(each.done() for each in polite))
        for account in range(100, 100 + ALWAYS - waiting.number):
            waiting.expect(account)
        found.append(waiting.is_full_for(POLITE))
        await leave(waiting, tasks + polite)
        return found

    assert asyncio.run(story()) == [True, False, False, True]


def test_who_was_let_in_is_counted_before_it_stands_in_line():
    waiting = Waiting("write", 0)

    for _ in range(ALWAYS):
        assert not waiting.is_full_for(GREEDY)
        waiting.expect(GREEDY)
    assert waiting.is_full_for(GREEDY)
    assert not waiting.is_full_for(POLITE)
    waiting.expect_no_more(GREEDY)
    assert not waiting.is_full_for(GREEDY)


def test_a_pause_is_no_long_turn():
    """Also where those who waited have gone without one."""

    async def story():
        waiting = Waiting("write", 0)
        tasks = await in_line(waiting, GREEDY)
        waiting.note(POLITE, perf_counter() - 0.001)
        waiting._ended -= 3_600
        await leave(waiting, tasks)
        waiting.note(POLITE, perf_counter())
        return waiting.mean_seconds

    assert asyncio.run(story()) < 0.1


def test_an_account_has_one_turn_at_a_time_and_leaves_the_other_threads_to_others():
    async def story():
        turns = ThreadTurns("write", 2, 10, at_once=1)
        first = await turns.wait(GREEDY)
        second = asyncio.ensure_future(turns.wait(GREEDY))
        await asyncio.sleep(0)
        other = await asyncio.wait_for(turns.wait(POLITE), 1)
        assert not second.done()
        turns.done(GREEDY, first)
        began = await asyncio.wait_for(second, 1)
        turns.done(GREEDY, began)
        turns.done(POLITE, other)
        return await asyncio.wait_for(turns.wait(GREEDY), 1)

    assert asyncio.run(story()) > 0


def late(meanwhile=lambda: None, began=lambda _: perf_counter()):
    """Two requests that come too late, behind a turn that has begun long ago if it is told so, and a third one."""

    async def story():
        turns = ThreadTurns("write", 1, 0.02, at_once=1)

        async def turn(account):
            began = await turns.wait(account)
            turns.done(account, began)
            return began

        first = await turns.wait(GREEDY)
        others = [asyncio.ensure_future(turn(account)) for account in (GREEDY, POLITE)]
        await asyncio.sleep(0.05)
        meanwhile()
        turns.done(GREEDY, began(first))
        outcomes = await asyncio.gather(*others, return_exceptions=True)
        return outcomes, await asyncio.wait_for(turns.wait(GREEDY), 1)

    return asyncio.run(story())


def test_who_comes_too_late_gives_its_turn_on(monkeypatch):
    outcomes, began = late(lambda: monkeypatch.setattr("tradebook.web.waiting.ALWAYS", 0))

    assert {type(each) for each in outcomes} == {ServiceUnavailable}
    assert began > 0


def test_where_few_wait_they_are_answered_however_slow_the_machine_is():
    outcomes, began = late()

    assert began > max(outcomes)


def test_behind_a_turn_that_has_waited_for_a_lock_who_is_late_is_refused():
    outcomes, _ = late(began=lambda first: first)

    assert {type(each) for each in outcomes} == {ServiceUnavailable}


def test_all_that_has_come_has_its_turn_on_the_loop():
    async def story():
        turns, done = LoopTurns(10), []

        async def work(number):
            account = number % 3
            began = await turns.wait(account)
            end = perf_counter() + 0.001
            while perf_counter() < end:
                pass
            turns.done(account, began)
            done.append(number)

        await asyncio.gather(*map(work, range(50)))
        return done

    assert sorted(asyncio.run(story())) == list(range(50))
