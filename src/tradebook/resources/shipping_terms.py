"""Shipping terms: who pays the freight, such as "Free Freight"."""

from typing import Literal

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.fragments import Fragments
from tradebook.crud.resource import Resource
from tradebook.ids import encode_id, milliseconds_of
from tradebook.storage.schema import choice, flag, reference, table, text, unique

TYPES = ("free_freight", "flat_rate_freight", "carrier_rate_freight")
SYSTEM_NAMES = ("Free Freight", "Flat Rate Freight", "Carrier Rate Freight")


class ShippingTerm(msgspec.Struct, frozen=True):
    """Who pays the freight."""

    id: str
    object: Literal["shipping_term"]
    name: str
    type: Literal["free_freight", "flat_rate_freight", "carrier_rate_freight"]
    owner: None
    flat_rate: None
    minimum_order_value: None
    free_shipping_service_levels: None
    created_at: str
    updated_at: str


shipping_terms: sa.Table = table(
    "shipping_terms",
    text("name"),
    choice("type", TYPES),
    text("flat_rate", nullable=True),
    text("flat_rate_currency", nullable=True),
    text("minimum_order_value", nullable=True),
    text("minimum_order_value_currency", nullable=True),
    flag("is_system"),
    unique("shipping_terms", "name"),
)

free_shipping_service_levels: sa.Table = table(
    "free_shipping_service_levels",
    reference("shipping_term_id", "shipping_terms"),
    reference("service_level_id", "service_levels"),
    key=("shipping_term_id", "service_level_id"),
)

resource = Resource(name="shipping_term", id_prefix="shtm", shape=ShippingTerm)


def _shape(key: int, name: str, kind: int, updated_at: int) -> ShippingTerm:
    return ShippingTerm(
        encode_id(resource.id_prefix, key),
        "shipping_term",
        name,
        TYPES[kind],  # type: ignore[arg-type]
        None,
        None,
        None,
        None,
        format_ms(milliseconds_of(key)),
        format_ms(updated_at),
    )


fragments = Fragments(
    "shipping_term",
    shipping_terms,
    (shipping_terms.c.name, shipping_terms.c.type, shipping_terms.c.updated_at),
    _shape,
)
