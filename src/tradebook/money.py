"""Amounts of money: exact decimals, written as text."""

import re
from decimal import Decimal
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

DEFAULT_CURRENCY = "USD"
DIGITS_MAX = 24
_DECIMAL = re.compile(r"([+-]?)(\d+)(?:\.(\d+))?", re.ASCII)


class WrongAmount(ValueError):
    """A plain decimal that is no amount of money here; the text says why."""


def parse_amount(text: str) -> str:
    """Read a plain decimal such as `21000.00`, keeping its decimals; ValueError on anything else.

    WrongAmount below zero, and beyond 24 digits before and after the point together.
    """
    match = _DECIMAL.fullmatch(text)
    if not match:
        raise ValueError(text)
    sign, whole, fraction = match.groups(default="")
    # Not by the regular expression: it would take quadratic time for many leading zeros.
    whole = whole.lstrip("0") or "0"
    if len(whole) + len(fraction) > DIGITS_MAX:
        raise WrongAmount(f"has {len(whole) + len(fraction)} digits, more than {DIGITS_MAX}")
    amount = f"{whole}.{fraction}" if fraction else whole
    if sign == "-" and amount.strip("0."):
        raise WrongAmount("must not be negative")
    return amount


def currency_number(code: str) -> int | None:
    """Return the ISO 4217 number of a currency code; None when there is no such currency."""
    currency = _iso_4217().get(alpha_3=code)
    return int(currency.numeric) if currency else None


def display_version() -> str:
    """Tell by which version of its source amounts are written for people, without loading that."""
    return version("babel")


@cache
def currencies_by_number() -> dict[int, str]:
    """Return the code of every ISO 4217 currency, by its number."""
    return {int(each.numeric): each.alpha_3 for each in _iso_4217()}


@cache
def currency_name(code: str) -> str:
    """Name a currency in English, such as `US Dollar`."""
    return str(_cldr().get_currency_name(code, locale="en_US"))


@cache
def currency_symbol(code: str) -> str:
    """Return what is written before an amount: `$`, `€`, or the code and a space."""
    symbol = str(_cldr().get_currency_symbol(code, locale="en_US"))
    return f"{symbol}\N{NO-BREAK SPACE}" if symbol[-1].isalpha() else symbol


@cache
def _precision(code: str) -> int:
    return int(_cldr().get_currency_precision(code))


@lru_cache(4096)
def display_amount(value: str, code: str) -> str:
    """Write an amount for people, such as `$1,234.56`; decimals beyond the currency's own stay visible."""
    amount = Decimal(value)
    shown = max(_precision(code), len(value.partition(".")[2]))
    sign = "-" if amount < 0 else ""
    return f"{sign}{currency_symbol(code)}{abs(amount):,.{shown}f}"


# Both late, and then for good: most commands neither read an amount nor show one.


@cache
def _iso_4217() -> Any:
    from pycountry import currencies  # noqa: PLC0415

    return currencies


@cache
def _cldr() -> Any:
    from babel import numbers  # noqa: PLC0415

    return numbers
