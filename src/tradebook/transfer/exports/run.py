r"""Export: every customer of an account as a file that import takes, oldest first, from one snapshot.

Importing it into an empty account makes the same book, and into the same account changes nothing. Names in
`price_groups` are sorted; in CSV they are joined by `;`, and a `;` or `\` inside a name has a `\` before it.
A ship-to address that is the bill-to address is left empty.

What these columns can't say is counted in the summary's notes where it concerns customers: further addresses
attached to them, a bill-to without a ship-to address, deleted carriers, reps without e-mail and name. It also
knows nothing of ids, of addresses that several customers share (each gets its own), and of what a group,
term, carrier, level or rep is beyond its name (and a rep's e-mail).
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, Literal

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.ids import milliseconds_of
from tradebook.money import DEFAULT_CURRENCY
from tradebook.resources.account_groups import COMMISSION_POLICIES, FREIGHT_POLICIES
from tradebook.resources.addresses import TYPES as ADDRESS_TYPES
from tradebook.resources.addresses import addresses
from tradebook.resources.customers import (
    BILLING_TYPES,
    EDI_STATUSES,
    STATUSES,
    customer_addresses,
    customer_price_groups,
    customers,
)
from tradebook.resources.priorities import CODES as PRIORITIES
from tradebook.storage.database import ROWS_AT_ONCE, Database, Reader
from tradebook.storage.schema import ACCOUNT, any_of, prepare
from tradebook.transfer.cells import ADDRESS_FIELDS, join_groups
from tradebook.transfer.columns import COLUMNS
from tradebook.transfer.exports.names import Names
from tradebook.transfer.files.formulas import escape

Format = Literal["csv", "ndjson"]
Cells = list[Any]

_c, _links, _groups = customers.c, customer_addresses.c, customer_price_groups.c
_OWN = (
    _c.id,
    _c.number,
    _c.name,
    _c.status,
    _c.edi_status,
    _c.commission_policy,
    _c.freight_policy,
    _c.note,
    _c.email,
    _c.phone,
    _c.url,
    _c.credit_limit,
    _c.credit_limit_currency,
    _c.type_id,
    _c.carrier_id,
    _c.service_level_id,
    _c.carrier_billing_type,
    _c.carrier_billing_account,
    _c.payment_term_id,
    _c.shipping_term_id,
    _c.priority,
    _c.sales_rep_id,
    _c.accepts_invoice_emails,
    _c.bill_to_address_id,
    _c.ship_to_address_id,
)
_parent = customers.alias("parent")
_COUNT = prepare(sa.select(sa.func.count()).select_from(customers).where(_c.account_id == ACCOUNT))
_PAGE = prepare(
    sa.select(*_OWN, _parent.c.number)
    .join_from(
        customers,
        _parent,
        sa.and_(_parent.c.account_id == ACCOUNT, _parent.c.id == _c.parent_id),
        isouter=True,
    )
    .where(_c.account_id == ACCOUNT, _c.id > sa.bindparam("after"))
    .order_by(_c.id)
    .limit(ROWS_AT_ONCE)
)
_ADDRESSES = prepare(
    sa.select(addresses.c.id, *(addresses.c[name] for name in ADDRESS_FIELDS)).where(
        addresses.c.account_id == ACCOUNT, any_of(addresses.c.id, "ids")
    )
)
_GROUPS_OF = prepare(
    sa.select(_groups.customer_id, _groups.group_id).where(
        _groups.account_id == ACCOUNT, any_of(_groups.customer_id, "ids")
    )
)
_LINKS_OF = prepare(
    sa.select(_links.customer_id, _links.address_id).where(
        _links.account_id == ACCOUNT, any_of(_links.customer_id, "ids")
    )
)
_NO_ADDRESS = (None,) * len(ADDRESS_FIELDS)
_ADDRESS_TYPE = ADDRESS_FIELDS.index("type")

_Line = msgspec.defstruct(
    "_Line",
    [(column.replace(".", "_"), Any) for column in COLUMNS],
    rename={column.replace(".", "_"): column for column in COLUMNS},
    gc=False,
)


class Incomplete(Exception):
    """The file does not hold every customer: a fault of ours, or a damaged book."""


class ExportSummary(msgspec.Struct, kw_only=True):
    """What an export wrote, and what its columns could not say."""

    customers: int = 0
    notes: list[str] = []

    def __str__(self) -> str:
        """Write the summary as lines for a person."""
        return "\n".join([f"{self.customers:,} customers written.", *self.notes])


def export_customers(
    database: Database,
    account_id: int,
    *,
    format: Format,  # noqa: A002 - the option's name
    file: BinaryIO,
    progress: Callable[[int], None] | None = None,
) -> ExportSummary:
    """Write all customers; Incomplete, or the file's own OSError, where that can't be done.

    `progress` is told now and then how many customers were written.
    """
    encode = _csv_lines if format == "csv" else _ndjson_lines
    with database.read(account_id) as reader:
        export = _Export(reader)
        if format == "csv":
            _write(file, _csv_text([COLUMNS]))
        for page in export.pages():
            _write(file, encode(page))
            if progress is not None:
                progress(export.written)
        expected = reader.rows(_COUNT)[0][0]
        if export.written != expected:
            raise Incomplete(f"{export.written:,} customers were written, the account has {expected:,}.")
        return ExportSummary(customers=export.written, notes=export.notes())


def _write(file: BinaryIO, block: bytes) -> None:
    """Write all of it: a file without a buffer may take less than it is given."""
    view = memoryview(block)
    while view:
        taken = file.write(view)
        if not taken:
            raise OSError(f"{len(view):,} bytes could not be written.")
        view = view[taken:]


class _Export:
    """One walk over an account, from the oldest customer to the newest."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._names = Names(reader)
        self._lost: Counter[str] = Counter()
        self.written = 0

    def pages(self) -> Iterator[list[Cells]]:
        """Yield the cells of a thousand customers at a time, in the order of the columns."""
        after = -1
        while rows := self._reader.rows(_PAGE, after=after):
            page = _Page(self._reader, [row[0] for row in rows], rows)
            yield [self._cells(page, *row) for row in rows]
            self.written += len(rows)
            after = rows[-1][0]

    def _cells(
        self,
        page: "_Page",
        key: int,
        number: str,
        name: str,
        status: int,
        edi_status: int,
        commission_policy: int,
        freight_policy: int,
        note: str | None,
        email: str | None,
        phone: str | None,
        url: str | None,
        credit_limit: str | None,
        currency: str | None,
        type_id: int | None,
        carrier_id: int | None,
        level_id: int | None,
        billing_type: int | None,
        billing_account: str | None,
        payment_term_id: int | None,
        shipping_term_id: int | None,
        priority: int | None,
        rep_id: int | None,
        accepts_invoice_emails: int,
        bill_id: int | None,
        ship_id: int | None,
        parent_number: str | None,
    ) -> Cells:
        names = self._names
        self._note_losses(page, key, bill_id, ship_id, carrier_id, rep_id)
        return [
            number,
            name,
            STATUSES[status],
            EDI_STATUSES[edi_status],
            COMMISSION_POLICIES[commission_policy],
            FREIGHT_POLICIES[freight_policy],
            note,
            email,
            phone,
            url,
            credit_limit,
            None if credit_limit is None else currency or DEFAULT_CURRENCY,
            names.groups[type_id],
            page.price_groups(key, names),
            parent_number,
            names.carriers[carrier_id],
            names.levels[level_id],
            None if billing_type is None else BILLING_TYPES[billing_type],
            billing_account,
            names.payment_terms[payment_term_id],
            names.shipping_terms[shipping_term_id],
            None if priority is None else PRIORITIES[priority],
            *names.reps[rep_id],
            bool(accepts_invoice_emails),
            format_ms(milliseconds_of(key)),
            *page.addresses[bill_id],
            *(_NO_ADDRESS if ship_id == bill_id else page.addresses[ship_id]),
        ]

    def _note_losses(
        self,
        page: "_Page",
        key: int,
        bill: int | None,
        ship: int | None,
        carrier: int | None,
        rep: int | None,
    ) -> None:
        further = page.link_counts.get(key, 0) - len({bill, ship} - {None})
        if further > 0:
            self._lost["addresses"] += further
        if ship is None and bill is not None:
            self._lost["ship_to"] += 1
        if carrier in self._names.deleted_carriers:
            self._lost["carriers"] += 1
        if rep in self._names.nameless_reps:
            self._lost["reps"] += 1

    def notes(self) -> list[str]:
        """Say what the columns could not."""
        sentences = {
            "addresses": "{} further addresses of customers are not in the file: it has no columns for them.",
            "ship_to": "{} customers have a bill-to and no ship-to address: an import makes it both.",
            "carriers": "{} customers default to a deleted carrier: an import makes it anew.",
            "reps": "{} customers have a sales rep without e-mail and name: an import leaves them none.",
        }
        told = [sentences[loss].format(f"{count:,}") for loss, count in sorted(self._lost.items())]
        return told + self._names.notes()


