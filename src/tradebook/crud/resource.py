"""The declaration of a resource, as data. Routes, permissions, parsing and OpenAPI follow from it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from tradebook.crud.change import NO_LIMIT, Change, Told
from tradebook.crud.cursor import Position
from tradebook.crud.fields import NOTHING, Body
from tradebook.crud.kinds import Kind
from tradebook.crud.parameters import Pairs, Parameter
from tradebook.crud.records import Records, Values
from tradebook.crud.uploads import FileBody
from tradebook.errors import ApiError, ResourceNotFound
from tradebook.ids import encode_id, example_key
from tradebook.storage.database import Reader, Row
from tradebook.storage.index import Query

PageUrl = Callable[[str, Pairs, Position, bytes], str]
"""Writes the URL of a page: the list's path, what the client asked for, where the page begins, its scope."""


def _no_page(*_: object) -> str:
    raise AssertionError("nothing of this view goes on behind a URL")


class View(msgspec.Struct, frozen=True):
    """One snapshot of one account, the includes that the client asked for, and how large an answer may be."""

    reader: Reader
    include: frozenset[str] = frozenset()
    page_url: PageUrl = _no_page
    bytes_max: int = NO_LIMIT
    """How large the whole answer may be."""
    bytes_left: int = NO_LIMIT
    """How much of that is left for what is loaded now."""
    path_key: int | None = None
    """The key of the object that the path of a list names last."""


Load = Callable[[View, Sequence[int]], Mapping[int, Any]]
"""Turns keys into finished objects, in few statements; without rows that no longer exist.

Where the lists inside the objects would take up more than the view's `bytes_left`, the last ones are None.
The first one never is.
"""


class Span(msgspec.Struct, frozen=True):
    """A part of a list: at most `limit` keys with `above <= key < below`, newest first if descending."""

    above: int
    below: int
    descending: bool
    limit: int

    @property
    def bounds(self) -> dict[str, int]:
        """The values for the bound parameters of `select_span`."""
        return {"above": self.above, "below": self.below, "limit": self.limit}


class Asked(msgspec.Struct, frozen=True):
    """What a walk is asked for: a part of a list, and which list."""

    span: Span
    query: Query
    path_key: int | None
    """The key of the object that the list's path names last, such as the customer of its price groups."""
    owner_key: int | None = None
    """The key of the owner that the request names: only what is its own is listed."""

    @property
    def places(self) -> set[int]:
        """What a list with one filter is filtered by: the places of the words that are asked for."""
        return {place for condition in self.query.conditions for (place,) in condition.values}


Walk = Callable[[Reader, Asked], list[int]]
"""Where a list's keys come from."""


class LoadSpan(msgspec.Struct, frozen=True):
    """Reads a part of a table without filters in one step, instead of first the keys and then the rows."""

    read: Callable[[View, Span], Sequence[Row]]
    """Read rows that begin with their keys, in the order of the span."""
    finish: Callable[[View, Sequence[Row]], list[bytes]]
    """Turn such rows into the JSON of objects, as far as there is room for the lists inside them."""
    expect: Callable[[View], None]
    """Say what `load` will ask for first, of the keys that a list with filters finds."""


class Gone(msgspec.Struct, frozen=True):
    """What more there may be to tell of an object that is not there."""

    error: type[ApiError]
    find: Callable[[Reader, int], ApiError | None]
    """Find out, by its key; None where there is no more to tell."""


PathKey = int | tuple[str, ...]
"""What a path names an object by: its key, or the texts of a `Name`."""


class NamePart(msgspec.Struct, frozen=True):
    """One text of a name in a path."""

    param: str
    kind: Kind
    description: str


class Name(msgspec.Struct, frozen=True):
    """What a path names an object by instead of its id.

    Of its parts the last takes all the rest of the path, slashes too.
    """

    parts: tuple[NamePart, ...]
    find: Callable[[Reader, tuple[str, ...]], Values | None]
    """Find the row of the object that is called so."""
    said: Callable[[tuple[str, ...], Values], Values]
    """Complete what a body says of a new object with its name; ValidationFailed where it says another one."""

    @property
    def params(self) -> tuple[str, ...]:
        """What its parts are called in the path."""
        return tuple(part.param for part in self.parts)


