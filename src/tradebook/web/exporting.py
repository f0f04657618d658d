"""Answers a list as one whole file, to who asks for that by `Accept`."""

from collections.abc import Iterator
from functools import partial
from itertools import chain

import falcon
from falcon.util import mediatypes

from tradebook.crud.grant import Grant
from tradebook.crud.list_requests import ListRequest, RequestParser
from tradebook.crud.parameters import CURSOR, INCLUDE, LIMIT, Pairs
from tradebook.crud.resource import ListRoute, View
from tradebook.crud.whole import Block, FileOf, Pace, keys_of, lines_of
from tradebook.storage.database import Reader
from tradebook.storage.transactions import holding
from tradebook.web.compression import Encoding, compressor, encoding_of
from tradebook.web.query_string import page_url
from tradebook.web.service import Service
from tradebook.web.streams import Stream

JSON_LINES, CSV = "application/x-ndjson", "text/csv"
"""What a list is exported as."""

CONTENT_TYPES = {JSON_LINES: JSON_LINES, CSV: f"{CSV}; charset=utf-8; header=present"}
_ENDINGS = {JSON_LINES: "ndjson", CSV: "csv"}


def exported_type(accept: str) -> str | None:
    """Tell which of both a client asks for, by its name; None for pages, as `*/*` asks for too."""
    accept = accept.lower()
    if CSV not in accept and JSON_LINES not in accept:
        return None
    named = [each for each in (JSON_LINES, CSV) if each in accept]
    try:
        wanted = {each: mediatypes.quality(each, accept) for each in (*named, falcon.MEDIA_JSON)}
    except ValueError:
        return None
    best = max(named, key=lambda each: wanted[each])
    pages = wanted[falcon.MEDIA_JSON]
    is_named_too = falcon.MEDIA_JSON in accept
    is_wanted = wanted[best] > 0 and (wanted[best] > pages or (wanted[best] == pages and not is_named_too))
    return best if is_wanted else None


class Exporting:
    """Exports one declared list."""

    def __init__(self, service: Service, route: ListRoute, csv: FileOf) -> None:
        self._service, self._route, self._csv = service, route, csv
        self._parser = RequestParser(route)
        self._page_url = partial(page_url, service.cursors)

    def answer(
        self, request: falcon.Request, response: falcon.Response, grant: Grant, pairs: Pairs, kind: str
    ) -> None:
        """Answer with a stream, whose first part is there already; HEAD looks at the parameters alone."""
        service = self._service
        paging = (LIMIT.name, CURSOR.name)
        self._parser.require_absent(pairs, paging, f"{kind} is the whole list. Leave it out.")
        if kind == CSV:
            self._parser.require_absent(pairs, (INCLUDE,), f"{CSV} has its columns. Leave it out.")
        asked = self._parser.list_request(pairs, grant.account_id, service.cursors)
        encoding = encoding_of(request.env.get("HTTP_ACCEPT_ENCODING"))
        is_head = request.env["REQUEST_METHOD"] == "HEAD"
        # Without a length too, where nothing follows: nobody knows how long the file would be.
        response.stream = iter(()) if is_head else self._begun(grant.account_id, asked, kind, encoding)
        if encoding is not None:
            response.set_header("Content-Encoding", encoding)
        response.content_type = CONTENT_TYPES[kind]
        name = self._route.path.rpartition("/")[2]
        response.set_headers(
            (
                ("Cache-Control", "private, no-cache"),
                ("Content-Disposition", f'attachment; filename="{name}.{_ENDINGS[kind]}"'),
            )
        )

    def _begun(self, account_id: int, asked: ListRequest, kind: str, encoding: Encoding | None) -> Stream:
        """Open the snapshot, and make the first part: what fails does so before anything is sent."""
        service, pace = self._service, Pace()

        def begin(reader: Reader) -> Iterator[Block]:
            if kind == CSV:
                blocks = self._csv(reader, keys_of(reader, self._route, asked, pace))
            else:
                bytes_max = service.answer_bytes_max
                view = View(reader, asked.include, self._page_url, bytes_max, bytes_max)
                blocks = lines_of(view, self._route, asked, pace)
            return chain([*_first(blocks)], blocks)

        leave = service.exports.enter(account_id)
        try:
            blocks, held = holding(service.database, account_id, begin)
        except BaseException:
            leave()
            raise
        packing = None if encoding is None else compressor(encoding)
        stream = Stream(account_id, blocks, held, pace, packing, seconds_max=service.export_seconds_max)
        stream.on_close.append(lambda _: leave())
        return stream


def _first(blocks: Iterator[Block]) -> Iterator[Block]:
    """Take the head of a file, and the first rows."""
    for block in blocks:
        yield block
        if block.rows:
            return
