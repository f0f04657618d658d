"""From declared routes to answers: authenticate, parse, query, shape, answer. Knows no resource by name."""

from hashlib import blake2b
from typing import Any

import falcon
import msgspec

import tradebook
from tradebook.crud.cursor import Cursors
from tradebook.crud.listing import list_page
from tradebook.crud.requests import RequestParser
from tradebook.crud.resource import ListRoute, Owner, Route, View
from tradebook.errors import NotFound, RouteNotFound, ValidationFailed
from tradebook.ids import decode_id, encode_id
from tradebook.storage.database import Database, Reader
from tradebook.storage.transactions import reading
from tradebook.web.auth import Authenticator
from tradebook.web.page_cache import Page, PageCache
from tradebook.web.query_string import parse_query_string

ACCOUNT_PREFIX = "ac"


class Service(msgspec.Struct, frozen=True):
    """What every route works with."""

    database: Database
    cursors: Cursors
    authenticator: Authenticator
    pages: PageCache


class RouteResponder:
    """Answers one declared route."""

    def __init__(self, service: Service, route: Route) -> None:
        self._service = service
        self._route = route
        self._parser = RequestParser(route)

    def on_get(self, request: falcon.Request, response: falcon.Response, **path: str) -> None:
        """Answer with the page or the object, from the cache while nothing has changed."""
        service, route = self._service, self._route
        grant, revision = service.authenticator.grant(request)
        request.context.account = encode_id(ACCOUNT_PREFIX, grant.account_id)
        grant.require(route.permission)
        raw_query: str = request.env.get("QUERY_STRING", "")
        key = (grant.account_id, request.path, raw_query)
        page = service.pages.get(key, revision)
        if page is None:
            page = self._make(grant.account_id, request.path, raw_query, path)
            service.pages.put(key, page)
        _answer(request, response, page)

    on_head = on_get

    def _make(self, account_id: int, path: str, raw_query: str, parts: dict[str, str]) -> Page:
        service, route = self._service, self._route
        pairs = parse_query_string(raw_query)
        owner = None if route.owner is None else _key_in_path(route.owner, parts)
        if isinstance(route, ListRoute):
            request = self._parser.list_request(path, pairs, account_id, service.cursors)
            include = request.include
        else:
            include = self._parser.include(pairs)

        def answer(reader: Reader) -> tuple[int, bytes]:
            view = View(reader, service.cursors, include)
            found = None
            if route.owner is not None and owner is not None:
                found = _load_owner(route.owner, view, owner)
            if isinstance(route, ListRoute):
                found = list_page(view, route, path, request, owner)
            return reader.revision, msgspec.json.encode(found)

        revision, body = reading(service.database, account_id, answer)
        name = f"{tradebook.__version__} {path}?{raw_query}".encode("utf-8", "surrogatepass")
        etag = f'"{revision:x}-{blake2b(name, digest_size=8).hexdigest()}"'
        return Page(revision, etag, body)


def _key_in_path(owner: Owner, parts: dict[str, str]) -> int:
    key = decode_id(owner.id_prefix, parts[owner.param])
    if not parts[owner.param]:
        raise RouteNotFound("There is no such path; without its last slash there may be.")
    if key is None:
        raise ValidationFailed(
            f"{owner.param} takes ids that begin with {owner.id_prefix}_ and 13 more characters, as this API "
            "returns them.",
            param=owner.param,
        )
    return key


def _load_owner(owner: Owner, view: View, key: int) -> Any:
    found = owner.load(view, [key])
    if key not in found:
        raise NotFound("There is no such object in this account.", param=owner.param)
    return found[key]


def _answer(request: falcon.Request, response: falcon.Response, page: Page) -> None:
    response.set_headers(
        (
            ("ETag", page.etag),
            ("Cache-Control", "private, no-cache"),
            ("Vary", "Authorization"),
        )
    )
    asked = request.env.get("HTTP_IF_NONE_MATCH")
    if asked is not None and _matches(asked, page.etag):
        response.status = falcon.HTTP_NOT_MODIFIED
        return
    response.data = page.body


def _matches(asked: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in asked.split(",")]
    return etag in tags or "*" in tags
