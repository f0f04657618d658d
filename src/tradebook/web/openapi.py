"""The OpenAPI 3.1 document, from the same declarations that serve the requests."""

from collections.abc import Iterable
from typing import Any

import tradebook
from tradebook.crud.resource import Action, ItemRoute, Resource, Route
from tradebook.errors import ApiError, ServiceUnavailable
from tradebook.ids import encode_id
from tradebook.web.envelope import ErrorEnvelope
from tradebook.web.openapi_headers import HEADERS, OF_EVERY_ANSWER, READ_304, REQUEST_HEADERS, ref, refer
from tradebook.web.openapi_operations import Operations, tag_of
from tradebook.web.openapi_refusals import OF_EVERY_PATH, refusals
from tradebook.web.openapi_schemas import Schemas

SERVED_AT = "http://127.0.0.1:8000"
"""Where `tradebook serve` and `tradebook demo` listen unless they are told otherwise."""


def openapi_document(resources: Iterable[Resource], *, server: str = SERVED_AT) -> dict[str, Any]:
    """Describe every route: parameters, answers, errors."""
    listed = tuple(resources)
    routes = [(resource, route) for resource in listed for route in resource.routes]
    schemas = Schemas(
        {each.shape.__name__: _id_of(each, route) for each, route in routes if isinstance(route, ItemRoute)},
        [route.body for _, route in routes if isinstance(route, Action)],
    )
    for resource in listed:
        schemas.object(resource.shape)
    schemas.object(ErrorEnvelope)
    paths = _paths(routes, Operations(schemas, routes)) | _pages()
    schemas.name_enumerations(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tradebook",
            "version": tradebook.__version__,
            "description": "The customer book of a B2B seller: customers with their groups, terms, carriers, "
            "sales reps, addresses and parent and child accounts.",
            "contact": {"name": "Whoever runs this server"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server, "description": "The server of this book."}],
        "security": [{"apiKey": []}],
        "tags": [
            *({"name": tag_of(each), "description": _about(each)} for each in listed if each.routes),
            {"name": _TAG_OF_PAGES, "description": "What needs no API key."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas.found,
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


def _id_of(resource: Resource, route: ItemRoute) -> str:
    return encode_id(resource.id_prefix, route.path_objects[-1].example)


def _about(resource: Resource) -> str:
    return (resource.shape.__doc__ or "").splitlines()[0]


def _paths(routes: Iterable[tuple[Resource, Route]], operations: Operations) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for resource, route in routes:
        verb = route.method.lower() if isinstance(route, Action) else "get"
        paths.setdefault(route.path, {})[verb] = operations.describe(resource, route)
    return paths


_TAG_OF_PAGES = "Service"


def _pages() -> dict[str, Any]:
    """Describe what programs ask for without a key; pages for people are no part of it."""
    ok, ready = (
        {
            "type": "object",
            "properties": {"status": {"type": "string", "const": word, "description": "Always the same."}},
            "required": ["status"],
        }
        for word in ("ok", "ready")
    )
    return {
        "/healthz": _page("get_health", "Check that the process answers", ok),
        "/readyz": _page(
            "get_readiness",
            "Check that the book can be read and has this version's schema",
            ready,
            ServiceUnavailable,
        ),
        "/openapi.json": _page(
            "get_openapi_document", "Get this document", {"type": "object"}, headers=("Cache-Control",)
        ),
    }


def _page(
    name: str,
    summary: str,
    schema: dict[str, Any],
    *errors: type[ApiError],
    headers: tuple[str, ...] = (),
) -> dict[str, Any]:
    answers: dict[str, Any] = {
        "200": {
            "description": "The answer.",
            "headers": refer("headers", *OF_EVERY_ANSWER, *headers),
            "content": {"application/json": {"schema": schema}},
        }
    }
    for error in sorted((*OF_EVERY_PATH, *errors), key=lambda error: error.status):
        answers[str(error.status)] = ref("responses", f"Every{error.status}")
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "description": f"{summary}. Needs no API key.",
            "tags": [_TAG_OF_PAGES],
            "security": [],
            "responses": answers,
        }
    }
