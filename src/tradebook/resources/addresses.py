"""Addresses: where customers are billed and shipped to; one may serve several customers."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, get_args

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.kinds import EMAIL, LINE, Kind, OneOf, Unreadable
from tradebook.crud.records import Records, Values, differ
from tradebook.crud.table_fields import columns_of, own
from tradebook.crud.text_values import check_text
from tradebook.ids import KEY_MAX, SEQUENCE_BITS, encode_body
from tradebook.resources.countries import countries_near, country_code
from tradebook.storage.database import ROWS_AT_ONCE, Reader, Row, Writer
from tradebook.storage.finished import FinishedRows
from tradebook.storage.index import Facet, ListIndex, Source
from tradebook.storage.schema import ACCOUNT, TEXT, any_of, flag, prepare, reference, table, text, utf8

AddressType = Literal["standard", "drop_ship"]
TYPES: tuple[AddressType, ...] = get_args(AddressType)


class Geolocation(msgspec.Struct, frozen=True):
    """Where an address is. Its id is made of the same key as the address's."""

    id: str
    """The id, such as `geo_2t17adc000000`."""
    object: Literal["geolocation"]
    street_line_1: str | None
    """Street and number, such as `12 Pier Road`."""
    street_line_2: str | None
    """A second line, such as `Suite 4`."""
    locality: str | None
    """The city, such as `Portland`."""
    state: str | None
    """The state as it is written on a letter, such as `ME`."""
    postal_code: str | None
    """The postal code, such as `04101`."""
    country: str
    """Two letters, such as `US`."""


class Address(msgspec.Struct, frozen=True):
    """A postal address."""

    id: str
    object: Literal["address"]
    name: str
    """The company or person at this address."""
    phone: str | None
    """The phone number, as it was given."""
    email: str | None
    """The email address."""
    type: AddressType
    """What kind of place it is."""
    geolocation: Geolocation | None
    """Where it is."""
    created_at: str
    updated_at: str


_WRITE = "write a two-letter code such as FR, or an English name"


class Country(Kind, frozen=True):
    """A country's two letters."""

    def read(self, text: str) -> str:
        """Read the ISO 3166 code of a country that exists, in capitals or not."""
        code = country_code(text) if len(text) == len("US") else None
        if code is None:
            raise Unreadable("takes the two letters of a country, such as US")
        return code

    def read_cell(self, value: Any) -> str:
        """Read a country's code or its name."""
        code = country_code(check_text(value))
        if code is None:
            near = countries_near(value)
            hint = f"did you mean {' or '.join(near)}?" if near else _WRITE
            raise Unreadable(f"is no country: {hint}")
        return code

    def column(self, name: str, *, nullable: bool) -> sa.Column[Any]:
        """Keep the two letters."""
        return text(name, nullable=nullable)

    def cell_form(self) -> str:
        """Name the spellings."""
        return "a two- or three-letter code, or an English name"

    def example(self) -> str:
        """Give one."""
        return "US"

    def schema(self) -> dict[str, Any]:
        """Describe the two letters."""
        return {"type": "string", "minLength": 2, "maxLength": 2}


SHOWN = ("name", "street_line_1", "locality", "state", "postal_code", "country")
"""What an example of an address says."""

FIELDS = (
    own("name", LINE, "The company or person at this address.", is_required=True, example="Harbor Coffee"),
    own("street_line_1", LINE, "Street and number.", example="12 Pier Road"),
    own("street_line_2", LINE, "A second line, such as a suite or a floor.", example="Suite 4"),
    own("locality", LINE, "The city.", example="Portland"),
    own("state", LINE, "The state, as it is written on a letter.", example="ME"),
    own("postal_code", LINE, "The postal code.", example="04101"),
    own("country", Country(), "Two letters, such as US.", is_required=True),
    own("phone", LINE, "A phone number.", example="+1 207 555 0142"),
    own("email", EMAIL, "An email address."),
    own("type", OneOf(AddressType), "What kind of place it is.", default="standard"),
)
"""What the book keeps of an address: see `crud.table_fields`."""

addresses: sa.Table = table(
    "addresses",
    *columns_of(FIELDS),
    # Stored, so that a list need not look for customers. It is written when their links change.
    flag("is_unused"),
)

address_search: sa.Table = table(
    "address_search",
    sa.Column("address_id", sa.BigInteger, nullable=False),
    text("folded"),
    key=("address_id",),
)

finished_addresses: sa.Table = table(
    "finished_addresses",
    reference("address_id", "addresses"),
    # The JSON of an address in three parts; the middle one is its geolocation, which is not always shown.
    text("head"),
    text("place"),
    text("ending"),
    key=("address_id",),
)

_a = addresses.c
TYPE = Facet("t", (_a.type,))
UNUSED = Facet("n", (_a.is_unused,))
_TEXTS = (
    _a.name,
    _a.email,
    _a.street_line_1,
    _a.street_line_2,
    _a.locality,
    _a.state,
    _a.postal_code,
    _a.country,
)
_INDEXED = (*_TEXTS, _a.phone, _a.type, _a.is_unused)
ID_PREFIX, GEOLOCATION_PREFIX = "ad", "geo"

_ALWAYS = (_a.id, _a.name, _a.phone, _a.email, _a.type, _a.updated_at)
_PLACE = (_a.street_line_1, _a.street_line_2, _a.locality, _a.state, _a.postal_code, _a.country)
_NO_PLACE = '"geolocation":null'


