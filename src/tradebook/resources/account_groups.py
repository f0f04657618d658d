"""Account groups: what customers are sorted into, by type and by price."""

from typing import Literal, get_args

import msgspec
import sqlalchemy as sa

from tradebook.crud.change import Change
from tradebook.crud.fields import Field, bodies
from tradebook.crud.five_routes import ColumnActs, FiveRoutes
from tradebook.crud.fragments import Fragments
from tradebook.crud.kinds import LINE, NOTE, OneOf
from tradebook.crud.parameters import Parameter, Q
from tradebook.crud.records import Records
from tradebook.crud.resource import PathObject, Resource
from tradebook.crud.walks import walk_of_index
from tradebook.errors import ValidationFailed
from tradebook.storage.index import Facet, ListIndex, Source
from tradebook.storage.schema import ACCOUNT, any_of, case_folded, choice, prepare, table, text, unique

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
    """What it is called; no two groups share a name, in capitals or not."""
    description: str | None
    """What the group is for."""
    commission_policy: CommissionPolicy
    """Whether commission is due on sales to its customers."""
    freight_policy: FreightPolicy
    """Whether freight is billed to its customers."""
    type: GroupType
    """Whether it is a type of customers or sets prices."""
    created_at: str
    updated_at: str


account_groups: sa.Table = table(
    "account_groups",
    text("name"),
    text("description", nullable=True),
    choice("commission_policy", CommissionPolicy),
    choice("freight_policy", FreightPolicy),
    choice("type", GroupType),
    case_folded("name"),
    unique("account_groups", "name_folded"),
)

account_group_search: sa.Table = table(
    "account_group_search",
    sa.Column("account_group_id", sa.BigInteger, nullable=False),
    text("folded"),
    key=("account_group_id",),
)

ID_PREFIX = "acgr"
PATH = "/v1/sales/account-groups"

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


fragments = Fragments("account_group", account_groups, shown=AccountGroup, id_prefix=ID_PREFIX)
records = Records(account_groups, unique=("name",), index=INDEX)

FIELDS = (
    Field(
        "name",
        LINE,
        "What it is called; no two groups share a name, in capitals or not.",
        is_required=True,
        example="Cafés",
    ),
    Field(
        "type",
        OneOf(GroupType),
        "Which kind of group it is. It can't be changed later.",
        is_required=True,
        example="type_group",
    ),
    Field(
        "description",
        NOTE,
        "What the group is for.",
        can_be_null=True,
        example="Shops that serve what they buy.",
    ),
    Field(
        "commission_policy",
        OneOf(CommissionPolicy),
        "Whether commission is due on sales to its customers. Default: `commission_exempt`.",
        default=COMMISSION_POLICIES.index("commission_exempt"),
    ),
    Field(
        "freight_policy",
        OneOf(FreightPolicy),
        "Whether freight is billed to its customers. Default: `billed_freight`.",
        default=FREIGHT_POLICIES.index("billed_freight"),
    ),
)
CREATE, UPDATE = bodies("AccountGroup", AccountGroup, FIELDS, shown=("description",))
acts = ColumnActs(records)


def update(change: Change) -> int:
    """Change a group, but for its type."""
    kind = change.row["type"]
    if change.values.get("type", kind) != kind:
        # Otherwise customers would have a pricing group as their type, or the reverse.
        raise ValidationFailed(
            "A group keeps its type: make another group of the type you need.", param="type"
        )
    return acts.update(change)


resource = Resource(
    name="account_group",
    id_prefix=ID_PREFIX,
    shape=AccountGroup,
    routes=FiveRoutes(
        path=PATH,
        noun="account group",
        nouns="account groups",
        permissions_of="customer_groups",
        item=AccountGroup,
        load=fragments.load_found,
        walk=walk_of_index(INDEX),
        path_object=PathObject("id", ID_PREFIX, records),
        parameters=(Q, Parameter("type", OneOf(GroupType), "Only groups of this kind.", TYPE)),
        bodies=(CREATE, UPDATE),
        create=acts.create,
        update=update,
        delete=acts.delete,
    ).routes(),
)
