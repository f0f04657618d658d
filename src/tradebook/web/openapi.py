"""The OpenAPI 3.1 document, from the same declarations that serve the requests."""

from collections.abc import Iterable
from typing import Any

import msgspec

import tradebook
from tradebook.crud.listing import ListObject
from tradebook.crud.parameters import CURSOR, Parameter
from tradebook.crud.requests import parameters_of
from tradebook.crud.resource import ListRoute, Resource, Route
from tradebook.errors import CATALOGUE, ApiError
from tradebook.ids import BODY_PATTERN
from tradebook.web.envelope import ErrorEnvelope

_ERRORS_OF_EVERY_ROUTE = {400, 401, 403, 405, 413, 500, 503}
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
        "paths": {route.path: {"get": _operation(resource, route)} for resource, route in routes},
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


def _operation(resource: Resource, route: Route) -> dict[str, Any]:
    body = _list_name(route) if isinstance(route, ListRoute) else route.item.__name__
    answers: dict[str, Any] = {
        "200": {
            "description": "The page." if isinstance(route, ListRoute) else "The object.",
            "headers": _HEADERS,
            "content": {"application/json": {"schema": {"$ref": _REF.format(name=body)}}},
        },
        "304": {"description": "Nothing has changed since the ETag of If-None-Match."},
    }
    wanted = _ERRORS_OF_EVERY_ROUTE | ({404} if route.owner else set())
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


def _operation_id(route: Route) -> str:
    verb = "list" if isinstance(route, ListRoute) else "get"
    parts = [part for part in route.path.split("/")[3:] if not part.startswith("{")]
    words = "_".join(parts).replace("-", "_")
    return f"{verb}_{words}" if verb == "list" else f"{verb}_{words.removesuffix('s')}"


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    if route.owner is None:
        return []
    from_ids = {"type": "string", "pattern": f"^{route.owner.id_prefix}_{BODY_PATTERN}$"}
    return [
        {
            "name": route.owner.param,
            "in": "path",
            "required": True,
            "description": "The object's id.",
            "schema": from_ids,
        }
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
    shapes = [resource.shape for resource in resources]
    _, schemas = msgspec.json.schema_components([*shapes, ErrorEnvelope], ref_template=_REF)
    return dict(schemas)


def _list_name(route: Route) -> str:
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
