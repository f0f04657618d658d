"""The operations of the OpenAPI document: from a route to its parameters, bodies, answers and links."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, get_type_hints

from tradebook.crud.five_routes import OF_ALL
from tradebook.crud.list_requests import parameters_of
from tradebook.crud.parameters import Parameter
from tradebook.crud.resource import Action, ListRoute, PathObject, Resource, Route
from tradebook.crud.uploads import FileBody
from tradebook.ids import ANY_BODY_PATTERN, ATTACHED, SPARE, encode_id
from tradebook.web.account_header import NAMES
from tradebook.web.exporting import CSV, JSON_LINES
from tradebook.web.forms import FILE, MULTIPART
from tradebook.web.openapi_headers import OF_A_KEY, OF_WHAT_IS_READ, ref, refer
from tradebook.web.openapi_refusals import changes_what_is_there, is_repeatable, refused
from tradebook.web.openapi_schemas import Schema, Schemas, singular

_VERBS = {"POST": "create", "PATCH": "update", "DELETE": "delete", "PUT": "put"}


class Operations:
    """Describes routes, and puts the schemas of what they take and answer among the others."""

    def __init__(self, schemas: Schemas, routes: Sequence[tuple[Resource, Route]]) -> None:
        self._schemas, self._routes = schemas, routes

    def describe(self, resource: Resource, route: Route) -> dict[str, Any]:
        """Describe one route."""
        needed = " and ".join(f"`{permission}`" for permission in route.permissions)
        creation = route.or_creates if isinstance(route, Action) else None
        if creation is not None:
            needed = f"`{creation.permission}` where it creates, {needed} where it changes"
        parameters = [
            *_path_parameters(route),
            *(self._parameter(route, each) for each in parameters_of(route)),
            *([ref("parameters", "Idempotency-Key")] if is_repeatable(route) else ()),
            *([ref("parameters", "If-Match")] if changes_what_is_there(route) else ()),
            *(() if isinstance(route, Action) else [ref("parameters", "If-None-Match")]),
            *([] if creation is None else [ref("parameters", "If-None-Match-Of-Put")]),
            *_account_parameters(route),
        ]
        described: dict[str, Any] = {
            "operationId": operation_id(resource, route),
            "summary": route.summary,
            "description": f"Needs the permission {needed}." if needed else "Needs no permission.",
            "tags": [tag_of(resource)],
            "parameters": parameters,
            "responses": (self._done(resource, route) if isinstance(route, Action) else self._read(route))
            | refused(route),
        }
        if isinstance(route, Action) and route.body.fields:
            described["requestBody"] = {
                "required": route.method == "PATCH" or any(field.is_required for field in route.body.fields),
                "content": {
                    "application/json": {
                        "schema": self._schemas.body(route.body, f"The body of {route.method} {route.path}."),
                        "example": route.body.example,
                    }
                },
            }
        elif isinstance(route, Action) and route.upload is not None:
            described["requestBody"] = _file_body(route.upload)
        return described

    def _parameter(self, route: Route, parameter: Parameter) -> dict[str, Any]:
        schema = parameter.kind.schema()
        if "maxLength" in schema:
            # The whole query string has none of these, whatever the parameter takes.
            schema |= {"pattern": r"^[^\x00]*$"}
        # The server takes the name with brackets too, but no program can call an argument so.
        name = parameter.name.removesuffix(Parameter.MANY)
        key = singular(name) if parameter.is_array else name
        # What all resources take to include is no resource's own.
        is_shared = key == "include" and route.includes == OF_ALL
        item = "" if route.item is None or is_shared else route.item.__name__
        if isinstance(route, Action) and route.deletes is not None:
            item = route.deletes.capitalize()
        schema = self._schemas.sent({**schema, "description": parameter.description}, item, key)
        del schema["description"]
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
        example = parameter.kind.example() if parameter.example is None else parameter.example
        if example is not None:
            described["example"] = [example] if parameter.is_array else example
        return described

    def _read(self, route: Route) -> dict[str, Any]:
        assert route.item is not None, route.path
        is_list = isinstance(route, ListRoute)
        schema = self._schemas.list_of(route.item) if is_list else self._schemas.object(route.item)
        content: dict[str, Any] = {"application/json": {"schema": schema}}
        more: tuple[str, ...] = ()
        text = "The page." if is_list else "The object."
        if isinstance(route, ListRoute) and route.is_exported:
            content |= {kind: {"schema": {"type": "string"}} for kind in (JSON_LINES, CSV)}
            more = ("Content-Disposition",)
            text = (
                f"The page. With `Accept: {JSON_LINES}` or `Accept: {CSV}`, the whole list as a file, "
                "without `limit` and `cursor`."
            )
        return {
            "200": {
                "description": text,
                "headers": refer("headers", *OF_A_KEY, *OF_WHAT_IS_READ, *more),
                "content": content,
            },
            "304": ref("responses", "Read304"),
        }

    def _done(self, resource: Resource, route: Action) -> dict[str, Any]:
        headers = (*OF_A_KEY, *(("Idempotent-Replayed",) if is_repeatable(route) else ()))
        if route.item is None:
            assert route.deletes is not None
            schema = self._schemas.deleted(route.deletes, route.tells)
            return {
                "200": {
                    "description": "It is deleted.",
                    "headers": refer("headers", *headers),
                    "content": {"application/json": {"schema": schema}},
                }
            }
        refs = [self._schemas.object(shape) for shape in (route.item, *route.previews)]
        answer: dict[str, Any] = {
            "description": "The object after the change.",
            "headers": refer("headers", *headers, "ETag"),
            "content": {"application/json": {"schema": refs[0] if len(refs) == 1 else {"oneOf": refs}}},
        }
        new = answer | {
            "description": "The new object.",
            "headers": refer("headers", *headers, "ETag", "Location"),
            "links": self._links(resource, route),
        }
        if route.or_creates is not None:
            return {"200": answer, "201": new}
        if route.upload is not None:
            return {"202": new | {"description": "The new object, which is being worked at."}}
        return {"200": answer} if route.creates is None else {"201": new}

    def _links(self, resource: Resource, route: Action) -> dict[str, Any]:
        """Point from what creates an object to everything that can be done with it."""
        links = {}
        # Where a secret is answered, the object stands beside it.
        fields = get_type_hints(route.item)
        inside = (
            "" if "id" in fields else next(f"{name}/" for name in fields if fields[name] is resource.shape)
        )
        for owner, other in self._routes:
            if other.path_objects and _is_one_of(resource, other.path_objects[-1]):
                before = {
                    each.param: f"$request.path.{each.param}"
                    for each in other.path_objects[:-1]
                    if each in route.path_objects
                }
                if len(before) == len(other.path_objects) - 1:
                    name = operation_id(owner, other)
                    last = other.path_objects[-1]
                    if len(last.params) > 1:
                        # No expression finds a name of several parts in the answer.
                        continue
                    named_by = "id" if last.by is None else last.param
                    at = {**before, last.param: f"$response.body#/{inside}{named_by}"}
                    links[name] = {"operationId": name, "parameters": at, "description": f"{other.summary}."}
        return links


def _file_body(upload: FileBody) -> dict[str, Any]:
    """Describe a file as the body, by itself and as a part of a form."""
    file: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}
    first = next(iter(upload.formats))
    form = {
        "type": "object",
        "description": "A file, and what may come beside it.",
        "properties": {
            FILE: file | {"description": upload.description},
            upload.text_part: {"type": "string", "description": upload.text_description},
        },
        "required": [FILE],
        "additionalProperties": False,
    }
    alone: dict[str, Any] = {kind: {"schema": file} for kind in upload.formats}
    alone[first] = {"schema": {"type": "string"}, "example": upload.example}
    return {
        "required": True,
        "description": upload.description,
        # The form first: generators of clients take the first that they know, and nearly all know this one.
        "content": {MULTIPART: {"schema": form}, **alone},
    }


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
    if in_path is not None and in_path.by is not None:
        return f"{verb}_{resource.name}_{last}"
    if is_of_one or in_path is None or not route.path.endswith("}"):
        return f"{verb}_{resource.name}"
    return f"{verb}_{resource.name}_{in_path.param.removesuffix('_id')}"


def _is_one_of(resource: Resource, in_path: PathObject) -> bool:
    return in_path.id_prefix == resource.id_prefix


def _account_parameters(route: Route) -> Iterator[dict[str, Any]]:
    if route.owner is None:
        return
    pattern = f"^{route.owner.path_object.id_prefix}_{ANY_BODY_PATTERN}$"
    for name in NAMES:
        same = "" if name == NAMES[0] else f" Another name of {NAMES[0]}."
        yield {
            "name": name,
            "in": "header",
            "description": f"{route.owner.description} The key's own account changes nothing.{same}",
            "required": False,
            "schema": {"type": "string", "pattern": pattern},
        }


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    is_deleted = isinstance(route, Action) and route.method == "DELETE"
    for owner in route.path_objects:
        described: dict[str, Any] = {"name": owner.param, "in": "path", "required": True}
        if owner.by is not None:
            for part in owner.by.parts:
                shown = {"schema": part.kind.schema(), "example": part.kind.example()}
                yield described | {"name": part.param, "description": part.description} | shown
            continue
        place = 0
        if is_deleted and owner is route.path_objects[-1]:
            place = SPARE if len(route.path_objects) == 1 or owner.inside else ATTACHED
        schema: Schema = {"type": "string", "pattern": f"^{owner.id_prefix}_{ANY_BODY_PATTERN}$"}
        yield described | {
            "description": f"The {'id' if owner.param == 'id' else owner.param.replace('_', ' ')}.",
            "schema": schema,
            "example": encode_id(owner.id_prefix, owner.example + place),
        }
