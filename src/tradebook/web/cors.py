"""Cross-origin resource sharing: which pages of other origins may call the API from a browser.

The headers are put on whatever is answered, also on what is refused before the application is called. There
are no cookies, so none is ever sent along: a page needs a key of its own.
"""

import re
from collections.abc import Callable, Iterator

from tradebook.web.heads import Scope

ANY = "*"
MAX_AGE_SECONDS = 7_200
"""How long a browser may remember what it was allowed: none remembers it longer."""

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
TAKEN = (
    "Accept",
    "Augno-Account",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "OpenMRP-Account",
    "Request-Id",
    "X-Request-Id",
)
"""What a page may send in any case. Other headers are ignored, so it may send those too."""

SHOWN = (
    "Allow",
    "Content-Disposition",
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Request-Id",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
    "x-should-retry",
)
"""What a page may read of an answer, besides what any may."""

_NAME = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_NAMES_MAX = 50
_SEPARATORS = re.compile(r"[\s,]+")

Headers = list[tuple[str, str]]


class Cors:
    """Which origins are allowed."""

    def __init__(self, origins: str) -> None:
        """Take origins with spaces or commas between them, or `*`; none if it is empty."""
        self._origins = frozenset(filter(None, _SEPARATORS.split(origins)))
        self._is_any = ANY in self._origins

    @property
    def is_on(self) -> bool:
        """Whether any origin is allowed."""
        return bool(self._origins)

    def allows(self, origin: str) -> bool:
        """Tell whether pages of an origin may call."""
        return self._is_any or origin in self._origins

    def put_on(self, scope: Scope, headers: Headers) -> None:
        """Add what an answer to this request needs."""
        given = scope.headers.get
        origin = given("origin")
        if not self._is_any:
            _vary_by_origin(headers)
        if origin is None or not self.allows(origin):
            return
        headers.append(("access-control-allow-origin", ANY if self._is_any else origin))
        if scope.method == "OPTIONS" and given("access-control-request-method") is not None:
            headers.extend(_of_preflight(given, headers))
        else:
            headers.append(("access-control-expose-headers", ", ".join(SHOWN)))


def _of_preflight(given: Callable[[str], str | None], headers: Headers) -> Iterator[tuple[str, str]]:
    """Answer what a browser asks before it sends a request."""
    allowed = next((value for name, value in headers if name.lower() == "allow"), METHODS)
    wanted = _SEPARATORS.split(given("access-control-request-headers") or "")[:_NAMES_MAX]
    known = {name.lower() for name in TAKEN}
    others = [name for name in wanted if _NAME.fullmatch(name) and name.lower() not in known]
    yield "access-control-allow-methods", allowed
    yield "access-control-allow-headers", ", ".join([*TAKEN, *others])
    yield "access-control-max-age", str(MAX_AGE_SECONDS)


def _vary_by_origin(headers: Headers) -> None:
    for place, (name, value) in enumerate(headers):
        if name.lower() == "vary":
            headers[place] = (name, f"{value}, Origin")
            return
    headers.append(("vary", "Origin"))
