"""Refusals: told of once in a while, and taken for an overload where they are many."""

import asyncio

import pytest

from tests.fixtures.rsgi import Scope
from tradebook.web import shedding
from tradebook.web.auth import Caller
from tradebook.web.shedding import MANY, Shedding


class Callers:
    """Nobody is known, and nothing is limited."""

    def limit_headers(self, caller):
        return ()


@pytest.mark.parametrize(("refusals", "expected"), [(MANY - 1, [False]), (MANY, [True, False])])
def test_many_refusals_are_an_overload_until_there_are_few(monkeypatch, refusals, expected):
    monkeypatch.setattr(shedding, "TELLING_SECONDS", 0.01)
    lines, told = [], []
    monkeypatch.setattr(shedding, "log", lambda _, refused: lines.append(refused))

    async def story():
        refusing = Shedding(Callers())
        over = asyncio.Event()

        def give_way(is_overload):
            told.append(is_overload)
            if not is_overload:
                over.set()

        refusing.give_way = give_way
        for _ in range(refusals):
            status, headers, _ = refusing.answer(Scope(("host", "x")), Caller(1))
        await asyncio.wait_for(over.wait(), 20)
        return status, dict(headers)

    status, headers = asyncio.run(story())

    assert told[: len(expected)] == expected
    assert lines[0] == refusals
    assert status == 503
    assert int(headers["Retry-After"]) > 0
