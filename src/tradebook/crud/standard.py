"""The five routes that most resources have, from one declaration."""

from typing import Any

import msgspec

from tradebook.crud.edit import Edit
from tradebook.crud.fields import Body
from tradebook.crud.parameters import Parameter
from tradebook.crud.resource import Act, Action, ItemRoute, ListRoute, Load, Owner, Route, Walk
from tradebook.crud.rows import Rows


class Standard(msgspec.Struct, frozen=True, kw_only=True):
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
    owner: Owner
    owners: tuple[Owner, ...] = ()
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
        item_path = f"{self.path}/{{{self.owner.param}}}"
        item_owners = (*self.owners, self.owner)
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
                owners=self.owners,
                is_kept=self.is_kept,
                **shown,
            ),
            ItemRoute(
                path=item_path,
                summary=f"Get one {self.noun}",
                permission=f"{self.permissions}:read",
                owners=item_owners,
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
                    owners=self.owners,
                    creates=True,
                    **changed,
                )
            )
        if self.update is not None and self.changing is not None:
            routes.append(
                Action(
                    method="PATCH",
                    path=item_path,
                    summary=f"Change one {self.noun}; what is absent stays",
                    permissions=(f"{self.permissions}:update",),
                    act=self.changing,
                    body=self.update,
                    owners=item_owners,
                    **changed,
                )
            )
        if self.deleting is not None:
            routes.append(
                Action(
                    method="DELETE",
                    path=item_path,
                    summary=f"Delete one {self.noun}",
                    permissions=(f"{self.permissions}:delete",),
                    act=self.deleting,
                    owners=item_owners,
                )
            )
        return tuple(routes)


class Plain:
    """The three acts of a resource whose fields are the columns of one table."""

    def __init__(self, rows: Rows, **of_new: Any) -> None:
        """`of_new` are the columns of a new row that no field sets."""
        self._rows, self._of_new = rows, of_new

    def create(self, edit: Edit) -> int:
        """Add a row."""
        return self._rows.add(edit, {**self._of_new, **edit.values})

    def change(self, edit: Edit) -> int:
        """Change what is given."""
        before = self._rows.current(edit)
        self._rows.change(edit, before, edit.values)
        return edit.key

    def delete(self, edit: Edit) -> None:
        """Delete a row that nothing refers to."""
        self._rows.remove(edit, self._rows.current(edit))
