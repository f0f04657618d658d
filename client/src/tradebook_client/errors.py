"""What can go wrong, by kind.

    TradebookError
    ├── NoAnswer               the server can't be reached, or its answer was cut
    ├── UnexpectedAnswer       an answer that the API doesn't give: a wrong address, or a proxy in between
    └── ApiError               the server refuses
        ├── Invalid            400, and every other 4xx: what was asked can't be read or breaks a rule
        ├── Unauthenticated    401
        ├── Forbidden          403
        ├── NotFound           404
        │   └── Gone           410
        ├── Conflict           409
        ├── PreconditionFailed 412
        ├── RateLimited        429
        └── ServerError        5xx
            └── Unavailable    408, 502, 503, 504: it may work later

The class follows from the status, so that a code that this version doesn't know has its kind too.
"""

from collections.abc import Mapping
from typing import Any

import msgspec


class TradebookError(Exception):
    """Something went wrong. What is not known is None."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        """What is wrong and what to do, in a sentence."""
        self.status = status
        """The status of the answer."""
        self.code = code
        """The stable word for what is wrong; the server's `/errors` explains each."""
        self.param = param
        """The parameter or field that is wrong."""
        self.request_id = request_id
        """The id of the request in the server's log."""

    def __str__(self) -> str:
        known = {"status": self.status, "code": self.code, "param": self.param, "request_id": self.request_id}
        told = ", ".join(f"{name} {value}" for name, value in known.items() if value is not None)
        return f"{self.message} ({told})" if told else self.message


class NoAnswer(TradebookError):
    """The server could not be reached, or its answer was cut, at every try."""


class UnexpectedAnswer(TradebookError):
    """An answer that the API does not give."""


class ApiError(TradebookError):
    """The server refuses, and says why."""


class Invalid(ApiError):
    """What was asked can't be read, or breaks a rule."""


class Unauthenticated(ApiError):
    """The key is missing, unknown, expired or revoked."""


class Forbidden(ApiError):
    """The key lacks a permission, or the object belongs to the system."""


class NotFound(ApiError):
    """There is no such object."""


class Gone(NotFound):
    """The object was there, and is deleted."""


class Conflict(ApiError):
    """Something else is in the way: a name that is taken, a reference, a request under way."""


class PreconditionFailed(ApiError):
    """The object is no longer what it was."""


class RateLimited(ApiError):
    """Too many requests."""


class ServerError(ApiError):
    """The server failed."""


class Unavailable(ServerError):
    """The server can't answer now; it may later."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_of(status: int, headers: Mapping[str, str], content: bytes) -> TradebookError:
    """Make the error that an answer tells of."""
    request_id = headers.get("request-id") or headers.get("x-request-id")
    if status < 400:
        return UnexpectedAnswer("This is no answer of the API.", status=status, request_id=request_id)
    kind = _BY_STATUS.get(status, Invalid if status < 500 else ServerError)
    told = _envelope(content)
    return kind(
        _text(told, "message") or f"The answer was {status}, without a reason.",
        status=status,
        code=_text(told, "code"),
        param=_text(told, "param"),
        request_id=request_id,
    )


def _envelope(content: bytes) -> Mapping[str, Any]:
    try:
        answer = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _text(told: Mapping[str, Any], key: str) -> str | None:
    value = told.get(key)
    return value if isinstance(value, str) else None
