"""A change under way: its transaction, and what the client asked for."""

from typing import Any

import msgspec

from tradebook.clock import now_ms
from tradebook.crud.cursor import Cursors
from tradebook.crud.grant import Grant
from tradebook.crud.versions import version_of
from tradebook.errors import PreconditionFailed
from tradebook.ids import KeyMaker
from tradebook.storage.database import Writer

_keys = KeyMaker()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the book: everything that an action works with."""

    writer: Writer
    cursors: Cursors
    grant: Grant
    path_keys: tuple[int, ...] = ()
    """The keys in the path, from left to right."""
    values: dict[str, Any] = {}
    """The fields of the body, as they are stored."""
    if_match: str | None = None

    @property
    def id(self) -> int:
        """The key of the object that the path ends in."""
        return self.path_keys[-1]

    @staticmethod
    def new_key() -> int:
        """Make the key of a new row, larger than every key before it."""
        return _keys.next(now_ms())

    def require_match(self, updated_at: int) -> None:
        """Refuse to change an object that has changed since the client read it: PreconditionFailed."""
        if self.if_match is None or self.if_match.strip() == "*":
            return
        tags = [tag.strip().removeprefix("W/") for tag in self.if_match.split(",")]
        if not any(tag.startswith(f'"{version_of(updated_at)}-') for tag in tags):
            raise PreconditionFailed(
                "The object has changed since it was read. Read it again, decide, and send its new ETag."
            )
