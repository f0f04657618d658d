"""The OpenAPI 3.1 document, from the same declarations that serve the requests."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

import tradebook
from tradebook.crud.listing import ListObject
from tradebook.crud.parameters import Parameter
from tradebook.crud.requests import parameters_of
from tradebook.crud.resource import Action, ItemRoute, ListRoute, Resource, Route
from tradebook.errors import (
    CATALOGUE,
    ApiError,
    CustomerMerged,
    DatabaseUnavailable,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    InternalError,
    MethodNotAllowed,
    NotFound,
    OutcomeInDoubt,
    PayloadTooLarge,
    PermissionDenied,
    PreconditionFailed,
    RateLimitExceeded,
    ReferenceNotFound,
    RouteNotFound,
    ValidationFailed,
    WrongCarrier,
    WrongGroupType,
)
from tradebook.ids import BODY_PATTERN
from tradebook.web.envelope import ERRORS_PATH, ErrorEnvelope
from tradebook.web.replays import KEY_LENGTH_MAX, NOT_IDEMPOTENT

_REF = "#/components/schemas/{name}"


def openapi_document(resources: Iterable[Resource]) -> dict[str, Any]:
    """Describe every route: parameters, answers, errors."""
    listed = tuple(resources)
    schemas = _schemas(listed)
    routes = [(resource, route) for resource in listed for route in resource.routes]
    for _, route in routes:
        if isinstance(route, ListRoute):
            schemas[_list_name(route)] = _list_schema(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tradebook",
            "version": tradebook.__version__,
            "description": "The customer book of a B2B seller: customers with their groups, terms, carriers, "
            "sales reps, addresses and parent and child accounts.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "tags": [{"name": name} for name in (*dict.fromkeys(r.name for r, _ in routes), _TAG_OF_PAGES)],
        "paths": _paths(routes) | _pages(),
        "components": {
            "schemas": schemas,
            "responses": {name: answer for _, route in routes for _, name, answer in _refusals(route)}
            | {"Read304": _READ_304},
            "headers": _HEADERS,
            "parameters": _HEADERS_ASKED,
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A secret key, tb_sk_prod_… or tb_sk_test_…",
                }
            },
        },
    }


def _paths(routes: Iterable[tuple[Resource, Route]]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for resource, route in routes:
        verbs = paths.setdefault(route.path, {})
        if isinstance(route, Action):
            verbs[route.method.lower()] = _change(resource, route)
        else:
            verbs["get"] = _operation(resource, route)
    return paths


def _change(resource: Resource, route: Action) -> dict[str, Any]:
    shapes = [item.__name__ for item in (route.item, *route.other_items) if item is not None]
    headers = (*_OF_A_KEY, *(("Idempotent-Replayed",) if _is_repeatable(route) else ()))
    answers: dict[str, Any] = {}
    if not shapes:
        answers["204"] = {"description": "Done.", "headers": _refer("headers", *headers)}
    else:
        refs = [{"$ref": _REF.format(name=name)} for name in shapes]
        answers["201" if route.creates else "200"] = {
            "description": "What it has become.",
            "headers": _refer("headers", *headers, "ETag"),
            "content": {"application/json": {"schema": refs[0] if len(refs) == 1 else {"oneOf": refs}}},
        }
    needed = " and ".join(f"`{permission}`" for permission in route.permissions)
    described: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "description": f"Needs the permission {needed}.",
        "tags": [resource.name],
        "parameters": [
            *_path_parameters(route),
            *map(_parameter, parameters_of(route)),
            *([_ref("parameters", "Idempotency-Key")] if _is_repeatable(route) else ()),
            *([_ref("parameters", "If-Match")] if _changes_what_is_there(route) else ()),
        ],
        "responses": answers | _refused(route),
    }
    if route.body.fields:
        is_required = route.method == "PATCH" or any(field.is_required for field in route.body.fields)
        described["requestBody"] = {
            "required": is_required,
            "content": {"application/json": {"schema": {"$ref": _REF.format(name=route.body.name)}}},
        }
    return described


def _operation(resource: Resource, route: ListRoute | ItemRoute) -> dict[str, Any]:
    body = _list_name(route) if isinstance(route, ListRoute) else route.item.__name__
    answers: dict[str, Any] = {
        "200": {
            "description": "The page." if isinstance(route, ListRoute) else "The object.",
            "headers": _refer("headers", *_OF_A_KEY, *_OF_WHAT_IS_READ),
            "content": {"application/json": {"schema": {"$ref": _REF.format(name=body)}}},
        },
        "304": _ref("responses", "Read304"),
    }
    return {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "description": f"Needs the permission `{route.permission}`.",
        "tags": [resource.name],
        "parameters": [
            *_path_parameters(route),
            *map(_parameter, parameters_of(route)),
            _ref("parameters", "If-None-Match"),
        ],
        "responses": answers | _refused(route),
    }


def _is_repeatable(route: Route) -> bool:
    """Tell whether a route looks at the idempotency key."""
    return isinstance(route, Action) and route.method in NOT_IDEMPOTENT


def _changes_what_is_there(route: Route) -> bool:
    """Tell whether a route changes the object that its path ends in, and so looks at If-Match.

    The path of one that adds to an object goes on behind it, without an action.
    """
    is_of_an_object = route.path.endswith("}") or "/actions/" in route.path
    return isinstance(route, Action) and is_of_an_object


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _refer(kind: str, *names: str) -> dict[str, Any]:
    return {name: _ref(kind, name) for name in names}


_OF_EVERY_ANSWER = ("X-Request-Id", "x-should-retry", "X-Content-Type-Options")
_OF_A_KEY = (*_OF_EVERY_ANSWER, "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_OF_WHAT_IS_READ = ("ETag", "Cache-Control", "Vary")


def _header(description: str, *, is_required: bool = True, **schema: Any) -> dict[str, Any]:
    return {"description": description, "required": is_required, "schema": {"type": "string"} | schema}


_HEADERS = {
    "X-Request-Id": _header("Names this request in the log; send one to choose it."),
    "x-should-retry": _header("Whether sending the request again can help.", enum=["true", "false"]),
    "X-Content-Type-Options": _header("The content is of the type that it says.", const="nosniff"),
    "RateLimit-Limit": _header(
        "How many requests a window of time has; absent where they are not counted.",
        is_required=False,
        type="integer",
        minimum=1,
    ),
    "RateLimit-Remaining": _header(
        "How many of them are left.", is_required=False, type="integer", minimum=0
    ),
    "RateLimit-Reset": _header(
        "The seconds to the end of the window.", is_required=False, type="integer", minimum=1
    ),
    "ETag": _header("The state of what is answered, for If-Match and If-None-Match."),
    "Cache-Control": _header(
        "Whoever keeps the answer asks before it is used again.", const="private, no-cache"
    ),
    "Vary": _header("Another key may be answered otherwise.", const="Authorization"),
    "Idempotent-Replayed": _header(
        "There where the request came before under its Idempotency-Key, and was answered as it was then.",
        is_required=False,
        const="true",
    ),
    "Retry-After": _header(
        "The seconds to wait; there exactly where x-should-retry is true.",
        is_required=False,
        type="integer",
        minimum=1,
    ),
    "Allow": _header("The methods that the path has, separated by commas."),
    "Location": _header(
        "The path of the customer that the one asked for was merged into; absent where it was not.",
        is_required=False,
        format="uri-reference",
    ),
    "WWW-Authenticate": _header("How to send a key."),
}
"""The headers of all answers but those of the transport."""

_HEADERS_ASKED: dict[str, Any] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Chosen by the client, such as a UUID. A request that comes again with it is answered "
        "again and not done again, for 24 hours.",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX, "pattern": "^[ -~]+$"},
    },
    # Tags that nothing has are no mistake, so their schemas have no bounds.
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag that the object had when it was read, several of them, or `*`: if it has "
        "changed since, nothing is done.",
        "required": False,
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag of what the client has, several of them, or `*`: if nothing has changed "
        "since, the answer is 304.",
        "required": False,
        "schema": {"type": "string"},
    },
}
_READ_304 = {
    "description": "Nothing has changed since the ETag of If-None-Match.",
    "headers": _refer("headers", *_OF_A_KEY, *_OF_WHAT_IS_READ),
}
_OF_KEYS = frozenset(error for error in CATALOGUE if error.status == 401)
_OF_EVERY_PATH: tuple[type[ApiError], ...] = (MethodNotAllowed, PayloadTooLarge, InternalError)
_OF_EVERY_ROUTE = {
    *_OF_KEYS,
    *_OF_EVERY_PATH,
    ValidationFailed,
    PermissionDenied,
    RateLimitExceeded,
    DatabaseUnavailable,
}
_NEVER_REPLAYED = {
    *_OF_KEYS,
    PermissionDenied,
    MethodNotAllowed,
    PayloadTooLarge,
    IdempotencyKeyReused,
    OutcomeInDoubt,
}
"""What another API key may succeed with, or what comes before the idempotency key is looked for.

