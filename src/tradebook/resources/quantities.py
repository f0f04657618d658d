"""Quantities: exact amounts of a currency, as they are shown and as they are given."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import msgspec

from tradebook.crud.fields import Body, Field, Line, Object
from tradebook.crud.parameters import Kind, Unreadable
from tradebook.ids import BODY_PATTERN, decode_id, encode_body, encode_id
from tradebook.money import (
    CURRENCIES_BY_NUMBER,
    DEFAULT_CURRENCY,
    DIGITS_MAX,
    WrongAmount,
    currency_name,
    currency_number,
    currency_symbol,
    display_amount,
    parse_amount,
)
from tradebook.resources.system import system_key

PREFIX, UNIT_PREFIX = "qty", "un"


class Unit(msgspec.Struct, frozen=True):
    """What a quantity counts: a currency."""

    id: str
    object: Literal["unit"]
    name: str
    code: str
    symbol: str


class Quantity(msgspec.Struct, frozen=True):
    """An exact amount."""

    id: str
    object: Literal["quantity"]
    value: str
    display_value: str
    unit: Unit | None


@cache
def unit_of(code: str) -> Unit:
    """Describe a currency as the unit of a quantity."""
    number = currency_number(code)
    assert number is not None, code
    body = encode_body(system_key("unit", number))
    return Unit(f"{UNIT_PREFIX}_{body}", "unit", currency_name(code), code, currency_symbol(code).strip())


def quantity(key: int, value: str | None, currency: str | None) -> Quantity | None:
    """Show an amount with its unit; None where there is none."""
    if value is None:
        return None
    code = currency or DEFAULT_CURRENCY
    return Quantity(encode_id(PREFIX, key), "quantity", value, display_amount(value, code), unit_of(code))


def _check_amount(text: str) -> str:
    try:
        return parse_amount(text)
    except WrongAmount:
        raise
    except ValueError:
        raise ValueError('takes a plain decimal in quotation marks, such as "21000.00"') from None


class UnitId(Kind, frozen=True):
    """The id of a currency, kept as its code."""

    def read(self, text: str) -> str:
        """Read the id of a unit that exists."""
        key = decode_id(UNIT_PREFIX, text)
        code = None if key is None else _codes().get(key)
        if code is None:
            raise Unreadable(
                f"takes the id of a currency's unit, such as {unit_of(DEFAULT_CURRENCY).id} for US dollars; "
                "the reference lists all under Units"
            )
        return code

    def schema(self) -> dict[str, Any]:
        """Describe the id's form."""
        return {"type": "string", "pattern": f"^{UNIT_PREFIX}_{BODY_PATTERN}$"}


@cache
def _codes() -> dict[int, str]:
    return {system_key("unit", number): code for number, code in CURRENCIES_BY_NUMBER.items()}


_VALUE = Line(length_max=40, check=_check_amount, pattern=r"^(\+?[0-9]+(\.[0-9]+)?|-0+(\.0+)?)$")
AMOUNT = Object(
    Body(
        "QuantityInput",
        (
            Field(
                "value",
                _VALUE,
                f"A plain decimal, as text, of up to {DIGITS_MAX} digits, not below zero.",
                is_required=True,
            ),
            Field(
                "unit_id",
                UnitId(),
                "The currency's unit; without it an amount keeps its own, and a new one is in dollars.",
                can_be_null=True,
            ),
        ),
    )
)
"""An amount in a body."""


def columns_of(name: str, given: dict[str, Any] | None, before: Mapping[str, Any]) -> dict[str, str | None]:
    """Return what is kept of an amount: the columns `name` and `name_currency`; `before` is the row."""
    if given is None:
        return {name: None, f"{name}_currency": None}
    currency = given["unit_id"] or before.get(f"{name}_currency") or DEFAULT_CURRENCY
    return {name: given["value"], f"{name}_currency": currency}
