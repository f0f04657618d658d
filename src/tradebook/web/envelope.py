"""Answers, and the error envelope, which is the body of every refusal."""

import falcon
import msgspec

from tradebook.crud.shapes import NoObject
from tradebook.errors import ApiError, ErrorType, PayloadTooLarge
from tradebook.web import metrics

ERRORS_PATH = "/errors"
UNAUTHORIZED = 401
SECRET_HEADERS = (("Cache-Control", "no-store"),)
"""What an answer with a secret says to whoever might keep it on its way."""


class ErrorBody(msgspec.Struct, frozen=True):
    """What went wrong, for programs and for people; all keys always present."""

    code: str
    """What went wrong for programs, such as `parameter_invalid`; `/errors` explains each."""
    type: ErrorType
    """Whose fault it is: of the request, of the server, or of the idempotency key."""
    message: str
    """What went wrong and what to do, for people, such as `limit takes a whole number from 1 to 1000.`"""
    param: str | None
    """The parameter or field that is wrong, such as `limit`; null if it is none."""
    doc_url: str
    """Where the code is explained, such as `/errors#parameter_invalid`."""
    is_transient: bool
    """Whether it can help to send the request again."""
    quota: NoObject
    """Always null in this version."""
    request_log_url: str | None
    """Always null in this version."""


class ErrorEnvelope(msgspec.Struct, frozen=True):
    """The body of every answer that is not a success."""

    error: ErrorBody
    """What went wrong."""


class Answer(msgspec.Struct, frozen=True):
    """A finished answer, to send now, and to store if it may be sent again."""

    status: int
    body: bytes | None
    headers: tuple[tuple[str, str], ...] = ()

    def send(self, response: falcon.Response) -> None:
        """Put this answer into the response."""
        response.status = self.status
        if self.body is not None:
            response.content_type = falcon.MEDIA_JSON
            response.data = self.body
        response.set_headers(self.headers)


def error_answer(error: ApiError) -> Answer:
    """Make the answer of an error of the catalogue."""
    metrics.refused(error.code)
    body = ErrorBody(
        error.code,
        error.type,
        error.message,
        error.param,
        f"{ERRORS_PATH}#{error.code}",
        error.is_transient,
        None,
        None,
    )
    headers = [("x-should-retry", "true" if error.is_transient else "false")]
    if error.status == UNAUTHORIZED:
        headers.append(("WWW-Authenticate", 'Bearer realm="tradebook"'))
    if error.is_transient:
        headers.append(("Retry-After", str(error.retry_after_seconds)))
    if isinstance(error, PayloadTooLarge):
        # The rest of the body is still in the connection, and would be read as the next request.
        headers.append(("Connection", "close"))
    if error.see is not None:
        headers.append(("Location", error.see))
    return Answer(error.status, msgspec.json.encode(ErrorEnvelope(body)), tuple(headers))


def answer_error(response: falcon.Response, error: ApiError) -> None:
    """Answer a request with an error of the catalogue."""
    error_answer(error).send(response)
