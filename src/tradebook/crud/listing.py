"""Cursor pages: exact at both ends, in both directions, in a constant number of statements."""

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from tradebook.crud.cursor import Position
from tradebook.crud.requests import ListRequest, Pairs, list_scope
from tradebook.crud.resource import ListRoute, View
from tradebook.ids import KEY_MAX

NESTED_MAX = 100
"""The most entries of a list inside an object; what lies beyond is behind its `next_page_url`."""


class PageInfo(msgspec.Struct, frozen=True):
    """What lies before and after a page."""

    next_page_url: str | None
    previous_page_url: str | None
    has_next_page: bool
    has_prev_page: bool


class ListObject(msgspec.Struct, frozen=True):
    """One page of a list."""

    object: Literal["list"]
    page_info: PageInfo
    data: Sequence[Any]


def list_page(
    view: View, route: ListRoute, path: str, request: ListRequest, owner: int | None = None
) -> ListObject:
    """Read one page, and whether there is more on either side of it, in one snapshot."""
    walk = _Walk(view, route, request, owner)
    position = request.position
    if position is not None and position.backwards:
        nearest = walk.before(position.key, request.limit + 1)
        keys = nearest[: request.limit][::-1]
        has_prev = len(nearest) > request.limit
        has_next = bool(walk.after(keys[-1] if keys else position.key, 1))
    else:
        nearest = walk.after(position.key if position else KEY_MAX, request.limit + 1)
        keys = nearest[: request.limit]
        has_next = len(nearest) > request.limit
        # Before the first page there is nothing, so an ordinary first page asks nothing more.
        start = keys[0] + 1 if keys else position.key if position else KEY_MAX
        has_prev = position is not None and bool(walk.before(start, 1))
    here = position.key if position else KEY_MAX
    url = _UrlMaker(view, path, request)
    info = PageInfo(
        url.of(Position(keys[-1] if keys else here)) if has_next else None,
        url.of(Position(keys[0] + 1 if keys else here, backwards=True)) if has_prev else None,
        has_next,
        has_prev,
    )
    loaded = route.load(view, keys) if keys else {}
    return ListObject("list", info, [loaded[key] for key in keys])


def nested_list(view: View, path: str, keys: Sequence[int], entries: Sequence[Any]) -> ListObject:
    """Make the list inside an object of its newest entries, of which one more than is shown was read.

    `path` is the route that serves the same list by itself; what lies beyond is read there.
    """
    has_next = len(keys) > NESTED_MAX
    url = None
    if has_next:
        scope = list_scope(view.reader.account_id, path)
        url = page_url(path, [], view.cursors.encode(Position(keys[NESTED_MAX - 1]), scope))
    return ListObject("list", PageInfo(url, None, has_next, False), entries[:NESTED_MAX])


def page_url(path: str, repeated: Pairs, cursor: str) -> str:
    """Write the relative URL of a page: everything the client asked for, and the cursor."""
    return f"{path}?{urlencode([*repeated, ('cursor', cursor)])}"


class _Walk:
    """The walk over a request's matches, to either side of a position."""

    def __init__(
        self, view: View, route: ListRoute, request: ListRequest, owner: int | None
    ) -> None:
        self._view, self._route, self._request, self._owner = view, route, request, owner

    def after(self, key: int, limit: int) -> list[int]:
        return self._keys(self._request.above, min(self._request.below, key), True, limit)

    def before(self, key: int, limit: int) -> list[int]:
        return self._keys(max(self._request.above, key), self._request.below, False, limit)

    def _keys(self, above: int, below: int, descending: bool, limit: int) -> list[int]:
        return self._route.walk(
            self._view.reader,
            self._owner,
            self._request.query,
            above=above,
            below=below,
            descending=descending,
            limit=limit,
        )


class _UrlMaker:
    def __init__(self, view: View, path: str, request: ListRequest) -> None:
        self._view, self._path, self._request = view, path, request

    def of(self, position: Position) -> str:
        cursor = self._view.cursors.encode(position, self._request.scope)
        return page_url(self._path, self._request.repeated, cursor)
