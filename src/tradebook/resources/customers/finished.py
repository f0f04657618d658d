"""The JSON of a customer as far as it is a matter of its own row, kept beside the row."""

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.ids import KEY_MAX, SEQUENCE_BITS, encode_body, encode_id
from tradebook.money import DEFAULT_CURRENCY, display_amount, display_version
from tradebook.resources.account_groups import COMMISSION_POLICIES
from tradebook.resources.customers.shape import (
    EDI_STATUSES,
    ID_PREFIX,
    STATUSES,
    Customer,
    CustomerContactInfo,
)
from tradebook.resources.customers.tables import customers, finished_customers
from tradebook.resources.quantities import PREFIX as QUANTITY_PREFIX
from tradebook.resources.quantities import Quantity
from tradebook.storage.database import Row
from tradebook.storage.finished import FinishedRows

_c = customers.c
COLUMNS: tuple[sa.Column[Any], ...] = (
    _c.id,
    _c.name,
    _c.number,
    _c.status,
    _c.edi_status,
    _c.parent_id,
    _c.is_parent,
    _c.commission_policy,
    _c.note,
    _c.updated_at,
)
_OWN = len(COLUMNS)
_PARTS_OF = (_c.credit_limit, _c.credit_limit_currency, _c.email, _c.phone, _c.url)
OTHERS = Customer.__struct_fields__[9:20]
NOTHING_ELSE = "".join(f',"{name}":null' for name in OTHERS)
"""What stands between the two parts of a customer of whom nothing is included."""


# Without stored JSON most requests spend their time here: so a row is one expression, without calls.
def plain(rows: Iterable[tuple[Any, ...]]) -> dict[int, Customer]:
    """Turn rows of `COLUMNS` into customers without sub-objects."""
    return {
        key: Customer(
            f"{ID_PREFIX}_{encode_body(key)}",
            "customer",
            name,
            number,
            STATUSES[status],
            EDI_STATUSES[edi],
            "parent" if is_parent else "standalone" if parent_id is None else "child",
            COMMISSION_POLICIES[commission],
            note,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            format_ms(key >> SEQUENCE_BITS),
            format_ms(updated_at),
        )
        for key, name, number, status, edi, parent_id, is_parent, commission, note, updated_at in rows
    }


def _parts(rows: Iterable[Row]) -> dict[int, tuple[str, ...]]:
    """Write the JSON of rows: up to `note`, credit limit, contact info, and from `created_at` on."""
    made: dict[int, tuple[str, ...]] = {}
    for row in rows:
        key, limit, currency, *contact = row[0], *row[_OWN:]
        # Inside a text, quotes have a backslash: so what separates the parts occurs nowhere else.
        head, ending = _encode(plain([row[:_OWN]])[key]).split(NOTHING_ELSE)
        info = CustomerContactInfo("customer_contact_info", *contact)
        made[key] = (head, _credit_limit(key, limit, currency), _encode(info), ending)
    return made


def _credit_limit(key: int, value: str | None, currency: str | None) -> str:
    if value is None:
        return "null"
    shown = display_amount(value, currency or DEFAULT_CURRENCY)
    return _encode(Quantity(encode_id(QUANTITY_PREFIX, key), "quantity", value, shown, None))


def _encode(shown: msgspec.Struct) -> str:
    return msgspec.json.encode(shown).decode()


_TEXTS = (None, 'ü"\\\n\x7f</', "A\tB")
_SAMPLES = [
    (
        *(KEY_MAX - n, "Ä", "17", n % len(STATUSES), n % 2, None if n % 3 else 1, n % 2, n // 2 % 2),
        *(_TEXTS[n % 3], n, None, None, *[_TEXTS[n // 2 % 3]] * 3),
    )
    for n in range(12)
]
# Without an amount among the samples: those who never see one need not load all currencies.
_AMOUNTS = (*Quantity.__struct_fields__, display_version())
FINISHED = FinishedRows(finished_customers, (*COLUMNS, *_PARTS_OF), _parts, _SAMPLES, _AMOUNTS)
