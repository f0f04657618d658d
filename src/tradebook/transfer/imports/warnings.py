"""What looks wrong in the values of a file, and is no problem."""

import re
from collections import deque
from collections.abc import Container, Iterator, Mapping, Sequence
from html import unescape
from typing import Any

from tradebook.resources import customers
from tradebook.resources.countries import country_code
from tradebook.resources.import_shapes import ImportDoubt
from tradebook.text import shortened
from tradebook.transfer.cells import unguard
from tradebook.transfer.columns import ATTACHED, COLUMNS, EXTERNAL_IDS
from tradebook.transfer.imports.misreading import misread
from tradebook.transfer.rows import VALUE_SHOWN_MAX, Row

_ADDRESS_PARTS = ("bill_to", "ship_to", "address")
_CODES = frozenset(
    (
        *("number", "parent_number", "phone", "carrier_billing_account"),
        *(f"{part}.{name}" for part in _ADDRESS_PARTS for name in ("phone", "postal_code")),
    )
)
"""The columns of numbers that nobody counts with; ids in other systems are such too."""

_COUNTRY_OF = {f"{part}.postal_code": f"{part}.country" for part in _ADDRESS_PARTS}

_WORDS = frozenset((*COLUMNS, *ATTACHED)) - _CODES
"""The columns in which text of ASCII alone looks wrong only where it is a word for nothing."""

