"""Amounts of money as people write them, once a map says which sign separates the decimals."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from tradebook.crud.strict_json import Number
from tradebook.money import DEFAULT_CURRENCY, currency_number, currency_symbol

ReadAmount = Callable[[str, str | None], str]
"""Turns an amount, and the row's currency, into a plain decimal; ValueError says why it can't be one."""

_LENGTH_MAX = 100
_MINUS = "-\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}"
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019`\u00b4\u02bc", "'"))
_PARTS = re.compile(r"([^0-9]*)([0-9](?:.*[0-9])?)([^0-9]*)", re.DOTALL)
_EXPONENT = re.compile(r"[0-9][.,]?[0-9]*[eE][+-]?[0-9]+")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")


def amount_reader(decimal: str) -> ReadAmount:
    """Return what reads amounts whose decimals follow this sign; the other one may separate thousands."""
    other = "," if decimal == "." else "."
    # Thousands, and groups of two before the last three as in India; one and the same sign between them.
    threes = rf"[0-9]{{1,3}}([{other} '])[0-9]{{3}}(?:\1[0-9]{{3}})*"
    twos = rf"[0-9]{{1,2}}([{other}])(?:[0-9]{{2}}\2)+[0-9]{{3}}"
    whole = re.compile(rf"[0-9]+|{threes}|{twos}")
    example = f"1{other}234{decimal}56"

    def read(text: str, currency: str | None) -> str:
        # What the file itself has as a number is written plainly.
        if isinstance(text, Number):
            return text
        if len(text) > _LENGTH_MAX:
            raise ValueError(f"is no amount such as {example}")
        parts = _PARTS.fullmatch(_INVISIBLE.sub("", text).translate(_APOSTROPHES).strip())
        if _EXPONENT.search(text):
            raise ValueError("is rounded, written with an exponent: write all its digits")
        if parts is None:
            raise ValueError(f"is no amount such as {example}")
        before, number, after = parts.groups()
        sign, before, after = _sign(before, after, decimal)
        if before.endswith(decimal) and not before[-2:-1].isalpha():
            before, number = before[:-1], f"0{decimal}{number}"
        units, _, cents = number.partition(decimal)
        if not whole.fullmatch(" ".join(units.split())) or not re.fullmatch("[0-9]*", cents):
            raise ValueError(f"is no amount such as {example}")
        for mark in filter(None, (before.strip(), after.strip())):
            if not has_currency(mark):
                raise ValueError(f"is no amount such as {example}")
            _check_currency(mark, currency)
        plain = re.sub("[^0-9]", "", units)
        return f"{sign}{plain}.{cents}" if cents else f"{sign}{plain}"

    return read


def amount_written(decimal: str, cell: object) -> str | None:
    """Write a number that a workbook has as one as `amount_reader` reads it; None for any other value."""
    return str(cell).replace(".", decimal) if isinstance(cell, Number) else None


def _sign(before: str, after: str, decimal: str) -> tuple[str, str, str]:
    """Take the sign out of what stands around the digits: before them, behind them, or brackets."""
    before, after = before.strip(), after.strip()
    if after.startswith(decimal):
        # 25000,- and 25000,-- have no cents.
        after = after[1:].lstrip(_MINUS + "=").strip()
    if before.startswith("(") and after.endswith(")"):
        return "-", before[1:], after[:-1]
    sign = ""
    if before and (before[0] in _MINUS or before[-1] in _MINUS):
        sign, before = "-", before.strip(_MINUS)
    elif after and (after[0] in _MINUS or after[-1] in _MINUS):
        sign, after = "-", after.strip(_MINUS)
    elif before.startswith("+"):
        before = before[1:]
    return sign, before, after


def has_currency(text: str) -> bool:
    """Tell whether an amount that was read has a currency beside it."""
    return any(sign.isalpha() or unicodedata.category(sign) == "Sc" for sign in text)


def _check_currency(mark: str, currency: str | None) -> None:
    code = (currency or "").strip().upper()
    if mark.casefold().rstrip(".") in _marks_of(code or DEFAULT_CURRENCY):
        return
    if not code:
        raise ValueError(f"has {mark} beside the amount: say the currency in credit_limit_currency too")
    raise ValueError(f"has {mark} beside the amount, but the currency is {code}")


@lru_cache(256)
def _marks_of(code: str) -> frozenset[str]:
    """List how a currency is written: its code, and its sign in English and where it is the people's own."""
    marks = {code}
    if currency_number(code) is not None:
        from babel import UnknownLocaleError  # noqa: PLC0415 - late: most files have no signs
        from babel.languages import get_official_languages  # noqa: PLC0415
        from babel.numbers import get_currency_symbol  # noqa: PLC0415

        marks.add(currency_symbol(code).strip())
        # The first two letters are the country that has made the currency.
        for language in ("en", *get_official_languages(code[:2], regional=True, de_facto=True)):
            try:
                marks.add(get_currency_symbol(code, f"{language}_{code[:2]}"))
            except (UnknownLocaleError, ValueError):
                continue
        if "$" in marks:
            marks.add(f"{code[:2]}$")
    return frozenset(mark.casefold().strip().rstrip(".") for mark in marks)
