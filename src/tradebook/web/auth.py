"""Who is asking: from the Authorization header to a grant."""

from collections.abc import Callable

import falcon

from tradebook.crud.grant import Grant
from tradebook.errors import InvalidApiKey, MissingApiKey
from tradebook.storage.database import Database

GRANTS_MAX = 10_000
Authenticate = Callable[[Database, str], Grant]


class Authenticator:
    """Looks up keys, and remembers each for as long as its account doesn't change.

    Every write changes the account's revision, a revocation too: it holds on the next request.
    """

    def __init__(self, database: Database, authenticate: Authenticate) -> None:
        self._database = database
        self._authenticate = authenticate
        self._known: dict[str, tuple[int | None, Grant]] = {}

    def grant(self, request: falcon.Request) -> tuple[Grant, int | None]:
        """Return what the request's key opens and the account's revision, or refuse the key."""
        header = request.env.get("HTTP_AUTHORIZATION")
        if not header:
            raise MissingApiKey("This request has no API key. Send the header Authorization: Bearer KEY.")
        known = self._known.get(header)
        if known is not None:
            revision = self._database.revision(known[1].account_id)
            if revision == known[0]:
                known[1].require_unexpired()
                return known[1], revision
        return self._look_up(header)

    def _look_up(self, header: str) -> tuple[Grant, int | None]:
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer":
            raise InvalidApiKey("The Authorization header must read: Bearer KEY.")
        # The revision first: a key revoked in between is looked up again by the next request.
        grant = self._authenticate(self._database, secret.strip())
        revision = self._database.revision(grant.account_id)
        grant = self._authenticate(self._database, secret.strip())
        if len(self._known) >= GRANTS_MAX:
            self._known.clear()
        self._known[header] = (revision, grant)
        return grant, revision
