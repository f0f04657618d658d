"""Authentication: from the Authorization header to a grant."""

import binascii
from base64 import b64decode
from collections.abc import Callable
from typing import NamedTuple

import falcon
import msgspec

from tradebook.crud.grant import Grant
from tradebook.errors import ApiError, InvalidCredentials, RateLimitExceeded
from tradebook.storage.database import Database, Reader
from tradebook.text import counted
from tradebook.web.limits import Limits, number_of
from tradebook.web.recent import Recent
from tradebook.web.verdict import Verdict

GRANTS_MAX = 10_000


Look = Callable[[int | None, Grant], int | None]
"""Reads an account by what a key could do at a revision; returns the account's own, or None for nothing."""


def no_look(_: int | None, __: Grant) -> None:
    """Read nothing."""


def as_known(revision: int | None, _: Grant) -> int | None:
    """Take it that nothing has changed: it is found out later."""
    return revision


class KeyRules(msgspec.Struct, frozen=True):
    """What the resource of API keys knows of them."""

    authenticate: Callable[[Database, str], tuple[Grant, int]]
    note_use: Callable[[Database, Grant], Grant]
    require_standing: Callable[[Reader, Grant], Grant]


class Caller(NamedTuple):
    """Whose a request is, as far as that is known without a look into the book."""

    name: int
    """What it is counted under: a key, or an address."""

    account_id: int | None = None

    @property
    def account(self) -> int:
        """With whom it shares its turns."""
        return self.name if self.account_id is None else self.account_id


class Authenticator:
    """Looks up keys, and remembers each until its account changes.

    Every write changes the account's revision, even a revocation. So the next request sees it. Only keys that
    are good are remembered, by their text alone and not by the header around it: so neither spaces nor wrong
    keys take up memory.
    """

    def __init__(self, database: Database, rules: KeyRules, limits: Limits | None) -> None:
        self._database = database
        self._rules = rules
        self._limits = limits
        self._known: Recent[str, tuple[int | None, Grant]] = Recent(GRANTS_MAX)

    def grant(self, request: falcon.Request, look: Look = no_look) -> tuple[Grant, int | None]:
        """Return the grant of the request's key and the account's revision, or refuse the key.

        A key that is known is counted before any question to the database, so that a refusal costs next to
        nothing. Then `look` may read the account, by what the key was last: that tells its revision too.
        A change may come here twice, before its body and with it: the second time it has its grant.
        """
        context = request.context
        if context.granted is None:
            context.granted = self._granted(request, look)
        return context.granted  # type: ignore[no-any-return]

    def _granted(self, request: falcon.Request, look: Look) -> tuple[Grant, int | None]:
        known = None
        try:
            secret = secret_of(request.env.get("HTTP_AUTHORIZATION"))
            known = self._known.get(secret)
            if known is not None:
                self._count(request, known[1].key_id, known[1].account_id)
                revision = look(*known) or self._database.revision(known[1].account_id)
                if revision == known[0]:
                    known[1].require_standing()
                    return self._note_use(secret, known[1], revision), revision
            grant, revision = self._look_up(secret)
        except ApiError:
            if known is None:
                self._count(request, number_of(request.remote_addr))
            raise
        if known is None:
            self._count(request, grant.key_id, grant.account_id)
        return grant, revision

    def confirm(self, request: falcon.Request) -> None:
        """Refuse a key that is not good any more, where that was left for later."""
        if request.context.granted is None:
            return
        secret = secret_of(request.env.get("HTTP_AUTHORIZATION"))
        try:
            self._look_up(secret)
        except ApiError:
            self._known.forget(secret)
            raise

    def known_at(self, secret: str, revision: int) -> Grant | None:
        """Return the grant of a key as it was looked up at a revision; ApiError if it has ended."""
        known = self._known.get(secret)
        if known is None or known[0] != revision:
            return None
        known[1].require_standing()
        return known[1]

    def count_again(self, secret: str, grant: Grant, revision: int) -> Verdict | None:
        """Count a request of a key that is unchanged, and note its use; None where there is no limit."""
        verdict = None if self._limits is None else self._limits.hit(grant.key_id, grant.account_id)
        if verdict is None or not verdict.wait_seconds:
            self._note_use(secret, grant, revision)
        return verdict

    def grant_of(self, header: str | None) -> Grant:
        """Return what a key may do now, without a request that could be counted, or refuse it."""
        return self._look_up(secret_of(header))[0]

    def standing(self, reader: Reader, grant: Grant) -> Grant:
        """Return a grant as it is in this transaction; ApiKeyRevoked or ApiKeyExpired if it has ended."""
        return self._rules.require_standing(reader, grant)

    def count(self, request: falcon.Request) -> None:
        """Count a request that was refused before its key was checked, for example without a route."""
        caller = self.caller_of(request.env.get("HTTP_AUTHORIZATION"), lambda: request.remote_addr)
        request.context.limit = self._hit(caller)

    def limit_headers(self, caller: Caller) -> tuple[tuple[str, str], ...]:
        """Count a request for which nothing else is done, and write the headers about the limit."""
        verdict = self._hit(caller)
        return () if verdict is None else verdict.headers

    def _hit(self, caller: Caller) -> Verdict | None:
        return None if self._limits is None else self._limits.hit(caller.name, caller.account_id)

    def caller_of(self, header: str | None, address: Callable[[], str]) -> Caller:
        """Tell whose request this is without asking the book: a known key's, or the address's."""
        try:
            known = self._known.get(secret_of(header))
        except ApiError:
            known = None
        return Caller(number_of(address())) if known is None else Caller(known[1].key_id, known[1].account_id)

    def _count(self, request: falcon.Request, name: int, account_id: int | None = None) -> None:
        if self._limits is None:
            return
        verdict = request.context.limit = self._limits.hit(name, account_id)
        if verdict.wait_seconds:
            raise too_many(verdict)

    def _note_use(self, secret: str, grant: Grant, revision: int | None) -> Grant:
        noted = self._rules.note_use(self._database, grant)
        if noted is not grant:
            self._known.put(secret, (revision, noted))
        return noted

    def _look_up(self, secret: str) -> tuple[Grant, int]:
        grant, revision = self._rules.authenticate(self._database, secret)
        grant = self._rules.note_use(self._database, grant)
        self._known.put(secret, (revision, grant))
        return grant, revision


def too_many(verdict: Verdict) -> RateLimitExceeded:
    """Make the refusal of a request that is not within the limit."""
    seconds = verdict.retry_after_seconds
    message = f"More than {counted(verdict.limit, 'request')} came. Wait {seconds} s."
    return RateLimitExceeded(message, retry_after_seconds=seconds)


def secret_of(header: str | None) -> str:
    """Read the key out of the header: `Bearer KEY`, or Basic with the key as user name and no password."""
    if not header:
        raise InvalidCredentials("This request has no API key. Send the header Authorization: Bearer KEY.")
    scheme, _, credentials = header.partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "bearer":
        return credentials
    if scheme.lower() == "basic":
        try:
            name, colon, password = b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise InvalidCredentials(
                "The Authorization header is no Basic authentication: send Bearer KEY."
            ) from None
        if colon and not password:
            return name
        raise InvalidCredentials(
            "Basic authentication takes the API key as user name, and an empty password."
        )
    raise InvalidCredentials("The Authorization header must read: Bearer KEY.")
