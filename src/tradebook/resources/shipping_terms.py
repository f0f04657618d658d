"""Shipping terms: who pays the freight, such as "Free Freight"."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal, get_args

import msgspec
import sqlalchemy as sa

from tradebook.crud.change import Change
from tradebook.crud.fields import Field, bodies
from tradebook.crud.five_routes import ColumnActs, FiveRoutes
from tradebook.crud.fragments import Fragments
from tradebook.crud.kinds import LINE, Id, Many, OneOf
from tradebook.crud.listing import ListObject, nested_lists
from tradebook.crud.records import Records, Values
from tradebook.crud.resource import ListRoute, PathObject, Resource, View
from tradebook.crud.shapes import NoObject
from tradebook.crud.walks import NewestOfEach, walk_of_owned, walk_of_table
from tradebook.crud.words import texts_of_table
from tradebook.ids import encode_id
from tradebook.resources import service_levels
from tradebook.resources.quantities import AMOUNT, Quantity, columns_of, quantity
from tradebook.resources.service_levels import ServiceLevel
from tradebook.storage.database import Writer
from tradebook.storage.schema import (
    ACCOUNT,
    any_of,
    case_folded,
    choice,
    flag,
    prepare,
    reference,
    table,
    text,
    unique,
)

TermType = Literal["free_freight", "flat_rate_freight", "carrier_rate_freight"]
TYPES: tuple[TermType, ...] = get_args(TermType)


class ShippingTerm(msgspec.Struct, frozen=True):
    """Who pays the freight."""

    id: str
    object: Literal["shipping_term"]
    name: str
    """What it is called; no two terms share a name, in capitals or not."""
    type: TermType
    """Who pays the freight, and how it is calculated."""
    owner: NoObject
    flat_rate: Quantity | None
    """What freight costs at a flat rate."""
    minimum_order_value: Quantity | None
    """The smallest order value for which the term holds."""
    free_shipping_service_levels: ListObject[ServiceLevel] | None
    """The service levels that are free: at most 100, the others behind `next_page_url`."""
    created_at: str
    updated_at: str


shipping_terms: sa.Table = table(
    "shipping_terms",
    text("name"),
    choice("type", TermType),
    text("flat_rate", nullable=True),
    text("flat_rate_currency", nullable=True),
    text("minimum_order_value", nullable=True),
    text("minimum_order_value_currency", nullable=True),
    flag("is_system"),
    case_folded("name"),
    unique("shipping_terms", "name_folded"),
)

free_shipping_service_levels: sa.Table = table(
    "free_shipping_service_levels",
    reference("shipping_term_id", "shipping_terms"),
    reference("service_level_id", "service_levels"),
    key=("shipping_term_id", "service_level_id"),
)

ID_PREFIX = "shtm"
PATH = "/v1/operations/shipping-terms"
SYSTEM_NAMES = ("Free Freight", "Flat Rate Freight", "Carrier Rate Freight")

fragments = Fragments("shipping_term", shipping_terms, shown=ShippingTerm, id_prefix=ID_PREFIX)
_s, _free = shipping_terms.c, free_shipping_service_levels.c
_AMOUNTS = (
    _s.flat_rate,
    _s.flat_rate_currency,
    _s.minimum_order_value,
    _s.minimum_order_value_currency,
)
_WHOLE = prepare(
    sa.select(*fragments.shape.columns, *_AMOUNTS).where(_s.account_id == ACCOUNT, any_of(_s.id, "ids"))
)
_LEVELS = NewestOfEach(_free.shipping_term_id, _free.service_level_id)


def _levels_path(key: int) -> str:
    return f"{PATH}/{encode_id(ID_PREFIX, key)}/free_shipping_service_levels"


def load(view: View, keys: Sequence[int]) -> Mapping[int, ShippingTerm | None]:
    """Return terms with everything that is null inside a customer, as far as there is room for it."""
    finished = partial(service_levels.fragments.load, view.reader)
    levels_of = nested_lists(view, _LEVELS.load(view.reader, keys), finished, _levels_path)
    whole: dict[int, ShippingTerm | None] = {}
    for row in view.reader.rows(_WHOLE, ids=list(keys)):
        key, *_, rate, rate_currency, least, least_currency = row
        if key not in levels_of:
            whole[key] = None
            continue
        whole[key] = msgspec.structs.replace(
            fragments.shape.make(row),
            flat_rate=quantity(key, rate, rate_currency),
            # A quantity has no row: its id is made of the key of what it belongs to. The second one takes the
            # next number, so that the two differ. Nothing is looked up by it.
            minimum_order_value=quantity(key + 1, least, least_currency),
            free_shipping_service_levels=levels_of[key],
        )
    return whole


records = Records(shipping_terms, unique=("name",), owned=(_free.shipping_term_id,))

FIELDS = (
    Field(
        "name",
        LINE,
        "What it is called; no two terms share a name, in capitals or not.",
        is_required=True,
        example="Free Over 500",
    ),
    Field(
        "type",
        OneOf(TermType),
        "Who pays the freight, and how it is calculated. Default: `carrier_rate_freight`.",
        default=TYPES.index("carrier_rate_freight"),
    ),
    Field("flat_rate", AMOUNT, "What freight costs at a flat rate.", can_be_null=True),
    Field(
        "minimum_order_value", AMOUNT, "The smallest order value for which the term holds.", can_be_null=True
    ),
    Field(
        "free_shipping_service_level_ids",
        Many(Id(service_levels.ID_PREFIX)),
        "The service levels that are free. The list replaces all of them.",
    ),
)
CREATE, UPDATE = bodies("ShippingTerm", ShippingTerm, FIELDS, shown=("minimum_order_value",))
acts = ColumnActs(records)

_DROP_LEVELS = prepare(
    sa.delete(free_shipping_service_levels).where(
        _free.account_id == ACCOUNT, _free.shipping_term_id == sa.bindparam("key")
    )
)
_ADD_LEVEL = prepare(sa.insert(free_shipping_service_levels))


def _columns(given: Values, before: Values) -> Values:
    columns = {name: value for name, value in given.items() if name in {"name", "type"}}
    for name in ("flat_rate", "minimum_order_value"):
        if name in given:
            columns.update(columns_of(name, given[name], before))
    return columns


def _set_levels(writer: Writer, key: int, given: Values) -> None:
    param = "free_shipping_service_level_ids"
    levels = given.get(param)
    if levels is not None:
        service_levels.records.require(writer, levels, param)
        writer.run(_DROP_LEVELS, key=key)
        writer.insert(_ADD_LEVEL, [{"shipping_term_id": key, "service_level_id": level} for level in levels])


def add(writer: Writer, given: Values) -> int:
    """Add a shipping term of the account's own."""
    key = records.add(writer, {**_columns(given, {}), "is_system": 0})
    _set_levels(writer, key, given)
    return key


