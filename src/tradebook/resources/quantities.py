"""Quantities: exact amounts of a currency, as they are shown and as they are given."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import structs

from tradebook.clock import format_ms
from tradebook.crud.fields import Body, Field, Object
from tradebook.crud.kinds import Kind, Line, Unreadable, refusal
from tradebook.crud.records import Values
from tradebook.crud.shapes import NoObject
from tradebook.crud.table_fields import Cell, TableField
from tradebook.crud.text_values import check_text
from tradebook.errors import InvalidFormat, ValidationFailed
from tradebook.ids import ANY_BODY_PATTERN, encode_id, milliseconds_of, read_id
from tradebook.money import (
    DEFAULT_CURRENCY,
    DIGITS_MAX,
    WrongAmount,
    currencies_by_number,
    currency_name,
    currency_number,
    currency_symbol,
    display_amount,
    parse_amount,
)
from tradebook.resources.system import system_key
from tradebook.storage.schema import text

PREFIX, UNIT_PREFIX = "qty", "un"
_EXPONENT = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+")


class Unit(msgspec.Struct, frozen=True):
    """What a quantity counts: a currency."""

    id: str
    object: Literal["unit"]
    name: str
    """What it is called, such as `US Dollar`."""
    abbreviation: str
    """The code of ISO 4217, such as `USD`."""
    type: Literal["currency"]
    """What kind of unit it is."""
    ratio_numerator: str
    """Always `1`: no currency is turned into another."""
    ratio_denominator: str
    """Always `1`."""
    offset_numerator: str
    """Always `0`."""
    offset_denominator: str
    """Always `1`."""
    is_base_unit: bool
    """Always true: each currency is its own base."""
    owner: NoObject
    created_at: str
    updated_at: str
    code: str
    """The code of ISO 4217, such as `USD`. An addition of this project."""
    symbol: str
    """How amounts are marked, such as `$`. An addition of this project."""


class Quantity(msgspec.Struct, frozen=True):
    """An exact amount."""

    id: str
    """The id, such as `qty_2t17adc000000`."""
    object: Literal["quantity"]
    value: str
    """The amount as an exact decimal, such as `1234.56`."""
    display_value: str
    """The amount as people read it, such as `$1,234.56`."""
    unit: Unit | None
    """What it counts."""


@cache
def unit_of(code: str) -> Unit:
    """Return a currency as the unit of a quantity."""
    number = currency_number(code)
    assert number is not None, code
    key = system_key("unit", number)
    born = format_ms(milliseconds_of(key))
    return Unit(
        encode_id(UNIT_PREFIX, key),
        "unit",
        currency_name(code),
        code,
        "currency",
        *("1", "1", "0", "1"),
        is_base_unit=True,
        owner=None,
        created_at=born,
        updated_at=born,
        code=code,
        symbol=currency_symbol(code).strip(),
    )


def quantity(key: int, value: str | None, currency: str | None) -> Quantity | None:
    """Return an amount as an object; None if there is none."""
    if value is None:
        return None
    code = currency or DEFAULT_CURRENCY
    return Quantity(encode_id(PREFIX, key), "quantity", value, display_amount(value, code), unit_of(code))


class Decimal(Line, frozen=True):
    """A plain decimal, kept as it is written but for leading zeros."""

    currency: str = ""
    """The column of a file that has the currency."""

    def read_cell(self, value: Any) -> str:
        """Read a plain decimal, and tell people why it is none."""
        text = check_text(value)
        try:
            return parse_amount(text)
        except WrongAmount:
            raise
        except ValueError:
            raise ValueError(self._why_not(text)) from None

    def _why_not(self, text: str) -> str:
        plain = "write a plain decimal such as 21000.00"
        if _EXPONENT.fullmatch(text):
            return f"is written with an exponent, which may have rounded it: {plain}"
        if any(sign in text for sign in "$€£¥₹") or re.search(r"[A-Za-z]", text):
            return f"has a currency beside the amount: {plain}, the currency in {self.currency}"
        if re.search(r"[,'\u2019\s]", text):
            return f"has a thousands separator or a decimal comma: {plain}"
        return f"is no amount: {plain}"

    def cell_form(self) -> str:
        """Say what does not belong into the cell."""
        return (
            f"a plain decimal such as `21000.00`, up to {DIGITS_MAX} digits; no currency sign, no thousands "
            "separator"
        )


def _check_amount(text: str) -> str:
    try:
        return parse_amount(text)
    except WrongAmount:
        raise
    except ValueError:
        raise ValueError('takes a plain decimal in quotation marks, such as "21000.00"') from None


class _NoSuchUnit(Unreadable):
    """An id is written as one, and no unit has it."""


class UnitId(Kind, frozen=True):
    """The id of a currency, kept as its code."""

    def read(self, text: str) -> str:
        """Read the id of a unit that exists."""
        key = read_id(UNIT_PREFIX, text)
        hint = f"such as {unit_of(DEFAULT_CURRENCY).id} for US dollars; the reference lists all under Units"
        if key is None:
            raise Unreadable(f"takes the id of a currency's unit, {hint}")
        code = _codes().get(key)
        if code is None:
            raise _NoSuchUnit(f"names no unit that there is; take one {hint}")
        return code

    def take(self, value: Any, param: str) -> Any:
        """Read the id in a body; ValidationFailed where no unit has it, as with every other object."""
        try:
            return self.read_json(value)
        except _NoSuchUnit as reason:
            raise refusal(ValidationFailed, param, reason) from None
        except ValueError as reason:
            raise refusal(InvalidFormat, param, reason) from None

    def read_cell(self, value: Any) -> str:
        """Read a currency's three letters."""
        code = check_text(value).upper()
        if currency_number(code) is None:
            raise Unreadable("is no ISO 4217 currency code such as USD")
        return code

    def write_json(self, kept: str) -> str:
        """Write the unit's id."""
        return unit_of(kept).id

    def write_cells(self, kept: Iterable[Any]) -> Iterable[Any]:
        """Write the currencies' three letters."""
        return kept

    def column(self, name: str, *, nullable: bool) -> sa.Column[Any]:
        """Keep the currency's code."""
        return text(name, nullable=nullable)

    def cell_form(self) -> str:
        """Name the standard."""
        return "an ISO 4217 code such as `USD`"

    def example(self) -> str:
        """Give US dollars."""
        return unit_of(DEFAULT_CURRENCY).id

    def schema(self) -> dict[str, Any]:
        """Describe the form of a unit's id."""
        return {"type": "string", "pattern": f"^{UNIT_PREFIX}_{ANY_BODY_PATTERN}$"}


