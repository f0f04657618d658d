"""A whole list, from one snapshot, some rows at a time: for answers that are written while they are read."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from tradebook.crud.list_requests import EVERYTHING, ListRequest
from tradebook.crud.listing import with_room
from tradebook.crud.resource import Asked, ListRoute, Span, View
from tradebook.storage.database import Reader

ROWS_FIRST, ROWS_MIN, ROWS_MAX = 100, 20, 500
STEP_SECONDS = 0.004
"""How long a step should take: others wait for their turn meanwhile."""

KEYS_AT_ONCE = 1_000
_ENCODER = msgspec.json.Encoder()


class Block(NamedTuple):
    """A part of the answer, and how many rows are in it."""

    body: bytes
    rows: int


class Pace:
    """How many rows a step takes, so that it is neither long nor mostly statements."""

    def __init__(self) -> None:
        self.rows = ROWS_FIRST

    def note(self, seconds: float) -> None:
        """Learn from how long a step took."""
        factor = min(2.0, max(0.5, STEP_SECONDS / max(seconds, 1e-6)))
        self.rows = round(min(ROWS_MAX, max(ROWS_MIN, self.rows * factor)))


FileOf = Callable[[Reader, Iterator[Sequence[int]]], Iterator[Block]]
"""Writes the objects of some keys after the other as the parts of a file, beginning with its head."""


def keys_of(reader: Reader, route: ListRoute, request: ListRequest, pace: Pace) -> Iterator[Sequence[int]]:
    """Yield the keys of a list in its order, so many at a time as the pace is by then."""
    below = request.below
    while True:
        span = Span(request.above, below, descending=True, limit=KEYS_AT_ONCE)
        keys = route.walk(reader, Asked(span, request.query, request.path_key))
        at = 0
        while at < len(keys):
            some = keys[at : at + pace.rows]
            at += len(some)
            yield some
        if len(keys) < KEYS_AT_ONCE:
            return
        below = keys[-1]


def lines_of(view: View, route: ListRoute, request: ListRequest, pace: Pace) -> Iterator[Block]:
    """Yield the objects of a list as lines of JSON, each as it stands in a page."""
    for rows in _objects(view, route, request, pace):
        yield Block(_ENCODER.encode_lines(rows), len(rows))


def _objects(view: View, route: ListRoute, request: ListRequest, pace: Pace) -> Iterator[list[Any]]:
    if route.load_span is None or request.query != EVERYTHING:
        for keys in keys_of(view.reader, route, request, pace):
            left = keys
            while left:
                loaded = route.load(view, left)
                rows = with_room([loaded[key] for key in left])
                left = left[len(rows) :]
                yield rows
        return
    below = request.below
    while True:
        count = pace.rows
        found = route.load_span.read(view, Span(request.above, below, descending=True, limit=count))
        if not found:
            return
        rows = route.load_span.finish(view, found)
        yield [msgspec.Raw(row) for row in rows]
        if len(found) < count and len(rows) == len(found):
            return
        below = found[len(rows) - 1][0]
