"""The head of a request: from the server's scope to the environment that the application works with.

What two programs on a request's way could read in two ways is refused here, before anything is done about it.
"""

from collections.abc import Callable
from typing import Any, Protocol

from tradebook.errors import ApiError, InvalidCredentials, ParameterInvalid, ParameterMissing

Environ = dict[str, Any]

REFUSAL = "tradebook.refusal"
"""Where the environment holds an error that the request is refused with before its route is looked for."""

_CHUNKED = "chunked"
_ONE_ONLY = frozenset(
    {
        "augno-account",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "openmrp-account",
    }
)
_VARIABLES = {
    name: "HTTP_" + name.upper().replace("-", "_")
    for name in (
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "host",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "request-id",
        "transfer-encoding",
        "user-agent",
        "x-request-id",
    )
} | {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
"""The headers that most requests have. Others are spelt when they come: a client may name any."""

UNREADABLE = "\xff"
"""Stands for a value that is not ASCII, which the server leaves out: no header that is read takes it."""


class Headers(Protocol):
    """The headers of a request, their names in small letters."""

    def get(self, name: str) -> str | None:
        """Return the value of a header; None if it was not sent."""

    def __len__(self) -> int:
        """Count every name once."""

    def keys(self) -> list[str]:
        """List every name once."""

    def items(self) -> list[tuple[str, str]]:
        """List names and values; a value that is not ASCII is left out."""


class Scope(Protocol):
    """What the server tells about a request."""

    http_version: str
    client: str
    method: str
    path: str
    query_string: str
    headers: Headers


class BodyWanted(BaseException):
    """The application has come as far as it can without the body.

    Not an Exception: it passes all error handlers, and nothing is answered yet.
    """


class _Unread:
    """Stands for a body that is still on its way."""

    def read(self, size: int = -1) -> bytes:
        raise BodyWanted


SAME_FOR_ALL: Environ = {
    "SCRIPT_NAME": "",
    "SERVER_NAME": "tradebook",
    "SERVER_PORT": "",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.errors": None,
    "wsgi.input": _Unread(),
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.url_scheme": "http",
    "wsgi.version": (1, 0),
}
"""What stands in every environment."""


def environ_of(scope: Scope) -> Environ:
    """Make the environment of a request; what is wrong with its head stands in it under REFUSAL."""
    path, query = scope.path, scope.query_string
    if not path.isascii():
        path = path.encode().decode("latin-1")
    if not query.isascii():
        query = query.encode().decode("latin-1")
    environ = {
        **SAME_FOR_ALL,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
    }
    headers = scope.headers
    pairs = headers.items()
    twice = None
    pairs += [(name, UNREADABLE) for name in set(headers.keys()).difference(dict(pairs))]
    for name, value in pairs:
        # Not a name with an underscore: it would be taken for the one with a hyphen.
        variable = _VARIABLES.get(name) or ("" if "_" in name else "HTTP_" + name.upper().replace("-", "_"))
        if variable in environ:
            if name in _ONE_ONLY:
                twice = name
            environ[variable] = f"{environ[variable]},{value}"
        elif variable:
            environ[variable] = value
    refusal = _refusal(scope, environ, twice)
    if refusal is not None:
        environ[REFUSAL] = refusal
    return environ


def has_body(given: Callable[[str], str | None]) -> bool:
    """Tell whether bytes follow the head, whose headers are `given`."""
    return (given("content-length") or "0").strip("0") != "" or given("transfer-encoding") is not None


def _refusal(scope: Scope, environ: Environ, twice: str | None) -> ApiError | None:
    if twice is not None:
        return _about(twice, "is sent more than once. Send it once.")
    if "HTTP_HOST" not in environ and scope.http_version != "1":
        return ParameterMissing("The request has no Host header, which HTTP/1.1 demands.", param="Host")
    if environ.get("HTTP_TRANSFER_ENCODING", _CHUNKED).lower() != _CHUNKED:
        return ParameterInvalid(
            f"Transfer-Encoding can only be {_CHUNKED}.",
            param="Transfer-Encoding",
        )
    return None


def _about(header: str, what: str) -> ApiError:
    """Refuse a header. Whatever is wrong with the one that has the key, nobody is let in by it."""
    name = header.title()
    if header == "authorization":
        return InvalidCredentials(f"The header {name} {what}")
    return ParameterInvalid(f"The header {name} {what}", param=name)
