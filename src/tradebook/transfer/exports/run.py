r"""Export: every customer of an account as a file that import takes, oldest first, from one snapshot.

Importing it into an empty account makes the same book, and into the same account changes nothing. Names in
`price_groups` are sorted; in CSV they are joined by `;`, and a `;` or `\` inside a name has a `\` before it.
A ship-to address that agrees with the bill-to address in every field is left empty. Of addresses of a
customer that agree so, one is written.

What these columns can't say is counted in the summary's notes where it concerns customers: a bill-to without
a ship-to address, deleted carriers, reps without e-mail and name, in CSV more addresses than can be joined.
It also knows nothing of ids, of addresses that several customers share (each gets its own), and of what a
group, term, carrier, level or rep is beyond its name (and a rep's e-mail).

CSV begins with a byte order mark, by which a spreadsheet knows UTF-8, unless it is to be plain.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import msgspec
import sqlalchemy as sa

from tradebook.crud.table_fields import Cell
from tradebook.crud.whole import Block
from tradebook.ids import milliseconds_of
from tradebook.resources.addresses import addresses
from tradebook.resources.customers import FIELDS, customer_price_groups, customers
from tradebook.storage.database import ROWS_AT_ONCE, Database, Reader
from tradebook.storage.schema import ACCOUNT, any_of, prepare
from tradebook.text import counted
from tradebook.transfer.cells import csv_row
from tradebook.transfer.columns import ADDRESS_CELLS, CUSTOMER_CELLS, Format
from tradebook.transfer.exports.layout import ATTACHED_MAX, NO_ADDRESS, Cells, Layout, Page, layout_of
from tradebook.transfer.exports.names import ByKey, Names

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_c, _groups = customers.c, customer_price_groups.c
_KEPT = tuple(column for field in FIELDS for column in field.columns)
_NAMES = ("id", *(column.name for column in _KEPT))
_COUNT = prepare(sa.select(sa.func.count()).select_from(customers).where(_c.account_id == ACCOUNT))
_PAGE = prepare(
    sa.select(_c.id, *_KEPT)
    .where(_c.account_id == ACCOUNT, _c.id > sa.bindparam("after"))
    .order_by(_c.id)
    .limit(ROWS_AT_ONCE)
)
_BY_KEYS = prepare(sa.select(_c.id, *_KEPT).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids")))
_NUMBERS = prepare(sa.select(_c.id, _c.number).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids")))
_ADDRESSES = prepare(
    sa.select(addresses.c.id, *(addresses.c[cell.name] for cell in ADDRESS_CELLS)).where(
        addresses.c.account_id == ACCOUNT, any_of(addresses.c.id, "ids")
    )
)
_GROUPS_OF = prepare(
    sa.select(_groups.customer_id, _groups.group_id).where(
        _groups.account_id == ACCOUNT, any_of(_groups.customer_id, "ids")
    )
)


class Incomplete(Exception):
    """The file does not have every customer: a bug, or a damaged book."""


class ExportSummary(msgspec.Struct, kw_only=True):
    """What an export wrote, and what its columns can't say."""

    customers: int = 0
    notes: list[str] = []

    def __str__(self) -> str:
        """Write the summary as lines for a person."""
        return "\n".join([f"{counted(self.customers, 'customer')} written.", *self.notes])


