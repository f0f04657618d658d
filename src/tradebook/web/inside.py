"""Asks the application from inside, with somebody's key, as a client would over HTTP."""

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

import msgspec

from tradebook.crud.grant import Grant
from tradebook.crud.parameters import Pairs
from tradebook.web.auth import Authenticator
from tradebook.web.heads import SAME_FOR_ALL, Environ
from tradebook.web.log import log

Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Inside:
    """Asks with one key.

    Each question is a request like any other: it is authenticated, counted, logged, answered, or refused. So
    there is one way into the book, and a key that is revoked is refused by the next question.
    """

    def __init__(
        self,
        application: Application,
        authenticator: Authenticator,
        authorization: str,
        *,
        address: str,
        request_id: str | None = None,
    ) -> None:
        self._application = application
        self._authenticator = authenticator
        self._authorization = authorization
        self._request_id = request_id
        self._same: Environ = {
            **SAME_FOR_ALL,
            "HTTP_HOST": "tradebook",
            "HTTP_AUTHORIZATION": authorization,
            "REMOTE_ADDR": address,
        }
        if request_id is not None:
            self._same["HTTP_X_REQUEST_ID"] = request_id

    def grant(self) -> Grant:
        """Return what the key may do now, or refuse it."""
        return self._authenticator.grant_of(self._authorization)

    def note_fault(self, exception: str) -> None:
        """Write a fault to the log."""
        log("fault", request_id=self._request_id, exception=exception)

    def ask(
        self,
        method: str,
        path: str,
        pairs: Pairs = (),
        body: dict[str, Any] | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> tuple[int, Any]:
        """Send a request; returns the status and the decoded answer."""
        raw = b"" if body is None else msgspec.json.encode(body)
        environ: Environ = {
            **self._same,
            "REQUEST_METHOD": method,
            # WSGI carries bytes as the characters of Latin-1.
            "PATH_INFO": path.encode().decode("latin-1"),
            "QUERY_STRING": urlencode(pairs),
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.input": io.BytesIO(raw),
        }
        if idempotency_key is not None:
            environ["HTTP_IDEMPOTENCY_KEY"] = idempotency_key
        begun: list[int] = []

        def start(status: str, _headers: Any, _: Any = None) -> None:
            begun.append(int(status[:3]))

        answer = b"".join(self._application(environ, start))
        return begun[0], msgspec.json.decode(answer) if answer else None
