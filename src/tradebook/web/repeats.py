"""Pages that are asked for again: answered from the head of the request, before the application is called.

An answer from the kept pages is made from some headers, and from the book as it is. If all of that is as it
was, what the application has answered is said again: the same headers, around the kept page. All that belongs
to each request is done as ever: its key is looked at, it is counted, it has an id, and a line in the log.
Whatever is different in any way is left to the application.
"""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from tradebook.errors import ApiError
from tradebook.storage.database import Unavailable
from tradebook.web import metrics
from tradebook.web.auth import Authenticator, secret_of, too_many
from tradebook.web.heads import REFUSAL, Scope, has_body
from tradebook.web.log import log_request
from tradebook.web.middleware import LIMIT, REQUEST_ID_HEADERS, Repeatable, good_request_id
from tradebook.web.page_cache import PageCache, size_of_pairs
from tradebook.web.recent import Recent
from tradebook.web.request import READING, Headers, Request

READ = (
    "accept",
    "accept-encoding",
    "augno-account",
    "authorization",
    "content-length",
    "content-type",
    "host",
    "if-none-match",
    "openmrp-account",
    "transfer-encoding",
)
"""All headers that such an answer depends on, but for the request's own ids."""

TEXT_LENGTH_MAX = 4_000
"""How long what is read of a head may be that is remembered."""

BYTES_MAX = 4_194_304
ENTRY_OVERHEAD_BYTES = 3_000
"""What an entry takes up besides the texts of its head: mostly the headers of the answer."""

_FIRST_ID, _LATER_ID = map(str.lower, REQUEST_ID_HEADERS)

Answer = tuple[int, Headers, bytes]
Key = tuple[str | None, ...]


class _Known(NamedTuple):
    """An answer, without what is different in each."""

    secret: str
    about: Repeatable
    status: int
    before: Headers
    """The headers between the ids of the request and what is said about its limit."""
    behind: Headers
    has_page: bool


class Repeats:
    """The answers that can be given again. They are asked for on the loop's thread."""

    def __init__(
        self,
        authenticator: Authenticator,
        pages: PageCache,
        revision_of: Callable[[int], int | None],
        *,
        log_requests: bool,
    ) -> None:
        self._authenticator = authenticator
        self._revision_of = revision_of
        self._round = -1
        self._revisions: dict[int, int | None] = {}
        self._pages = pages
        self._log_requests = log_requests
        self._known: Recent[Key, _Known] = Recent(BYTES_MAX)

    def remember(self, request: Request, about: Repeatable, answer: Answer) -> None:
        """Remember how the application has answered a request."""
        if has_body(request.scope.headers.get):
            # It is dropped beside each answer, and that closes the connection.
            return
        key = _key_of(request.scope)
        length = TEXT_LENGTH_MAX + 1 if key is None else sum([len(text) for text in key if text])
        if key is None or length > TEXT_LENGTH_MAX:
            return
        status, headers, body = answer
        own = len(REQUEST_ID_HEADERS)
        of_limit = [place for place, (name, _) in enumerate(headers) if name.startswith("ratelimit-")]
        first, end = (of_limit[0], of_limit[-1] + 1) if of_limit else (own, own)
        secret = secret_of(request.environ["HTTP_AUTHORIZATION"])
        known = _Known(secret, about, status, headers[own:first], headers[end:], bool(body))
        self._known.put(key, known, length + size_of_pairs(about.page_key[2]) + ENTRY_OVERHEAD_BYTES)

    def answer(self, request: Request, in_round: int) -> Answer | None:
        """Answer as the application would; None where it has to be called."""
        started = perf_counter()
        scope, authenticator, body = request.scope, self._authenticator, b""
        key = _key_of(scope)
        known = None if key is None else self._known.get(key)
        if known is None:
            return None
        secret, about, status, before, behind, has_page = known
        try:
            grant = authenticator.known_at(secret, about.revision)
            if grant is None or self._revision(grant.account_id, in_round) != about.revision:
                return None
        except (ApiError, Unavailable):
            return None
        if has_page:
            page = self._pages.get(about.page_key, about.revision)
            if page is None:
                return None
            body = page.body
        verdict = authenticator.count_again(secret, grant, about.revision)
        if verdict is not None and verdict.wait_seconds:
            request.environ.update({REFUSAL: too_many(verdict), LIMIT: verdict})
            return None
        given = scope.headers.get
        request.account = grant.account_id
        request_id = good_request_id(given("x-request-id"), given("request-id"))
        headers = [
            (_FIRST_ID, request_id),
            (_LATER_ID, request_id),
            *before,
            *(() if verdict is None else verdict.headers),
            *behind,
        ]
        seconds = perf_counter() - started
        metrics.observe(scope.method, about.template, status, seconds)
        if self._log_requests:
            later = asyncio.get_running_loop().call_later
            log_request(request_id, about.line, seconds, write_later=later)
        return status, headers, body

    def _revision(self, account_id: int, in_round: int) -> int | None:
        """Look at an account's revision, once for all whose requests had come before: it is true for them."""
        if in_round != self._round:
            self._revisions.clear()
            self._round = in_round
        if account_id not in self._revisions:
            self._revisions[account_id] = self._revision_of(account_id)
        return self._revisions[account_id]


def _key_of(scope: Scope) -> Key | None:
    """Return what an answer is found by; None where a header is sent twice, or can't be read."""
    if scope.method not in READING:
        return None
    headers = scope.headers
    pairs = headers.items()
    sent = dict(pairs)
    if not len(sent) == len(pairs) == len(headers):
        return None
    return (scope.method, scope.path, scope.query_string, scope.http_version, *map(sent.get, READ))
