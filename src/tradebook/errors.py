"""Every error the API answers with: the one catalogue.

    ApiError
    ├── ValidationFailed      400  a parameter, header or body can't be read
    ├── ReferenceNotFound     400  a body names an object that the account doesn't have
    ├── WrongGroupType        400  a pricing group where a type group belongs, or the reverse
    ├── WrongCarrier          400  a service level of another carrier
    ├── MissingApiKey         401  no key was sent
    ├── InvalidApiKey         401  the key is malformed or unknown
    ├── ExpiredApiKey         401  the key has expired
    ├── RevokedApiKey         401  the key was revoked
    ├── PermissionDenied      403  the key lacks a permission
    ├── SystemOwned           403  what the system owns can't be changed
    ├── NotFound              404  no such object in this account
    ├── CustomerMerged        404  the customer was merged into another one
    ├── RouteNotFound         404  no such path
    ├── MethodNotAllowed      405  the path has no such verb
    ├── RequestTimeout        408  the body did not arrive in time
    ├── AlreadyExists         409  a name or number is taken
    ├── StillReferenced       409  others refer to what is to be deleted
    ├── HierarchyViolation    409  parents and children would be more than one level
    ├── AlreadyDeleted        409  the object was deleted, and is kept to be read
    ├── IdempotencyKeyInUse   409  the same request is still running
    ├── PreconditionFailed    412  the object has changed since it was read
    ├── PayloadTooLarge       413  the body is over the limit
    ├── UnsupportedMediaType  415  the body is not JSON in UTF-8
    ├── IdempotencyKeyReused  422  another request has this idempotency key
    ├── RateLimitExceeded     429  too many requests
    ├── InternalError         500  a fault of ours
    ├── DatabaseUnavailable   503  the database can't be reached
    ├── Overloaded            503  more requests than can be answered in time
    └── OutcomeInDoubt        503  a change may be done or not

Status, type and transience are facts of the class; nobody passes a status where it is raised. The
error reference at `/errors` and the OpenAPI document are made from these classes and their
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
    """A parameter is unknown, repeated, or has a value that can't be read. `param` names it as it was sent.

    The message says what is allowed. Correct the request; sending it again unchanged can't help.
    """

    code = "validation_failed"
    status = 400


class ReferenceNotFound(ApiError):
    """A body names an id that this account does not have. `param` is the field."""

    code = "reference_not_found"
    status = 400


class WrongGroupType(ApiError):
    """A customer's type must be a type group, its price groups pricing groups. `param` is the field."""

    code = "wrong_group_type"
    status = 400


class WrongCarrier(ApiError):
    """The service level does not belong to the customer's carrier. Give both together."""

    code = "wrong_carrier"
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
    """The API key has expired. Make a new one with `tradebook keys create`."""

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


class SystemOwned(ApiError):
    """The object belongs to the system, which gives it to every account. It can't be changed or deleted."""

    code = "system_owned"
    status = 403


class NotFound(ApiError):
    """The key's account has no object with this id. It may have been deleted, or never existed."""

    code = "not_found"
    status = 404


class CustomerMerged(ApiError):
    """The customer was merged into another one. The message and the `Location` header name it."""

    code = "customer_merged"
    status = 404
    points_on = True

    def __init__(self, message: str, *, param: str | None = None, see: str) -> None:
        super().__init__(message, param=param)
        self.see = see


class RouteNotFound(ApiError):
    """There is no such path. The paths are listed in `/openapi.json`."""

    code = "route_not_found"
    status = 404


class MethodNotAllowed(ApiError):
    """The path exists, but not with this method. The `Allow` header lists the methods that it has."""

    code = "method_not_allowed"
    status = 405


class RequestTimeout(ApiError):
    """The request's body did not arrive in time. Nothing was changed; send it again, faster."""

    code = "request_timeout"
    status = 408
    is_transient = True


class AlreadyExists(ApiError):
    """Another object of the account has this name, number or email already. `param` is the field."""

    code = "already_exists"
    status = 409


class StillReferenced(ApiError):
    """Other objects refer to this one; the message says how many. First let them refer to another one."""

    code = "still_referenced"
    status = 409


class HierarchyViolation(ApiError):
    """A child account can't have children, and a parent account can't have a parent: one level only."""

    code = "hierarchy_violation"
    status = 409


class AlreadyDeleted(ApiError):
    """The object was deleted or has ended. It can still be read by its id, but not be changed or used."""

    code = "already_deleted"
    status = 409


class IdempotencyKeyInUse(ApiError):
    """A request with the same idempotency key is still running. Try again shortly to get its answer."""

    code = "idempotency_key_in_use"
    status = 409
    type = "idempotency_error"
    is_transient = True


class PreconditionFailed(ApiError):
    """The object has changed since you read the `ETag` in `If-Match`. Read it again, then decide."""

    code = "precondition_failed"
    status = 412


class PayloadTooLarge(ApiError):
    """The request's body is larger than allowed. The message says the limit."""

    code = "payload_too_large"
    status = 413


class UnsupportedMediaType(ApiError):
    """The body must be JSON in UTF-8, uncompressed: `Content-Type: application/json`."""

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


class DatabaseUnavailable(ApiError):
    """The database can't be reached or is busy. Nothing was changed; try again."""

    code = "database_unavailable"
    status = 503
    type = "api_error"
    is_transient = True


class Overloaded(ApiError):
    """More requests have come than can be answered in time. `Retry-After` says how long to wait."""

    code = "service_unavailable"
    status = 503
    type = "api_error"
    is_transient = True


class OutcomeInDoubt(ApiError):
    """The database was lost while the change was being committed, and it may be done or not. Look first.

    With an `Idempotency-Key` this does not happen: sent again, the request is answered from what was kept.
    """

    code = "outcome_in_doubt"
    status = 503
    type = "api_error"


CATALOGUE = tuple(sorted(ApiError.__subclasses__(), key=lambda error: error.status))
"""Every error, by status."""
