"""The book as the tools see it: questions to the API, and refusals in the words of the tools."""

import re
from collections.abc import Callable, Iterator, Mapping
from secrets import token_hex
from typing import Any, Protocol

from tradebook.crud.grant import Grant
from tradebook.crud.parameters import CURSOR, LIMIT, LIMIT_MAX, Pairs
from tradebook.errors import ResourceNotFound, ValidationFailed
from tradebook.storage.database import Reader

Json = dict[str, Any]

REFUSED_FROM = 400
LISTED_MAX = 10_000
"""How many entries of a list are looked through for one of a name."""

_BRACKETS = re.compile(r"\b([a-z_]+)\[\]")
_CURSOR_REFUSED = (
    "cursor is damaged, or was given for other arguments. Repeat the arguments of the call that gave it, or "
    "leave cursor out to begin anew."
)


class Caller(Protocol):
    """Asks the API with one key."""

    def grant(self) -> Grant:
        """Return what the key may do now, or refuse it."""

    def ask(
        self,
        method: str,
        path: str,
        pairs: Pairs = (),
        body: Json | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> tuple[int, Any]:
        """Send a request; returns the status and the decoded answer."""

    def note_fault(self, exception: str) -> None:
        """Write a fault to the log."""


class Refused(Exception):
    """A tool can't do what it was called for; the message says what to do instead."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Book:
    """The book of one key. Every question to it is a request of its own to the API."""

    def __init__(
        self, caller: Caller, read: Callable[[int, Callable[[Reader], Any]], Any], *, may_write: bool = True
    ) -> None:
        self._caller = caller
        self._read = read
        self.may_write = may_write
        """Whether the tools that change the book are offered, where the key may."""

    def grant(self) -> Grant:
        """Return what the key may do now."""
        return self._caller.grant()

    def note_fault(self, exception: str) -> None:
        """Write a fault to the log, for whoever runs the server."""
        self._caller.note_fault(exception)

    def look(self, work: Callable[[Reader], Any]) -> Any:
        """Work on one snapshot of the key's account."""
        return self._read(self.grant().account_id, work)

    def get(self, path: str, pairs: Pairs = ()) -> Json:
        """Read an object or a page."""
        return self._answered(self._caller.ask("GET", path, pairs), {})

    def find(self, path: str, pairs: Pairs = ()) -> Json | None:
        """Read an object; None if it is not there."""
        try:
            return self.get(path, pairs)
        except Refused as refused:
            if refused.code == ResourceNotFound.code:
                return None
            raise

    def entries(self, path: str, pairs: Pairs = ()) -> Iterator[Json]:
        """Read a list to its end; Refused where that is too far."""
        cursor = None
        for _ in range(LISTED_MAX // LIMIT_MAX):
            at = () if cursor is None else ((CURSOR.name, cursor),)
            page = self.get(path, (*pairs, (LIMIT.name, str(LIMIT_MAX)), *at))
            yield from page["data"]
            cursor = next_cursor(page)
            if cursor is None:
                return
        raise Refused(
            ValidationFailed.code,
            f"The book has more than {LISTED_MAX:,} entries in {path}, too many to look through. Give ids.",
        )

    def change(
        self, method: str, path: str, pairs: Pairs, body: Json, called: Mapping[str, str] | None = None
    ) -> Json:
        """Change the book; `called` has what the tool calls a field otherwise than the API does.

        With a key for each change, one whose answer is lost on the way from the database is looked up.
        """
        key = token_hex(16)
        return self._answered(self._caller.ask(method, path, pairs, body, idempotency_key=key), called or {})

    @staticmethod
    def _answered(answer: tuple[int, Any], called: Mapping[str, str]) -> Json:
        status, found = answer
        if status >= REFUSED_FROM:
            raise refusal(found["error"], called)
        return found  # type: ignore[no-any-return]


def refusal(error: Json, called: Mapping[str, str]) -> Refused:
    """Say an error of the API in the words of a tool: its arguments are called as they are there."""
    if error["param"] == CURSOR.name:
        return Refused(error["code"], _CURSOR_REFUSED)
    message = _BRACKETS.sub(r"\1", error["message"])
    for theirs, ours in called.items():
        message = re.sub(rf"\b{theirs}\b", ours, message)
    return Refused(error["code"], message)


def next_cursor(page: Json) -> str | None:
    """Return the cursor of the next page; None at the end. It stands last in the URL."""
    url = page["page_info"]["next_page_url"]
    return None if url is None else url.rpartition(f"{CURSOR.name}=")[2]
