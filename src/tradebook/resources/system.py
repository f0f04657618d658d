"""What the system gives every account: rows with constant keys.

They are written into each account when it is created, with the same keys everywhere. So lists, filters
and foreign keys treat them like all other rows (docs/decisions/0003).
"""

from tradebook.ids import encode_id, first_key_of

_BORN_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z: when the first set of system rows was defined."""

_BLOCK = 1_000
_KINDS = (
    "priority",
    "carrier",
    "service_level",
    "payment_term",
    "shipping_term",
    "unit",
    "account_status",
)


def system_key(kind: str, place: int) -> int:
    """Return the key of a system row. Its place never changes: append new rows, never reorder."""
    assert 0 <= place < _BLOCK
    return first_key_of(_BORN_MS) + _KINDS.index(kind) * _BLOCK + place


def system_id(prefix: str, kind: str) -> str:
    """Return the id of the first system row of a kind."""
    return encode_id(prefix, system_key(kind, 0))
