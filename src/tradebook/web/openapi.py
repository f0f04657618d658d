"""The OpenAPI 3.1 document, from the same declarations that serve the requests."""

from collections.abc import Iterable
from typing import Any

import msgspec

import tradebook
from tradebook.crud.list_requests import parameters_of
from tradebook.crud.listing import ListObject
from tradebook.crud.parameters import Parameter
from tradebook.crud.resource import Action, ItemRoute, ListRoute, PathObject, Resource, Route
from tradebook.errors import ApiError, DatabaseUnavailable
from tradebook.ids import ANY_BODY_PATTERN
from tradebook.web.envelope import ERRORS_PATH, ErrorEnvelope
from tradebook.web.openapi_headers import (
    HEADERS,
    OF_A_KEY,
    OF_EVERY_ANSWER,
    OF_WHAT_IS_READ,
    READ_304,
    REQUEST_HEADERS,
    ref,
    refer,
)
from tradebook.web.openapi_refusals import (
    OF_EVERY_PATH,
    SCHEMA_REF,
    changes_what_is_there,
    is_repeatable,
    refusals,
    refused,
)


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
            "responses": {name: answer for _, route in routes for _, name, answer in refusals(route)}
            | {"Read304": READ_304},
            "headers": HEADERS,
            "parameters": REQUEST_HEADERS,
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A secret key, tb_sk_prod_… or tb_sk_test_…. Basic authentication "
                    "with the key as user name and an empty password is the same.",
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
    shapes = [item.__name__ for item in (route.item, *route.previews) if item is not None]
    headers = (*OF_A_KEY, *(("Idempotent-Replayed",) if is_repeatable(route) else ()))
    answers: dict[str, Any] = {}
    if not shapes:
        answers["204"] = {"description": "Done.", "headers": refer("headers", *headers)}
    else:
        refs = [{"$ref": SCHEMA_REF.format(name=name)} for name in shapes]
        done = {
            "description": "The object after the change.",
            "headers": refer("headers", *headers, "ETag"),
            "content": {"application/json": {"schema": refs[0] if len(refs) == 1 else {"oneOf": refs}}},
        }
        answers["201" if route.creates else "200"] = done
        if route.or_creates is not None:
            of_new = refer("headers", *headers, "ETag", "Location")
            answers["201"] = done | {"description": "The new object.", "headers": of_new}
    needed = " and ".join(f"`{permission}`" for permission in route.permissions)
    if route.or_creates is not None:
        needed = f"`{route.or_creates.permission}` where it creates, {needed} where it changes"
    described: dict[str, Any] = {
        "operationId": _operation_id(resource, route),
        "summary": route.summary,
        "description": f"Needs the permission {needed}.",
        "tags": [resource.name],
        "parameters": [
            *_path_parameters(route),
            *map(_parameter, parameters_of(route)),
            *([ref("parameters", "Idempotency-Key")] if is_repeatable(route) else ()),
            *([ref("parameters", "If-Match")] if changes_what_is_there(route) else ()),
            *([ref("parameters", "If-None-Match-Of-Put")] if route.or_creates is not None else ()),
        ],
        "responses": answers | refused(route),
    }
    if route.body.fields:
        is_required = route.method == "PATCH" or any(field.is_required for field in route.body.fields)
        described["requestBody"] = {
            "required": is_required,
            "content": {"application/json": {"schema": {"$ref": SCHEMA_REF.format(name=route.body.name)}}},
        }
    return described


def _operation(resource: Resource, route: ListRoute | ItemRoute) -> dict[str, Any]:
    body = _list_name(route) if isinstance(route, ListRoute) else route.item.__name__
    answers: dict[str, Any] = {
        "200": {
            "description": "The page." if isinstance(route, ListRoute) else "The object.",
            "headers": refer("headers", *OF_A_KEY, *OF_WHAT_IS_READ),
            "content": {"application/json": {"schema": {"$ref": SCHEMA_REF.format(name=body)}}},
        },
        "304": ref("responses", "Read304"),
    }
    return {
        "operationId": _operation_id(resource, route),
        "summary": route.summary,
        "description": f"Needs the permission `{route.permission}`.",
        "tags": [resource.name],
        "parameters": [
            *_path_parameters(route),
            *map(_parameter, parameters_of(route)),
            ref("parameters", "If-None-Match"),
        ],
        "responses": answers | refused(route),
    }


_TAG_OF_PAGES = "service"


def _pages() -> dict[str, Any]:
    """Describe the pages that need no key."""
    html, json = "text/html", "application/json"
    ok, ready = (
        {"type": "object", "properties": {"status": {"const": word}}, "required": ["status"]}
        for word in ("ok", "ready")
    )
    return {
        "/healthz": _page("get_health", "Check that the process answers", json, ok),
        "/readyz": _page(
            "get_readiness",
            "Check that the book can be read and has this version's schema",
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
            "headers": refer("headers", *OF_EVERY_ANSWER),
            "content": {content_type: {"schema": schema}},
        }
    }
    for error in sorted((*OF_EVERY_PATH, *errors), key=lambda error: error.status):
        answers[str(error.status)] = ref("responses", f"Every{error.status}")
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


def _operation_id(resource: Resource, route: Route) -> str:
    """Name what a route does, by the resource's name and what its path goes on to."""
    *_, last = (part.replace("-", "_") for part in route.path.split("/") if not part.startswith("{"))
    if "/actions/" in route.path:
        return f"{last}_{resource.name}"
    in_path = route.path_objects[-1] if route.path_objects else None
    if in_path is not None and in_path.by is not None:
        verb = "get" if isinstance(route, ItemRoute) else "put"
        return f"{verb}_{resource.name}_by_{in_path.param}"
    is_of_one = in_path is not None and in_path.id_prefix == resource.id_prefix
    if isinstance(route, ListRoute):
        return f"list_{resource.name}_{last}" if is_of_one else f"list_{last}"
    verb = _VERBS[route.method] if isinstance(route, Action) else "get"
    if is_of_one or in_path is None or not route.path.endswith("}"):
        return f"{verb}_{resource.name}"
    return f"{verb}_{resource.name}_{in_path.param.removesuffix('_id')}"


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": owner.param,
            "in": "path",
            "required": True,
            **_path_schema(owner),
        }
        for owner in route.path_objects
    ]


def _path_schema(owner: PathObject) -> dict[str, Any]:
    if owner.by is None:
        schema = {"type": "string", "pattern": f"^{owner.id_prefix}_{ANY_BODY_PATTERN}$"}
        return {"description": "The object's id.", "schema": schema}
    text = f"The object's {owner.param}: all the rest of the path, percent-encoded. Case doesn't matter."
    return {"description": text, "schema": owner.by.schema()}


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
    shapes += [item for action in actions for item in (action.item, *action.previews) if item is not None]
    _, schemas = msgspec.json.schema_components([*shapes, ErrorEnvelope], ref_template=SCHEMA_REF)
    return dict(schemas) | {a.body.name: a.body.schema() for a in actions if a.body.fields}


def _list_name(route: ListRoute) -> str:
    return f"{route.item.__name__}List"


def _list_schema(route: ListRoute) -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components([ListObject], ref_template=SCHEMA_REF)
    schema: dict[str, Any] = dict(schemas["ListObject"])
    schema["description"] = f"One page of a list of {route.item.__name__}."
    schema["properties"] = {
        **schema["properties"],
        "data": {"type": "array", "items": {"$ref": SCHEMA_REF.format(name=route.item.__name__)}},
    }
    return schema
