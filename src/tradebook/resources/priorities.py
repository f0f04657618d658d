"""Priorities: how urgent a customer's orders are. Constants of the system, the same for every account."""

from typing import Literal, get_args

import msgspec

from tradebook.clock import format_ms
from tradebook.crud.constants import Constants
from tradebook.crud.five_routes import FiveRoutes
from tradebook.crud.resource import PathObject, Resource
from tradebook.crud.shapes import NoObject
from tradebook.ids import encode_id, milliseconds_of
from tradebook.resources.system import system_key

PriorityCode = Literal["low", "normal", "high"]
CODES: tuple[PriorityCode, ...] = get_args(PriorityCode)


class Priority(msgspec.Struct, frozen=True):
    """How urgent orders are."""

    id: str
    object: Literal["priority"]
    code: PriorityCode
    """How a customer names it."""
    name: str
    """What it is called, such as `Normal`."""
    owner: NoObject
    created_at: str
    updated_at: str


ID_PREFIX = "prio"
PATH = "/v1/sales/priorities"


def _priority(place: int, code: PriorityCode) -> Priority:
    key = system_key("priority", place)
    born = format_ms(milliseconds_of(key))
    return Priority(
        encode_id(ID_PREFIX, key),
        "priority",
        code,
        code.capitalize(),
        None,
        born,
        born,
    )


PRIORITIES = tuple(_priority(place, code) for place, code in enumerate(CODES))
"""All priorities, in the order of `CODES`."""

_all = Constants(
    lambda: {system_key("priority", place): priority for place, priority in enumerate(PRIORITIES)},
    "code",
    "name",
)
resource = Resource(
    name="priority",
    id_prefix=ID_PREFIX,
    shape=Priority,
    routes=FiveRoutes(
        path=PATH,
        noun="priority",
        nouns="priorities",
        permissions_of="customers",
        item=Priority,
        load=_all.load,
        walk=_all.walk,
        texts=_all.texts,
        path_object=PathObject("id", ID_PREFIX, example=system_key("priority", 0)),
    ).routes(),
)
