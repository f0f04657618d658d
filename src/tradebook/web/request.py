"""A request under way: what is known of it so far, and in which line it is counted."""

from functools import cached_property
from typing import Protocol

from tradebook.web.bodies import Body, is_small
from tradebook.web.heads import REFUSAL, Environ, Scope, environ_of, has_body
from tradebook.web.sending import Transport as Streaming
from tradebook.web.waiting import Waiting

READING = frozenset({"GET", "HEAD"})
_JSON = "application/json"

Headers = list[tuple[str, str]]


class Transport(Body, Streaming, Protocol):
    """The server's end of one request."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer."""


class Request:
    """A request under way."""

    account = 0
    """Whose it is, as far as that is known."""

    is_known = False
    """Whether its key was good when it was looked up last."""

    may_be_repeated = True
    """Whether nobody has looked yet if its answer can be given again."""

    expected_in: Waiting | None = None
    """The line in which it is counted, and will stand soon."""

    _expected_of = 0

    def __init__(self, scope: Scope, transport: Transport) -> None:
        self.scope, self.transport = scope, transport

    def expect(self, waiting: Waiting) -> None:
        """Have it counted in a line."""
        self.expected_in, self._expected_of = waiting, self.account
        waiting.expect(self.account)

    def expect_no_more(self) -> None:
        """Have it counted no more, if it is: it stands in line itself, or never will."""
        if self.expected_in is not None:
            self.expected_in.expect_no_more(self._expected_of)
            self.expected_in = None

    @property
    def may_come_whole(self) -> bool:
        """Whether it is a change whose body can be awaited before anything of the request is looked at.

        Files are not, which come to the disk, nor what a client wants to be asked for.
        """
        given = self.scope.headers.get
        if not self.is_known or self.scope.method in READING or REFUSAL in self.environ:
            return False
        if not has_body(given):
            return True
        is_plain = given("expect") is None and given("transfer-encoding") is None
        is_json = (given("content-type") or "").startswith(_JSON)
        return is_plain and is_json and is_small(given("content-length"))

    @cached_property
    def environ(self) -> Environ:
        """What the application is called with; most answers that are given again need none."""
        return environ_of(self.scope)
