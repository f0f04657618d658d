"""Service levels: what a carrier offers, such as "Ground" or "2Day"."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.fragments import Fragments
from tradebook.crud.resource import Resource, View
from tradebook.ids import encode_id, milliseconds_of
from tradebook.storage.schema import choice, flag, reference, table, text, unique

VISIBILITIES = ("visible", "hidden")


class ServiceLevel(msgspec.Struct, frozen=True):
    """One of a carrier's services."""

    id: str
    object: Literal["service_level"]
    name: str
    service_level_token: str
    customer_portal_visibility: Literal["visible", "hidden"]
    is_default: bool
    owner: None
    created_at: str
    updated_at: str


service_levels: sa.Table = table(
    "service_levels",
    reference("carrier_id", "carriers"),
    text("name"),
    text("service_level_token"),
    choice("customer_portal_visibility", VISIBILITIES),
    flag("is_default"),
    flag("is_system"),
    unique("service_levels", "carrier_id", "name"),
)

resource = Resource(name="service_level", id_prefix="crop", shape=ServiceLevel)


def _shape(
    key: int, name: str, token: str, visibility: int, is_default: int, updated_at: int
) -> ServiceLevel:
    return ServiceLevel(
        encode_id(resource.id_prefix, key),
        "service_level",
        name,
        token,
        VISIBILITIES[visibility],  # type: ignore[arg-type]
        bool(is_default),
        None,
        format_ms(milliseconds_of(key)),
        format_ms(updated_at),
    )


fragments = Fragments(
    "service_level",
    service_levels,
    (
        service_levels.c.name,
        service_levels.c.service_level_token,
        service_levels.c.customer_portal_visibility,
        service_levels.c.is_default,
        service_levels.c.updated_at,
    ),
    _shape,
)


def load(view: View, keys: Sequence[int]) -> Mapping[int, Any]:
    """Return finished service levels by key."""
    known = fragments.load(view.reader, keys)
    return {key: known[key] for key in keys if key in known}
