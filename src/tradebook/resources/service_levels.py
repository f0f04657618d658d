"""Service levels: what a carrier offers, such as "Ground" or "2Day"."""

from collections.abc import Mapping
from typing import Literal

import msgspec
import sqlalchemy as sa

from tradebook.crud.change import Change
from tradebook.crud.fields import Field, bodies
from tradebook.crud.five_routes import ColumnActs
from tradebook.crud.fragments import Fragments
from tradebook.crud.kinds import LINE, Flag, OneOf
from tradebook.crud.records import Records, Values
from tradebook.crud.shapes import NoObject
from tradebook.crud.versions import next_version
from tradebook.errors import InsufficientPermissions, ResourceGone, ValidationFailed
from tradebook.storage.database import Writer
from tradebook.storage.schema import (
    ACCOUNT,
    case_folded,
    choice,
    flag,
    prepare,
    reference,
    table,
    text,
    unique,
)

Visibility = Literal["visible", "hidden"]


class ServiceLevel(msgspec.Struct, frozen=True):
    """One of a carrier's services."""

    id: str
    object: Literal["service_level"]
    name: str
    """What it is called; unique among the carrier's levels, in capitals or not."""
    service_level_token: str
    """What other systems call it."""
    customer_portal_visibility: Visibility
    """Whether customers see it."""
    is_default: bool
    """Whether it is the carrier's default."""
    owner: NoObject
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
    case_folded("name"),
    unique("service_levels", "carrier_id", "name_folded"),
)

ID_PREFIX = "crop"

_l = service_levels.c
fragments = Fragments("service_level", service_levels, shown=ServiceLevel, id_prefix=ID_PREFIX)
records = Records(service_levels, unique=("name",), unique_within="carrier_id")

FIELDS = (
    Field(
        "name",
        LINE,
        "What it is called; unique among the carrier's levels, in capitals or not.",
        is_required=True,
        example="Before Noon",
    ),
    Field(
        "service_level_token",
        LINE,
        "What other systems call it. Default: made from the name.",
        example="before_noon",
    ),
    Field(
        "code",
        LINE,
        "Another name of `service_level_token`, which clients of the published API send.",
        example="before_noon",
    ),
    Field(
        "customer_portal_visibility",
        OneOf(Visibility),
        "Whether customers see it. Default: `visible`.",
        default=0,
        example="hidden",
    ),
    Field(
        "is_default",
        Flag(),
        "Whether it is the carrier's default. A new default replaces the old one.",
        default=0,
    ),
)
CREATE, UPDATE = bodies("ServiceLevel", ServiceLevel, FIELDS, shown=("customer_portal_visibility",))
acts = ColumnActs(records)

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


def token_of(name: str) -> str:
    """Make the token of a level that is given none."""
    return name.lower().replace(" ", "_")


def go_together(carrier: int | None, level: int | None, carrier_of: Mapping[int, int]) -> bool:
    """Tell whether a customer can have both: a level is one of the carrier's, or there is none."""
    return level is None or carrier_of[level] == carrier


def _columns(given: Values) -> Values:
    """Return the columns of what is given: the token may come under either of its names."""
    columns = {name: value for name, value in given.items() if name != "code"}
    code = given.get("code")
    if code is None:
        return columns
    if columns.get("service_level_token") not in {None, code}:
        raise ValidationFailed(
            "code and service_level_token are two names of the same: give one of them.", param="code"
        )
    return {**columns, "service_level_token": code}


def add(writer: Writer, carrier: int, given: Values) -> int:
    """Add a level to a carrier."""
    columns = _columns(given)
    token = columns["service_level_token"] or token_of(given["name"])
    return records.add(
        writer, {**columns, "service_level_token": token, "carrier_id": carrier, "is_system": 0}
    )


def _require_standing(carrier: Values) -> None:
    if carrier["deleted_at"] is not None:
        raise ResourceGone(
            "This carrier was deleted: its levels stay as they are, and it gets no new ones.",
            param="carrier_id",
        )


def create(change: Change) -> int:
    """Add a level to the carrier of the path."""
    _require_standing(change.row)
    carrier = change.id
    key = add(change.writer, carrier, change.values)
    _be_the_only_default(change, carrier, key)
    return key


def update(change: Change) -> int:
    """Change a level of a carrier that was not deleted."""
    _require_standing(change.outer_row)
    records.update(change.writer, change.row, _columns(change.values))
    _be_the_only_default(change, change.row["carrier_id"], change.id)
    return change.id


def delete(change: Change) -> None:
    """Delete a level of a carrier that was not deleted."""
    _require_standing(change.outer_row)
    records.delete(change.writer, change.row)


def _be_the_only_default(change: Change, carrier: int, key: int) -> None:
    """Take the default away from the level that had it: a carrier has one."""
    if not change.values.get("is_default"):
        return
    for found in change.writer.rows(_DEFAULTS, carrier=carrier, but=key):
        other: Values = dict(zip(records.columns, found, strict=True))
        if other["is_system"]:
            raise InsufficientPermissions(
                "The carrier's default belongs to the system and stays.", param="is_default"
            )
        change.writer.run(_NO_DEFAULT, key=other["id"], now=next_version(other["updated_at"]))
