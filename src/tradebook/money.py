"""Amounts of money: exact decimals, written as text."""

import re
from decimal import Decimal
from functools import cache, lru_cache

from babel.numbers import get_currency_name, get_currency_precision, get_currency_symbol
from pycountry import currencies

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
    # Not by the expression: leading zeros that may be followed by more digits take it quadratic time.
    whole = whole.lstrip("0") or "0"
    if len(whole) + len(fraction) > DIGITS_MAX:
        raise WrongAmount(f"has {len(whole) + len(fraction)} digits, more than {DIGITS_MAX}")
    amount = f"{whole}.{fraction}" if fraction else whole
    if sign == "-" and amount.strip("0."):
        raise WrongAmount("must not be negative")
    return amount


def currency_number(code: str) -> int | None:
    """Return the ISO 4217 number of a currency code; None when there is no such currency."""
    currency = currencies.get(alpha_3=code)
    return int(currency.numeric) if currency else None


CURRENCIES_BY_NUMBER: dict[int, str] = {int(each.numeric): each.alpha_3 for each in currencies}
"""The code of every ISO 4217 currency, by its number."""


@cache
def currency_name(code: str) -> str:
    """Name a currency in English, such as `US Dollar`."""
    return str(get_currency_name(code, locale="en_US"))


@cache
def currency_symbol(code: str) -> str:
    """Return the sign that stands before an amount: `$`, `€`, or the code and a space."""
    symbol = str(get_currency_symbol(code, locale="en_US"))
    return f"{symbol}\N{NO-BREAK SPACE}" if symbol[-1].isalpha() else symbol


@cache
def _precision(code: str) -> int:
    return int(get_currency_precision(code))


@lru_cache(4096)
def display_amount(value: str, code: str) -> str:
    """Write an amount for people, such as `$1,234.56`; decimals beyond the currency's own stay visible."""
    amount = Decimal(value)
    shown = max(_precision(code), len(value.partition(".")[2]))
    sign = "-" if amount < 0 else ""
    return f"{sign}{currency_symbol(code)}{abs(amount):,.{shown}f}"
