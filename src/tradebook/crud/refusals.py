"""What a route can refuse with, beyond what every route can: most of it follows from its declaration."""

from collections.abc import Iterator

from tradebook.crud.fields import Body, Object
from tradebook.crud.resource import Action, ListRoute, Route
from tradebook.errors import (
    ApiError,
    InsufficientPermissions,
    InvalidFormat,
    MissingField,
    ResourceConflict,
    ResourceExists,
    ResourceNotFound,
)

Error = type[ApiError]


def refusals_of(route: Route) -> frozenset[Error]:
    """Tell what the objects of its path, its body, its row and its own rules can refuse with."""
    creates = isinstance(route, Action) and route.or_creates is not None
    found: set[Error] = {ResourceNotFound} if route.path_objects and not creates else set()
    found |= {each.gone.error for each in route.path_objects if each.gone is not None}
    if isinstance(route, ListRoute):
        found.update(route.errors)
    if isinstance(route, Action):
        found.update(route.errors, _of_body(route.body, creates=creates), _of_row(route))
    return frozenset(found)


def _of_body(body: Body, *, creates: bool) -> Iterator[Error]:
    if body.fields:
        yield InvalidFormat
    if creates:
        yield MissingField
    if any(each.requires for each in _bodies_in(body)):
        yield MissingField


def _bodies_in(body: Body) -> Iterator[Body]:
    yield body
    for field in body.fields:
        if isinstance(field.kind, Object):
            yield from _bodies_in(field.kind.body)


def _of_row(action: Action) -> Iterator[Error]:
    """Tell what the row that it makes, changes or deletes can refuse with."""
    records = action.records
    if records is None:
        return
    # What the path names it by is its own, where that is all that is unique.
    given = {field.name for field in action.body.fields}
    if not records.unique.isdisjoint(given - {name for each in action.path_objects for name in each.params}):
        yield ResourceExists
    if action.changes_object and records.has_system_rows:
        yield InsufficientPermissions
    is_gone_after = action.method == "DELETE" and not records.is_deleted_softly and not _is_of_a_link(action)
    if is_gone_after and records.is_referred_to:
        yield ResourceConflict


def _is_of_a_link(action: Action) -> bool:
    """Tell whether its path names two objects of which neither is inside the other: both stay."""
    return len(action.path_objects) > 1 and action.path_objects[-1].inside is None
