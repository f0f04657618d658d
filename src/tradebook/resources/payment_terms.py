"""Payment terms: when an invoice falls due, such as "Net 30"."""

from typing import Literal

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.fragments import Fragments
from tradebook.crud.resource import Resource
from tradebook.ids import encode_id, milliseconds_of
from tradebook.storage.schema import choice, flag, table, text, unique

STATUSES = ("active", "inactive")
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
    status: Literal["active", "inactive"]
    owner: None
    created_at: str
    updated_at: str


payment_terms: sa.Table = table(
    "payment_terms",
    text("name"),
    choice("status", STATUSES),
    flag("is_system"),
    unique("payment_terms", "name"),
)

resource = Resource(name="payment_term", id_prefix="pytm", shape=PaymentTerm)


def _shape(key: int, name: str, status: int, updated_at: int) -> PaymentTerm:
    return PaymentTerm(
        encode_id(resource.id_prefix, key),
        "payment_term",
        name,
        STATUSES[status],  # type: ignore[arg-type]
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
