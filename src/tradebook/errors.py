"""Every error the API answers with: the one catalogue, a class for each code.

    ApiError
    ├── ValidationFailed         400  a body can't be read, or breaks a rule
    ├── MissingField             400  a body lacks a field
    ├── InvalidFormat            400  a field has a value that can't be one
    ├── ParameterInvalid         400  a parameter, a header or an id in the path can't be read
    ├── ParameterMissing         400  a header that must be there is not
    ├── ParameterUnknown         400  there is no such parameter or field
    ├── InvalidCredentials       401  the key is missing, malformed or unknown
    ├── ApiKeyExpired            401  the key has expired
    ├── ApiKeyRevoked            401  the key was revoked
    ├── InsufficientPermissions  403  the key lacks a permission, or the system owns the object
    ├── ResourceNotFound         404  no such path, or no such object in this account
    │   └── CustomerMerged       404  the customer was merged into another one
    ├── MethodNotAllowed         405  the path has no such verb
    ├── RequestTimeout           408  the body did not arrive in time
    ├── ResourceExists           409  a name or number is taken
    ├── ResourceConflict         409  what is there is in the way: references, or parents and children
    ├── IdempotencyInProgress    409  the same request is still running
    ├── ResourceGone             410  the object was deleted or has ended, and is kept to be read
    ├── PreconditionFailed       412  the object has changed since it was read
    ├── PayloadTooLarge          413  the body is over the limit
    ├── UnsupportedMediaType     415  the body is not JSON in UTF-8, or no file of a type that is taken
    ├── IdempotencyKeyReused     422  another request has this idempotency key
    ├── RateLimitExceeded        429  too many requests
    ├── InternalError            500  a fault of ours
    ├── ServiceUnavailable       503  the database is away, or more comes than can be answered in time
    └── OutcomeInDoubt           503  a change may be done or not

The codes are the words that the field's published APIs use. Status, type and transience are facts of the
class; nobody passes a status where it is raised. A class has one below it only where the answer carries
more. The error reference at `/errors` and the OpenAPI document are made from these classes and their
docstrings; a new error is one class and its line above, which a test compares.
"""

from typing import ClassVar, Literal

ErrorType = Literal["invalid_request_error", "api_error", "idempotency_error"]


class ApiError(Exception):
    """An error of the API: everything that its error envelope shows."""

    code: ClassVar[str]
    status: ClassVar[int]
    type: ClassVar[ErrorType] = "invalid_request_error"
    is_transient: ClassVar[bool] = False

    retry_after_seconds: int = 1
    """How long a client should wait before it tries again, after a transient error."""

    points_on: ClassVar[bool] = False
    """Whether it names where what was asked for is found instead."""

    see: str | None = None
    """That place, a path."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class ValidationFailed(ApiError):
    """The body is no JSON object, or breaks a rule: fields that don't go together, an id that isn't there.

    `param` is the field, where it is one. A group of the wrong kind, a service level of another carrier, and
    an id that the account doesn't have are such. Correct the request; sending it again can't help.
    """

    code = "validation_failed"
    status = 400


class MissingField(ApiError):
    """The body lacks a field that is required. `param` names it."""

    code = "missing_field"
    status = 400


class InvalidFormat(ApiError):
    """A field of the body has a value that it can't have. `param` names it; the message says what it takes.

    It has another type, is null or empty or too long, is not one of the listed words, or is no id of this
    kind, no e-mail, no decimal, no date.
    """

    code = "invalid_format"
    status = 400


class ParameterInvalid(ApiError):
    """A parameter, a header or an id in the path can't be read, or is given twice. `param` names it.

    The message says what it takes. A cursor that is damaged or was made for another list is such.
    """

    code = "parameter_invalid"
    status = 400


class ParameterMissing(ApiError):
    """The request lacks what it must have, such as the header `Host`. `param` names it."""

    code = "parameter_missing"
    status = 400


class ParameterUnknown(ApiError):
    """There is no such parameter or field. `param` names it as it was sent; the message suggests one."""

    code = "parameter_unknown"
    status = 400


class InvalidCredentials(ApiError):
    """The API key is missing, malformed or unknown. Send `Authorization: Bearer KEY`, with the whole key."""

    code = "invalid_credentials"
    status = 401


class ApiKeyExpired(ApiError):
    """The API key has expired. Make a new one with `tradebook keys create`."""

    code = "api_key_expired"
    status = 401


class ApiKeyRevoked(ApiError):
    """The API key was revoked. Make a new one with `tradebook keys create`."""

    code = "api_key_revoked"
    status = 401


class InsufficientPermissions(ApiError):
    """The API key lacks the permission that the message names, or the object belongs to the system.

    Use a key that has the permission. What the system gives to every account can't be changed or deleted.
    """

    code = "insufficient_permissions"
    status = 403


class ResourceNotFound(ApiError):
    """There is no such path, or the account has no object with this id.

    It may have been deleted, or never existed. Where a customer was merged into another one, the message and
    the `Location` header name the one that remains.
    """

    code = "resource_not_found"
    status = 404


class CustomerMerged(ResourceNotFound):
    """The customer was merged into another one. The message and the `Location` header name it."""

    points_on = True

    def __init__(self, message: str, *, param: str | None = None, see: str) -> None:
        super().__init__(message, param=param)
        self.see = see


class MethodNotAllowed(ApiError):
    """The path exists, but not with this method. The `Allow` header lists the methods that it has."""

    code = "method_not_allowed"
    status = 405


class RequestTimeout(ApiError):
    """The request's body did not arrive in time. Nothing was changed; send it again, faster."""

    code = "request_timeout"
    status = 408
    is_transient = True


