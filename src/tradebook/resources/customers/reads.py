"""The statements that read customers for pages: their finished JSON, and what they refer to."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.crud.resource import Span
from tradebook.crud.walks import in_span, select_span
from tradebook.resources import addresses
from tradebook.resources.customers.finished import COLUMNS, FINISHED, NOTHING_ELSE, plain
from tradebook.resources.customers.tables import customers, finished_customers
from tradebook.storage.database import Finished, Reader, Row, Writer
from tradebook.storage.schema import ACCOUNT, TEXT, Prepared, any_of, prepare, utf8

Wanted = Sequence[int] | Span
"""Which customers: some keys, or a part of the list."""

_c, _s = customers.c, finished_customers.c
_OWN = (_s.head, _s.credit_limit, _s.contact_info, _s.ending)
_ADDRESSES = (_c.bill_to_address_id, _c.ship_to_address_id)
REFERRED = (
    _c.parent_id,
    _c.is_parent,
    _c.credit_limit_currency,
    _c.freight_policy,
    _c.carrier_id,
    _c.service_level_id,
    _c.carrier_billing_type,
    _c.carrier_billing_account,
    _c.payment_term_id,
    _c.shipping_term_id,
    _c.priority,
    _c.sales_rep_id,
    _c.accepts_invoice_emails,
    _c.type_id,
)
SAME = b""
"""The JSON of a ship-to address that is the bill-to address: only one of them is read."""

PLACES = {column.name: 1 + len(_OWN) + len(_ADDRESSES) + place for place, column in enumerate(REFERRED)}
"""Where in a row of `read_whole` each column is that refers to something."""


class _Reads(msgspec.Struct, frozen=True):
    """The statements that read customers by their keys, or those of a span, the newest first or last."""

    by_key: Prepared
    falling: Prepared
    rising: Prepared

    def of(self, wanted: Wanted) -> tuple[Prepared, dict[str, Any]]:
        """Return the one that reads what is wanted, and its values."""
        if isinstance(wanted, Span):
            return self.falling if wanted.descending else self.rising, wanted.bounds
        return self.by_key, {"ids": wanted}


def _reads(
    key: sa.Column[int], *columns: sa.ColumnElement[Any], beside: sa.Column[int] | None = None
) -> _Reads:
    """Write the statements that read rows by a key, and with each the row of another table with that key."""
    by_key = sa.select(key, *columns).where(key.table.c.account_id == ACCOUNT, any_of(key, "ids"))
    spans = [select_span(key, key, *columns, descending=descending) for descending in (True, False)]
    if beside is not None:
        same = (beside.table.c.account_id == ACCOUNT, beside == key)
        by_key = by_key.where(*same)
        # Of both tables: a server that merges them would read the other one from its beginning.
        spans = [each.where(*same, *in_span(beside)) for each in spans]
    return _Reads(*map(prepare, (by_key, *spans)))


_PLAIN = _reads(_s.customer_id, utf8(_s.head + sa.literal(NOTHING_ELSE, TEXT) + _s.ending))
# Where no JSON is kept.
_PLAIN_ROWS = _reads(_c.id, *COLUMNS[1:])
_WHOLE_ROWS = _reads(_c.id, *FINISHED.columns[1:], *_ADDRESSES, *REFERRED)


@cache
def _whole(*forms: bool | None) -> _Reads:
    """Make the statements for a form of each address: with its place, without, or none."""
    own = map(utf8, _OWN)
    return _reads(_c.id, *own, *_address_columns(forms), *REFERRED, beside=_s.customer_id)


def _address_columns(forms: Sequence[bool | None]) -> tuple[Any, Any]:
    billed, shipped = (
        sa.null() if form is None else addresses.json_of(column, with_place=form)
        for form, column in zip(forms, _ADDRESSES, strict=True)
    )
    if forms[0] == forms[1] is not None:
        same = _c.ship_to_address_id == _c.bill_to_address_id
        shipped = sa.case((same, sa.literal(SAME.decode(), TEXT)), else_=shipped)
    return utf8(billed), utf8(shipped)


def by_key(include: frozenset[str]) -> Prepared:
    """Return the statement that the functions below read customers by their keys with."""
    return (_whole(*_forms(include)) if include else _PLAIN).by_key


def read_plain(reader: Reader, wanted: Wanted) -> Sequence[Row]:
    """Read the key and the JSON of customers of whom nothing is included."""
    statement, values = _PLAIN.of(wanted)
    rows = FINISHED.read(reader, statement, **values)
    if rows is not None:
        return rows
    statement, values = _PLAIN_ROWS.of(wanted)
    made = plain(reader.rows(statement, **values))
    return [(key, msgspec.json.encode(customer)) for key, customer in made.items()]


def tell_plain(writer: Writer, made: Iterable[Finished]) -> None:
    """Say what `read_plain` reads of a customer whose JSON was made and written just now."""
    for key, (head, *_, ending) in made:
        writer.tell(_PLAIN.by_key, [(key, f"{head}{NOTHING_ELSE}{ending}".encode())], ids=[key])


def read_whole(reader: Reader, wanted: Wanted, include: frozenset[str]) -> Sequence[Row]:
    """Read the key of customers, the parts of their JSON, that of their addresses, and what they refer to."""
    forms = _forms(include)
    statement, values = _whole(*forms).of(wanted)
    rows = FINISHED.read(reader, statement, **values)
    if rows is not None and (forms == [None, None] or reader.is_whole(addresses.FINISHED.name)):
        return rows
    statement, values = _WHOLE_ROWS.of(wanted)
    return _with_parts(reader, reader.rows(statement, **values), forms)


def _forms(include: frozenset[str]) -> list[bool | None]:
    return [_form(name, include) for name in ("bill_to_address", "ship_to_address")]


def _form(name: str, include: frozenset[str]) -> bool | None:
    return f"{name}.geolocation" in include if name in include else None


def _with_parts(reader: Reader, rows: Sequence[Row], forms: Sequence[bool | None]) -> list[Row]:
    """Give rows the JSON that is not kept of them."""
    count = len(FINISHED.columns)
    made = FINISHED.make([row[:count] for row in rows])
    found: list[dict[int | None, msgspec.Raw]] = []
    for at, form in enumerate(forms, count):
        keys = set() if form is None else {row[at] for row in rows} - {None}
        found.append(addresses.load(reader, keys, geolocation=bool(form)))
    return [
        (
            row[0],
            *(part.encode() for part in made[row[0]]),
            *(of_kind.get(key) for of_kind, key in zip(found, row[count:], strict=False)),
            *row[count + len(_ADDRESSES) :],
        )
        for row in rows
    ]
