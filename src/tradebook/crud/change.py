"""A change under way: its transaction, and what the client asked for."""

from typing import Any

import msgspec

from tradebook.crud.grant import Grant
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
    values: dict[str, Any] = {}
    """The fields of the body, as they are stored."""
    answer_bytes_max: int = NO_LIMIT
    """How large the answer may be."""

    @property
    def id(self) -> int:
        """The key of the object that the path ends in."""
        return self.path_keys[-1]


def require_changeable(row: dict[str, Any], expected: frozenset[str] | None) -> None:
    """Refuse to change what belongs to the system, or is not in the version that the client expects.

    `expected` are versions as `version_of` writes them; None if any version will do.
    """
    if row.get("is_system"):
        raise InsufficientPermissions(
            "This belongs to the system and can't be changed or deleted. Make one of your own."
        )
    if expected is not None and version_of(row["updated_at"]) not in expected:
        raise PreconditionFailed(
            "The object has changed since it was read. Read it again, decide, and send its new ETag."
        )
