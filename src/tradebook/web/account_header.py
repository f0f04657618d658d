"""The header that names an account: the key's own, which changes nothing, or one that a route is about."""

from collections.abc import Sequence
from typing import Any

import falcon
import msgspec

from tradebook.crud.resource import Owner, PathKey, Route
from tradebook.errors import ApiError, ParameterInvalid
from tradebook.ids import read_id
from tradebook.storage.database import Reader
from tradebook.web.service import ACCOUNT_PREFIX

NAMES = ("Augno-Account", "OpenMRP-Account")
"""What the vendor's libraries call it: the earlier and the later ones. They mean the same."""

_VARIABLES = tuple("HTTP_" + name.upper().replace("-", "_") for name in NAMES)
_FIRST, _LATER = _VARIABLES


class Named(msgspec.Struct, frozen=True):
    """An owner that a request names, and the header that names it."""

    header: str
    key: int
    owner: Owner

    def require(self, reader: Reader, route: Route, names: Sequence[PathKey]) -> None:
        """Refuse an owner that is not there, and an object of the path that is not the owner's."""
        if self.owner.path_object.find(reader, self.key) is None:
            missing = self.owner.path_object.missing(reader, self.key)
            raise _refusal(self.header, f"names an account that is not there. {missing}")
        if names and not self.owner.has(reader, self.key, names[0]):
            raise route.path_objects[0].missing(reader, names[0])


def named_owner(request: falcon.Request, owner: Owner | None, account_id: int) -> Named | None:
    """Read the header; None if there is none, or it names the key's own account.

    Another one is refused but for an `owner`, which is what a route may be about.
    """
    env = request.env
    if _FIRST not in env and _LATER not in env:
        return None
    sent = {name: env[variable] for name, variable in zip(NAMES, _VARIABLES, strict=True) if variable in env}
    header, text = sent.popitem()
    if any(other != text for other in sent.values()):
        raise _refusal(header, f"names another account than {NAMES[0]}. Send one of the two.")
    key = read_id(ACCOUNT_PREFIX, text)
    if key is None:
        raise _refusal(header, f"takes an id that begins with {ACCOUNT_PREFIX}_, as this API returns it.")
    if key == account_id:
        return None
    if owner is None:
        raise _refusal(header, "takes the id of the key's own account on this route. Or leave it out.")
    return Named(header, key, owner)


def sent_headers(request: falcon.Request) -> list[tuple[str, Any]]:
    """List what a request has of it: with another account, it is another request."""
    return [(name, request.env[name]) for name in _VARIABLES if name in request.env]


def _refusal(header: str, what: str) -> ApiError:
    return ParameterInvalid(f"The header {header} {what}", param=header)
