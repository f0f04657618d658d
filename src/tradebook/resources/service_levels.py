"""Service levels: what a carrier offers, such as "Ground" or "2Day"."""

from typing import Literal, get_args

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.change import Change
from tradebook.crud.fields import LINE, Field, Flag, bodies
from tradebook.crud.five_routes import ColumnActs, FiveRoutes
from tradebook.crud.fragments import Fragments
from tradebook.crud.parameters import OneOf
from tradebook.crud.records import Records, Values
from tradebook.crud.resource import PathObject, Route
from tradebook.crud.versions import next_version
from tradebook.crud.walks import walk_of_owned
from tradebook.errors import AlreadyDeleted, SystemOwned
from tradebook.ids import encode_id, milliseconds_of
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, choice, flag, prepare, reference, table, text, unique

Visibility = Literal["visible", "hidden"]
VISIBILITIES: tuple[Visibility, ...] = get_args(Visibility)


class ServiceLevel(msgspec.Struct, frozen=True):
    """One of a carrier's services."""

    id: str
    object: Literal["service_level"]
    name: str
    service_level_token: str
    customer_portal_visibility: Visibility
    is_default: bool
    owner: None
    created_at: str
    updated_at: str


service_levels: sa.Table = table(
    "service_levels",
    reference("carrier_id", "carriers"),
    text("name"),
    text("service_level_token"),
    choice("customer_portal_visibility", Visibility),
    flag("is_default"),
    flag("is_system"),
    unique("service_levels", "carrier_id", "name"),
)

ID_PREFIX = "crop"


def _shape(
    key: int, name: str, token: str, visibility: int, is_default: int, updated_at: int
) -> ServiceLevel:
    return ServiceLevel(
        encode_id(ID_PREFIX, key),
        "service_level",
        name,
        token,
        VISIBILITIES[visibility],
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

_l = service_levels.c
records = Records(service_levels, unique=("name",), unique_within="carrier_id")
_DEFAULTS = prepare(
    sa.select(*(_l[name] for name in records.columns)).where(
        _l.account_id == ACCOUNT,
        _l.carrier_id == sa.bindparam("carrier"),
        _l.is_default == 1,
        _l.id != sa.bindparam("but"),
    )
)
_NO_DEFAULT = prepare(
    sa.update(service_levels)
    .where(_l.account_id == ACCOUNT, _l.id == sa.bindparam("key"))
    .values(is_default=0, updated_at=sa.bindparam("now"))
)
CREATE, UPDATE = bodies(
    "ServiceLevel",
    ServiceLevel,
    (
        Field("name", LINE, "What it is called; unique among the carrier's levels.", is_required=True),
        Field("service_level_token", LINE, "What other systems know it by; made of the name unless told."),
        Field(
            "customer_portal_visibility",
            OneOf(Visibility),
            "Whether customers see it: `visible` unless told.",
            default=0,
        ),
        Field("is_default", Flag(), "Makes it the carrier's default, in place of another one.", default=0),
    ),
)


def is_of_carrier(reader: Reader, carrier: int, level: int) -> bool:
    """Tell whether a level belongs to a carrier."""
    found = records.find(reader, level)
    return found is not None and found["carrier_id"] == carrier


def _create(change: Change) -> int:
    carrier, given = change.id, dict(change.values)
    if change.row["deleted_at"] is not None:
        raise AlreadyDeleted("This carrier was deleted and gets no new levels.", param="carrier_id")
    given["service_level_token"] = given["service_level_token"] or given["name"].lower().replace(" ", "_")
    key = records.add(change, {**given, "carrier_id": carrier, "is_system": 0})
    _be_the_only_default(change, carrier, key)
    return key


def _update(change: Change) -> int:
    records.update(change, change.row, change.values)
    _be_the_only_default(change, change.row["carrier_id"], change.id)
    return change.id


def _be_the_only_default(change: Change, carrier: int, key: int) -> None:
    """Take the default from the level that had it: a carrier has one."""
    if not change.values.get("is_default"):
        return
    for found in change.writer.rows(_DEFAULTS, carrier=carrier, but=key):
        other: Values = dict(zip(records.columns, found, strict=True))
        if other["is_system"]:
            raise SystemOwned("The carrier's default belongs to the system and stays.", param="is_default")
        change.writer.run(_NO_DEFAULT, key=other["id"], now=next_version(other["updated_at"]))


def routes(path: str, carrier: PathObject) -> tuple[Route, ...]:
    """Make the routes, inside a carrier's."""
    return FiveRoutes(
        path=path,
        noun="service level of a carrier",
        nouns="a carrier's service levels",
        permissions="carriers",
        item=ServiceLevel,
        load=fragments.load_found,
        walk=walk_of_owned(_l.carrier_id, _l.id),
        path_object=PathObject("id", ID_PREFIX, records, inside="carrier_id"),
        path_objects=(carrier,),
        create=CREATE,
        update=UPDATE,
        creating=_create,
        changing=_update,
        deleting=ColumnActs(records).delete,
    ).routes()