def export_customers(
    database: Database,
    account_id: int,
    *,
    format: Format,  # noqa: A002 - the option's name
    file: BinaryIO,
    plain: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ExportSummary:
    """Write all customers; Incomplete, or the file's own OSError, if that is impossible.

    `progress` is called now and then with the number of customers written.
    """
    with database.read(account_id) as reader:
        export = _Export(reader, format)
        if format == "csv":
            _write(file, _csv_head(export.layout, plain=plain))
        for page in export.pages():
            _write(file, _csv_lines(export.layout, page) if format == "csv" else _ndjson_lines(page))
            if progress is not None:
                progress(export.written)
        expected = reader.rows(_COUNT)[0][0]
        if export.written != expected:
            raise Incomplete(f"{export.written:,} customers were written, the account has {expected:,}.")
        return ExportSummary(customers=export.written, notes=export.notes())


def csv_blocks(reader: Reader, keys: Iterator[Sequence[int]]) -> Iterator[Block]:
    """Write the columns of some customers after the other, in their order, below a line with their names."""
    names, layout = Names(reader), layout_of(reader)
    yield Block(_csv_head(layout, plain=True), 0)
    for some in keys:
        by_key = {row[0]: row for row in reader.rows(_BY_KEYS, ids=some)}
        found = _Found(reader, names, layout, [by_key[key] for key in some])
        yield Block(_csv_lines(layout, found.page()), len(some))


def _write(file: BinaryIO, block: bytes) -> None:
    """Write all bytes: one write to a file without a buffer may take fewer."""
    view = memoryview(block)
    while view:
        taken = file.write(view)
        if not taken:
            raise OSError(f"{len(view):,} bytes could not be written.")
        view = view[taken:]


class _Export:
    """Reads all customers of an account, from the oldest to the newest."""

    def __init__(self, reader: Reader, format: Format) -> None:  # noqa: A002 - the option's name
        self._reader = reader
        self._names = Names(reader)
        self.layout = layout_of(reader)
        self._attached_max = ATTACHED_MAX if format == "csv" else None
        self._lost: Counter[str] = Counter()
        self.written = 0

    def pages(self) -> Iterator[Page]:
        """Yield the cells of a thousand customers at a time, in the order of the columns."""
        after = -1
        while rows := self._reader.rows(_PAGE, after=after):
            found = _Found(self._reader, self._names, self.layout, rows)
            page = found.page()
            self._note_losses(found, page)
            yield page
            self.written += len(rows)
            after = rows[-1][0]

    def _note_losses(self, found: "_Found", page: Page) -> None:
        deleted, nameless = self._names.deleted_carriers, self._names.nameless_reps
        if self._attached_max is not None:
            self._lost["addresses"] += sum(
                [max(0, len(listed) - self._attached_max) for listed in page.attached.values()]
            )
        for bill, ship, carrier, rep in found.of(
            "bill_to_address_id", "ship_to_address_id", "carrier_id", "sales_rep_id"
        ):
            self._lost["ship_to"] += ship is None and bill is not None
            self._lost["carriers"] += carrier in deleted
            self._lost["reps"] += rep in nameless

    def notes(self) -> list[str]:
        """Say what is not in the file, because it has no columns for it."""
        sentences = {
            "addresses": "{} further addresses are not in the file: "
            f"a customer has at most {ATTACHED_MAX:,} of them in CSV, in NDJSON any number.",
            "ship_to": "{} customers have a bill-to and no ship-to address: an import uses one for both.",
            "carriers": "{} customers default to a deleted carrier: an import makes a new one of this name.",
            "reps": "{} customers have a sales rep without e-mail and name: after an import they have none.",
        }
        told = [sentences[loss].format(f"{count:,}") for loss, count in sorted(self._lost.items()) if count]
        return told + self._names.notes()


class _Found:
    """Some customers, column by column, with what they refer to, read at once."""

    def __init__(self, reader: Reader, names: Names, layout: Layout, rows: Sequence[tuple[Any, ...]]) -> None:
        self._columns = dict(zip(_NAMES, zip(*rows, strict=True), strict=True))
        self._names = names
        self.keys = keys = list(self._columns["id"])
        parents = {key for key in self._columns["parent_id"] if key is not None}
        self._numbers: ByKey = {None: None}
        self._numbers.update(reader.rows(_NUMBERS, ids=list(parents)) if parents else ())
        self._attached, self._ids = layout.attached_to(reader, keys), layout.ids_of(reader, keys)
        wanted = {*self._columns["bill_to_address_id"], *self._columns["ship_to_address_id"]} - {None}
        wanted |= {address for _, address in self._attached}
        listed = reader.rows(_ADDRESSES, ids=list(wanted)) if wanted else []
        self._addresses = _addresses_by_key(listed)
        self._groups: dict[int, list[str]] = {key: [] for key in keys}
        for customer, group in reader.rows(_GROUPS_OF, ids=keys):
            self._groups[customer].append(names.group(group))

    def of(self, *columns: str) -> Iterator[tuple[Any, ...]]:
        """Yield the values of some columns, row by row."""
        return zip(*(self._columns[name] for name in columns), strict=True)

    def page(self) -> Page:
        """Return what is written of them."""
        return Page(self.keys, self._cells(), self._ids, self._further())

    def _further(self) -> dict[int, list[Cells]]:
        """Return the attached addresses by customer, each other than the rest of what the customer has."""
        if not self._attached:
            return {}
        serving = {
            key: {tuple(self._addresses[bill]), tuple(self._addresses[ship])}
            for key, bill, ship in self.of("id", "bill_to_address_id", "ship_to_address_id")
        }
        further: dict[int, list[Cells]] = {}
        for customer, address in self._attached:
            cells = tuple(self._addresses[address])
            if cells not in serving[customer]:
                serving[customer].add(cells)
                further.setdefault(customer, []).append(cells)
        return further

    def _cells(self) -> list[Cells]:
        rows = zip(*map(self._written, CUSTOMER_CELLS), strict=True)
        addresses_of = self.of("bill_to_address_id", "ship_to_address_id")
        by_key = self._addresses
        return [
            [*row, *by_key[bill], *(NO_ADDRESS if by_key[ship] == by_key[bill] else by_key[ship])]
            for row, (bill, ship) in zip(rows, addresses_of, strict=True)
        ]

    def _written(self, cell: Cell) -> Iterable[Any]:
        """Return a cell of every row."""
        if cell.is_list:
            return [sorted(self._groups[key]) for key in self._columns["id"]]
        if cell.column is None:
            return cell.kind.write_cells(map(milliseconds_of, self._columns["id"]))
        kept = self._columns[cell.column]
        if cell.names is None:
            return cell.kind.write_cells(kept)
        by_key = self._numbers if cell.names == "customers.number" else self._names.of[cell.names]
        return [by_key[key] for key in kept]


def _addresses_by_key(rows: Sequence[tuple[Any, ...]]) -> dict[int | None, Cells]:
    if not rows:
        return {None: NO_ADDRESS}
    keys, *columns = zip(*rows, strict=True)
    written = [cell.kind.write_cells(kept) for cell, kept in zip(ADDRESS_CELLS, columns, strict=True)]
    return {None: NO_ADDRESS, **dict(zip(keys, zip(*written, strict=True), strict=True))}


def _ndjson_lines(page: Page) -> bytes:
    return _ENCODER.encode_lines(page.lines())


_ENCODER = msgspec.json.Encoder()


def _csv_head(layout: Layout, *, plain: bool) -> bytes:
    head = _csv_text([layout.columns])
    return head if plain else BYTE_ORDER_MARK + head


def _csv_lines(layout: Layout, page: Page) -> bytes:
    return _csv_text(map(csv_row, layout.csv_rows(page)))


def _csv_text(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