class ResourceExists(ApiError):
    """Another object of the account has this name, number or email already. `param` is the field."""

    code = "resource_exists"
    status = 409


class ResourceConflict(ApiError):
    """What is there is in the way: others refer to the object, or there would be more than one level.

    The message says how many refer to it; first let them refer to another one. A child account can't have
    children, and a parent account can't have a parent.
    """

    code = "resource_conflict"
    status = 409


class IdempotencyInProgress(ApiError):
    """A request with the same idempotency key is still running. Try again shortly to get its answer."""

    code = "idempotency_in_progress"
    status = 409
    type = "idempotency_error"
    is_transient = True


class ResourceGone(ApiError):
    """The object was deleted or has ended. It can still be read by its id, but not be changed or used."""

    code = "resource_gone"
    status = 410


class PreconditionFailed(ApiError):
    """The object has changed since you read the `ETag` in `If-Match`. Read it again, then decide."""

    code = "precondition_failed"
    status = 412


class PayloadTooLarge(ApiError):
    """The request's body is larger than allowed. The message says the limit."""

    code = "payload_too_large"
    status = 413


class UnsupportedMediaType(ApiError):
    """The body must be JSON in UTF-8, uncompressed: `Content-Type: application/json`.

    Where a file is taken, the message lists the types that it may have.
    """

    code = "unsupported_media_type"
    status = 415


class IdempotencyKeyReused(ApiError):
    """The idempotency key was used for another route or another body. Use a new key for a new request."""

    code = "idempotency_key_reused"
    status = 422
    type = "idempotency_error"


class RateLimitExceeded(ApiError):
    """The key has sent too many requests. `Retry-After` says how long to wait."""

    code = "rate_limit_exceeded"
    status = 429
    is_transient = True

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class InternalError(ApiError):
    """A fault of the server. Report it with the request id of the answer; trying again may help."""

    code = "internal_error"
    status = 500
    type = "api_error"
    is_transient = True


class ServiceUnavailable(ApiError):
    """The database is away or busy, or more has come than can be answered in time. Nothing was changed.

    Try again; `Retry-After` says how long to wait.
    """

    code = "service_unavailable"
    status = 503
    type = "api_error"
    is_transient = True


class OutcomeInDoubt(ApiError):
    """The database was lost, or failed, during the commit, and the change may be done or not. Look first.

    With an `Idempotency-Key` this does not happen: sent again, the request is answered from what was kept.
    """

    code = "outcome_in_doubt"
    status = 503
    type = "api_error"


CATALOGUE = tuple(sorted(ApiError.__subclasses__(), key=lambda error: error.status))
"""Every error, by status: a class for each code."""
