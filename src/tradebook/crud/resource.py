"""The declaration: what a resource is, as data. Routes, permissions, parsing and OpenAPI follow from it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from tradebook.crud.cursor import Cursors
from tradebook.crud.parameters import Parameter
from tradebook.storage.database import Reader
from tradebook.storage.index import Query


class View(msgspec.Struct, frozen=True):
    """What a loader reads through: one snapshot of one account, and what the client asked to see."""

    reader: Reader
    cursors: Cursors
    include: frozenset[str] = frozenset()


Load = Callable[[View, Sequence[int]], Mapping[int, Any]]
"""Turns keys into finished objects in a constant number of statements; rows that are gone are left out."""


class Walk(Protocol):
    """Where a list's keys come from: ordered, bounded, at most `limit` of them."""

    def __call__(
        self,
        reader: Reader,
        owner: int | None,
        query: Query,
        *,
        above: int,
        below: int,
        descending: bool,
        limit: int,
    ) -> list[int]:
        """Return keys with `above <= key < below`, newest first if descending."""


class LoadSpan(Protocol):
    """Reads a page of the whole table at once: finished objects, in the order of the walk."""

    def __call__(
        self, view: View, *, above: int, below: int, descending: bool, limit: int
    ) -> Mapping[int, Any]:
        """Return objects with `above <= key < below` by key, newest first if descending."""


class Owner(msgspec.Struct, frozen=True):
    """The object in a nested path, such as the customer of `/customers/{id}/price_groups`."""

    param: str
    id_prefix: str
    load: Load


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
    owner: Owner | None = None


class ItemRoute(msgspec.Struct, frozen=True, kw_only=True):
    """GET of one object by its id."""

    path: str
    summary: str
    permission: str
    item: type[msgspec.Struct]
    owner: Owner
    includes: tuple[str, ...] = ()


Route = ListRoute | ItemRoute


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of object: its name in the API, the prefix of its ids, and its routes."""

    name: str
    id_prefix: str
    shape: type[msgspec.Struct]
    routes: tuple[Route, ...] = ()
