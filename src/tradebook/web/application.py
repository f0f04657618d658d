"""The WSGI application: every declared route, every page, every way to fail."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from traceback import format_exception
from types import MappingProxyType
from typing import Any

import falcon
from msgspec import structs

from tradebook.crud.resource import Action, ListRoute, Resource
from tradebook.crud.whole import FileOf
from tradebook.errors import (
    CATALOGUE,
    ApiError,
    InternalError,
    MethodNotAllowed,
    ParameterInvalid,
    ResourceNotFound,
    ServiceUnavailable,
)
from tradebook.storage.database import Unavailable
from tradebook.web import metrics
from tradebook.web.agents import AGENTS_PATH, Agents, Exchange
from tradebook.web.bodies import require_length
from tradebook.web.changing import NO_MORE, Changing, More
from tradebook.web.cors import Cors
from tradebook.web.envelope import answer_error
from tradebook.web.log import log
from tradebook.web.middleware import EveryRequest
from tradebook.web.open_pages import Constant, Document, Ready
from tradebook.web.openapi import openapi_document
from tradebook.web.openapi_refusals import errors_of
from tradebook.web.pages import serving as pages
from tradebook.web.reading import Reading
from tradebook.web.service import Service
from tradebook.web.tracing import Tracing
from tradebook.web.uploading import FORM_BYTES_MAX, Uploading

OPEN_PATHS = ("/healthz", "/readyz", "/openapi.json", *pages.PATHS)
"""The pages that need no key."""


def build_app(
    service: Service,
    resources: Iterable[Resource],
    *,
    is_ready: Callable[[], bool],
    load_agents: Callable[[], Exchange],
    cors: Cors,
    csv_of: Mapping[str, FileOf] = MappingProxyType({}),
    more: Mapping[str, More] = MappingProxyType({}),
    log_requests: bool,
    tracing: Tracing | None = None,
) -> falcon.App[falcon.Request, falcon.Response]:
    """Put the application together.

    `more` is what other rooms than that of the resources know of an action, by its path.
    """
    listed = tuple(_with_acts(each, more) for each in resources)
    app = falcon.App(
        middleware=[
            EveryRequest(
                require_small_body=_small_bodies(service, listed),
                count=service.authenticator.count,
                log_requests=log_requests,
                tracing=tracing,
                before_names=before_names(listed),
            )
        ]
    )
    for path, responder in _responders(service, listed, csv_of, more):
        app.add_route(path, responder)
    app.add_route(AGENTS_PATH, Agents(service, app, load_agents, cors))
    app.add_route("/healthz", Constant(b'{"status":"ok"}', falcon.MEDIA_JSON))
    app.add_route("/readyz", Ready(is_ready))
    app.add_route("/openapi.json", Document(lambda url: openapi_document(listed, server=url)))
    to_read = pages.Pages(partial(openapi_document, listed), partial(_errors, listed), CATALOGUE)
    for path, page in to_read.responders():
        app.add_route(path, page)
    app.add_error_handler(Exception, _answer_fault)
    app.add_error_handler(falcon.HTTPError, _answer_framework_error)
    app.add_error_handler(Unavailable, _answer_unavailable)
    app.add_error_handler(ApiError, _answer_api_error)
    return app


def _with_acts(resource: Resource, more: Mapping[str, More]) -> Resource:
    acts = {path: known.act for path, known in more.items()}
    routes = [
        structs.replace(route, act=act)
        if isinstance(route, Action) and (act := acts.get(route.path)) is not None
        else route
        for route in resource.routes
    ]
    return structs.replace(resource, routes=tuple(routes))


def _errors(resources: Iterable[Resource]) -> dict[tuple[str, str], list[type[ApiError]]]:
    """List what each method of each path can refuse with."""
    return {
        (route.method if isinstance(route, Action) else "GET", route.path): errors_of(route)
        for resource in resources
        for route in resource.routes
    }


def before_names(resources: Iterable[Resource]) -> tuple[str, ...]:
    """List the beginnings of paths behind which all is a name, as no segment of it has to be a route's."""
    routes = [route for each in resources for route in each.routes if route.path_objects]
    named = [route.path for route in routes if route.path_objects[-1].by is not None]
    return tuple(dict.fromkeys(path.partition("{")[0] for path in named))


