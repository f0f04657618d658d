"""Payment terms: when an invoice falls due, such as "Net 30"."""

from typing import Literal, get_args

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.fields import LINE, Field, bodies
from tradebook.crud.five_routes import ColumnActs, FiveRoutes
from tradebook.crud.fragments import Fragments
from tradebook.crud.parameters import OneOf
from tradebook.crud.records import Records
from tradebook.crud.resource import PathObject, Resource
from tradebook.crud.walks import walk_of_table
from tradebook.ids import encode_id, milliseconds_of
from tradebook.storage.schema import choice, flag, table, text, unique

Status = Literal["active", "inactive"]
STATUSES: tuple[Status, ...] = get_args(Status)
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


class PaymentTerm(msgspec.Struct, frozen=True):
    """When an invoice falls due."""

    id: str
    object: Literal["payment_term"]
    name: str
    status: Status
    owner: None
    created_at: str
    updated_at: str


payment_terms: sa.Table = table(
    "payment_terms",
    text("name"),
    choice("status", Status),
    flag("is_system"),
    unique("payment_terms", "name"),
)

ID_PREFIX = "pytm"


def _shape(key: int, name: str, status: int, updated_at: int) -> PaymentTerm:
    return PaymentTerm(
        encode_id(ID_PREFIX, key),
        "payment_term",
        name,
        STATUSES[status],
        None,
        format_ms(milliseconds_of(key)),
        format_ms(updated_at),
    )


fragments = Fragments(
    "payment_term",
    payment_terms,
    (payment_terms.c.name, payment_terms.c.status, payment_terms.c.updated_at),
    _shape,
)

records = Records(payment_terms, unique=("name",))
_plain = ColumnActs(records, is_system=0)
CREATE, UPDATE = bodies(
    "PaymentTerm",
    PaymentTerm,
    (
        Field("name", LINE, "What it is called; no two terms share a name.", is_required=True),
        Field("status", OneOf(Status), "Whether it is offered: `active` unless told.", default=0),
    ),
)

resource = Resource(
    name="payment_term",
    id_prefix=ID_PREFIX,
    shape=PaymentTerm,
    routes=FiveRoutes(
        path="/v1/finance/payment-terms",
        noun="payment term",
        nouns="payment terms",
        permissions="payment_terms",
        item=PaymentTerm,
        load=fragments.load_found,
        walk=walk_of_table(payment_terms.c.id),
        path_object=PathObject("id", ID_PREFIX, records),
        create=CREATE,
        update=UPDATE,
        creating=_plain.create,
        changing=_plain.update,
        deleting=_plain.delete,
    ).routes(),
)
