"""Carriers: who brings the goods, each with its service levels."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Literal, get_args

import msgspec
import sqlalchemy as sa
from msgspec import structs

from tradebook.clock import now_ms
from tradebook.crud.change import Change
from tradebook.crud.fields import Field, bodies
from tradebook.crud.five_routes import ColumnActs, FiveRoutes
from tradebook.crud.fragments import Fragment, Fragments, kept
from tradebook.crud.kinds import LINE, OneOf
from tradebook.crud.listing import ListObject, nested_lists
from tradebook.crud.records import Records
from tradebook.crud.resource import PathObject, Resource, View
from tradebook.crud.shapes import NoObject
from tradebook.crud.walks import NewestOfEach, walk_of_table
from tradebook.crud.words import texts_of_table
from tradebook.errors import ResourceGone, ResourceNotFound
from tradebook.ids import encode_id
from tradebook.resources import service_levels
from tradebook.resources.service_levels import ServiceLevel, Visibility
from tradebook.storage.schema import case_folded, choice, flag, moment, table, text, unique

CarrierCode = Literal["fedex", "ups", "usps", "will_call", "delivery", "ltl", "ltl1", "freight_collect"]
CODES: tuple[CarrierCode, ...] = get_args(CarrierCode)


class Carrier(msgspec.Struct, frozen=True):
    """Who brings the goods."""

    id: str
    object: Literal["carrier"]
    name: str
    """What it is called; no two carriers share a name, in capitals or not."""
    code: CarrierCode | None
    """Which of the known carriers it is."""
    account_number: str | None
    """The account's own number with the carrier."""
    customer_portal_visibility: Visibility
    """Whether customers see it."""
    owner: NoObject
    service_levels: ListObject[ServiceLevel] | None
    """What it offers: at most 100, the others behind `next_page_url`."""
    deleted_at: str | None
    """When it was deleted; customers that have it keep it."""
    created_at: str
    updated_at: str


carriers: sa.Table = table(
    "carriers",
    text("name"),
    choice("code", CarrierCode, nullable=True),
    text("account_number", nullable=True),
    choice("customer_portal_visibility", Visibility),
    flag("is_system"),
    moment("deleted_at"),
    case_folded("name"),
    unique("carriers", "name_folded", where="deleted_at IS NULL"),
)

ID_PREFIX = "cr"
PATH = "/v1/operations/carriers"
SYSTEM: tuple[tuple[str, CarrierCode, tuple[str, ...]], ...] = (
    (
        "FedEx",
        "fedex",
        ("Ground", "2Day", "Express Saver", "Standard Overnight", "Priority Overnight"),
    ),
    (
        "UPS",
        "ups",
        ("Ground", "3 Day Select", "2nd Day Air", "Next Day Air Saver", "Next Day Air"),
    ),
    ("USPS", "usps", ("Ground Advantage", "Priority Mail", "Priority Mail Express")),
    ("Will Call", "will_call", ("Standard",)),
    ("Delivery", "delivery", ("Standard",)),
    ("LTL", "ltl", ("Standard",)),
    ("Freight Collect", "freight_collect", ("Standard",)),
)
"""The system's carriers: name, code, and service levels. The first level is the default."""

fragments = Fragments("carrier", carriers, shown=Carrier, id_prefix=ID_PREFIX)
_LEVELS = NewestOfEach(service_levels.service_levels.c.carrier_id, service_levels.service_levels.c.id)
_WITH_LEVELS = "carrier with service_levels"


def _levels_path(carrier: int) -> str:
    return f"{PATH}/{encode_id(ID_PREFIX, carrier)}/service-levels"


def load_with_levels(view: View, keys: Collection[int | None]) -> dict[int | None, Fragment]:
    """Return the finished JSON of carriers with their service levels."""
    # What is kept serves other pages too, however much room this one has left.
    own = View(view.reader, view.include, view.page_url, view.bytes_max)
    return kept(view.reader, _WITH_LEVELS, keys, lambda missing: _with_levels(own, missing))


def _with_levels(view: View, keys: Iterable[int | None]) -> dict[int, Carrier | None]:
    found = fragments.objects(view.reader, keys)
    listed = _LEVELS.load(view.reader, [key for key in keys if key in found])
    finished = partial(service_levels.fragments.load, view.reader)
    levels_of = nested_lists(view, listed, finished, _levels_path)
    return {
        key: structs.replace(found[key], service_levels=levels_of[key]) if key in levels_of else None
        for key in listed
    }


def load(view: View, keys: Sequence[int]) -> Mapping[int, Carrier | None]:
    """Return finished carriers by key, as far as there is room for their levels."""
    if "service_levels" not in view.include:
        return fragments.load_found(view, keys)
    return _with_levels(view, keys)


records = Records(carriers, unique=("name",), unless=carriers.c.deleted_at.is_not(None))

FIELDS = (
    Field(
        "name",
        LINE,
        "What it is called; no two carriers share a name, in capitals or not.",
        is_required=True,
        example="North Coast Freight",
    ),
    Field("code", OneOf(CarrierCode), "Which of the known carriers it is.", can_be_null=True),
    Field(
        "account_number",
        LINE,
        "The account's own number with the carrier.",
        can_be_null=True,
        example="4471-002",
    ),
    Field(
        "customer_portal_visibility",
        OneOf(Visibility),
        "Whether customers see it. Default: `visible`.",
        default=0,
        example="hidden",
    ),
)
CREATE, UPDATE = bodies("Carrier", Carrier, FIELDS, shown=("account_number",))
acts = ColumnActs(records, is_system=0, deleted_at=None)


def update(change: Change) -> int:
    """Change a carrier that was not deleted."""
    if change.row["deleted_at"] is not None:
        raise ResourceGone("This carrier was deleted; customers that have it keep it.", param="id")
    return acts.update(change)


def delete(change: Change) -> None:
    """Delete a carrier softly: who defaults to it keeps it, and still can be shown with it."""
    if change.row["deleted_at"] is not None:
        raise ResourceNotFound("This carrier was deleted already.", param="id")
    records.update(change.writer, change.row, {"deleted_at": now_ms()})


resource = Resource(
    name="carrier",
    id_prefix=ID_PREFIX,
    shape=Carrier,
    routes=FiveRoutes(
        path=PATH,
        noun="carrier",
        nouns="carriers",
        permissions_of="carriers",
        item=Carrier,
        load=load,
        walk=walk_of_table(carriers.c.id, carriers.c.deleted_at.is_(None)),
        texts=texts_of_table(carriers.c.name, carriers.c.code, carriers.c.account_number),
        path_object=PathObject("id", ID_PREFIX, records),
        includes=("service_levels",),
        bodies=(CREATE, UPDATE),
        create=acts.create,
        update=update,
        delete=delete,
        errors={"PATCH": (ResourceGone,)},
    ).routes(),
)
