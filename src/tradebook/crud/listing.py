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
    """Where the next page is, such as `/v1/sales/customers?cursor=…`; null on the last page."""
    previous_page_url: str | None
    """Where the page before is, such as `/v1/sales/customers?cursor=…`; null on the first page."""
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
    return msgspec.json.encode(ListObject("list", info, page.rows))


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
    written: dict[tuple[int, ...], msgspec.Raw] = {}
    for some in _owners_at_once(listed):
        wanted = {key for keys in some.values() for key in keys}
        loaded = load(wanted) if wanted else {}
        sizes = {key: len(loaded[key]) + 1 for key in wanted}
        size = sum([sizes[key] for keys in some.values() for key in keys])
        is_little = size <= min(bytes_max, left)
        left -= size if is_little else 0
        for owner, keys in some.items():
            shown = keys
            if not is_little:
                shown = _first_of(keys, sizes, bytes_max)
                size = sum([sizes[key] for key in shown])
                if size > left and made:
                    return made
                left -= size
            same = tuple(shown)
            if len(same) < len(listed[owner]):
                made[owner] = _written(same, loaded, _rest(view, path_of(owner), same[-1]))
                continue
            if same not in written:
                written[same] = _written(same, loaded, _WHOLE)
            made[owner] = written[same]
    return made


def _written(keys: Sequence[int], loaded: Mapping[Any, msgspec.Raw], info: PageInfo) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(ListObject("list", info, [loaded[key] for key in keys])))


def _owners_at_once(listed: Mapping[int, list[int]]) -> Iterator[dict[int, list[int]]]:
    """Yield some owners after the other, with the keys that they may show, which are not too many at once."""
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


def _first_of(keys: list[int], sizes: Mapping[int, int], bytes_max: int) -> list[int]:
    """Take as many of the first entries as there is room for; one in any case."""
    left = bytes_max
    for count, key in enumerate(keys):
        left -= sizes[key]
        if left < 0 and count:
            return keys[:count]
    return keys


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
        self._settled: list[msgspec.Raw] = []
        self._loose: list[Any] = []

    @property
    def rows(self) -> list[Any]:
        """What stands between the brackets of the list, newest first."""
        rows = [*self._settled, *self._loose] if self._settled else self._loose
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
        body = msgspec.json.encode(rows[::-1] if self._backwards else rows)
        if len(body) <= self.bytes_left:
            # Several rows without their brackets, which stand in the list as they are.
            self._settle(body[1:-1])
            return True
        done = len(self.keys) - len(rows)
        for row in rows:
            body = msgspec.json.encode(row)
            if len(body) >= self.bytes_left and done:
                break
            self._settle(body)
            done += 1
        is_all = done == len(self.keys)
        del self.keys[done:]
        return is_all

    def _settle(self, body: bytes) -> None:
        self._settled.append(msgspec.Raw(body))
        self.bytes_left -= len(body) + 1


Rows = tuple[list[int], list[Any]]
"""The keys that were found, and what was loaded of them, from the first on, as far as there is room."""


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
        found = self._first(self._keys, int, limit + 1)

        def load(view: View, count: int) -> Rows:
            nonlocal done
            keys = list(found[done : done + count])
            done += len(keys)
            shown = keys[:-1] if done > limit else keys
            loaded = self._route.load(view, shown) if shown else {}
            rows = [loaded.get(key) for key in shown]
            return keys, rows[: rows.index(None)] if rows and rows[-1] is None else rows

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
        return bool(self._keys(opposite, 1))

    def _span(self, position: Position, limit: int) -> Span:
        request = self._request
        if position.backwards:
            return Span(max(request.above, position.key), request.below, descending=False, limit=limit)
        return Span(request.above, min(request.below, position.key), descending=True, limit=limit)

    def _keys(self, position: Position, limit: int) -> list[int]:
        request, span = self._request, self._span(position, limit)
        asked = Asked(span, request.query, request.path_key, request.owner_key)
        return self._route.walk(self._view.reader, asked)
