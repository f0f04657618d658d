"""What a change works through: one transaction of one account, and what the client asked for."""

from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.crud.cursor import Cursors
from tradebook.crud.grant import Grant
from tradebook.errors import PreconditionFailed
from tradebook.ids import KeyMaker, milliseconds_of
from tradebook.storage.database import Writer

_keys = KeyMaker()
_NOW = sa.bindparam("now", type_=sa.BigInteger)


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One change under way."""

    writer: Writer
    cursors: Cursors
    grant: Grant
    owners: tuple[int, ...] = ()
    """The keys in the path, from the left to the right."""
    values: dict[str, Any] = {}
    """The fields of the body, as they are kept."""
    if_match: str | None = None

    @property
    def key(self) -> int:
        """The key of the object that the path ends in."""
        return self.owners[-1]

    @staticmethod
    def new_key() -> int:
        """Make the key of a new row: later than every one before."""
        return _keys.next(now_ms())

    def require_match(self, updated_at: int) -> None:
        """Refuse to change an object other than the one that the client has seen: PreconditionFailed."""
        if self.if_match is None or self.if_match.strip() == "*":
            return
        tags = [tag.strip().removeprefix("W/") for tag in self.if_match.split(",")]
        if not any(tag.startswith(f'"{version_of(updated_at)}-') for tag in tags):
            raise PreconditionFailed(
                "The object has changed since it was read. Read it again, decide, and send its new ETag."
            )


def version_of(updated_at: int) -> str:
    """Write an object's version: each change gives it a later `updated_at`, also within one millisecond."""
    return f"{updated_at:x}"


def next_version(before: int) -> int:
    """Return the `updated_at` of a change."""
    return max(now_ms(), before + 1)


def next_version_of(before: sa.Column[int]) -> sa.Case[int]:
    """Have a statement give rows the `updated_at` of a change, each its own; `now` is bound."""
    return sa.case((before >= _NOW, before + 1), else_=_NOW)


def first_version(key: int) -> int:
    """Return the `updated_at` of a new row: the time of its creation."""
    return milliseconds_of(key)