class PathObject(msgspec.Struct, frozen=True):
    """An object in a path, such as the customer of `/customers/{id}/price_groups`."""

    param: str
    id_prefix: str
    records: Records | None = None
    """The table of its row; None for constants, which have no rows."""
    inside: str | None = None
    """The column with the key of the object before it in the path."""
    gone: Gone | None = None
    example: int = example_key()
    """The key of one in an example."""
    by: Name | None = None
    """What the path names it by instead of its id; `param` is then what an error is about."""

    @property
    def params(self) -> tuple[str, ...]:
        """What stands for it in the path."""
        return (self.param,) if self.by is None else self.by.params

    def find(self, reader: Reader, name: PathKey) -> Values | None:
        """Return its row; None if there is none."""
        if isinstance(name, tuple):
            assert self.by is not None, "only a name has texts"
            return self.by.find(reader, name)
        return None if self.records is None else self.records.find(reader, name)

    def key(self, reader: Reader, name: PathKey) -> int | None:
        """Return its key, by what the path names it by."""
        if isinstance(name, int):
            return name
        found = self.find(reader, name)
        return None if found is None else int(found["id"])

    def row(self, reader: Reader, name: PathKey, before: PathKey | None) -> Values:
        """Return its row; ResourceNotFound if there is none, or none in the object before it."""
        found = self.find(reader, name)
        if found is None or (self.inside is not None and found[self.inside] != before):
            raise self.missing(reader, name)
        return found

    def missing(self, reader: Reader, name: PathKey) -> ApiError:
        """Return the error that says that it does not exist."""
        if isinstance(name, tuple):
            return ResourceNotFound(
                f"No such object of this account has this {self.param}.", param=self.param
            )
        error = None if self.gone is None else self.gone.find(reader, name)
        return error or ResourceNotFound("There is no such object in this account.", param=self.param)


def rows_in_path(
    path_objects: Sequence[PathObject], reader: Reader, names: Sequence[PathKey]
) -> list[Values]:
    """Return the rows of the objects in a path; ResourceNotFound if any object is missing."""
    rows: list[Values] = []
    before = None
    for path_object, name in zip(path_objects, names, strict=True):
        rows.append(path_object.row(reader, name, before))
        before = name
    return rows


class Owner(msgspec.Struct, frozen=True):
    """An object that a request can name beside its path. Then the route is about what belongs to it alone."""

    path_object: PathObject
    """What it is, as if a path named it."""
    has: Callable[[Reader, int, Any], bool]
    """Tells whether an object belongs to it, by the keys of both."""
    description: str


class ListRoute(msgspec.Struct, frozen=True, kw_only=True):
    """GET of a list in cursor pages."""

    path: str
    summary: str
    permissions: tuple[str, ...]
    """What a key needs; none if every good key may read it."""
    item: type[msgspec.Struct]
    walk: Walk
    load: Load
    load_span: LoadSpan | None = None
    parameters: tuple[Parameter, ...] = ()
    includes: tuple[str, ...] = ()
    path_objects: tuple[PathObject, ...] = ()
    """The objects in the path, from left to right."""
    is_exported: bool = False
    """Whether it is answered whole too, as lines of JSON or as a CSV file, to who asks for one of these."""
    is_kept: bool = True
    """Whether a finished page may be kept in memory until the account's revision changes."""
    errors: tuple[type[ApiError], ...] = ()
    """What its own rules can refuse with."""
    owner: Owner | None = None
    """Whose its objects may be asked to be; None where a request can name none."""


