"""The headers of requests and answers, as the OpenAPI document describes them."""

from typing import Any

from tradebook.web.replays import KEY_LENGTH_MAX


def ref(kind: str, name: str) -> dict[str, str]:
    """Point to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def refer(kind: str, *names: str) -> dict[str, Any]:
    """Point to components under their own names."""
    return {name: ref(kind, name) for name in names}


OF_EVERY_ANSWER = (
    "Request-Id",
    "X-Request-Id",
    "x-should-retry",
    "X-Content-Type-Options",
    "Content-Encoding",
    "Vary",
)
OF_A_KEY = (*OF_EVERY_ANSWER, "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
OF_WHAT_IS_READ = ("ETag", "Cache-Control")


def _header(description: str, *, is_required: bool = True, **schema: Any) -> dict[str, Any]:
    return {"description": description, "required": is_required, "schema": {"type": "string"} | schema}


HEADERS = {
    "Request-Id": _header("The id of this request in the log. Send the header to choose it."),
    "X-Request-Id": _header("The same id. If a request has both headers, this one counts."),
    "x-should-retry": _header("Whether it can help to send the request again.", enum=["true", "false"]),
    "X-Content-Type-Options": _header("Browsers must not guess another content type.", const="nosniff"),
    "RateLimit-Limit": _header(
        "How many requests are allowed in a window of time; absent if there is no limit.",
        is_required=False,
        type="integer",
        minimum=1,
    ),
    "RateLimit-Remaining": _header(
        "How many of them are left.", is_required=False, type="integer", minimum=0
    ),
    "RateLimit-Reset": _header(
        "Seconds until the window ends.", is_required=False, type="integer", minimum=1
    ),
    "ETag": _header(
        "The version of the object or page, for If-Match and If-None-Match; absent from a whole list.",
        is_required=False,
    ),
    "Content-Encoding": _header(
        "How the answer is compressed; present where it is, as Accept-Encoding asked.",
        is_required=False,
        enum=["gzip", "zstd"],
    ),
    "Content-Disposition": _header(
        "What to call the file; present where a whole list is sent.", is_required=False
    ),
    "Cache-Control": _header(
        "Ask with If-None-Match before a stored answer is used again.", const="private, no-cache"
    ),
    "Vary": _header("The headers of the request that the answer depends on.", is_required=False),
    "Idempotent-Replayed": _header(
        "Present if this is the stored answer to the same Idempotency-Key.",
        is_required=False,
        const="true",
    ),
    "Retry-After": _header(
        "Seconds to wait; present exactly if x-should-retry is true.",
        is_required=False,
        type="integer",
        minimum=1,
    ),
    "Allow": _header("The methods that the path has, separated by commas."),
    "Location": _header(
        "The path where what was made, or what was asked for instead, is found; absent where there is none.",
        is_required=False,
        format="uri-reference",
    ),
    "WWW-Authenticate": _header("How to send an API key."),
}
"""All headers of answers, except those of the HTTP server."""

REQUEST_HEADERS: dict[str, Any] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Chosen by the client, such as a UUID. For 24 hours, a request that is repeated with "
        "it gets the same answer and is not done again.",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX, "pattern": "^[ -~]+$"},
    },
    # A tag that no object has is valid too, and matches nothing. So the schemas of tags have no bounds.
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag of the object as you read it, several of them, or `*`. If it has changed "
        "since then, nothing is done.",
        "required": False,
        "schema": {"type": "string"},
        "example": "*",
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag of the answer that the client has, several of them, or `*`. If nothing has "
        "changed, the answer is 304.",
        "required": False,
        "schema": {"type": "string"},
        "example": '"1a20e6f4c5d-6b1f0e2d3c4b5a69"',
    },
}
REQUEST_HEADERS["If-None-Match-Of-Put"] = {
    **REQUEST_HEADERS["If-None-Match"],
    "description": "`*`: only create. If there is such an object already, nothing is done (412).",
    "schema": {"type": "string", "pattern": r"^\*$"},
    "example": "*",
}
READ_304 = {
    "description": "The client has this answer already: its ETag is in If-None-Match.",
    "headers": refer("headers", *OF_A_KEY, *OF_WHAT_IS_READ),
}
