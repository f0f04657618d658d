"""Cursor pages: exact at both ends, in both directions, and no larger than an answer may be."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from tradebook.crud.cursor import CURSOR_LENGTH, Position
from tradebook.crud.list_requests import EVERYTHING, ListRequest, list_scope
from tradebook.crud.parameters import LIMIT_DEFAULT
from tradebook.crud.resource import Asked, ListRoute, LoadSpan, Span, View
from tradebook.ids import KEY_MAX
from tradebook.storage.database import Row

NESTED_MAX = 100
"""The most entries of a list inside an object. The others follow at its `next_page_url`."""

NESTED_SHARE = 4
"""A list inside an object takes up at most this part of an answer, so that an object with two has room."""

FIRST_STEP, STEP_MAX = LIMIT_DEFAULT + 1, 250
"""How many rows are loaded at once: first a page of the usual length and whether there is more."""

ENTRIES_AT_ONCE = 250
"""How many entries of lists inside objects are loaded at once."""

_URL_CHARACTERS = 12
"""How many characters of a URL one character of a value becomes at most: four bytes, each as `%XX`."""


Item = TypeVar("Item")


class PageInfo(msgspec.Struct, frozen=True):
    """What lies before and after a page."""

    next_page_url: str | None
    """Where the next page is, like `/v1/sales/customers?cursor=…`; null on the last page."""
    previous_page_url: str | None
    """Where the page before is, like `/v1/sales/customers?cursor=…`; null on the first page."""
    has_next_page: bool
    """Whether there is a next page."""
    has_prev_page: bool
    """Whether there is a page before."""


_WHOLE = PageInfo(None, None, False, False)


class ListObject(msgspec.Struct, Generic[Item], frozen=True):
    """One page of a list."""

    object: Literal["list"]
    page_info: PageInfo
    """What lies before and after this page."""
    data: Sequence[Item]
    """The objects, newest first."""


_OPEN: Any = msgspec.Raw(b"\0")
_BEGIN, _MIDDLE, _END = msgspec.json.encode(ListObject("list", _OPEN, _OPEN)).split(b"\0")


def _list_of(info: PageInfo, rows: list[bytes]) -> bytes:
    begin, end = b"%b%b%b[" % (_BEGIN, msgspec.json.encode(info), _MIDDLE), b"]" + _END
    if not rows:
        return begin + end
    # What stands around the rows goes into the same join: so a large page is copied once.
    return b",".join(
        (begin + rows[0], *rows[1:-1], rows[-1] + end) if len(rows) > 1 else (begin + rows[0] + end,)
    )


def _written(rows: list[Any]) -> list[bytes]:
    """Write rows as they stand between the brackets of a list: finished JSON, or objects."""
    if not rows or isinstance(rows[0], bytes):
        return rows
    return [msgspec.json.encode(rows)[1:-1]]


def list_page(view: View, route: ListRoute, request: ListRequest) -> bytes:
    """Read one page as JSON, and whether there is more on either side of it, in one snapshot.

    It ends before `limit` where it would be larger than an answer may be. One row it always has.
    """
    walk = _Walk(view, route, request)
    page = _Page(view.bytes_max, request, backwards=walk.position.backwards)
    body = _encoded(walk, page, has_more=walk.fill(page))
    if len(body) > view.bytes_max and not page.settle():
        body = _encoded(walk, page, has_more=True)
    return body


def _encoded(walk: "_Walk", page: "_Page", *, has_more: bool) -> bytes:
    keys, position = page.keys, walk.position
    newest, oldest = (keys[0], keys[-1]) if keys else (0, 0)
    if position.backwards:
        newest, oldest = oldest, newest
    # In one snapshot, what lies beyond the page on its near side lies beyond its position.
    if position.backwards:
        has_prev, has_next = has_more, walk.any_before()
    else:
        # Nothing comes before the first page, so a first page needs no further look.
        has_prev, has_next = walk.is_later_page and walk.any_before(), has_more
    last = Position(oldest if keys else position.key)
    first = Position(newest + 1 if keys else position.key, backwards=True)
    info = PageInfo(
        walk.url(last) if has_next else None, walk.url(first) if has_prev else None, has_next, has_prev
    )
    return _list_of(info, page.rows)


def nested_lists(
    view: View,
    listed: Mapping[int, list[int]],
    load: Callable[[set[int]], Mapping[Any, msgspec.Raw]],
    path_of: Callable[[int], str],
) -> dict[int, msgspec.Raw]:
    """Write the list inside each of some objects from its newest keys, one more than fits if there are more.

    `load` returns finished JSON by key, `path_of` the path of the route that serves an owner's whole list.
    Owners that there is no room for are left out, from one of them on; the first never is.
    """
    bytes_max, left = view.bytes_max // NESTED_SHARE, view.bytes_left
    made: dict[int, msgspec.Raw] = {}
    # Many objects have the same list, as customers their price groups.
    known: dict[tuple[int, ...], _Fitting] = {}
    for some in _owners_at_once(listed):
        wanted = set().union(*some.values())
        loaded = load(wanted) if wanted else {}
        for owner, keys in some.items():
            fitting = known.get(same := tuple(keys))
            if fitting is None:
                fitting = known[same] = _fitting([loaded[key] for key in keys], bytes_max)
            if fitting.size > left and made:
                return made
            left -= fitting.size
            if fitting.count == len(listed[owner]):
                made[owner] = fitting.whole
            else:
                rest = _rest(view, path_of(owner), keys[fitting.count - 1])
                made[owner] = msgspec.Raw(_list_of(rest, [fitting.rows]))
    return made


class _Fitting(msgspec.Struct, frozen=True):
    """The first entries of a list inside an object, as far as there is room for them."""

    count: int
    size: int
    rows: bytes
    whole: msgspec.Raw
    """The list that has no more than these."""


def _fitting(entries: Sequence[msgspec.Raw], bytes_max: int) -> _Fitting:
    """Take as many of the first entries as there is room for; one in any case."""
    size = 0
    for count, entry in enumerate(entries):
        if size + len(entry) + 1 > bytes_max and count:
            entries = entries[:count]
            break
        size += len(entry) + 1
    rows = b",".join(entries)
    return _Fitting(len(entries), size, rows, msgspec.Raw(_list_of(_WHOLE, [rows] if entries else [])))


def _owners_at_once(listed: Mapping[int, list[int]]) -> Iterator[Mapping[int, list[int]]]:
    """Yield some owners after the other, with the keys that they may show, which are not too many at once."""
    lengths = [len(keys) for keys in listed.values()]
    if sum(lengths) <= ENTRIES_AT_ONCE and max(lengths, default=0) <= NESTED_MAX:
        yield listed
        return
    some: dict[int, list[int]] = {}
    count = 0
    for owner, keys in listed.items():
        shown = keys if len(keys) <= NESTED_MAX else keys[:NESTED_MAX]
        count += len(shown)
        if count > ENTRIES_AT_ONCE and some:
            yield some
            some, count = {}, len(shown)
        some[owner] = shown
    yield some


def _rest(view: View, path: str, last: int) -> PageInfo:
    url = view.page_url(path, [], Position(last), list_scope(view.reader.account_id, path))
    return PageInfo(url, None, True, False)


def _bytes_around(request: ListRequest) -> int:
    """Return what stands around the rows of a page at most: two URLs, and their names."""
    asked = sum([len(name) + len(value) + 2 for name, value in request.repeated])
    return 200 + 2 * (len(request.path) + CURSOR_LENGTH + _URL_CHARACTERS * asked)


class _Page:
    """The rows of a page, in the order in which they are read, as far as there is room for them.

    Rows are settled when they are JSON that fits. Those of the last step stay objects until the whole page is
    written: so an ordinary page, which is one step, is encoded once.
    """

    def __init__(self, bytes_max: int, request: ListRequest, *, backwards: bool) -> None:
        self.keys: list[int] = []
        self.bytes_left = self._bytes_max = bytes_max
        self._request = request
        self._backwards = backwards
        self._settled: list[bytes] = []
        self._loose: list[Any] = []

    @property
    def rows(self) -> list[bytes]:
        """What stands between the brackets of the list, newest first."""
        loose = _written(self._newest_first(self._loose))
        if not self._settled:
            return loose
        return [*loose, *self._settled[::-1]] if self._backwards else [*self._settled, *loose]

    def _newest_first(self, rows: list[Any]) -> list[Any]:
        return rows[::-1] if self._backwards else rows

    @property
    def step(self) -> int:
        """How many rows to load next: what fits, if they are like the ones that are there."""
        if not self.keys:
            return FIRST_STEP
        used = max(1, self._bytes_max - self.bytes_left)
        return max(1, min(STEP_MAX, self.bytes_left * len(self.keys) // used))

    def take(self, keys: list[int], rows: list[Any]) -> bool:
        """Take what was loaded; tells whether these are all that were found."""
        self._loose = rows
        self.keys += keys[: len(rows)]
        return len(rows) == len(keys)

    def settle(self) -> bool:
        """Make JSON of the rows of the last step, as far as there is room; tells whether these are all."""
        if not self._settled:
            self.bytes_left -= _bytes_around(self._request)
        rows, self._loose = self._loose, []
        if not rows:
            return True
        body = b",".join(_written(self._newest_first(rows)))
        if len(body) + 2 <= self.bytes_left:
            self._settle(body)
            return True
        done = len(self.keys) - len(rows)
        for row in rows:
            (body,) = _written([row])
            if len(body) >= self.bytes_left and done:
                break
            self._settle(body)
            done += 1
        is_all = done == len(self.keys)
        del self.keys[done:]
        return is_all

    def _settle(self, body: bytes) -> None:
        self._settled.append(body)
        self.bytes_left -= len(body) + 1


Rows = tuple[list[int], list[Any]]
"""The keys that were found, and what was loaded of them, from the first on, as far as there is room."""


def with_room(loaded: list[Any]) -> list[Any]:
    """Leave out those, from one on, for whose lists there was no room: they are next."""
    return loaded[: loaded.index(None)] if loaded and loaded[-1] is None else loaded


class _Walk:
    """Reads the matches of a request, in both directions from a position."""

    def __init__(self, view: View, route: ListRoute, request: ListRequest) -> None:
        self._view, self._route, self._request = view, route, request
        self.position = request.position or Position(KEY_MAX)
        self.is_later_page = request.position is not None
        self._has_neighbour = False
        """Whether the row that the page before ends with is still there: found together with the page."""

    def url(self, position: Position) -> str:
        """Write the URL of the page at a position."""
        request = self._request
        return self._view.page_url(request.path, request.repeated, position, request.scope)

    def fill(self, page: _Page) -> bool:
        """Load what is next to the position into a page; tells whether there is more than that."""
        load = self._loader()
        while True:
            left = self._request.limit - len(page.keys)
            count = min(left + 1, page.step)
            view = replace(self._view, bytes_left=page.bytes_left) if page.keys else self._view
            keys, rows = load(view, count)
            if not page.take(keys, rows):
                return True
            if len(keys) < count:
                return False
            if not page.settle():
                return True

    def _loader(self) -> Callable[[View, int], Rows]:
        """Return what loads the next rows, the nearest first; the last key only tells that there is more."""
        load_span = self._route.load_span
        if load_span is None or self._request.query != EVERYTHING or self._request.owner_key is not None:
            return self._loader_by_keys()
        return self._loader_by_span(load_span)

    def _loader_by_span(self, load_span: LoadSpan) -> Callable[[View, int], Rows]:
        at, done, limit = self.position, 0, self._request.limit

        def load(view: View, count: int) -> Rows:
            nonlocal at, done

            def read(position: Position, count: int) -> Sequence[Row]:
                return load_span.read(view, self._span(position, count))

            found = read(at, count) if done else self._first(read, itemgetter(0), count)
            keys = [row[0] for row in found]
            if keys:
                at = Position(keys[-1] + 1, backwards=True) if at.backwards else Position(keys[-1])
            left, done = limit - done, done + len(keys)
            shown = found if len(found) <= left else found[:left]
            return keys, load_span.finish(view, shown) if shown else []

        return load

    def _loader_by_keys(self) -> Callable[[View, int], Rows]:
        done, limit = 0, self._request.limit
        if self._route.load_span is not None and limit < FIRST_STEP:
            # What is loaded in one step is.
            self._route.load_span.expect(self._view)
        found = self._first(self._keys, int, limit + 1)

        def load(view: View, count: int) -> Rows:
            nonlocal done
            keys = list(found[done : done + count])
            done += len(keys)
            shown = keys[:-1] if done > limit else keys
            loaded = self._route.load(view, shown) if shown else {}
            return keys, with_room([loaded.get(key) for key in shown])

        return load

    def _first(
        self, read: Callable[[Position, int], Sequence[Item]], key_of: Callable[[Item], int], count: int
    ) -> Sequence[Item]:
        """Read what is next to the position, and in the same step the row that the page before ends with."""
        at = self.position
        if not self.is_later_page:
            return read(at, count)
        found = read(Position(at.key + (-1 if at.backwards else 1), backwards=at.backwards), count + 1)
        self._has_neighbour = bool(found) and key_of(found[0]) == at.key - at.backwards
        return found[1:] if self._has_neighbour else found[:count]

    def any_before(self) -> bool:
        """Tell whether anything lies on the other side of the position than its page."""
        if self._has_neighbour:
            return True
        opposite = Position(self.position.key, backwards=not self.position.backwards)
        # Any will do, not the nearest one: an index is walked faster from its newest row on.
        span = replace(self._span(opposite, 1), descending=True)
        return bool(self._walk_span(span))

    def _span(self, position: Position, limit: int) -> Span:
        request = self._request
        if position.backwards:
            return Span(max(request.above, position.key), request.below, descending=False, limit=limit)
        return Span(request.above, min(request.below, position.key), descending=True, limit=limit)

    def _keys(self, position: Position, limit: int) -> list[int]:
        return self._walk_span(self._span(position, limit))

    def _walk_span(self, span: Span) -> list[int]:
        request = self._request
        asked = Asked(span, request.query, request.path_key, request.owner_key)
        return self._route.walk(self._view.reader, asked)
