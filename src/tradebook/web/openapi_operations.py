"""The operations of the OpenAPI document: from a route to its parameters, bodies, answers and links."""

import re
from collections.abc import Sequence
from typing import Any

from tradebook.crud.list_requests import parameters_of
from tradebook.crud.parameters import Parameter
from tradebook.crud.resource import Action, ListRoute, PathObject, Resource, Route
from tradebook.ids import ANY_BODY_PATTERN
from tradebook.web.openapi_headers import OF_A_KEY, OF_WHAT_IS_READ, ref, refer
from tradebook.web.openapi_refusals import changes_what_is_there, is_repeatable, refused
from tradebook.web.openapi_schemas import Schema, Schemas

_VERBS = {"POST": "create", "PATCH": "update", "DELETE": "delete", "PUT": "put"}


class Operations:
    """Describes routes, and puts the schemas of what they take and answer among the others."""

    def __init__(self, schemas: Schemas, routes: Sequence[tuple[Resource, Route]]) -> None:
        self._schemas, self._routes = schemas, routes

    def describe(self, resource: Resource, route: Route) -> dict[str, Any]:
        """Describe one route."""
        needed = " and ".join(f"`{permission}`" for permission in route.permissions)
        parameters = [
            *map(_path_parameter, route.path_objects),
            *(self._parameter(route, each) for each in parameters_of(route)),
            *([ref("parameters", "Idempotency-Key")] if is_repeatable(route) else ()),
            *([ref("parameters", "If-Match")] if changes_what_is_there(route) else ()),
            *(() if isinstance(route, Action) else [ref("parameters", "If-None-Match")]),
        ]
        described: dict[str, Any] = {
            "operationId": operation_id(resource, route),
            "summary": route.summary,
            "description": f"Needs the permission {needed}.",
            "tags": [tag_of(resource)],
            "parameters": parameters,
            "responses": (self._done(resource, route) if isinstance(route, Action) else self._read(route))
            | refused(route),
        }
        if isinstance(route, Action) and route.body.fields:
            described["requestBody"] = {
                "required": route.method == "PATCH" or any(field.is_required for field in route.body.fields),
                "content": {"application/json": {"schema": self._schemas.body(route.body)}},
            }
        return described

    def _parameter(self, route: Route, parameter: Parameter) -> dict[str, Any]:
        schema = parameter.kind.schema()
        if "maxLength" in schema:
            # The whole query string has none of these, whatever the parameter takes.
            schema |= {"pattern": r"^[^\x00]*$"}
        # The server takes the name with brackets too, but no program can call an argument so.
        name = parameter.name.removesuffix(Parameter.MANY)
        key = name.removesuffix("s") if parameter.is_array else name
        assert route.item is not None, route.path
        schema = self._schemas.sent(schema, route.item.__name__, key)
        described: dict[str, Any] = {
            "name": name,
            "in": "query",
            "description": parameter.description,
            "required": False,
            "schema": schema,
        }
        if parameter.is_array:
            # Commas are accepted too; generated clients need one spelling.
            described["schema"] = {"type": "array", "items": schema, "minItems": 1}
            described |= {"style": "form", "explode": True}
        return described

    def _read(self, route: Route) -> dict[str, Any]:
        assert route.item is not None, route.path
        is_list = isinstance(route, ListRoute)
        schema = self._schemas.list_of(route.item) if is_list else self._schemas.object(route.item)
        return {
            "200": {
                "description": "The page." if is_list else "The object.",
                "headers": refer("headers", *OF_A_KEY, *OF_WHAT_IS_READ),
                "content": {"application/json": {"schema": schema}},
            },
            "304": ref("responses", "Read304"),
        }

    def _done(self, resource: Resource, route: Action) -> dict[str, Any]:
        headers = (*OF_A_KEY, *(("Idempotent-Replayed",) if is_repeatable(route) else ()))
        if route.item is None:
            return {"204": {"description": "Done.", "headers": refer("headers", *headers)}}
        refs = [self._schemas.object(shape) for shape in (route.item, *route.previews)]
        answer: dict[str, Any] = {
            "description": "The object after the change.",
            "headers": refer("headers", *headers, "ETag"),
            "content": {"application/json": {"schema": refs[0] if len(refs) == 1 else {"oneOf": refs}}},
        }
        if not route.creates:
            return {"200": answer}
        return {"201": answer | {"links": self._links(resource, route)}}

    def _links(self, resource: Resource, route: Action) -> dict[str, Any]:
        """Point from what creates an object to everything that can be done with it."""
        links = {}
        for owner, other in self._routes:
            if other.path_objects and _is_one_of(resource, other.path_objects[-1]):
                before = {
                    each.param: f"$request.path.{each.param}"
                    for each in other.path_objects[:-1]
                    if each in route.path_objects
                }
                if len(before) == len(other.path_objects) - 1:
                    name = operation_id(owner, other)
                    at = {**before, other.path_objects[-1].param: "$response.body#/id"}
                    links[name] = {"operationId": name, "parameters": at, "description": f"{other.summary}."}
        return links


def tag_of(resource: Resource) -> str:
    """Name the routes of a resource, as people say it: what its first route lists."""
    nouns = re.sub(r"^List (a \w+'s )?", "", resource.routes[0].summary)
    return nouns[0].upper() + nouns[1:]


def operation_id(resource: Resource, route: Route) -> str:
    """Name what a route does, by the resource's name and what its path goes on to."""
    *_, last = (part.replace("-", "_") for part in route.path.split("/") if not part.startswith("{"))
    if "/actions/" in route.path:
        return f"{last}_{resource.name}"
    in_path = route.path_objects[-1] if route.path_objects else None
    is_of_one = in_path is not None and _is_one_of(resource, in_path)
    if isinstance(route, ListRoute):
        return f"list_{resource.name}_{last}" if is_of_one else f"list_{last}"
    verb = _VERBS[route.method] if isinstance(route, Action) else "get"
    if is_of_one or in_path is None or not route.path.endswith("}"):
        return f"{verb}_{resource.name}"
    return f"{verb}_{resource.name}_{in_path.param.removesuffix('_id')}"


def _is_one_of(resource: Resource, in_path: PathObject) -> bool:
    return in_path.id_prefix == resource.id_prefix


def _path_parameter(owner: PathObject) -> dict[str, Any]:
    schema: Schema = {"type": "string", "pattern": f"^{owner.id_prefix}_{ANY_BODY_PATTERN}$"}
    return {
        "name": owner.param,
        "in": "path",
        "required": True,
        "description": "The object's id.",
        "schema": schema,
    }
