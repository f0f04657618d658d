"""Every error the API answers with: the one catalogue.

    ApiError
    ├── ValidationFailed      400  a parameter, header or body can't be read
    ├── MissingApiKey         401  no key was sent
    ├── InvalidApiKey         401  the key is malformed or unknown
    ├── ExpiredApiKey         401  the key's time is over
    ├── RevokedApiKey         401  the key was revoked
    ├── PermissionDenied      403  the key lacks a permission
    ├── NotFound              404  no such object in this account
    ├── RouteNotFound         404  no such path
    ├── MethodNotAllowed      405  the path has no such verb
    ├── PayloadTooLarge       413  the body is over the limit
    ├── DatabaseUnavailable   503  the database can't be reached
    └── InternalError         500  a fault of ours

Status, type and transience are facts of the class; nobody passes a status where it is raised. The
error reference at `/errors` and the OpenAPI document are made from these classes and their
docstrings.
"""

from typing import ClassVar, Literal

ErrorType = Literal["invalid_request_error", "api_error", "idempotency_error"]


class ApiError(Exception):
    """What an answer's error envelope is made of."""

    code: ClassVar[str]
    status: ClassVar[int]
    type: ClassVar[ErrorType] = "invalid_request_error"
    is_transient: ClassVar[bool] = False

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class ValidationFailed(ApiError):
    """A parameter is unknown, repeated, or has a value that can't be read. `param` names it as it was sent.

    The message says what is allowed. Correct the request; sending it again unchanged can't help.
    """

    code = "validation_failed"
    status = 400


class MissingApiKey(ApiError):
    """The request has no API key. Send the header `Authorization: Bearer KEY`."""

    code = "missing_api_key"
    status = 401


class InvalidApiKey(ApiError):
    """The API key is malformed or doesn't exist. Check that it was copied whole."""

    code = "invalid_api_key"
    status = 401


class ExpiredApiKey(ApiError):
    """The API key's time is over. Make a new one with `tradebook keys create`."""

    code = "expired_api_key"
    status = 401


class RevokedApiKey(ApiError):
    """The API key was revoked. Make a new one with `tradebook keys create`."""

    code = "revoked_api_key"
    status = 401


class PermissionDenied(ApiError):
    """The API key lacks the permission that the message names. Use a key that has it."""

    code = "permission_denied"
    status = 403


class NotFound(ApiError):
    """The key's account has no object of this id. It may have been deleted, or never existed."""

    code = "not_found"
    status = 404


class RouteNotFound(ApiError):
    """There is no such path. The paths are listed in `/openapi.json`."""

    code = "route_not_found"
    status = 404


class MethodNotAllowed(ApiError):
    """The path exists, the method does not. The `Allow` header lists those that do."""

    code = "method_not_allowed"
    status = 405


class PayloadTooLarge(ApiError):
    """The request's body is larger than is read. The message says the limit."""

    code = "payload_too_large"
    status = 413


class DatabaseUnavailable(ApiError):
    """The database can't be reached or is busy. Nothing was changed; try again."""

    code = "database_unavailable"
    status = 503
    type = "api_error"
    is_transient = True


class InternalError(ApiError):
    """A fault of the server. Report it with the request id of the answer; trying again may help."""

    code = "internal_error"
    status = 500
    type = "api_error"
    is_transient = True


CATALOGUE: tuple[type[ApiError], ...] = (
    ValidationFailed,
    MissingApiKey,
    InvalidApiKey,
    ExpiredApiKey,
    RevokedApiKey,
    PermissionDenied,
    NotFound,
    RouteNotFound,
    MethodNotAllowed,
    PayloadTooLarge,
    DatabaseUnavailable,
    InternalError,
)