def create(change: Change) -> int:
    """Add a term with its free service levels."""
    return add(change.writer, change.values)


def update(change: Change) -> int:
    """Change what is given of a term."""
    records.update(change.writer, change.row, _columns(change.values, change.row))
    _set_levels(change.writer, change.id, change.values)
    return change.id


_PATH_OBJECT = PathObject("id", ID_PREFIX, records)

resource = Resource(
    name="shipping_term",
    id_prefix=ID_PREFIX,
    shape=ShippingTerm,
    routes=(
        *FiveRoutes(
            path=PATH,
            noun="shipping term",
            nouns="shipping terms",
            permissions_of="shipping_terms",
            item=ShippingTerm,
            load=load,
            walk=walk_of_table(_s.id),
            texts=texts_of_table(_s.name),
            path_object=_PATH_OBJECT,
            # They are always there: an answer without them would take something from those who don't ask.
            includes=(
                "flat_rate",
                "flat_rate.unit",
                "minimum_order_value",
                "minimum_order_value.unit",
                "free_shipping_service_levels",
            ),
            bodies=(CREATE, UPDATE),
            create=create,
            update=update,
            delete=acts.delete,
        ).routes(),
        ListRoute(
            path=f"{PATH}/{{id}}/free_shipping_service_levels",
            summary="List the service levels that are free under a shipping term",
            permissions=("shipping_terms:read",),
            item=ServiceLevel,
            walk=walk_of_owned(_free.shipping_term_id, _free.service_level_id),
            load=service_levels.fragments.load_found,
            path_objects=(_PATH_OBJECT,),
        ),
    ),
)
