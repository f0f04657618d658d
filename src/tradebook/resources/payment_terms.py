"""Payment terms: when an invoice falls due, such as "Net 30"."""

from typing import Literal

import msgspec
import sqlalchemy as sa

from tradebook.crud.fields import Field, bodies
from tradebook.crud.five_routes import ColumnActs, FiveRoutes
from tradebook.crud.fragments import Fragments
from tradebook.crud.kinds import LINE, OneOf
from tradebook.crud.records import Records
from tradebook.crud.resource import PathObject, Resource
from tradebook.crud.shapes import NoObject
from tradebook.crud.walks import walk_of_table
from tradebook.crud.words import texts_of_table
from tradebook.storage.schema import case_folded, choice, flag, table, text, unique

Status = Literal["active", "inactive"]


class PaymentTerm(msgspec.Struct, frozen=True):
    """When an invoice falls due."""

    id: str
    object: Literal["payment_term"]
    name: str
    """What it is called; no two terms share a name, in capitals or not."""
    status: Status
    """Whether the term is offered."""
    owner: NoObject
    created_at: str
    updated_at: str


payment_terms: sa.Table = table(
    "payment_terms",
    text("name"),
    choice("status", Status),
    flag("is_system"),
    case_folded("name"),
    unique("payment_terms", "name_folded"),
)

ID_PREFIX = "pytm"
PATH = "/v1/finance/payment-terms"
SYSTEM_NAMES = (
    "Due on Receipt",
    "Prepaid",
    "Net 15",
    "Net 30",
    "Net 45",
    "Net 60",
    "Net 90",
    "Cash on Delivery",
)

fragments = Fragments("payment_term", payment_terms, shown=PaymentTerm, id_prefix=ID_PREFIX)
records = Records(payment_terms, unique=("name",))

FIELDS = (
    Field(
        "name",
        LINE,
        "What it is called; no two terms share a name, in capitals or not.",
        is_required=True,
        example="Net 10",
    ),
    Field(
        "status",
        OneOf(Status),
        "Whether the term is offered. Default: `active`.",
        default=0,
        example="inactive",
    ),
)
CREATE, UPDATE = bodies("PaymentTerm", PaymentTerm, FIELDS, shown=("status",))
acts = ColumnActs(records, is_system=0)

resource = Resource(
    name="payment_term",
    id_prefix=ID_PREFIX,
    shape=PaymentTerm,
    routes=FiveRoutes(
        path=PATH,
        noun="payment term",
        nouns="payment terms",
        permissions_of="payment_terms",
        item=PaymentTerm,
        load=fragments.load_found,
        walk=walk_of_table(payment_terms.c.id),
        texts=texts_of_table(payment_terms.c.name),
        path_object=PathObject("id", ID_PREFIX, records),
        bodies=(CREATE, UPDATE),
        create=acts.create,
        update=acts.update,
        delete=acts.delete,
    ).routes(),
)
