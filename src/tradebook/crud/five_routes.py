"""The five routes that most resources have, from one declaration."""

from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import msgspec

from tradebook.crud.change import Change
from tradebook.crud.fields import NOTHING, Body
from tradebook.crud.parameters import Parameter, Q
from tradebook.crud.records import Records, Values
from tradebook.crud.resource import Act, Action, ItemRoute, ListRoute, Load, PathObject, Route, Walk
from tradebook.crud.words import Texts, walk_of_words
from tradebook.errors import ApiError
from tradebook.storage.database import Writer

OF_ALL = ("owner", "owner.account")
"""What clients ask to include of every resource. Who owns an object is not told in this version."""


class FiveRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """What the five routes of a resource share. A resource without an act does not have its route."""

    path: str
    noun: str
    """The name of one object in a sentence, such as `payment term`."""
    nouns: str
    permissions_of: str | None
    """The first part of the permissions, such as `payment_terms`; None if every good key may read."""
    item: type[msgspec.Struct]
    load: Load
    walk: Walk
    path_object: PathObject
    path_objects: tuple[PathObject, ...] = ()
    """The objects that come before this one in the path."""
    parameters: tuple[Parameter, ...] = ()
    texts: Texts | None = None
    """What the words of `q` are looked for in, where no index has it."""
    includes: tuple[str, ...] = ()
    """What may be included, besides `OF_ALL`."""
    is_kept: bool = True
    bodies: tuple[Body, Body] = (NOTHING, NOTHING)
    """What creates an object, and what changes one."""
    create: Act | None = None
    update: Act | None = None
    delete: Act | None = None
    errors: Mapping[str, tuple[type[ApiError], ...]] = {}
    """What the rules of the resource can refuse with, by method."""

    def routes(self) -> tuple[Route, ...]:
        """Make the routes whose acts are given, and those that read."""
        path = f"{self.path}/{{{self.path_object.param}}}"
        in_path = (*self.path_objects, self.path_object)
        includes = (*self.includes, *OF_ALL)
        shown: dict[str, Any] = {"item": self.item, "load": self.load, "includes": includes}
        routes: list[Route] = [
            self._list(shown),
            ItemRoute(
                path=path,
                summary=f"Get one {self.noun}",
                permissions=self._to("read"),
                path_objects=in_path,
                is_kept=self.is_kept,
                **shown,
            ),
        ]
        to_create, to_update = self.bodies
        if self.create is not None:
            routes.append(
                Action(
                    method="POST",
                    path=self.path,
                    summary=f"Create one {self.noun}",
                    permissions=self._to("create"),
                    act=self.create,
                    body=to_create,
                    path_objects=self.path_objects,
                    creates=self.path_object,
                    new=self.path_object.records,
                    errors=self.errors.get("POST", ()),
                    **shown,
                )
            )
        if self.update is not None:
            routes.append(
                Action(
                    method="PATCH",
                    path=path,
                    summary=f"Change one {self.noun}; absent fields stay as they are",
                    permissions=self._to("update"),
                    act=self.update,
                    body=to_update,
                    path_objects=in_path,
                    errors=self.errors.get("PATCH", ()),
                    **shown,
                )
            )
        if self.delete is not None:
            routes.append(
                Action(
                    method="DELETE",
                    path=path,
                    summary=f"Delete one {self.noun}",
                    permissions=self._to("delete"),
                    act=self.delete,
                    path_objects=in_path,
                    errors=self.errors.get("DELETE", ()),
                    deletes=kind_of(self.item),
                )
            )
        return tuple(routes)

    def _to(self, do: str) -> tuple[str, ...]:
        return () if self.permissions_of is None else (f"{self.permissions_of}:{do}",)

    def _list(self, shown: dict[str, Any]) -> ListRoute:
        texts = self.texts
        return ListRoute(
            path=self.path,
            summary=f"List {self.nouns}",
            permissions=self._to("read"),
            walk=self.walk if texts is None else walk_of_words(self.walk, texts),
            parameters=self.parameters if texts is None else (Q, *self.parameters),
            path_objects=self.path_objects,
            is_kept=self.is_kept,
            **shown,
        )


def kind_of(shape: type[msgspec.Struct]) -> str:
    """Name a kind of object as its `object` does."""
    kind: str
    (kind,) = get_args(get_type_hints(shape)["object"])
    return kind


class ColumnActs:
    """Create, change and delete for a resource whose fields are the columns of one table."""

    def __init__(self, records: Records, **of_new: Any) -> None:
        """Take the records of the table, and in `of_new` the columns of a new row that no field sets."""
        self._records, self._of_new = records, of_new

    def add(self, writer: Writer, values: Values) -> int:
        """Add a row of what the fields of a new object say."""
        return self._records.add(writer, {**self._of_new, **values})

    def create(self, change: Change) -> int:
        """Add a row."""
        return self.add(change.writer, change.values)

    def update(self, change: Change) -> int:
        """Change the columns that the body gives."""
        self._records.update(change.writer, change.row, change.values)
        return change.id

    def delete(self, change: Change) -> None:
        """Delete a row, unless other rows refer to it."""
        self._records.delete(change.writer, change.row)