def _made(rows: Iterable[Row]) -> dict[int, tuple[Address, Geolocation]]:
    return {
        key: (
            Address(
                f"{ID_PREFIX}_{(body := encode_body(key))}",
                "address",
                name,
                phone,
                email,
                TYPES[kind],
                None,
                format_ms(key >> SEQUENCE_BITS),
                format_ms(updated_at),
            ),
            Geolocation(f"{GEOLOCATION_PREFIX}_{body}", "geolocation", *place),
        )
        for key, name, phone, email, kind, updated_at, *place in rows
    }


def _parts(rows: Iterable[Row]) -> dict[int, tuple[str, ...]]:
    """Write the JSON of rows up to their geolocation, that, and the rest."""
    # Inside a text, quotes have a backslash: so the name of the geolocation occurs nowhere else.
    found: dict[int, tuple[str, ...]] = {}
    for key, (address, place) in _made(rows).items():
        head, ending = msgspec.json.encode(address).decode().split(_NO_PLACE)
        found[key] = (f'{head}"geolocation":', msgspec.json.encode(place).decode(), ending)
    return found


_SAMPLES = [
    (
        KEY_MAX - n,
        text_of,
        text_of,
        None if n % 2 else "a@b.example",
        n % len(TYPES),
        n,
        *[None if n % 3 else text_of] * 5,
        "DE",
    )
    for n, text_of in enumerate(['ü"\\\n\x7f</', "x"] * 3)
]
FINISHED = FinishedRows(finished_addresses, (*_ALWAYS, *_PLACE), _parts, _SAMPLES)
_s = finished_addresses.c
_FINISHED = {
    geolocation: prepare(
        sa.select(_s.address_id, utf8(_s.head + place + _s.ending)).where(
            _s.account_id == ACCOUNT, any_of(_s.address_id, "ids")
        )
    )
    for geolocation, place in ((False, sa.literal("null", TEXT)), (True, _s.place))
}
_BY_KEY = prepare(sa.select(*_ALWAYS, *_PLACE).where(_a.account_id == ACCOUNT, any_of(_a.id, "ids")))

INDEX = ListIndex(
    table=addresses,
    folded=address_search,
    finished=FINISHED,
    sources=(
        Source(
            prepare(sa.select(_a.id, *_INDEXED).where(_a.account_id == ACCOUNT, any_of(_a.id, "ids"))),
            columns=_INDEXED,
            texts=_TEXTS,
            codes=(_a.postal_code,),
            phones=(_a.phone,),
            facets=(TYPE, UNUSED),
        ),
    ),
)


def json_of(key: sa.ColumnElement[Any], *, with_place: bool) -> sa.ColumnElement[str]:
    """Find the JSON that is kept of the address that a column of another table names."""
    place = _s.place if with_place else sa.literal("null", TEXT)
    kept = sa.select(_s.head + place + _s.ending)
    return kept.where(_s.account_id == ACCOUNT, _s.address_id == key).scalar_subquery()


def load(reader: Reader, keys: Iterable[int], *, geolocation: bool) -> dict[int | None, msgspec.Raw]:
    """Return the JSON of addresses by key in one statement, with or without their geolocation."""
    wanted = list(keys)
    rows = FINISHED.read(reader, _FINISHED[geolocation], ids=wanted) if wanted else []
    if rows is not None:
        return {key: msgspec.Raw(text) for key, text in rows}
    parts = _parts(reader.rows(_BY_KEY, ids=wanted))
    return {
        key: msgspec.Raw(f"{head}{place if geolocation else 'null'}{ending}")
        for key, (head, place, ending) in parts.items()
    }


records = Records(addresses, index=INDEX, finished=FINISHED)
_OWN = tuple(column.name for column in columns_of(FIELDS))
_MARK = prepare(
    sa.update(addresses)
    .where(_a.account_id == ACCOUNT, any_of(_a.id, "ids"))
    .values(is_unused=sa.bindparam("is_unused"))
)
_DROPS = [
    prepare(sa.delete(key.table).where(key.table.c.account_id == ACCOUNT, any_of(key, "ids")))
    for key in (_s.address_id, _a.id)
]


def agree(one: Values, other: Values) -> bool:
    """Tell whether two addresses agree in every field, so that two of one customer are one."""
    return not differ(one, other, _OWN)


def new_row(values: Values, *, is_unused: bool = False) -> Values:
    """Make a row of the fields of an address, which serves somebody as a rule."""
    return records.new_row({**values, "is_unused": int(is_unused)})


def mark(writer: Writer, keys: Sequence[int], *, is_unused: bool) -> None:
    """Note of addresses whether they serve nobody; nothing of that is shown, so their versions stay."""
    if keys:
        writer.run(_MARK, ids=list(keys), is_unused=int(is_unused))
        writer.reindex(INDEX, keys)


def drop(writer: Writer, keys: Sequence[int]) -> None:
    """Delete addresses that serve nobody, any number at once."""
    for start in range(0, len(keys), ROWS_AT_ONCE):
        some = keys[start : start + ROWS_AT_ONCE]
        for statement in _DROPS:
            writer.run(statement, ids=some)
        writer.reindex(INDEX, some)


def new_rows(listed: Iterable[Values]) -> list[Values]:
    """Make rows of the addresses that one customer brings along, of those that agree a single one."""
    distinct: list[Values] = []
    for values in listed:
        if not any(agree(values, known) for known in distinct):
            distinct.append(values)
    return [new_row(values) for values in distinct]