_EMAILS = frozenset(("email", "sales_rep_email", *(f"{part}.email" for part in _ADDRESS_PARTS)))
_ROUNDED = re.compile(
    r"[+-]?[0-9](?:[.,][0-9]+)?E\+[0-9]{1,3}|[+-]?[0-9][.,][0-9]+E[0-9]{1,3}", re.IGNORECASE
)
_GUARDS = frozenset("='")
"""What text begins with that a spreadsheet is made to keep: ="00417", and '00417 in a column of numbers."""
_FLOAT = re.compile(r"[0-9]{2,}\.0")
_NULLS = frozenset(("NULL", "null", "\\N", "N/A", "n/a", "#N/A", "(null)", "<null>", "nan", "NaN", "None"))
_NULL_IN_TEXT = re.compile(r"(?<!\w)(?:NULL|\\N)(?!\w)", re.ASCII)
"""What a template has made of a cell for nothing: `Tel. NULL`."""
_ENTITY = re.compile("&(?:[a-z][a-z0-9]{1,30}|#[0-9]{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
"""How web pages write a letter or a sign: `&auml;`, `&amp;`, `&#39;`."""
_DIGITS_OF_CODES = {
    **dict.fromkeys(("DE", "ES", "FI", "FR", "IT", "KR", "LT", "MX", "MY", "PR", "TR", "UA", "US"), 5),
    **dict.fromkeys(("AU", "NO", "NZ", "ZA"), 4),
}
"""How long postal codes are where they are digits alone, and some begin with zeros."""
_ZEROS_MAX = 2
_TOTAL = re.compile(
    r"(?:(?:grand|sub|report)[ -]?)?(?:totals?|totale|totaux|totaal|sum|summe|gesamt(?:summe)?"
    r"|somme|suma|razem|celkem|итого)\b[\W\d]*",
    re.IGNORECASE,
)
LEAVE_OUT = "a [[skip]] in the map leaves it out"
LAST_ROWS = 3
"""How far from the end of a file a total may stand: a time, or who has made the list, may follow."""


def odd_columns(row: Row) -> list[str]:
    """Name the columns of a row whose values may be worth a warning: hardly any."""
    values = row.values
    odd = [
        column
        for column, value in values.items()
        if not _is_plain(column, value) and _may_be_told(column, value)
    ]
    return odd + [code for code in _COUNTRY_OF if code in values and _digits_lost(values, code)]


def _is_plain(column: str, value: Any) -> bool:
    """Tell whether a cell is like nearly all: what a spreadsheet has rounded has an exponent."""
    if value.__class__ is not str:
        if value.__class__ is list:
            return all(_is_plain(column, each) for each in value)
        return value is None or value.__class__ is bool
    return (
        value.isascii()
        and value not in _NULLS
        and "NULL" not in value
        and "\\N" not in value
        and "&" not in value
        and value[:1] not in _GUARDS
        and (column in _WORDS or ("E" not in value and "e" not in value and value[-2:] != ".0"))
    )


def _may_be_told(column: str, value: Any) -> bool:
    """Tell whether a warning comes of a cell that is not plain; of several values in one, perhaps."""
    if not isinstance(value, str):
        return True
    return (_reason(column, value) or _looks_like(column, value) or _word_in(value)) is not None


class Warnings:
    """Looks at the rows that are taken in; `settle` has what the whole file shows."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, str], tuple[int, int]] = {}
        """The first line, and how many there are, by column and word: for nothing, or of web pages."""
        self._counted: dict[tuple[str, str], tuple[int, str, int]] = {}
        """The first line, the first value, and how many there are, by column and what is odd about them."""
        self._last: deque[tuple[int, str]] = deque(maxlen=LAST_ROWS)

    def see(self, row: Row, changed: Container[str] | None, odd: Sequence[str]) -> list[ImportDoubt]:
        """Look at a row's odd values: those of the columns that it changes; all, for a new customer.

        An attached address is in the column `addresses`.
        """
        found: list[ImportDoubt] = []
        for column in odd:
            is_attached = column == "addresses" or column.startswith("address.")
            if changed is None or ("addresses" if is_attached else column) in changed:
                found += self._of_value(row.line, column, row.values[column])
                if (digits := _digits_lost(row.values, column)) is not None:
                    self._count(row.line, column, row.values[column], _ZEROS_LOST.format(digits))
        name = row.values.get("name")
        self._last.append((row.line, name if isinstance(name, str) else ""))
        return found

    def new_group(self, line: int, column: str, name: str) -> ImportDoubt | None:
        """Look at the name of a group that the import makes."""
        if "," not in name:
            return None
        several = (
            "several groups are separated by ; "
            'or by what the map says (price_groups = { from = …, split = "," })'
        )
        advice = several if column == "price_groups" else "a customer has one type, so look whether it is one"
        reason = f"is a new group with a comma in its name: {advice}"
        return ImportDoubt(line, column, shortened(name, VALUE_SHOWN_MAX), reason)

    def settle(self) -> Iterator[ImportDoubt]:
        """Tell what shows at the end of the file only."""
        for (column, word), (line, count) in self._words.items():
            times = "once" if count == 1 else f"{count:,} times"
            yield ImportDoubt(line, column, word, f"stands {times} in this column: {_meaning(word)}")
        for (column, reason), (line, value, count) in self._counted.items():
            values = "1 value" if count == 1 else f"{count:,} values"
            yield ImportDoubt(line, column, value, f"{reason}: {values} of this column")
        for line, name in self._last:
            if is_total(name):
                reason = f"looks like the sum at the end of a list, and would become a customer: {LEAVE_OUT}"
                yield ImportDoubt(line, "name", shortened(name, VALUE_SHOWN_MAX), reason)

    def _of_value(self, line: int, column: str, value: Any) -> Iterator[ImportDoubt]:
        if isinstance(value, list):
            for entry in value:
                listed = entry if isinstance(entry, dict) else {None: entry}
                for name, one in listed.items():
                    yield from self._of_value(line, column if name is None else f"address.{name}", one)
        elif isinstance(value, str) and value:
            # A number of JSON or of a workbook is text of a class of its own, which nothing writes out.
            value = str(value)
            reason = _reason(column, value)
            if reason is not None:
                yield ImportDoubt(line, column, shortened(value, VALUE_SHOWN_MAX), reason, needs_yes=True)
            elif (reason := _looks_like(column, value)) is not None:
                self._count(line, column, value, reason)
            elif (word := _word_in(value)) is not None:
                first, count = self._words.get((column, word), (line, 0))
                self._words[column, word] = (first, count + 1)

    def _count(self, line: int, column: str, value: str, reason: str) -> None:
        first, shown_value, count = self._counted.get((column, reason), (line, str(value), 0))
        self._counted[column, reason] = (first, shown_value, count + 1)


def _reason(column: str, value: str) -> str | None:
    """Say what is wrong with a text; None where nothing is."""
    if not value.isascii():
        if "\ufffd" in value:
            return "has a replacement character: what stood there was lost before the file was made"
        if (found := misread(value)) is not None:
            meant = shortened(found.text, VALUE_SHOWN_MAX)
            return f"is UTF-8 that was read as {found.encoding} and saved again: it was {meant}"
        if column in _EMAILS and customers.likeness.UNSEEN.search(value):
            return "has characters that nobody sees: no mail reaches it"
    elif _is_code(column) and _ROUNDED.fullmatch(value.strip()):
        return "was rounded by a spreadsheet, and its other digits are lost: export it as text"
    return None


def _looks_like(column: str, value: str) -> str | None:
    """Say what a program has made of a text, which is counted by column."""
    if _is_code(column) and _FLOAT.fullmatch(value):
        return "ends with .0, as where a program took it for an amount"
    is_formula = value[:2] == '="' and unguard(value) != value
    if is_formula or (value[:1] == "'" and value[1:2].isdigit() and _is_code(column)):
        return (
            "has signs by which a spreadsheet keeps text: unguard = true in [file] of the map takes them away"
        )
    return None


def _is_code(column: str) -> bool:
    return column in _CODES or column.startswith(EXTERNAL_IDS)


def is_total(text: str) -> bool:
    """Tell whether a text is what stands beside the sum at the end of a list."""
    return _TOTAL.fullmatch(text) is not None


def _word_in(value: str) -> str | None:
    """Return a word for nothing, or a letter as web pages write it, that a text is or has in it."""
    if value in _NULLS:
        return value
    if (found := _NULL_IN_TEXT.search(value)) is not None:
        return found[0]
    return next((sign for sign in _ENTITY.findall(value) if unescape(sign) != sign), None)


def _meaning(word: str) -> str:
    if word.startswith("&"):
        return f"it is how web pages write {unescape(word)}, so the list was not exported as text"
    listed = f'nothing = ["{word}"]'.replace("\\", "\\\\")
    return f"if it means an empty cell, say {listed} in [file] of the map"


_ZEROS_LOST = "has fewer digits than the {} of a postal code there, as where a spreadsheet took zeros away"


def _digits_lost(values: Mapping[str, Any], column: str) -> int | None:
    """Return how many digits a postal code should have, where it has fewer; None where nothing is odd."""
    text, named = values.get(column), values.get(_COUNTRY_OF.get(column, ""))
    if not isinstance(text, str) or not text.isdigit() or not isinstance(named, str) or not named:
        return None
    digits = _DIGITS_OF_CODES.get(country_code(named) or "", 0)
    return digits if digits - _ZEROS_MAX <= len(text) < digits else None
