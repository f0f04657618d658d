"""The versions of an object: its `updated_at`, later with every change, also within one millisecond."""

import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.ids import milliseconds_of

_NOW = sa.bindparam("now", type_=sa.BigInteger)


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
