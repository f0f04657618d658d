"""Account groups: what customers are sorted into, by type and by price."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.fragments import Fragments
from tradebook.crud.resource import Resource, View
from tradebook.ids import encode_id, milliseconds_of
from tradebook.storage.schema import choice, table, text, unique

COMMISSION_POLICIES = ("commission_applied", "commission_exempt")
FREIGHT_POLICIES = ("free_freight", "billed_freight")
TYPES = ("pricing_group", "type_group")


class AccountGroup(msgspec.Struct, frozen=True):
    """A group of customers: a customer has one type group and any number of pricing groups."""

    id: str
    object: Literal["account_group"]
    name: str
    description: str | None
    commission_policy: Literal["commission_applied", "commission_exempt"]
    freight_policy: Literal["free_freight", "billed_freight"]
    type: Literal["pricing_group", "type_group"]
    created_at: str
    updated_at: str


account_groups: sa.Table = table(
    "account_groups",
    text("name"),
    text("description", nullable=True),
    choice("commission_policy", COMMISSION_POLICIES),
    choice("freight_policy", FREIGHT_POLICIES),
    choice("type", TYPES),
    unique("account_groups", "name"),
)

resource = Resource(name="account_group", id_prefix="acgr", shape=AccountGroup)


def _shape(
    key: int,
    name: str,
    description: str | None,
    commission: int,
    freight: int,
    kind: int,
    updated_at: int,
) -> AccountGroup:
    return AccountGroup(
        encode_id(resource.id_prefix, key),
        "account_group",
        name,
        description,
        COMMISSION_POLICIES[commission],  # type: ignore[arg-type]
        FREIGHT_POLICIES[freight],  # type: ignore[arg-type]
        TYPES[kind],  # type: ignore[arg-type]
        format_ms(milliseconds_of(key)),
        format_ms(updated_at),
    )


fragments = Fragments(
    "account_group",
    account_groups,
    (
        account_groups.c.name,
        account_groups.c.description,
        account_groups.c.commission_policy,
        account_groups.c.freight_policy,
        account_groups.c.type,
        account_groups.c.updated_at,
    ),
    _shape,
)


def load(view: View, keys: Sequence[int]) -> Mapping[int, Any]:
    """Return finished groups by key."""
    known = fragments.load(view.reader, keys)
    return {key: known[key] for key in keys if key in known}
