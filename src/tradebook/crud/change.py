"""A change under way: its transaction, and what the client asked for."""

from typing import Any

import msgspec

from tradebook.crud.grant import Grant
from tradebook.crud.uploads import Uploaded
from tradebook.crud.versions import version_of
from tradebook.errors import InsufficientPermissions, PreconditionFailed
from tradebook.storage.database import Writer

NO_LIMIT = 1 << 62


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the book: everything that an action works with."""

    writer: Writer
    grant: Grant
    path_keys: tuple[int, ...] = ()
    """The keys in the path, from left to right."""
    row: dict[str, Any] = {}
    """The row of the object that the path ends in, as it was before the change."""
    outer_row: dict[str, Any] = {}
    """The row of the object that stands before it in the path."""
    values: dict[str, Any] = {}
    """The fields of the body, as they are stored."""
    parameters: dict[str, Any] = {}
    """What the query string says of how it is done, by the parameters that it has."""
    uploaded: Uploaded | None = None
    """The file that came as the body."""
    owner_key: int | None = None
    """The key of the owner that the request names: what is created is its own."""
    answer_bytes_max: int = NO_LIMIT
    """How large the answer may be."""

    @property
    def id(self) -> int:
        """The key of the object that the path ends in."""
        return self.path_keys[-1]


class Told(msgspec.Struct, frozen=True):
    """The object to answer with, and what is told of the change besides: more keys of the answer."""

    key: int
    more: msgspec.Struct


class Conditions(msgspec.Struct, frozen=True):
    """On what a client makes a change depend."""

    expected: frozenset[str] | None = None
    """The versions that it may be made on, as `version_of` writes them; None for any."""
    must_exist: bool = False
    must_be_new: bool = False


UNCONDITIONAL = Conditions()


def require_changeable(row: dict[str, Any], conditions: Conditions) -> None:
    """Refuse to change what belongs to the system, or is not as the client expects."""
    if row.get("is_system"):
        raise InsufficientPermissions(
            "This belongs to the system and can't be changed or deleted. Make one of your own."
        )
    if conditions.must_be_new:
        raise PreconditionFailed(
            "There is such an object already, and If-None-Match: * only creates. Leave the header out to "
            "change it."
        )
    if conditions.expected is not None and version_of(row["updated_at"]) not in conditions.expected:
        raise PreconditionFailed(
            "The object has changed since it was read. Read it again, decide, and send its new ETag."
        )


def require_missing(conditions: Conditions) -> None:
    """Refuse to create what the client expects to be there."""
    if conditions.must_exist:
        raise PreconditionFailed(
            "There is no such object, so it has no version that If-Match could name. Leave the header out to "
            "create it."
        )
