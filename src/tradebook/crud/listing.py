"""Cursor pages: exact at both ends, in both directions, in a constant number of statements."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from tradebook.crud.cursor import Position
from tradebook.crud.list_requests import EVERYTHING, ListRequest, list_scope
from tradebook.crud.resource import Asked, ListRoute, Span, View
from tradebook.ids import KEY_MAX

NESTED_MAX = 100
"""The most entries of a list inside an object. The others follow at its `next_page_url`."""


class PageInfo(msgspec.Struct, frozen=True):
    """What lies before and after a page."""

    next_page_url: str | None
    previous_page_url: str | None
    has_next_page: bool
    has_prev_page: bool


_WHOLE = PageInfo(None, None, False, False)


class ListObject(msgspec.Struct, frozen=True):
    """One page of a list."""

    object: Literal["list"]
    page_info: PageInfo
    data: Sequence[Any]


def list_page(view: View, route: ListRoute, request: ListRequest) -> ListObject:
    """Read one page, and whether there is more on either side of it, in one snapshot."""
    walk = _Walk(view, route, request)
    position = request.position or Position(KEY_MAX)
    found = walk.page(position, request.limit + 1)
    has_more = len(found) > request.limit
    keys = found[: request.limit]
    if position.backwards:
        keys.reverse()
        has_prev, has_next = has_more, walk.any_after(keys[-1] if keys else position.key)
    else:
        # Nothing comes before the first page, so a first page needs no further look.
        start = keys[0] + 1 if keys else position.key
        has_prev, has_next = request.position is not None and walk.any_before(start), has_more
    last = Position(keys[-1] if keys else position.key)
    first = Position(keys[0] + 1 if keys else position.key, backwards=True)
    info = PageInfo(
        _url(view, request, last) if has_next else None,
        _url(view, request, first) if has_prev else None,
        has_next,
        has_prev,
    )
    loaded = walk.loaded(keys)
    return ListObject("list", info, [loaded[key] for key in keys])


def nested_list(
    view: View, path_of: Callable[[], str], keys: Sequence[int], entries: Sequence[Any]
) -> ListObject:
    """Make the list inside an object from its newest entries; one more than fits means that there are more.

    `path_of` returns the path of the route that serves the whole list.
    """
    if len(keys) <= NESTED_MAX:
        return ListObject("list", _WHOLE, entries)
    path = path_of()
    scope = list_scope(view.reader.account_id, path)
    url = view.page_url(path, [], Position(keys[NESTED_MAX - 1]), scope)
    return ListObject("list", PageInfo(url, None, True, False), entries[:NESTED_MAX])


def _url(view: View, request: ListRequest, position: Position) -> str:
    return view.page_url(request.path, request.repeated, position, request.scope)


class _Walk:
    """Reads the matches of a request, in both directions from a position."""

    def __init__(self, view: View, route: ListRoute, request: ListRequest) -> None:
        self._view, self._route, self._request = view, route, request
        self._loaded: Mapping[int, Any] | None = None

    def page(self, position: Position, limit: int) -> list[int]:
        """Return the keys next to a position, the nearest first."""
        load_span = self._route.load_span
        if load_span is not None and self._request.query == EVERYTHING:
            self._loaded = load_span(self._view, self._span(position, limit))
            return list(self._loaded)
        return self._keys(position, limit)

    def loaded(self, keys: Sequence[int]) -> Mapping[int, Any]:
        """Return the finished objects of a page's keys."""
        if self._loaded is None:
            self._loaded = self._route.load(self._view, keys) if keys else {}
        return self._loaded

    def any_after(self, key: int) -> bool:
        return bool(self._keys(Position(key), 1))

    def any_before(self, key: int) -> bool:
        return bool(self._keys(Position(key, backwards=True), 1))

    def _span(self, position: Position, limit: int) -> Span:
        request = self._request
        if position.backwards:
            return Span(max(request.above, position.key), request.below, descending=False, limit=limit)
        return Span(request.above, min(request.below, position.key), descending=True, limit=limit)

    def _keys(self, position: Position, limit: int) -> list[int]:
        request = self._request
        asked = Asked(self._span(position, limit), request.query, request.path_key)
        return self._route.walk(self._view.reader, asked)
