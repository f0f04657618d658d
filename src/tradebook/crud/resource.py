"""The declaration: what a resource is, as data. Routes, permissions, parsing and OpenAPI follow from it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from tradebook.crud.change import Change
from tradebook.crud.cursor import Cursors
from tradebook.crud.fields import NOTHING, Body
from tradebook.crud.parameters import Parameter
from tradebook.errors import ApiError, NotFound
from tradebook.ids import encode_id
from tradebook.storage.database import Reader
from tradebook.storage.index import Query


class View(msgspec.Struct, frozen=True):
    """What a loader reads through: one snapshot of one account, and what the client asked to see."""

    reader: Reader
    cursors: Cursors
    include: frozenset[str] = frozenset()


Load = Callable[[View, Sequence[int]], Mapping[int, Any]]
"""Turns keys into finished objects in a constant number of statements; rows that are gone are left out."""


class Span(msgspec.Struct, frozen=True):
    """A part of a list: at most `limit` keys with `above <= key < below`, newest first if descending."""

    above: int
    below: int
    descending: bool
    limit: int

    @property
    def bounds(self) -> dict[str, int]:
        """The values that a statement of `select_span` takes."""
        return {"above": self.above, "below": self.below, "limit": self.limit}


Walk = Callable[[Reader, int | None, Query, Span], list[int]]
"""Where a list's keys come from: (reader, the owner's key, what is asked for, which part of it)."""

LoadSpan = Callable[[View, Span], Mapping[int, Any]]
"""Reads a part of the whole table at once: finished objects by key, in the order of the walk."""


class PathObject(msgspec.Struct, frozen=True):
    """An object in a path, such as the customer of `/customers/{id}/price_groups`."""

    param: str
    id_prefix: str
    load: Load
    inside: Callable[[Reader, int, int], bool] | None = None
    """Whether it belongs to the object before it in the path: (reader, that one's key, its own)."""
    gone: Callable[[Reader, int], ApiError | None] | None = None
    """Finds out whether there is more to tell of an object that is not there."""

    def require(self, view: View, key: int, before: int | None) -> Any:
        """Return the object; NotFound where there is none, or none in the object before it."""
        found = self.load(view, [key])
        is_inside = before is None or self.inside is None or self.inside(view.reader, before, key)
        if key in found and is_inside:
            return found[key]
        error = None if self.gone is None else self.gone(view.reader, key)
        raise error or NotFound("There is no such object in this account.", param=self.param)


class ListRoute(msgspec.Struct, frozen=True, kw_only=True):
    """GET of a list in cursor pages."""

    path: str
    summary: str
    permission: str
    item: type[msgspec.Struct]
    walk: Walk
    load: Load
    load_span: LoadSpan | None = None
    """Spares a page that nothing filters the walk before the load."""
    parameters: tuple[Parameter, ...] = ()
    includes: tuple[str, ...] = ()
    path_objects: tuple[PathObject, ...] = ()
    """The objects in the path, from the left to the right."""
    is_kept: bool = True
    """Whether a finished page may be kept while the account's revision stands."""

    @property
    def permissions(self) -> tuple[str, ...]:
        """What a key needs for it."""
        return (self.permission,)


class ItemRoute(msgspec.Struct, frozen=True, kw_only=True):
    """GET of one object by its id."""

    path: str
    summary: str
    permission: str
    item: type[msgspec.Struct]
    path_objects: tuple[PathObject, ...]
    """The objects in the path; the last is the one that is answered."""
    includes: tuple[str, ...] = ()
    is_kept: bool = True

    @property
    def permissions(self) -> tuple[str, ...]:
        """What a key needs for it."""
        return (self.permission,)


Act = Callable[[Change], int | msgspec.Struct | None]
"""Changes the book. Returns the key of what to answer with, the answer itself, or None for no answer."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A route that changes the book, in one transaction."""

    method: Literal["POST", "PATCH", "PUT", "DELETE"]
    path: str
    summary: str
    permissions: tuple[str, ...]
    act: Act
    body: Body = NOTHING
    path_objects: tuple[PathObject, ...] = ()
    item: type[msgspec.Struct] | None = None
    """What is answered; None where nothing is."""
    other_items: tuple[type[msgspec.Struct], ...] = ()
    """What may be answered instead."""
    load: Load | None = None
    includes: tuple[str, ...] = ()
    creates: bool = False
    has_secret: bool = False
    """Whether the answer holds what must not be kept readable, not even to be replayed."""


Route = ListRoute | ItemRoute | Action


def path_of(route: Route, keys: Sequence[int]) -> str:
    """Write the path of a route with these objects in it, the one way in which this API writes it."""
    ids = {
        each.param: encode_id(each.id_prefix, key) for each, key in zip(route.path_objects, keys, strict=True)
    }
    return route.path.format_map(ids)


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of object: its name in the API, the prefix of its ids, and its routes."""

    name: str
    id_prefix: str
    shape: type[msgspec.Struct]
    routes: tuple[Route, ...] = ()
