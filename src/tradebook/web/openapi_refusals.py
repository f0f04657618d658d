"""The errors that each route can answer, as the OpenAPI document describes them."""

from collections.abc import Iterator
from typing import Any

from tradebook.crud.refusals import refusals_of
from tradebook.crud.resource import Action, Route
from tradebook.errors import (
    CATALOGUE,
    ApiError,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InsufficientPermissions,
    InternalError,
    MethodNotAllowed,
    OutcomeInDoubt,
    ParameterInvalid,
    ParameterMissing,
    ParameterUnknown,
    PayloadTooLarge,
    PreconditionFailed,
    RateLimitExceeded,
    RequestTimeout,
    ServiceUnavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from tradebook.web.openapi_headers import OF_A_KEY, ref, refer
from tradebook.web.openapi_schemas import schema_ref
from tradebook.web.replays import NOT_IDEMPOTENT


def is_repeatable(route: Route) -> bool:
    """Tell whether a route looks at the idempotency key."""
    return isinstance(route, Action) and route.method in NOT_IDEMPOTENT


def changes_what_is_there(route: Route) -> bool:
    """Tell whether a route changes the object that its path ends in, and so looks at If-Match."""
    return isinstance(route, Action) and route.changes_object


_OF_KEYS = frozenset(error for error in CATALOGUE if error.status == 401)
OF_EVERY_PATH: tuple[type[ApiError], ...] = (MethodNotAllowed, PayloadTooLarge, InternalError)
_OF_EVERY_ROUTE = {
    *_OF_KEYS,
    *OF_EVERY_PATH,
    ParameterInvalid,
    ParameterMissing,
    ParameterUnknown,
    InsufficientPermissions,
    RateLimitExceeded,
    ServiceUnavailable,
}
_NEVER_REPLAYED = {
    *_OF_KEYS,
    InsufficientPermissions,
    MethodNotAllowed,
    PayloadTooLarge,
    IdempotencyKeyReused,
    OutcomeInDoubt,
}
"""What another API key may succeed with, or what comes before the idempotency key is looked for.

What is transient is never replayed either.
"""


def errors_of(route: Route) -> list[type[ApiError]]:
    """List what a route can refuse with: what every route can, what its form brings, what it declares."""
    found = {*_OF_EVERY_ROUTE, *refusals_of(route)}
    if isinstance(route, Action):
        found |= {ValidationFailed, RequestTimeout, UnsupportedMediaType}
    if is_repeatable(route):
        found |= {IdempotencyInProgress, IdempotencyKeyReused, OutcomeInDoubt}
    if changes_what_is_there(route):
        found.add(PreconditionFailed)
    return [error for each in CATALOGUE for error in (each, *each.__subclasses__()) if error in found]


def refusals(route: Route) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each status that a route refuses with, what its answer is called in the document, and the answer.

    Routes that refuse with the same share their answers.
    """
    errors = errors_of(route)
    for status in sorted({error.status for error in errors}):
        same = [error for error in errors if error.status == status]
        is_kept = is_repeatable(route) and any(
            not error.is_transient and error not in _NEVER_REPLAYED for error in same
        )
        kind = "Repeatable" if is_kept else ""
        if _OF_EVERY_ROUTE.issuperset(same):
            name = f"{kind or 'Every'}{status}"
        else:
            name = kind + "Or".join(error.__name__ for error in same)
        yield str(status), name, _refusal(same, is_kept=is_kept)


def _refusal(errors: list[type[ApiError]], *, is_kept: bool) -> dict[str, Any]:
    is_there = {
        "WWW-Authenticate": not _OF_KEYS.isdisjoint(errors),
        "Allow": MethodNotAllowed in errors,
        "Location": any(error.points_on for error in errors),
        "Retry-After": any(error.is_transient for error in errors),
        "Idempotent-Replayed": is_kept,
    }
    return {
        "description": " ".join(f"`{e.code}`: {(e.__doc__ or '').splitlines()[0]}" for e in errors),
        "headers": refer("headers", *OF_A_KEY, *(name for name, there in is_there.items() if there)),
        "content": {"application/json": {"schema": schema_ref("ErrorEnvelope")}},
    }


def refused(route: Route) -> dict[str, Any]:
    """Point to the answers that a route refuses with, by status."""
    return {status: ref("responses", name) for status, name, _ in refusals(route)}
