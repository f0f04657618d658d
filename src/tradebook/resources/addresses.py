"""Addresses: where customers are billed and shipped to; one may serve several customers."""

from collections.abc import Iterable
from typing import Literal

import msgspec
import sqlalchemy as sa
from msgspec import structs

from tradebook.clock import format_ms
from tradebook.crud.resource import Resource
from tradebook.ids import SEQUENCE_BITS, encode_body
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, any_of, choice, prepare, table, text

TYPES: tuple[Literal["standard", "drop_ship"], ...] = ("standard", "drop_ship")
ID_PREFIX, GEOLOCATION_PREFIX = "ad", "geo"


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

resource = Resource(name="address", id_prefix=ID_PREFIX, shape=Address)

_a = addresses.c
_ALWAYS = (_a.id, _a.name, _a.phone, _a.email, _a.type, _a.updated_at)
_PLACE = (_a.street_line_1, _a.street_line_2, _a.locality, _a.state, _a.postal_code, _a.country)
_BY_KEY = {
    geolocation: prepare(sa.select(*columns).where(_a.account_id == ACCOUNT, any_of(_a.id, "ids")))
    for geolocation, columns in ((False, _ALWAYS), (True, (*_ALWAYS, *_PLACE)))
}


def load(reader: Reader, keys: Iterable[int], *, geolocation: bool) -> dict[int | None, Address]:
    """Return addresses by key in one statement, with or without what they say about their place."""
    return {
        key: Address(
            f"{ID_PREFIX}_{(body := encode_body(key))}",
            "address",
            name,
            phone,
            email,
            TYPES[kind],
            Geolocation(f"{GEOLOCATION_PREFIX}_{body}", "geolocation", *place) if place else None,
            format_ms(key >> SEQUENCE_BITS),
            format_ms(updated_at),
        )
        for key, name, phone, email, kind, updated_at, *place in reader.rows(
            _BY_KEY[geolocation], ids=list(keys)
        )
    }


def without_place(loaded: dict[int | None, Address]) -> dict[int | None, Address]:
    """Return the same addresses as they are shown where no geolocation was asked for."""
    return {key: structs.replace(address, geolocation=None) for key, address in loaded.items()}