@cache
def _codes() -> dict[int, str]:
    return {system_key("unit", number): code for number, code in currencies_by_number().items()}


_VALUE = Decimal(length_max=40, check=_check_amount, pattern=r"^(\+?[0-9]+(\.[0-9]+)?|-0+(\.0+)?)$")
_UNIT = UnitId()
AMOUNT = Object(
    Body(
        "QuantityInput",
        (
            Field(
                "value",
                _VALUE,
                f"A plain decimal, as text, of up to {DIGITS_MAX} digits, not below zero.",
                is_required=True,
                example="500.00",
            ),
            Field(
                "unit_id",
                _UNIT,
                "The currency's unit. Default: an amount keeps its currency, a new one is in US dollars.",
                can_be_null=True,
            ),
        ),
    )
)
"""An amount in a body."""


def columns_of(name: str, given: dict[str, Any] | None, before: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the columns of an amount, `name` and `name_currency`; `before` is the row so far."""
    if given is None:
        return kept(name, None, None)
    return kept(name, given["value"], given["unit_id"] or before.get(f"{name}_currency"))


def kept(name: str, value: str | None, currency: str | None) -> dict[str, str | None]:
    """Return the columns of an amount: a currency exactly where there is one, dollars where none is told."""
    code = None if value is None else currency or DEFAULT_CURRENCY
    return {name: value, f"{name}_currency": code}


class AmountField(TableField, frozen=True, eq=False):
    """An amount, kept as a decimal and its currency."""

    def keep(self, value: dict[str, Any] | None, before: Values) -> Values:
        """Return both columns."""
        return columns_of(self.name, value, before)

    def give(self, row: Values) -> dict[str, str] | None:
        """Return the amount with its unit."""
        if row[self.name] is None:
            return None
        return {"value": row[self.name], "unit_id": _UNIT.write_json(row[f"{self.name}_currency"])}


def amount(name: str, description: str) -> AmountField:
    """Declare an amount of money that may be null: one field of a body, two columns and cells."""
    currency = f"{name}_currency"
    return AmountField(
        name=name,
        kind=AMOUNT,
        description=description,
        can_be_null=True,
        columns=(_VALUE.column(name, nullable=True), _UNIT.column(currency, nullable=True)),
        cells=(
            Cell(name, structs.replace(_VALUE, currency=currency), description, column=name),
            Cell(
                currency, _UNIT, f"The currency of `{name}`. Default: `{DEFAULT_CURRENCY}`.", column=currency
            ),
        ),
    )