What is transient is never replayed either.
"""


def _errors_of(route: Route) -> list[type[ApiError]]:
    """List what a route can refuse with.

    A change can fail with all of the catalogue that its form doesn't rule out: what is new there is
    described at once.
    """
    is_change, is_repeatable = isinstance(route, Action), _is_repeatable(route)
    by_form: dict[type[ApiError], bool] = {
        # Only what looks at an idempotency key takes a body.
        **dict.fromkeys((ReferenceNotFound, WrongGroupType, WrongCarrier), is_repeatable),
        **dict.fromkeys((IdempotencyKeyInUse, IdempotencyKeyReused, OutcomeInDoubt), is_repeatable),
        **dict.fromkeys((NotFound, RouteNotFound), bool(route.owners)),
        CustomerMerged: any(owner.gone is not None for owner in route.owners),
        PreconditionFailed: _changes_what_is_there(route),
    }
    return [error for error in CATALOGUE if by_form.get(error, is_change or error in _OF_EVERY_ROUTE)]


def _refusals(route: Route) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each status that a route refuses with, what its answer is called in the document, and the answer.

    Routes of one kind share their answers, and where the kind makes no difference all routes do.
    """
    errors = _errors_of(route)
    kind = "Repeatable" if _is_repeatable(route) else "Change" if isinstance(route, Action) else "Read"
    for status in sorted({error.status for error in errors}):
        same = [error for error in errors if error.status == status]
        is_kept = _is_repeatable(route) and any(
            not error.is_transient and error not in _NEVER_REPLAYED for error in same
        )
        name = f"{'Every' if not is_kept and _OF_EVERY_ROUTE.issuperset(same) else kind}{status}"
        yield (
            str(status),
            f"{name}OrMerged" if CustomerMerged in same else name,
            _refusal(same, is_kept=is_kept),
        )


