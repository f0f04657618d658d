"""What programs ask for without a key: health, readiness, the OpenAPI document."""

from collections.abc import Callable

import falcon
import msgspec

from tradebook.errors import DatabaseUnavailable
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
            answer_error(response, DatabaseUnavailable(message))

    on_head = on_get
