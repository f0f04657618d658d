"""Account groups: what customers are sorted into, by type and by price."""

from typing import Literal, get_args

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.change import Change
from tradebook.crud.fields import LINE, NOTE, Field, bodies
from tradebook.crud.five_routes import ColumnActs, FiveRoutes
from tradebook.crud.fragments import Fragments
from tradebook.crud.parameters import OneOf, Parameter, Q
from tradebook.crud.records import Records
from tradebook.crud.resource import PathObject, Resource
from tradebook.crud.walks import walk_of_index
from tradebook.errors import WrongGroupType
from tradebook.ids import encode_id, milliseconds_of
from tradebook.storage.index import Facet, ListIndex, Source
from tradebook.storage.schema import ACCOUNT, any_of, choice, prepare, table, text, unique

CommissionPolicy = Literal["commission_applied", "commission_exempt"]
FreightPolicy = Literal["free_freight", "billed_freight"]
GroupType = Literal["pricing_group", "type_group"]
COMMISSION_POLICIES: tuple[CommissionPolicy, ...] = get_args(CommissionPolicy)
FREIGHT_POLICIES: tuple[FreightPolicy, ...] = get_args(FreightPolicy)
TYPES: tuple[GroupType, ...] = get_args(GroupType)


class AccountGroup(msgspec.Struct, frozen=True):
    """A group of customers: a customer has one type group and any number of pricing groups."""

    id: str
    object: Literal["account_group"]
    name: str
    description: str | None
    commission_policy: CommissionPolicy
    freight_policy: FreightPolicy
    type: GroupType
    created_at: str
    updated_at: str


account_groups: sa.Table = table(
    "account_groups",
    text("name"),
    text("description", nullable=True),
    choice("commission_policy", CommissionPolicy),
    choice("freight_policy", FreightPolicy),
    choice("type", GroupType),
    unique("account_groups", "name"),
)

account_group_search: sa.Table = table(
    "account_group_search",
    sa.Column("account_group_id", sa.BigInteger, nullable=False),
    text("folded"),
    key=("account_group_id",),
)

ID_PREFIX = "acgr"


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
        encode_id(ID_PREFIX, key),
        "account_group",
        name,
        description,
        COMMISSION_POLICIES[commission],
        FREIGHT_POLICIES[freight],
        TYPES[kind],
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

_g = account_groups.c
TYPE = Facet("t", (_g.type,))
_OWN = (_g.name, _g.description, _g.type)
INDEX = ListIndex(
    table=account_groups,
    folded=account_group_search,
    sources=(
        Source(
            prepare(sa.select(_g.id, *_OWN).where(_g.account_id == ACCOUNT, any_of(_g.id, "ids"))),
            columns=_OWN,
            texts=(_g.name, _g.description),
            facets=(TYPE,),
        ),
    ),
)

records = Records(account_groups, unique=("name",), index=INDEX)
_plain = ColumnActs(records)


def _update(change: Change) -> int:
    before = change.row
    if change.values.get("type", before["type"]) != before["type"]:
        # Its customers would have the group in the wrong place.
        raise WrongGroupType("A group keeps its type: make another group of the type you need.", param="type")
    records.update(change, before, change.values)
    return change.id


CREATE, UPDATE = bodies(
    "AccountGroup",
    AccountGroup,
    (
        Field("name", LINE, "What it is called; no two groups share a name.", is_required=True),
        Field(
            "type", OneOf(GroupType), "Which of the two kinds of group it is; it stays so.", is_required=True
        ),
        Field("description", NOTE, "What the group is for.", can_be_null=True),
        Field(
            "commission_policy",
            OneOf(CommissionPolicy),
            "Whether commission is due on sales to its customers: `commission_applied` unless told.",
            default=COMMISSION_POLICIES.index("commission_applied"),
        ),
        Field(
            "freight_policy",
            OneOf(FreightPolicy),
            "Whether freight is billed to its customers: `billed_freight` unless told.",
            default=FREIGHT_POLICIES.index("billed_freight"),
        ),
    ),
)

resource = Resource(
    name="account_group",
    id_prefix=ID_PREFIX,
    shape=AccountGroup,
    routes=FiveRoutes(
        path="/v1/sales/account-groups",
        noun="account group",
        nouns="account groups",
        permissions="customer_groups",
        item=AccountGroup,
        load=fragments.load_found,
        walk=walk_of_index(INDEX),
        path_object=PathObject("id", ID_PREFIX, records),
        parameters=(Q, Parameter("type", OneOf(GroupType), "Only groups of this kind.", TYPE)),
        create=CREATE,
        update=UPDATE,
        creating=_plain.create,
        changing=_update,
        deleting=_plain.delete,
    ).routes(),
)