def _small_bodies(service: Service, resources: Iterable[Resource]) -> Callable[[falcon.Request], None]:
    """Make what refuses a body by its length: a file may be larger, where a route takes one."""
    taking = {
        (route.method, route.path)
        for each in resources
        for route in each.routes
        if isinstance(route, Action) and route.upload is not None
    }

    def require(request: falcon.Request) -> None:
        if (request.method, request.path) in taking:
            require_length(request, service.uploads.bytes_max + FORM_BYTES_MAX)
        else:
            service.bodies.require_small(request)

    return require


class _Path:
    """The responders of one path, by method."""


def _responders(
    service: Service,
    resources: Iterable[Resource],
    csv_of: Mapping[str, FileOf],
    more: Mapping[str, More],
) -> Iterator[tuple[str, _Path]]:
    """Collect the routes of each path. Two paths are the same if only the names of their ids differ."""
    found: dict[str, _Path] = {}
    for resource in resources:
        for route in resource.routes:
            params = [param for owner in route.path_objects for param in owner.params]
            places = {param: f"id{number}" for number, param in enumerate(params)}
            # A name takes all the rest of the path.
            names = {owner.params[-1] for owner in route.path_objects if owner.by is not None}
            forms = {param: ":path" if param in names else "" for param in params}
            path = route.path.format(**{name: f"{{{places[name]}{forms[name]}}}" for name in places})
            responder = found.setdefault(path, _Path())
            if isinstance(route, Action):
                kind = Changing if route.upload is None else Uploading
                changing = kind(service, route, more.get(route.path, NO_MORE))
                _answer_by(responder, route.method, changing.answer, places)
            else:
                csv = csv_of.get(route.path) if isinstance(route, ListRoute) and route.is_exported else None
                answer = Reading(service, route, csv).answer
                _answer_by(responder, "GET", answer, places)
                _answer_by(responder, "HEAD", answer, places)
    yield from found.items()


def _answer_by(responder: _Path, method: str, answer: Callable[..., None], places: dict[str, str]) -> None:
    def on_request(request: falcon.Request, response: falcon.Response, **parts: str) -> None:
        answer(request, response, **{name: parts[place] for name, place in places.items()})

    name = f"on_{method.lower()}"
    assert not hasattr(responder, name), "two routes share a path and a verb"
    setattr(responder, name, on_request)


def _answer_api_error(
    request: falcon.Request, response: falcon.Response, error: ApiError, params: Any
) -> None:
    answer_error(response, error)


def _answer_framework_error(
    request: falcon.Request, response: falcon.Response, error: falcon.HTTPError, params: Any
) -> None:
    if isinstance(error, falcon.HTTPMethodNotAllowed):
        allowed = (error.headers or {}).get("Allow", "")  # type: ignore[union-attr]
        method = request.env["REQUEST_METHOD"][:20]
        response.set_header("Allow", allowed)
        answer_error(response, MethodNotAllowed(f"{method} is not allowed here; allowed is {allowed}."))
    elif isinstance(error, falcon.HTTPNotFound):
        answer_error(response, ResourceNotFound("There is no such path. GET /openapi.json lists all paths."))
    else:
        answer_error(response, ParameterInvalid(error.title or "The request can't be read."))


def _answer_unavailable(
    request: falcon.Request, response: falcon.Response, error: Unavailable, params: Any
) -> None:
    metrics.unavailable("database")
    log("database unavailable", request_id=request.context.request_id, reason=str(error))
    answer_error(response, ServiceUnavailable("The database is away or busy. Try again shortly."))


def _answer_fault(request: falcon.Request, response: falcon.Response, error: Exception, params: Any) -> None:
    request_id = request.context.request_id
    log("fault", request_id=request_id, exception="".join(format_exception(error)).rstrip())
    answer_error(
        response,
        InternalError(f"The server failed on this request. Report it with the id {request_id}."),
    )