def _refusal(errors: list[type[ApiError]], *, is_kept: bool) -> dict[str, Any]:
    is_there = {
        "WWW-Authenticate": not _OF_KEYS.isdisjoint(errors),
        "Allow": MethodNotAllowed in errors,
        "Location": CustomerMerged in errors,
        "Retry-After": any(error.is_transient for error in errors),
        "Idempotent-Replayed": is_kept,
    }
    return {
        "description": " ".join(f"`{e.code}`: {(e.__doc__ or '').splitlines()[0]}" for e in errors),
        "headers": _refer("headers", *_OF_A_KEY, *(name for name, there in is_there.items() if there)),
        "content": {"application/json": {"schema": {"$ref": _REF.format(name="ErrorEnvelope")}}},
    }


def _refused(route: Route) -> dict[str, Any]:
    return {status: _ref("responses", name) for status, name, _ in _refusals(route)}


_TAG_OF_PAGES = "service"


def _pages() -> dict[str, Any]:
    """Describe what needs no key."""
    html, json = "text/html", "application/json"
    ok, ready = (
        {"type": "object", "properties": {"status": {"const": word}}, "required": ["status"]}
        for word in ("ok", "ready")
    )
    return {
        "/healthz": _page("get_health", "Tell whether the process answers", json, ok),
        "/readyz": _page(
            "get_readiness",
            "Tell whether the book can be read and has this version's schema",
            json,
            ready,
            DatabaseUnavailable,
        ),
        "/openapi.json": _page("get_openapi_document", "Get this document", json, {"type": "object"}),
        ERRORS_PATH: _page("get_error_reference", "Read what each error means", html, {"type": "string"}),
    }


