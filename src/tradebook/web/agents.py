"""The page of agents: one message of the protocol in a request, and one answer to it."""

import gc
from collections.abc import Callable, Mapping
from threading import Lock
from urllib.parse import urlsplit

import falcon

from tradebook.errors import InsufficientPermissions
from tradebook.ids import encode_id
from tradebook.text import shortened
from tradebook.web.account_header import named_owner
from tradebook.web.changing import require_json
from tradebook.web.cors import Cors
from tradebook.web.inside import Application, Inside
from tradebook.web.service import ACCOUNT_PREFIX, Service

AGENTS_PATH = "/mcp"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Exchange = Callable[[Inside, bytes, Mapping[str, str]], tuple[int, bytes]]
"""Answers a message: who may ask the book, the JSON, and the headers, whose names are in small letters."""


class Agents:
    """Answers agents. Nothing is kept between two requests, so any worker may answer the next one."""

    def __init__(
        self, service: Service, application: Application, load: Callable[[], Exchange], cors: Cors
    ) -> None:
        self._service = service
        self._application = application
        self._load = load
        self._cors = cors
        self._exchange: Exchange | None = None
        self._loading = Lock()

    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        """Answer one message."""
        service = self._service
        grant, _ = service.authenticator.grant(request)
        request.context.account = encode_id(ACCOUNT_PREFIX, grant.account_id)
        self._require_known_origin(request)
        named_owner(request, None, grant.account_id)
        require_json(request)
        raw = service.bodies.read(request)
        inside = Inside(
            self._application,
            service.authenticator,
            request.env["HTTP_AUTHORIZATION"],
            address=request.remote_addr,
            request_id=request.context.request_id,
        )
        # Again: since the head of the request was read, the key may have been revoked.
        inside.grant()
        headers = {name.lower(): value for name, value in request.headers.items()}

        status, body = self._loaded()(inside, raw, headers)
        response.status = status
        response.content_type = falcon.MEDIA_JSON
        response.data = body

    def _require_known_origin(self, request: falcon.Request) -> None:
        """Refuse a page of another site in a browser, whose address may have been turned to this machine."""
        origin = request.env.get("HTTP_ORIGIN")
        if origin is not None and _host_of(origin) not in LOOPBACK and not self._cors.allows(origin):
            raise InsufficientPermissions(f"Pages of {shortened(origin)} may not use these tools.")

    def _loaded(self) -> Exchange:
        """Load what speaks the protocol, which most workers never need."""
        with self._loading:
            if self._exchange is None:
                self._exchange = self._load()
                # It stays until the end, as what was there before it: no need to look through it for circles.
                gc.freeze()
            return self._exchange


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None
