"""How things are timed: in turn with their floor, medians of many rounds."""

import time
from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Any

import msgspec

Work = Callable[[], Any]


class Result(msgspec.Struct):
    """One line of the table: a figure, what it is held against, and the bar."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    bar: str = ""
    met: bool | None = None
    note: str = ""
    engine: str = "SQLite"
    figures: Any = None
    """What else was measured with it, for the file."""


def side_by_side(work: Work, floor: Work, *, rounds: int = 200, warm_up: int = 10) -> tuple[float, float]:
    """Return the medians of both in microseconds, taken in turn so that a slow moment hits both."""
    for _ in range(warm_up):
        work()
        floor()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for listed, function in zip(times, (work, floor), strict=True):
            start = time.perf_counter()
            function()
            listed.append(time.perf_counter() - start)
    return median(times[0]) * 1e6, median(times[1]) * 1e6


def in_turn(
    works: Mapping[str, Callable[[Any], Any]],
    given: Iterable[Any],
    clock: Callable[[], int] = time.thread_time_ns,
) -> dict[str, float]:
    """Return the medians, in microseconds, of works that are done for everything given.

    Nothing is given twice, so no work finds what another round has left behind. In turn: so a slow moment
    hits all of them. The clock is processor time of the thread, so that a neighbour's work is not counted;
    where another process does a part of the work, it has to be time as it passes.
    """
    times: dict[str, list[int]] = {name: [] for name in works}
    for each in given:
        for name, work in works.items():
            start = clock()
            work(each)
            times[name].append(clock() - start)
    return {name: median(listed) / 1000 for name, listed in times.items()}


def compared(
    name: str, work: Work, floor: Work, at_most: float, *, rounds: int = 200, note: str = ""
) -> Result:
    """Hold one piece of work against another: the ratio must be at most the bar."""
    value, base = side_by_side(work, floor, rounds=rounds)
    ratio = value / base
    bar = f"≤ {at_most:g} ×"
    return Result(name, round(value, 1), "µs", round(base, 1), round(ratio, 2), bar, ratio <= at_most, note)


def at_least(name: str, value: float, base: float, bar: float, unit: str, note: str = "") -> Result:
    """Hold one rate against another: the ratio must be at least the bar."""
    ratio = value / base
    return Result(
        name, round(value, 1), unit, round(base, 1), round(ratio, 2), f"≥ {bar:g} ×", ratio >= bar, note
    )


def at_random(
    name: str, found: Mapping[str, float], work: str, base: str, at_most: float | None, note: str = ""
) -> Result:
    """Hold one of the works done in turn against another, up to a bar if there is one."""
    ratio = found[work] / found[base]
    value, beside = round(found[work], 1), round(found[base], 1)
    bar, met = ("", None) if at_most is None else (f"≤ {at_most:g} ×", ratio <= at_most)
    return Result(name, value, "µs", beside, round(ratio, 2), bar, met, note)