def _page(
    name: str, summary: str, content_type: str, schema: dict[str, Any], *errors: type[ApiError]
) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "200": {
            "description": "The answer.",
            "headers": _refer("headers", *_OF_EVERY_ANSWER),
            "content": {content_type: {"schema": schema}},
        }
    }
    for error in sorted((*_OF_EVERY_PATH, *errors), key=lambda error: error.status):
        answers[str(error.status)] = _ref("responses", f"Every{error.status}")
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "tags": [_TAG_OF_PAGES],
            "security": [],
            "responses": answers,
        }
    }


_VERBS = {"POST": "create", "PATCH": "update", "DELETE": "delete", "PUT": "put"}


def _operation_id(route: Route) -> str:
    parts = [part for part in route.path.split("/")[3:] if not part.startswith("{")]
    words = "_".join(parts).replace("-", "_")
    if "actions" in parts:
        *words_of_owner, _, verb = parts
        return f"{verb}_{_one('_'.join(words_of_owner).replace('-', '_'))}"
    if isinstance(route, ListRoute):
        return f"list_{words}"
    return f"{_VERBS[route.method] if isinstance(route, Action) else 'get'}_{_one(words)}"


def _one(words: str) -> str:
    """Make the singular of what a path is called."""
    for plural, singular in (("ies", "y"), ("sses", "ss"), ("uses", "us"), ("s", "")):
        if words.endswith(plural):
            return words.removesuffix(plural) + singular
    return words


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": owner.param,
            "in": "path",
            "required": True,
            "description": "The object's id.",
            "schema": {"type": "string", "pattern": f"^{owner.id_prefix}_{BODY_PATTERN}$"},
        }
        for owner in route.owners
    ]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = parameter.kind.schema()
    if "maxLength" in schema:
        # The whole query string has none of these, whatever the parameter takes.
        schema |= {"pattern": r"^[^\x00]*$"}
    if parameter.is_array:
        schema = {"type": "array", "items": schema, "minItems": 1}
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "required": False,
        "schema": schema,
    }
    if parameter.is_array:
        # Commas and the name without brackets are accepted too; generated clients need one
        # spelling.
        described |= {"style": "form", "explode": True}
    return described


def _schemas(resources: Iterable[Resource]) -> dict[str, Any]:
    listed = tuple(resources)
    actions = [route for each in listed for route in each.routes if isinstance(route, Action)]
    shapes = [each.shape for each in listed]
    shapes += [item for action in actions for item in (action.item, *action.other_items) if item is not None]
    _, schemas = msgspec.json.schema_components([*shapes, ErrorEnvelope], ref_template=_REF)
    return dict(schemas) | {a.body.name: a.body.schema() for a in actions if a.body.fields}


def _list_name(route: ListRoute) -> str:
    return f"{route.item.__name__}List"


def _list_schema(route: ListRoute) -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components([ListObject], ref_template=_REF)
    schema: dict[str, Any] = dict(schemas["ListObject"])
    schema["description"] = f"One page of a list of {route.item.__name__}."
    schema["properties"] = {
        **schema["properties"],
        "data": {"type": "array", "items": {"$ref": _REF.format(name=route.item.__name__)}},
    }
    return schema
