"""One cell at a time: from what a file says to what a column of the book holds.

Every check takes a value that is not empty and returns what is kept; ValueError says, in words for
the person who has the file, what is wrong with it. What is empty (an empty CSV cell, a JSON null or
"") becomes None in `check_row`: it clears what can be null, and is as good as absent for what
can't.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from tradebook.clock import parse_rfc3339
from tradebook.crud.text_values import check_email, check_note, check_text, check_url
from tradebook.ids import MILLISECONDS_MAX
from tradebook.money import WrongAmount, currency_number, parse_amount
from tradebook.resources.account_groups import COMMISSION_POLICIES, FREIGHT_POLICIES
from tradebook.resources.addresses import TYPES as ADDRESS_TYPES
from tradebook.resources.countries import country_code
from tradebook.resources.customers.tables import BILLING_TYPES, EDI_STATUSES, STATUSES
from tradebook.resources.priorities import CODES as PRIORITIES
from tradebook.transfer.files.rows import Problem, Row

GROUP_SEPARATOR = ";"
GROUP_ESCAPE = "\\"
VALUE_SHOWN_MAX = 80

Check = Callable[[Any], Any]

_foreign_of: dict[int, tuple[dict[str, str], dict[str, str]]] = {}

_TRUE = {"true", "yes", "1"}
_FALSE = {"false", "no", "0"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_GROUP = re.compile(r"((?:\\[\\;]|[^;])*)(?:;|$)", re.DOTALL)
_GROUP_ESCAPED = re.compile(r"\\([\\;])")


def check_amount(value: Any) -> str:
    """Accept a plain decimal."""
    text = check_text(value)
    try:
        return parse_amount(text)
    except WrongAmount:
        raise
    except ValueError:
        raise ValueError(_why_no_amount(text)) from None


def _why_no_amount(text: str) -> str:
    plain = "write a plain decimal such as 21000.00"
    if any(sign in text for sign in "$€£¥₹") or re.search(r"[A-Za-z]", text):
        return f"has a currency beside the amount: {plain}, the currency in credit_limit_currency"
    if re.search(r"[,'\u2019\s]", text):
        return f"has a thousands separator or a decimal comma: {plain}"
    return f"is no amount: {plain}"


def check_currency(value: Any) -> str:
    """Accept a currency's three letters."""
    code = check_text(value).upper()
    if currency_number(code) is None:
        raise ValueError("is no ISO 4217 currency code such as USD")
    return code


def check_flag(value: Any) -> int:
    """Accept true or false in one of its spellings."""
    if isinstance(value, bool):
        return int(value)
    word = check_text(value).lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be true or false (or yes, no, 1, 0)")
    return int(word in _TRUE)


def check_country(value: Any) -> str:
    """Accept a country's code or name, and return its two letters."""
    code = country_code(check_text(value))
    if code is None:
        raise ValueError("is no country: write a two-letter code such as FR, or an English name")
    return code


