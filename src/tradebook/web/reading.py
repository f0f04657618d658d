"""Routes that read: authenticate, parse, query, shape, answer. Knows no resource by name."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

import falcon
import msgspec
from msgspec import structs

import tradebook
from tradebook.crud.grant import Grant
from tradebook.crud.list_requests import RequestParser
from tradebook.crud.listing import list_page
from tradebook.crud.resource import ItemRoute, ListRoute, View, rows_in_path
from tradebook.crud.whole import FileOf
from tradebook.errors import ApiError
from tradebook.ids import encode_id
from tradebook.storage.database import Reader
from tradebook.storage.transactions import reading
from tradebook.web.account_header import NAMES, Named, named_owner
from tradebook.web.compression import (
    ACCEPT_ENCODING,
    BYTES_MIN,
    compressed,
    encoding_of,
    tag_of_encoding,
    without_encoding,
)
from tradebook.web.exporting import Exporting, exported_type
from tradebook.web.page_cache import CachedAnswer, PageKey
from tradebook.web.paths import keys_in_path
from tradebook.web.query_string import page_url, parse_query_string
from tradebook.web.service import ACCOUNT_PREFIX, Service
from tradebook.web.tags import etag_of, is_known


class Reading:
    """Answers one declared route that reads."""

    def __init__(self, service: Service, route: ListRoute | ItemRoute, csv: FileOf | None = None) -> None:
        self._service = service
        self._route = route
        self._parser = RequestParser(route)
        self._page_url = partial(page_url, service.cursors)
        self._export = None
        if csv is not None and isinstance(route, ListRoute):
            self._export = Exporting(service, route, csv)
        by = ("Authorization", *(() if csv is None else ("Accept",)), *(NAMES if route.owner else ()))
        self._vary = ", ".join((*by, ACCEPT_ENCODING))

    def answer(self, request: falcon.Request, response: falcon.Response, **path: str) -> None:
        """Answer with the page or the object; from the cache, if nothing has changed."""
        service, route = self._service, self._route
        ahead: list[CachedAnswer] = []

        def look(revision: int | None, grant: Grant) -> int | None:
            ahead.extend(self._ahead(request, grant, revision, path))
            return ahead[0].revision if ahead else None

        grant, revision = service.authenticator.grant(request, look)
        request.context.account = encode_id(ACCOUNT_PREFIX, grant.account_id)
        grant.require(*route.permissions)
        asked = self._asked(request, grant)
        if self._export is not None and asked.kind is not None:
            self._export.answer(request, response, grant, asked.key[2], asked.kind)
            response.set_header("Vary", self._vary)
            return
        page = next((made for made in ahead if made.revision == revision), None)
        if page is None:
            page = service.pages.get(asked.key, revision)
            if page is None:
                page = self._page(asked.key, revision, asked.named, path)
            else:
                request.context.page = asked.key, page
        if asked.is_new and route.is_kept:
            service.pages.remember(request.env.get("QUERY_STRING", ""), asked.key[2])
        _answer(request, response, page, self._vary)

    def _ahead(
        self, request: falcon.Request, grant: Grant, revision: int | None, path: dict[str, str]
    ) -> Iterator[CachedAnswer]:
        """Make a page that is not kept, before it is known whether the key is as it was: the page tells.

        So an engine across a network is asked once. What is wrong with a request is said by who asks again,
        when the key is known to be good.
        """
        with suppress(ApiError):
            grant.require(*self._route.permissions)
            asked = self._asked(request, grant)
            kept = self._service.pages
            if asked.kind is None and not any(
                kept.get(key, revision) for key in {asked.key, asked.plain_key}
            ):
                # Of no revision: it must be read from the book.
                yield self._page(asked.key, None, asked.named, path)

    def _asked(self, request: falcon.Request, grant: Grant) -> "_Asked":
        """Read what is asked for."""
        raw_query: str = request.env.get("QUERY_STRING", "")
        known = self._service.pages.pairs_of(raw_query)
        pairs = tuple(parse_query_string(raw_query)) if known is None else known
        named = named_owner(request, self._route.owner, grant.account_id)
        kind = None if self._export is None else exported_type(request.env.get("HTTP_ACCEPT", ""))
        encoding = encoding_of(request.env.get("HTTP_ACCEPT_ENCODING"))
        owner = None if named is None else named.key
        return _Asked((grant.account_id, request.path, pairs, owner, encoding), named, kind, known is None)

    def _page(
        self, key: PageKey, revision: int | None, named: Named | None, parts: dict[str, str]
    ) -> CachedAnswer:
        """Make a page in the form that is asked for, and keep it."""
        encoding = key[-1]
        if encoding is None:
            page = self._make(key, named, parts)
        else:
            plain_key = (*key[:-1], None)
            plain = self._service.pages.get(plain_key, revision) or self._page(
                plain_key, revision, named, parts
            )
            if len(plain.body) < BYTES_MIN:
                return plain
            etag = tag_of_encoding(plain.etag, encoding)
            page = CachedAnswer(plain.revision, etag, compressed(plain.body, encoding), encoding)
        if self._route.is_kept:
            self._service.pages.put(key, page)
        return page

    def _make(self, key: PageKey, named: Named | None, parts: dict[str, str]) -> CachedAnswer:
        service, route = self._service, self._route
        account_id, _, pairs, owner_key, _ = key
        keys = keys_in_path(route.path_objects, parts)
        if isinstance(route, ListRoute):
            request = self._parser.list_request(pairs, account_id, service.cursors, keys, owner_key)
            include = request.include
        else:
            include = self._parser.include(pairs)

        def answer(reader: Reader) -> tuple[int, Any]:
            if named is not None:
                named.require(reader, route, keys)
            view = View(reader, include, self._page_url, service.answer_bytes_max, service.answer_bytes_max)
            if isinstance(route, ItemRoute):
                made: Any = route.find(view, keys)
            else:
                rows_in_path(route.path_objects, reader, keys)
                made = list_page(structs.replace(view, path_key=request.path_key), route, request)
            # Last: an engine across a network learns it together with the first rows.
            return reader.revision, made

        revision, found = reading(service.database, account_id, answer)
        body = msgspec.json.encode(found) if isinstance(route, ItemRoute) else found
        if isinstance(route, ItemRoute) or not route.is_kept:
            return CachedAnswer(revision, etag_of(found, body), body)
        name = msgspec.json.encode((tradebook.__version__, *key[1:-1]))
        etag = f'"{revision:x}-{blake2b(name, digest_size=8).hexdigest()}"'
        return CachedAnswer(revision, etag, body)


class _Asked(NamedTuple):
    """What a request asks for."""

    key: PageKey
    named: Named | None
    kind: str | None
    """The type of file that the list is wanted as."""
    is_new: bool
    """Whether its query string is not one of a kept page."""

    @property
    def plain_key(self) -> PageKey:
        """The same page, not compressed."""
        return (*self.key[:-1], None)


def _answer(request: falcon.Request, response: falcon.Response, page: CachedAnswer, vary: str) -> None:
    response.set_headers(
        (
            ("ETag", page.etag),
            ("Cache-Control", "private, no-cache"),
            ("Vary", vary),
        )
    )
    asked = request.env.get("HTTP_IF_NONE_MATCH")
    if asked is not None and is_known(without_encoding(page.etag), asked):
        response.status = falcon.HTTP_NOT_MODIFIED
        return
    if page.encoding is not None:
        response.set_header("Content-Encoding", page.encoding)
    response.data = page.body
