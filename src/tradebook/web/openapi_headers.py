"""The headers of requests and answers, as the OpenAPI document describes them."""

from typing import Any

from tradebook.web.replays import KEY_LENGTH_MAX


def ref(kind: str, name: str) -> dict[str, str]:
    """Point to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def refer(kind: str, *names: str) -> dict[str, Any]:
    """Point to components under their own names."""
    return {name: ref(kind, name) for name in names}


OF_EVERY_ANSWER = ("X-Request-Id", "x-should-retry", "X-Content-Type-Options")
OF_A_KEY = (*OF_EVERY_ANSWER, "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
OF_WHAT_IS_READ = ("ETag", "Cache-Control", "Vary")


def _header(description: str, *, is_required: bool = True, **schema: Any) -> dict[str, Any]:
    return {"description": description, "required": is_required, "schema": {"type": "string"} | schema}


HEADERS = {
    "X-Request-Id": _header("Names this request in the log; send one to choose it."),
    "x-should-retry": _header("Whether sending the request again can help.", enum=["true", "false"]),
    "X-Content-Type-Options": _header("The content is of the type that it says.", const="nosniff"),
    "RateLimit-Limit": _header(
        "How many requests a window of time has; absent where they are not counted.",
        is_required=False,
        type="integer",
        minimum=1,
    ),
    "RateLimit-Remaining": _header(
        "How many of them are left.", is_required=False, type="integer", minimum=0
    ),
    "RateLimit-Reset": _header(
        "The seconds to the end of the window.", is_required=False, type="integer", minimum=1
    ),
    "ETag": _header("The state of what is answered, for If-Match and If-None-Match."),
    "Cache-Control": _header(
        "Whoever keeps the answer asks before it is used again.", const="private, no-cache"
    ),
    "Vary": _header("Another key may be answered otherwise.", const="Authorization"),
    "Idempotent-Replayed": _header(
        "There where the request came before under its Idempotency-Key, and was answered as it was then.",
        is_required=False,
        const="true",
    ),
    "Retry-After": _header(
        "The seconds to wait; there exactly where x-should-retry is true.",
        is_required=False,
        type="integer",
        minimum=1,
    ),
    "Allow": _header("The methods that the path has, separated by commas."),
    "Location": _header(
        "The path where what was asked for is found instead; absent where there is none.",
        is_required=False,
        format="uri-reference",
    ),
    "WWW-Authenticate": _header("How to send a key."),
}
"""The headers of all answers but those of the transport."""

REQUEST_HEADERS: dict[str, Any] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Chosen by the client, such as a UUID. A request that comes again with it is answered "
        "again and not done again, for 24 hours.",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX, "pattern": "^[ -~]+$"},
    },
    # Tags that nothing has are no mistake, so their schemas have no bounds.
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag that the object had when it was read, several of them, or `*`: if it has "
        "changed since, nothing is done.",
        "required": False,
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag of what the client has, several of them, or `*`: if nothing has changed "
        "since, the answer is 304.",
        "required": False,
        "schema": {"type": "string"},
    },
}
READ_304 = {
    "description": "Nothing has changed since the ETag of If-None-Match.",
    "headers": refer("headers", *OF_A_KEY, *OF_WHAT_IS_READ),
}
