"""Refusals of what can't be answered in time.

At ten times what can be answered, refusing is most of the work. So a refusal is made once, but for the id of
the request and what is told about its limit.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from tradebook.web import metrics
from tradebook.web.auth import Caller
from tradebook.web.envelope import error_answer
from tradebook.web.heads import Scope
from tradebook.web.log import log
from tradebook.web.middleware import REQUEST_ID_HEADERS, good_request_id
from tradebook.web.waiting import overloaded

TELLING_SECONDS = 1.0
"""How often the log tells of refusals: a line for each would cost more than they do."""

MANY = 100
"""How many refusals between two such lines are an overload, and no burst."""

OF_REFUSALS = (("content-type", "application/json"), ("x-content-type-options", "nosniff"))
"""Headers of every refusal that the application has not made."""

_REFUSAL = error_answer(overloaded())
_BODY = _REFUSAL.body or b""
_HEADERS = (*OF_REFUSALS, *_REFUSAL.headers)
_FIRST_ID, _LATER_ID = REQUEST_ID_HEADERS


class Callers(Protocol):
    """Who asks, as far as it is known without a look into the book."""

    def caller_of(self, header: str | None, address: Callable[[], str]) -> Caller:
        """Tell whose request this is: a known key's, or the address's."""

    def limit_headers(self, caller: Caller) -> Iterable[tuple[str, str]]:
        """Count a request, and write the headers about the limit."""


class Shedding:
    """Refuses, and tells how often: the log, and `give_way` whether it is an overload."""

    def __init__(self, callers: Callers) -> None:
        self.give_way: Callable[[bool], None] = lambda _: None
        self._callers = callers
        self._since_told = 0
        self._is_counting = False

    def answer(self, scope: Scope, caller: Caller) -> tuple[int, list[tuple[str, str]], bytes]:
        """Refuse a request without a call of the application."""
        if not self._is_counting:
            self._is_counting = True
            asyncio.get_running_loop().call_later(TELLING_SECONDS, self._tell)
        self._since_told += 1
        if self._since_told == MANY:
            self.give_way(True)
        metrics.shed()
        given = scope.headers.get
        request_id = good_request_id(given("x-request-id"), given("request-id"))
        headers = [(_FIRST_ID, request_id), (_LATER_ID, request_id)]
        headers += self._callers.limit_headers(caller)
        headers += _HEADERS
        return _REFUSAL.status, headers, _BODY

    def _tell(self) -> None:
        refused, self._since_told = self._since_told, 0
        self._is_counting = refused > 0
        if refused < MANY:
            self.give_way(False)
        if refused:
            log("requests refused, as more have come than can be answered in time", refused=refused)
            asyncio.get_running_loop().call_later(TELLING_SECONDS, self._tell)
