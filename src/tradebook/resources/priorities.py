"""Priorities: how urgent a customer's orders are. Constants of the system, the same for every account."""

from typing import Literal

import msgspec

from tradebook.clock import format_ms
from tradebook.ids import encode_id, milliseconds_of
from tradebook.resources.system import system_key

CODES: tuple[Literal["low", "normal", "high"], ...] = ("low", "normal", "high")


class Priority(msgspec.Struct, frozen=True):
    """How urgent orders are."""

    id: str
    object: Literal["priority"]
    code: Literal["low", "normal", "high"]
    name: str
    owner: None
    created_at: str
    updated_at: str


def _priority(place: int, code: Literal["low", "normal", "high"]) -> Priority:
    key = system_key("priority", place)
    born = format_ms(milliseconds_of(key))
    return Priority(
        encode_id("prio", key),
        "priority",
        code,
        code.capitalize(),
        None,
        born,
        born,
    )


PRIORITIES = tuple(_priority(place, code) for place, code in enumerate(CODES))
"""All priorities, at their place in `CODES`."""
