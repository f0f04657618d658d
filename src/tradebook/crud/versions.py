"""The version of an object is its `updated_at`: every change makes it later, even within one millisecond."""

import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.ids import milliseconds_of

_NOW = sa.bindparam("now", type_=sa.BigInteger)


def version_of(updated_at: int) -> str:
    """Write an object's version as it stands in its ETag."""
    return f"{updated_at:x}"


def next_version(before: int) -> int:
    """Return the `updated_at` of a row that is changed now."""
    return max(now_ms(), before + 1)


def next_version_of(before: sa.Column[int]) -> sa.Case[int]:
    """Make the expression for `next_version` in a statement that changes many rows; `now` is bound."""
    return sa.case((before >= _NOW, before + 1), else_=_NOW)


def first_version(key: int) -> int:
    """Return the `updated_at` of a new row: the time of its creation."""
    return milliseconds_of(key)