class _Page:
    """What a page of customers refers to, read at once."""

    def __init__(self, reader: Reader, keys: list[int], rows: Iterable[tuple[Any, ...]]) -> None:
        bill, ship = _OWN.index(_c.bill_to_address_id), _OWN.index(_c.ship_to_address_id)
        wanted = {key for row in rows for key in (row[bill], row[ship]) if key is not None}
        self.addresses: dict[int | None, Iterable[Any]] = {None: _NO_ADDRESS}
        for key, *values in reader.rows(_ADDRESSES, ids=list(wanted)):
            values[_ADDRESS_TYPE] = ADDRESS_TYPES[values[_ADDRESS_TYPE]]
            self.addresses[key] = values
        self.link_counts = Counter(customer for customer, _ in reader.rows(_LINKS_OF, ids=keys))
        self._groups_of: dict[int, list[int]] = {}
        for customer, group in reader.rows(_GROUPS_OF, ids=keys):
            self._groups_of.setdefault(customer, []).append(group)

    def price_groups(self, key: int, names: Names) -> list[str]:
        """Return the names of a customer's pricing groups, sorted."""
        groups = self._groups_of.get(key)
        return sorted([names.group(group) for group in groups]) if groups else []


def _ndjson_lines(page: list[Cells]) -> bytes:
    return _ENCODER.encode_lines([_Line(*cells) for cells in page])


_ENCODER = msgspec.json.Encoder()
_GROUPS_CELL = COLUMNS.index("price_groups")
_FLAG_CELL = COLUMNS.index("accepts_invoice_emails")


def _csv_lines(page: list[Cells]) -> bytes:
    for cells in page:
        cells[_GROUPS_CELL] = join_groups(cells[_GROUPS_CELL])
        cells[_FLAG_CELL] = "true" if cells[_FLAG_CELL] else "false"
    return _csv_text([[escape(cell) if cell else cell for cell in cells] for cells in page])


def _csv_text(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
