"""Ready lines for a map: what would mend a problem of a cell, where something would."""

from collections.abc import Callable
from functools import cache

from tradebook.crud.kinds import EMAIL, URL, Flag, OneOf
from tradebook.crud.text_values import check_email
from tradebook.money import currencies_by_number, currency_name, currency_symbol
from tradebook.resources.addresses import Country
from tradebook.resources.countries import countries_near, country_abroad
from tradebook.resources.quantities import Decimal, UnitId
from tradebook.transfer.cells import CreatedAt
from tradebook.transfer.columns import Column, column_named
from tradebook.transfer.maps.amounts import amount_reader
from tradebook.transfer.maps.dates import date_reader
from tradebook.transfer.maps.pieces import email_addresses, splitter
from tradebook.transfer.maps.toml_text import key, quoted
from tradebook.transfer.maps.words import nearest
from tradebook.transfer.rows import VALUE_SHOWN_MAX, Problem

NOTHING = (
    "null",
    "\\n",
    "n/a",
    "#n/a",
    "na",
    "n.a.",
    "k.a.",
    "nan",
    "none",
    "nil",
    "-",
    "--",
    "undefined",
    "(null)",
    "?",
)
"""Words, in small letters, that exports have in empty cells."""
_OPEN = "…"
"""What a person puts in, where nothing is near."""
_NOT_MENDED = (
    *("must not be negative", "is not between", "is rounded", "can't change", "digits, more than"),
    # The map has a decimal sign already: this amount isn't written with it, or in another currency.
    *("is no amount such as", "but the currency is", "say the currency in"),
)
"""What reasons have in them that no line of a map would take away."""
_OTHER_FORM = "is no date of the form"
"""The map has formats already: this date has another one."""
_TRUE = frozenset({"y", "t", "x", "on", "ja", "oui", "si", "sí", "sim", "wahr", "vrai", "true", "enabled"})
_FALSE = frozenset({"n", "f", "off", "nein", "non", "no", "não", "falsch", "faux", "false", "disabled"})
_DATES = (
    *(
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d.%m.%Y",
        "%d-%m-%Y",
        "%m-%d-%Y",
        "%Y/%m/%d",
        "%d/%m/%y",
        "%m/%d/%y",
        "%Y%m%d",
    ),
    *("%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%B %d, %Y", "%d %B %Y", "iso"),
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %z", " %H:%M:%S %z")


def mending_line(problem: Problem) -> str | None:
    """Return what a map would say so that the problem goes; None where no map would help.

    `…` in it is for the person to fill in.
    """
    column = column_named(problem.column) if problem.column else None
    value = (problem.value or "").strip()
    if column is None or not value or problem.column is None or len(value) >= VALUE_SHOWN_MAX:
        return None
    if "is not a key in" in problem.reason:
        return None
    if value.casefold() in NOTHING or not value.strip("0/.-: "):
        return f"[file] nothing = [{quoted(value)}]"
    if _is_beyond_maps(problem.reason):
        return None
    if _OTHER_FORM in problem.reason:
        return _of_further_form(value)
    return _of_cell(problem.column, problem.heading or problem.column, column, value, problem.reason)


def _of_cell(name: str, heading: str, column: Column, value: str, reason: str) -> str | None:
    if "has a line break" in reason:
        # Only of lines: nothing in a map takes away other control characters.
        has_only_lines = value.replace("\n", "").replace("\r", "").isprintable()
        return _of_lines(name, heading) if has_only_lines else None
    kind = column.cell.kind
    for kinds, mend in _MENDED:
        if isinstance(kind, kinds):
            return mend(name, column, value)
    if kind == URL:
        return None if "." in value else _as_nothing(name, heading, value)
    return _of_email(name, heading, value) if kind == EMAIL else None


def _is_beyond_maps(reason: str) -> bool:
    """Tell whether a cell was understood, and says what can't be, or what another customer has."""
    return reason.startswith("is the ") or any(words in reason for words in _NOT_MENDED)


def _of_lines(name: str, heading: str) -> str:
    if not name.endswith("street_line_1"):
        return f'[columns] {key(name)} = {{ from = {quoted(heading)}, line = "1-" }}'
    second = key(f"{name.removesuffix('1')}2")
    first = f"[columns] {key(name)} = {{ from = {quoted(heading)}, line = 1 }}"
    return f'{first} and {second} = {{ from = {quoted(heading)}, line = "2-" }}'


def _translated(name: str, value: str, ours: str | None, choices: str) -> str:
    line = f"[values.{key(name)}] {key(value)} = {quoted(ours or _OPEN)}"
    return line if ours else f"{line}  # {choices}"


def _of_word(name: str, column: Column, value: str) -> str:
    assert isinstance(column.cell.kind, OneOf)
    words = column.cell.kind.words
    return _translated(name, value, nearest(value, words), f"one of {', '.join(words)}")


def _of_flag(name: str, _column: Column, value: str) -> str:
    word = value.casefold()
    ours = "true" if word in _TRUE else "false" if word in _FALSE else None
    return _translated(name, value, ours, "true or false")


def _of_country(name: str, _column: Column, value: str) -> str:
    near = countries_near(value)
    ours = country_abroad(value) or (near[0][:2] if len(near) == 1 else None)
    choices = " or ".join(near) or "a code of two letters, such as FR"
    return _translated(name, value, ours, choices)


def _of_currency(name: str, _column: Column, value: str) -> str:
    asked = value.casefold()
    codes = currencies_by_number().values()
    found = [
        code for code in codes if asked in (currency_symbol(code).casefold(), currency_name(code).casefold())
    ]
    return _translated(name, value, found[0] if len(found) == 1 else None, "a code such as USD")


def _of_amount(_name: str, _column: Column, value: str) -> str | None:
    signs = [sign for sign in (",", ".") if _is_read(amount_reader(sign), value)]
    if not signs:
        return None
    return f"[file] decimal = {quoted(signs[0])}" + (f"  # or {quoted(signs[1])}" if len(signs) > 1 else "")


def _is_read(read: Callable[[str, str | None], str], value: str) -> bool:
    try:
        read(value, None)
    except ValueError as reason:
        # The sign is right, though the currency may still be to say.
        return " beside the amount" in str(reason)
    return True


def _of_date(_name: str, _column: Column, value: str) -> str | None:
    fits = [form for form in _formats() if _has_form(form, value)]
    if not fits:
        return None
    others = "".join(f" or {quoted(form)}" for form in fits[1:])
    return f"[file] date = {quoted(fits[0])}" + (f"  #{others}" if others else "")


def _of_further_form(value: str) -> str | None:
    fits = [quoted(form) for form in _formats() if _has_form(form, value)]
    if not fits:
        return None
    others = "".join(f", or {form}" for form in fits[1:])
    return f"date = [{quoted(_OPEN)}, {fits[0]}]  # {_OPEN}: what stands there{others}"


@cache
def _formats() -> tuple[str, ...]:
    return tuple(
        day + time if day != "iso" else day for day in _DATES for time in (_TIMES if day != "iso" else ("",))
    )


def _has_form(form: str, value: str) -> bool:
    try:
        date_reader((form,), None)(value)
    except ValueError:
        return False
    return True


def _of_email(name: str, heading: str, value: str) -> str | None:
    pieces = email_addresses(splitter((";", ",", " "), frozenset())(value))
    source = f"[columns] {key(name)} = {{ from = {quoted(heading)}"
    if value.lower().startswith("mailto:"):
        return f'{source}, split = ":", take = "last" }}'
    if "@" not in value:
        return _as_nothing(name, heading, value)
    try:
        check_email(pieces[0])
    except ValueError:
        return None
    return f'{source}, split = [";", ","], take = "first" }}'


def _as_nothing(name: str, heading: str, value: str) -> str:
    return f"[columns] {key(name)} = {{ from = {quoted(heading)}, empty = [{quoted(value)}] }}"


_MENDED: tuple[tuple[type, Callable[[str, Column, str], str | None]], ...] = (
    (OneOf, _of_word),
    (Flag, _of_flag),
    (Country, _of_country),
    (Decimal, _of_amount),
    (UnitId, _of_currency),
    (CreatedAt, _of_date),
)
