"""From a record to the value of one of our columns, as a map says; put together once for a whole file."""

from collections.abc import Callable, Mapping, MutableMapping
from datetime import tzinfo
from functools import partial
from typing import Any

import msgspec

from tradebook.crud.kinds import NOTE
from tradebook.money import DEFAULT_CURRENCY
from tradebook.text import composed
from tradebook.transfer.cells import Dated
from tradebook.transfer.columns import Column
from tradebook.transfer.maps.amounts import ReadAmount, amount_reader, amount_written, has_currency
from tradebook.transfer.maps.dates import date_reader, date_writer
from tradebook.transfer.maps.pieces import email_addresses, line_of, splitter, taken
from tradebook.transfer.maps.rules import Condition, Rule, is_amount, is_date, is_email
from tradebook.transfer.maps.sources import (
    ABSENT,
    CellError,
    Headings,
    Read,
    Reading,
    as_text,
    is_empty,
)
from tradebook.transfer.rows import Record, WriteCell

Made = MutableMapping[str, Any]
Work = Callable[[Record, Made], Any]
"""Makes the value of a column from a record, and from the values of the columns before it."""
Convert = Callable[[str, Made], str]


class Cells(msgspec.Struct, frozen=True):
    """How the cells of a file are read, unless a column says otherwise."""

    nothing: frozenset[str] = frozenset()
    """Words that mean an empty cell."""
    decimal: str | None = None
    date: tuple[str, ...] = ()
    zone: tzinfo | None = None
    fill_down: tuple[str, ...] = ()
    """Headings whose empty cell is what the row before has there."""
    are_optional: bool = False
    """Whether the file may lack headings that the map takes."""


def source_of(
    name: str, column: Column, rule: Rule, cells: Cells, headings: Headings | None, lines_max: int | None
) -> Read:
    """Return what takes a column's value out of a record, before it is translated."""
    nothing = cells.nothing | rule.empty
    keeps_lines = rule.line is not None or column.cell.kind == NOTE
    reading = Reading(headings, nothing, f"takes {name} from", keeps_lines=keeps_lines)
    read = _first_of([reading._replace(nth=nth).reader(text) for text, nth in rule.places])
    if rule.line is not None:
        read = _lined(read, rule.line, lines_max)
    elif rule.split or rule.take is not None:
        read = _split(read, column, rule, nothing)
    elif headings is None:
        read = _one(read, is_list=column.cell.is_list)
    conditions = [(c, True) for c in rule.when] + [(c, False) for c in rule.unless]
    return _if(read, conditions, reading) if conditions else read


def _first_of(reads: list[Read]) -> Read:
    if len(reads) == 1:
        return reads[0]

    def read(record: Record) -> Any:
        found: Any = ABSENT
        for each in reads:
            value = each(record)
            if not is_empty(value):
                return value
            found = found if value is ABSENT else ""
        return found

    return read


def _lined(read: Read, line: tuple[int, bool], lines_max: int | None) -> Read:
    number, and_rest = line

    def read_line(record: Record) -> Any:
        value = read(record)
        return value if is_empty(value) else line_of(value, number, and_rest=and_rest, lines_max=lines_max)

    return read_line


def _split(read: Read, column: Column, rule: Rule, nothing: frozenset[str]) -> Read:
    split, take = splitter(rule.split, nothing), rule.take
    has_addresses, is_list = is_email(column), column.cell.is_list

    def read_pieces(record: Record) -> Any:
        value = read(record)
        if is_empty(value):
            return value
        pieces = email_addresses(split(value)) if has_addresses else split(value)
        if take is None:
            return pieces
        piece = taken(pieces, take)
        return [piece] if is_list and piece else piece

    return read_pieces


def _one(read: Read, *, is_list: bool) -> Read:
    """Take what JSON has where one value belongs, or a list of texts."""

    def read_one(record: Record) -> Any:
        value = read(record)
        if isinstance(value, list):
            if is_list:
                return [as_text(entry) for entry in value]
            if len(value) > 1:
                said = f'is a list of {len(value)}: say in the map which counts, such as take = "first"'
                raise CellError(as_text(value), said)
            value = value[0] if value else ""
        return as_text(value) if isinstance(value, dict) else value

    return read_one


def _if(read: Read, conditions: list[tuple[Condition, bool]], reading: Reading) -> Read:
    tests = [(reading.reader(heading), words, wanted) for (heading, words), wanted in conditions]

    def read_if(record: Record) -> Any:
        is_so = all((as_text(at(record)).strip() in words) is wanted for at, words, wanted in tests)
        return read(record) if is_so else ""

    return read_if


def work_of(
    column: Column,
    rule: Rule,
    source: Read,
    values: Mapping[str, str | bool],
    cells: Cells,
    currency: str | None,
) -> Work:
    """Return what makes the value of a column: taken, then translated, then read as an amount or a date.

    `currency` is the one of all amounts whose row names none.
    """
    convert = _converter(column, rule, cells, currency)
    if not values and convert is None:
        return lambda record, _: source(record)
    is_list = column.cell.is_list

    def work(record: Record, made: Made) -> Any:
        value = source(record)
        if is_empty(value):
            return value
        if is_list and isinstance(value, list):
            listed = (values.get(composed(entry), entry) for entry in value)
            return [entry for entry in listed if not is_empty(entry)]
        text = as_text(value)
        # What the map itself gives is ours already.
        if (ours := values.get(composed(text.strip()))) is not None:
            return ours
        if convert is None:
            return value
        try:
            plain = convert(text, made)
            # Here already, so that a problem shows what the file has, and not what was made of it.
            column.read(plain)
        except ValueError as reason:
            raise CellError(text, str(reason)) from None
        return plain

    return work


def _converter(column: Column, rule: Rule, cells: Cells, currency: str | None) -> Convert | None:
    decimal = rule.decimal or cells.decimal
    if is_amount(column) and decimal is not None:
        return _amount_converter(amount_reader(decimal), f"{column.name}_currency", currency)
    if is_date(column):
        formats, zone = rule.date or cells.date, rule.zone or cells.zone
        read_date = date_reader(formats, zone)
        says_nothing = not formats and zone is None
        return lambda text, _: text if says_nothing and not isinstance(text, Dated) else read_date(text)
    return None


def writer_of(column: Column, rule: Rule, cells: Cells) -> WriteCell | None:
    """Return what writes a workbook's cell as this column reads text; None where no map says how."""
    decimal = rule.decimal or cells.decimal
    if is_amount(column) and decimal is not None:
        return partial(amount_written, decimal)
    formats, zone = rule.date or cells.date, rule.zone or cells.zone
    return date_writer(formats, zone) if is_date(column) and (formats or zone) else None


def _amount_converter(read_amount: ReadAmount, beside: str, default: str | None) -> Convert:
    def convert(text: str, made: Made) -> str:
        currency = made.get(beside) or default
        plain = read_amount(text, currency)
        if not currency and has_currency(text):
            # Whatever the customer's amount was in so far, this one says dollars.
            made[beside] = DEFAULT_CURRENCY
        return plain

    return convert
