"""What programs ask for without a key: health, readiness, the OpenAPI document."""

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

import falcon
import msgspec

from tradebook.errors import ServiceUnavailable
from tradebook.web.envelope import answer_error


class Constant:
    """A page that never changes."""

    def __init__(self, body: bytes, content_type: str) -> None:
        self._body = body
        self._content_type = content_type

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Send the page."""
        response.content_type = self._content_type
        response.data = self._body

    on_head = on_get


_HOST = re.compile(r"([A-Za-z0-9_.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII)
_PLACE = "http://server.invalid"


class Document:
    """The OpenAPI document, made when it is first asked for, with the server as the client has called it."""

    def __init__(self, make: Callable[[str], dict[str, Any]]) -> None:
        """`make` writes the document of a server at a URL."""
        self._make = make

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Send the document."""
        before, after = self._around_url
        response.content_type = falcon.MEDIA_JSON
        response.data = before + msgspec.json.encode(_url_of(request)) + after
        # Nobody on the way may keep it: it is about the name that this client has called.
        response.set_header("Cache-Control", "private, no-cache")

    on_head = on_get

    @cached_property
    def _around_url(self) -> tuple[bytes, bytes]:
        before, _, after = msgspec.json.encode(self._make(_PLACE)).partition(msgspec.json.encode(_PLACE))
        return before, after


def _url_of(request: falcon.Request) -> str:
    """Return where the client has found this server; a proxy that ends TLS has to say so."""
    host = request.get_header("Host") or ""
    if not _HOST.fullmatch(host):
        return "/"
    is_https = request.get_header("X-Forwarded-Proto") == "https"
    return f"{'https' if is_https else request.scheme}://{host}"


class Ready:
    """Answers 200 while the book can be read and has this version's schema, otherwise 503."""

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        self._is_ready = is_ready

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Ask the database now."""
        if self._is_ready():
            response.data = msgspec.json.encode({"status": "ready"})
        else:
            message = "The database can't be reached or is not migrated. Run tradebook migrate --check."
            answer_error(response, ServiceUnavailable(message))

    on_head = on_get
