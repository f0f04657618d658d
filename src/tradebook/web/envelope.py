"""The error envelope: how every refusal looks on the wire."""

import falcon
import msgspec

from tradebook.errors import ApiError, ErrorType

ERRORS_PATH = "/errors"


class ErrorBody(msgspec.Struct, frozen=True):
    """What went wrong, for programs and for people; all keys always present."""

    code: str
    type: ErrorType
    message: str
    param: str | None
    doc_url: str
    is_transient: bool
    quota: None
    request_log_url: None


class ErrorEnvelope(msgspec.Struct, frozen=True):
    """The body of every answer that is not a success."""

    error: ErrorBody


def answer_error(response: falcon.Response, error: ApiError) -> None:
    """Turn an error of the catalogue into the answer."""
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
    response.status = error.status
    response.content_type = falcon.MEDIA_JSON
    response.data = msgspec.json.encode(ErrorEnvelope(body))
    response.set_header("x-should-retry", "true" if error.is_transient else "false")
    if error.status == falcon.http_status_to_code(falcon.HTTP_UNAUTHORIZED):
        response.set_header("WWW-Authenticate", 'Bearer realm="tradebook"')
    if error.is_transient:
        response.set_header("Retry-After", "1")
