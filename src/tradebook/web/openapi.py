"""The OpenAPI 3.1 document, from the same declarations that serve the requests."""

from collections.abc import Iterable
from typing import Any

import msgspec

import tradebook
from tradebook.crud.listing import ListObject
from tradebook.crud.parameters import CURSOR, Parameter
from tradebook.crud.requests import parameters_of
from tradebook.crud.resource import Action, ItemRoute, ListRoute, Resource, Route
from tradebook.errors import CATALOGUE, ApiError
from tradebook.ids import BODY_PATTERN
from tradebook.web.envelope import ErrorEnvelope

_ERRORS_OF_EVERY_ROUTE = {400, 401, 403, 405, 413, 429, 500, 503}
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
        "tags": [{"name": name} for name in dict.fromkeys(r.name for r, _ in routes)],
        "paths": _paths(routes),
        "components": {
            "schemas": schemas,
            "responses": {error.code: _error_response(error) for error in CATALOGUE},
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
    answers: dict[str, Any] = {}
    if not shapes:
        answers["204"] = {"description": "Done.", "headers": _HEADERS}
    else:
        refs = [{"$ref": _REF.format(name=name)} for name in shapes]
        answers["201" if route.creates else "200"] = {
            "description": "What it has become.",
            "headers": _HEADERS | _ETAG,
            "content": {"application/json": {"schema": refs[0] if len(refs) == 1 else {"oneOf": refs}}},
        }
    wanted = _ERRORS_OF_EVERY_ROUTE | _ERRORS_OF_CHANGES | ({404, 412} if route.owners else set())
    if route.method in _REPLAYED:
        wanted = wanted | {422}
    for status in sorted(wanted):
        answers[str(status)] = _error_of_status(status)
    needed = " and ".join(f"`{permission}`" for permission in route.permissions)
    described: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "description": f"Needs the permission {needed}.",
        "tags": [resource.name],
        "parameters": [
            *_path_parameters(route),
            *map(_parameter, parameters_of(route)),
            *([_IDEMPOTENCY_KEY] if route.method in _REPLAYED else ()),
            *([_IF_MATCH] if route.owners else ()),
        ],
        "responses": answers,
    }
    if route.body.fields:
        is_required = route.method == "PATCH" or any(field.is_required for field in route.body.fields)
        described["requestBody"] = {
            "required": is_required,
            "content": {"application/json": {"schema": {"$ref": _REF.format(name=route.body.name)}}},
        }
    return described


_ERRORS_OF_CHANGES = {409, 415}
_REPLAYED = {"POST", "PATCH"}
_ETAG = {
    "ETag": {"description": "The object's state, for If-Match.", "schema": {"type": "string"}},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Chosen by the client, such as a UUID. A request that comes again with it is answered "
    "again and not done again, for 24 hours.",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that the object had when it was read: if it has changed since, nothing is done.",
    "required": False,
    "schema": {"type": "string"},
}


def _operation(resource: Resource, route: ListRoute | ItemRoute) -> dict[str, Any]:
    body = _list_name(route) if isinstance(route, ListRoute) else route.item.__name__
    answers: dict[str, Any] = {
        "200": {
            "description": "The page." if isinstance(route, ListRoute) else "The object.",
            "headers": _HEADERS,
            "content": {"application/json": {"schema": {"$ref": _REF.format(name=body)}}},
        },
        "304": {"description": "Nothing has changed since the ETag of If-None-Match."},
    }
    wanted = _ERRORS_OF_EVERY_ROUTE | ({404} if route.owners else set())
    for status in sorted(wanted):
        answers[str(status)] = _error_of_status(status)
    return {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "description": f"Needs the permission `{route.permission}`.",
        "tags": [resource.name],
        "parameters": [*_path_parameters(route), *map(_parameter, parameters_of(route))],
        "responses": answers,
    }


_HEADERS = {
    "X-Request-Id": {
        "description": "Names this request in the log; send one to choose it.",
        "schema": {"type": "string"},
        "required": True,
    },
    "x-should-retry": {
        "description": "Whether sending the request again can help.",
        "schema": {"enum": ["true", "false"]},
        "required": True,
    },
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
    if parameter is CURSOR:
        described["example"] = None
        del described["example"]
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


def _error_of_status(status: int) -> dict[str, Any]:
    codes = [error for error in CATALOGUE if error.status == status]
    return {
        "description": " ".join((error.__doc__ or "").split("\n")[0] for error in codes),
        "headers": _HEADERS,
        "content": {"application/json": {"schema": {"$ref": _REF.format(name="ErrorEnvelope")}}},
    }


def _error_response(error: type[ApiError]) -> dict[str, Any]:
    return {
        "description": " ".join((error.__doc__ or "").split()),
        "content": {"application/json": {"schema": {"$ref": _REF.format(name="ErrorEnvelope")}}},
    }