def check_created_at(value: Any) -> int:
    """Accept an RFC 3339 date-time, or a date, which means its midnight in UTC."""
    text = check_text(value)
    try:
        milliseconds, _ = parse_rfc3339(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    except ValueError:
        raise ValueError(
            "is no RFC 3339 time: write 2024-05-01T09:30:00Z, or a date such as 2024-05-01"
        ) from None
    if not 0 <= milliseconds < MILLISECONDS_MAX:
        raise ValueError("is not between 1970 and 2109")
    return milliseconds


def check_groups(value: Any) -> list[str]:
    r"""Accept names in a list, or in one text separated by `;` (`\;` and `\\` inside a name)."""
    names = split_groups(value) if isinstance(value, str) else value
    if not isinstance(names, list):
        raise ValueError("must be a list of names")
    checked = [check_text(name) for name in names if name != ""]
    return sorted({name for name in checked if name})


def split_groups(text: str) -> list[str]:
    """Take apart what `join_groups` has joined."""
    if GROUP_ESCAPE not in text:
        return text.split(GROUP_SEPARATOR)
    parts, at = [], 0
    while at < len(text):
        match = _GROUP.match(text, at)
        assert match is not None
        parts.append(_GROUP_ESCAPED.sub(r"\1", match[1]))
        at = match.end()
    return parts


def join_groups(names: Sequence[str]) -> str:
    """Write names into one cell, so that a `;` inside a name stays there."""
    return GROUP_SEPARATOR.join(
        name.replace("\\", "\\\\").replace(";", "\\;") if "\\" in name or ";" in name else name
        for name in names
    )


def _one_of(words: Sequence[str]) -> Check:
    places = {word: place for place, word in enumerate(words)}

    def check(value: Any) -> int:
        place = places.get(value) if isinstance(value, str) else None
        if place is None:
            place = places.get(check_text(value))
        if place is None:
            raise ValueError(f"must be one of {', '.join(words)}")
        return place

    return check


class Column(NamedTuple):
    """What one import column becomes: a value in one of a record's three parts."""

    part: str
    name: str
    check: Check
    can_be_null: bool = True


_ADDRESS: tuple[tuple[str, Check, bool], ...] = (
    ("name", check_text, False),
    ("street_line_1", check_text, True),
    ("street_line_2", check_text, True),
    ("locality", check_text, True),
    ("state", check_text, True),
    ("postal_code", check_text, True),
    ("country", check_country, False),
    ("phone", check_text, True),
    ("email", check_email, True),
    ("type", _one_of(ADDRESS_TYPES), False),
)
_OWN: tuple[tuple[str, Check, bool], ...] = (
    ("number", check_text, False),
    ("name", check_text, False),
    ("status", _one_of(STATUSES), False),
    ("edi_status", _one_of(EDI_STATUSES), False),
    ("commission_policy", _one_of(COMMISSION_POLICIES), False),
    ("freight_policy", _one_of(FREIGHT_POLICIES), False),
    ("note", check_note, True),
    ("email", check_email, True),
    ("phone", check_text, True),
    ("url", check_url, True),
    ("credit_limit", check_amount, True),
    ("credit_limit_currency", check_currency, True),
    ("type", check_text, True),
    ("price_groups", check_groups, True),
    ("parent_number", check_text, True),
    ("carrier", check_text, True),
    ("service_level", check_text, True),
    ("carrier_billing_type", _one_of(BILLING_TYPES), True),
    ("carrier_billing_account", check_text, True),
    ("payment_term", check_text, True),
    ("shipping_term", check_text, True),
    ("priority", _one_of(PRIORITIES), True),
    ("sales_rep_email", check_email, True),
    ("sales_rep_name", check_text, True),
    ("accepts_invoice_emails", check_flag, False),
    ("created_at", check_created_at, False),
)
ADDRESS_FIELDS = tuple(name for name, _, _ in _ADDRESS)
FIELDS: dict[str, Column] = {
    **{name: Column("own", name, check, null) for name, check, null in _OWN},
    **{
        f"{part}.{name}": Column(part, name, check, null)
        for part in ("bill_to", "ship_to")
        for name, check, null in _ADDRESS
    },
}
"""Every import column: where its value goes and what it must be."""


class CheckedRow(msgspec.Struct):
    """One row of a file, checked. A part holds only what the row gives; None clears."""

    line: int
    own: dict[str, Any]
    bill_to: dict[str, Any]
    ship_to: dict[str, Any]
    sources: dict[str, str]
    key: int = 0
    """The key that a new customer gets; 0 where its `created_at` decides."""
    has_automatic_number: bool = False
    problems: list[Problem] = []
    refused: list[str] = []

    def refuse(self, column: str, value: Any, reason: str) -> None:
        """Note that this row can't be taken in."""
        self.refused.append(column)
        self.problems.append(problem(self.line, column, value, reason, self.sources))

    def require(self, column: str, reason: str) -> None:
        """Note that a column is missing, unless what it holds was refused already."""
        if column not in self.refused:
            self.refuse(column, None, reason)


def problem(line: int, column: str, value: Any, reason: str, sources: dict[str, str]) -> Problem:
    """Describe what is wrong with a cell, under the file's own name for the column as well as ours."""
    source = sources.get(column, column)
    name = column if source == column else f"{source} ({column})"
    return Problem(line, name, _shown(value), reason)


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= VALUE_SHOWN_MAX else f"{text[: VALUE_SHOWN_MAX - 1]}…"


def _foreign(sources: dict[str, str]) -> dict[str, str]:
    """Keep the columns that the file calls otherwise; all rows of a file share one such table."""
    if not sources:
        return sources
    key = id(sources)
    if key not in _foreign_of:
        _foreign_of.clear()
        kept = {ours: theirs for ours, theirs in sources.items() if ours != theirs}
        # The table itself stays referenced: no other one can come to have its id.
        _foreign_of[key] = (sources, kept)
    return _foreign_of[key][1]


def check_row(row: Row) -> CheckedRow:
    """Check every cell of a row; what is wrong is in the record's problems, what is right in its parts."""
    parts: dict[str, dict[str, Any]] = {"own": {}, "bill_to": {}, "ship_to": {}}
    sources = _foreign(row.sources)
    record = CheckedRow(row.line, parts["own"], parts["bill_to"], parts["ship_to"], sources)
    for column, value in row.values.items():
        part, name, check, can_be_null = FIELDS[column]
        try:
            checked = None if value is None or value == "" else check(value)
        except ValueError as error:
            if not isinstance(value, str) or value.strip():
                record.refuse(column, value, str(error))
                continue
            checked = None
        # In an address also what can't be null: all of it empty means that there is none.
        if checked is None or checked == "":
            if can_be_null or part != "own":
                parts[part][name] = None
        else:
            parts[part][name] = checked
    return record