class ItemRoute(msgspec.Struct, frozen=True, kw_only=True):
    """GET of one object by its id."""

    path: str
    summary: str
    permissions: tuple[str, ...]
    item: type[msgspec.Struct]
    path_objects: tuple[PathObject, ...]
    """The objects in the path; the last one is the answer."""
    load: Load
    includes: tuple[str, ...] = ()
    is_kept: bool = True
    owner: Owner | None = None

    def find(self, view: View, names: Sequence[PathKey]) -> Any:
        """Return the finished object; ResourceNotFound if any object of the path is missing."""
        last = self.path_objects[-1]
        if len(names) > 1:
            rows_in_path(self.path_objects, view.reader, names)
        key = last.key(view.reader, names[-1])
        found = {} if key is None else self.load(view, [key])
        if key is None or key not in found:
            raise last.missing(view.reader, names[-1])
        return found[key]


class Deleted(msgspec.Struct, frozen=True):
    """What is answered where something was deleted."""

    id: str
    """The id that it had, such as `ac_2t17adc000000`."""
    object: str
    """What kind of object it was, such as `customer`."""
    deleted: Literal[True]
    """Always true."""


Act = Callable[[Change], int | Told | msgspec.Struct | None]
"""Changes the book. Returns the key of the object to answer with, or the answer.

One that deletes returns None, or what is told besides.
"""


class Creation(msgspec.Struct, frozen=True):
    """What a PUT does where the object that its path names does not exist yet."""

    permission: str
    act: Act
    path: str
    """Of the list that it is in then."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A route that changes the book, in one transaction."""

    method: Literal["POST", "PATCH", "PUT", "DELETE"]
    path: str
    summary: str
    permissions: tuple[str, ...]
    act: Act
    foresee: Callable[[Reader, Values], None] | None = None
    """Says what the act will read, by the values of the body: that is read with what comes before."""
    body: Body = NOTHING
    path_objects: tuple[PathObject, ...] = ()
    item: type[msgspec.Struct] | None = None
    """The object in the answer; None if it deletes."""
    deletes: str | None = None
    """What kind of object it deletes, as the answer says."""
    tells: type[msgspec.Struct] | None = None
    """What is told besides where something was deleted: more keys of the answer."""
    previews: tuple[type[msgspec.Struct], ...] = ()
    """What the answer holds instead where it was only asked what would happen; then nothing was done."""
    load: Load | None = None
    includes: tuple[str, ...] = ()
    creates: PathObject | None = None
    """What it makes, as a path names it."""
    or_creates: Creation | None = None
    """How it makes the object that its path names, where there is none; then its body must be partial."""
    errors: tuple[type[ApiError], ...] = ()
    """What its own rules can refuse with, besides what follows from the rest: see `crud/refusals.py`."""
    new: Records | None = None
    """Where the row of what it creates is kept."""
    owner: Owner | None = None
    parameters: tuple[Parameter, ...] = ()
    """What the query string may say of how it is done."""
    upload: FileBody | None = None
    """The files that it takes instead of a body in JSON. Then it only begins something, and answers 202."""
    has_secret: bool = False
    """Whether the answer holds a secret: then it is stored encrypted for a replay."""

    @property
    def changes_object(self) -> bool:
        """Whether it changes the object in its path, and so checks the object's version.

        An action that only adds something to the object has a path that continues after the id, without
        `/actions/`.
        """
        return self.path.endswith("}") or "/actions/" in self.path

    @property
    def records(self) -> Records | None:
        """Where the row is that it makes, changes or deletes."""
        return self.path_objects[-1].records if self.changes_object else self.new


Route = ListRoute | ItemRoute | Action


def path_of_new(action: Action, keys: Sequence[int], new: str) -> str:
    """Write the path of what an action has made: in the list that it was added to."""
    path = path_of(action, keys)
    if "/actions/" in action.path:
        path = path.rsplit("/", 3)[0]
    return f"{path}/{new}"


def path_of(route: Route, keys: Sequence[int]) -> str:
    """Write the path of a route with these objects in it, the one way in which this API writes it."""
    if not route.path_objects:
        return route.path
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
