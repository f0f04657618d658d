"""Addresses: where customers are billed and shipped to; one may serve several customers."""

from collections.abc import Iterable
from typing import Literal

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.resource import Resource
from tradebook.ids import encode_id, milliseconds_of
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, any_of, choice, prepare, table, text

TYPES = ("standard", "drop_ship")
GEOLOCATION_PREFIX = "geo"


class Geolocation(msgspec.Struct, frozen=True):
    """What an address says about its place; it shares the address's key."""

    id: str
    object: Literal["geolocation"]
    street_line_1: str | None
    street_line_2: str | None
    locality: str | None
    state: str | None
    postal_code: str | None
    country: str


class Address(msgspec.Struct, frozen=True):
    """Where somebody is found."""

    id: str
    object: Literal["address"]
    name: str
    phone: str | None
    email: str | None
    type: Literal["standard", "drop_ship"]
    geolocation: Geolocation | None
    created_at: str
    updated_at: str


addresses: sa.Table = table(
    "addresses",
    text("name"),
    text("phone", nullable=True),
    text("email", nullable=True),
    choice("type", TYPES),
    text("street_line_1", nullable=True),
    text("street_line_2", nullable=True),
    text("locality", nullable=True),
    text("state", nullable=True),
    text("postal_code", nullable=True),
    text("country"),
)

resource = Resource(name="address", id_prefix="ad", shape=Address)

_BY_KEY = prepare(
    sa.select(
        addresses.c.id,
        addresses.c.name,
        addresses.c.phone,
        addresses.c.email,
        addresses.c.type,
        addresses.c.updated_at,
        addresses.c.street_line_1,
        addresses.c.street_line_2,
        addresses.c.locality,
        addresses.c.state,
        addresses.c.postal_code,
        addresses.c.country,
    ).where(addresses.c.account_id == ACCOUNT, any_of(addresses.c.id, "ids"))
)


def rows_by_key(reader: Reader, keys: Iterable[int]) -> dict[int, tuple[object, ...]]:
    """Read addresses in one statement; `shape` turns a row into an Address."""
    return {row[0]: row for row in reader.rows(_BY_KEY, ids=list(keys))}


def shape(row: tuple, *, geolocation: bool) -> Address:  # type: ignore[type-arg]
    """Turn a row of `rows_by_key` into an address, with or without its place."""
    key = row[0]
    place = Geolocation(encode_id(GEOLOCATION_PREFIX, key), "geolocation", *row[6:]) if geolocation else None
    return Address(
        encode_id(resource.id_prefix, key),
        "address",
        row[1],
        row[2],
        row[3],
        TYPES[row[4]],  # type: ignore[arg-type]
        place,
        format_ms(milliseconds_of(key)),
        format_ms(row[5]),
    )
