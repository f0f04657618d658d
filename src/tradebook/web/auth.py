"""Authentication: from the Authorization header to a grant."""

import binascii
from base64 import b64decode
from collections.abc import Callable

import falcon

from tradebook.crud.grant import Grant
from tradebook.errors import ApiError, InvalidApiKey, MissingApiKey, RateLimitExceeded
from tradebook.storage.database import Database
from tradebook.web.limits import Limiter, number_of

GRANTS_MAX = 10_000
Authenticate = Callable[[Database, str, int | None], tuple[Grant, int]]
NoteUse = Callable[[Database, Grant], Grant]


class Authenticator:
    """Looks up keys, and remembers each until its account changes.

    Every write changes the account's revision, even a revocation. So the next request sees it.
    """

    def __init__(
        self, database: Database, authenticate: Authenticate, note_use: NoteUse, limiter: Limiter | None
    ) -> None:
        self._database = database
        self._limiter = limiter
        self._authenticate = authenticate
        self._note_use = note_use
        self._known: dict[str, tuple[int | None, Grant]] = {}

    def grant(self, request: falcon.Request) -> tuple[Grant, int | None]:
        """Return the grant of the request's key and the account's revision, or refuse the key.

        A key that is known is counted before any question to the database, so that a refusal costs next to
        nothing. A change comes here twice, before its body and with it: the second time it has its grant.
        """
        context = request.context
        if context.granted is None:
            context.granted = self._granted(request)
        return context.granted  # type: ignore[no-any-return]

    def _granted(self, request: falcon.Request) -> tuple[Grant, int | None]:
        header = request.env.get("HTTP_AUTHORIZATION")
        known = None if header is None else self._known.get(header)
        revision = None
        if header is not None and known is not None:
            self._count(request, known[1].key_id)
            revision = self._database.revision(known[1].account_id)
            if revision == known[0]:
                known[1].require_unexpired()
                grant = self._note_use(self._database, known[1])
                if grant is not known[1]:
                    self._known[header] = (revision, grant)
                return grant, revision
        try:
            if not header:
                raise MissingApiKey("This request has no API key. Send the header Authorization: Bearer KEY.")
            grant, revision = self._look_up(header, revision)
        except ApiError:
            if known is None:
                self._count(request, number_of(request.remote_addr))
            raise
        if known is None:
            self._count(request, grant.key_id)
        return grant, revision

    def count(self, request: falcon.Request) -> None:
        """Count a request that was refused before its key was checked, for example without a route."""
        header = request.env.get("HTTP_AUTHORIZATION")
        known = None if header is None else self._known.get(header)
        if self._limiter is not None:
            name = number_of(request.remote_addr) if known is None else known[1].key_id
            request.context.limit = self._limiter.hit(name)

    def account_of(self, header: str | None, client: str) -> int:
        """Tell whose request this is without asking the book: the account of a known key, or the address."""
        known = None if header is None else self._known.get(header)
        return number_of(client.rpartition(":")[0]) if known is None else known[1].account_id

    def _count(self, request: falcon.Request, name: int) -> None:
        if self._limiter is None:
            return
        verdict = request.context.limit = self._limiter.hit(name)
        if verdict.retry_after_seconds:
            raise RateLimitExceeded(
                f"More than {verdict.limit} requests have come. Wait {verdict.retry_after_seconds} s.",
                retry_after_seconds=verdict.retry_after_seconds,
            )

    def _look_up(self, header: str, revision: int | None) -> tuple[Grant, int]:
        grant, revision = self._authenticate(self._database, _secret_in(header), revision)
        grant = self._note_use(self._database, grant)
        if len(self._known) >= GRANTS_MAX:
            self._known.clear()
        self._known[header] = (revision, grant)
        return grant, revision


def _secret_in(header: str) -> str:
    """Read the key out of the header: `Bearer KEY`, or Basic with the key as user name and no password."""
    scheme, _, credentials = header.partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "bearer":
        return credentials
    if scheme.lower() == "basic":
        try:
            name, colon, password = b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise InvalidApiKey(
                "The Authorization header is no Basic authentication: send Bearer KEY."
            ) from None
        if colon and not password:
            return name
        raise InvalidApiKey("Basic authentication takes the API key as user name, and an empty password.")
    raise InvalidApiKey("The Authorization header must read: Bearer KEY.")
