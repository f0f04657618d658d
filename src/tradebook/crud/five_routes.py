"""The five routes that most resources have, from one declaration."""

from typing import Any

import msgspec

from tradebook.crud.change import Change
from tradebook.crud.fields import Body
from tradebook.crud.parameters import Parameter
from tradebook.crud.records import Records
from tradebook.crud.resource import Act, Action, ItemRoute, ListRoute, Load, PathObject, Route, Walk


class FiveRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes of a resource have in common; an act that is None stands for no such route."""

    path: str
    noun: str
    """What one object is called in a sentence, such as `payment term`."""
    nouns: str
    permissions: str
    """What the permissions begin with, such as `payment_terms`."""
    item: type[msgspec.Struct]
    load: Load
    walk: Walk
    path_object: PathObject
    path_objects: tuple[PathObject, ...] = ()
    """What stands before the object in the path."""
    parameters: tuple[Parameter, ...] = ()
    includes: tuple[str, ...] = ()
    is_kept: bool = True
    create: Body | None = None
    update: Body | None = None
    creating: Act | None = None
    changing: Act | None = None
    deleting: Act | None = None

    def routes(self) -> tuple[Route, ...]:
        """Make the routes."""
        path = f"{self.path}/{{{self.path_object.param}}}"
        in_path = (*self.path_objects, self.path_object)
        shown: dict[str, Any] = {"item": self.item, "includes": self.includes}
        changed = {**shown, "load": self.load}
        routes: list[Route] = [
            ListRoute(
                path=self.path,
                summary=f"List {self.nouns}",
                permission=f"{self.permissions}:read",
                walk=self.walk,
                load=self.load,
                parameters=self.parameters,
                path_objects=self.path_objects,
                is_kept=self.is_kept,
                **shown,
            ),
            ItemRoute(
                path=path,
                summary=f"Get one {self.noun}",
                permission=f"{self.permissions}:read",
                path_objects=in_path,
                load=self.load,
                is_kept=self.is_kept,
                **shown,
            ),
        ]
        if self.create is not None and self.creating is not None:
            routes.append(
                Action(
                    method="POST",
                    path=self.path,
                    summary=f"Create one {self.noun}",
                    permissions=(f"{self.permissions}:create",),
                    act=self.creating,
                    body=self.create,
                    path_objects=self.path_objects,
                    creates=True,
                    **changed,
                )
            )
        if self.update is not None and self.changing is not None:
            routes.append(
                Action(
                    method="PATCH",
                    path=path,
                    summary=f"Change one {self.noun}; what is absent stays",
                    permissions=(f"{self.permissions}:update",),
                    act=self.changing,
                    body=self.update,
                    path_objects=in_path,
                    **changed,
                )
            )
        if self.deleting is not None:
            routes.append(
                Action(
                    method="DELETE",
                    path=path,
                    summary=f"Delete one {self.noun}",
                    permissions=(f"{self.permissions}:delete",),
                    act=self.deleting,
                    path_objects=in_path,
                )
            )
        return tuple(routes)


class ColumnActs:
    """The three acts of a resource whose fields are the columns of one table."""

    def __init__(self, rows: Records, **of_new: Any) -> None:
        """`of_new` are the columns of a new row that no field sets."""
        self._records, self._of_new = rows, of_new

    def create(self, change: Change) -> int:
        """Add a row."""
        return self._records.add(change, {**self._of_new, **change.values})

    def update(self, change: Change) -> int:
        """Change what is given."""
        self._records.update(change, change.row, change.values)
        return change.id

    def delete(self, change: Change) -> None:
        """Delete a row that nothing refers to."""
        self._records.delete(change, change.row)
