"""A row of a file, checked cell by cell: what it gives of a customer, and what is wrong with it."""

from collections.abc import Callable, Container
from functools import lru_cache
from typing import Any

import msgspec

from tradebook.crud.kinds import LINE, Flag, OneOf
from tradebook.crud.text_values import TEXT_LENGTH_MAX
from tradebook.resources.addresses import Country
from tradebook.resources.customers import ADDRESS_FIELDS
from tradebook.text import shortened
from tradebook.transfer.columns import ADDRESSES, ATTACHED, COLUMNS, PARTS, Column, column_named
from tradebook.transfer.rows import VALUE_SHOWN_MAX, Problem, Row

PLACE = ("street_line_1", "street_line_2", "locality", "state", "postal_code", "country")
"""What makes an address: one of them in a cell of the row itself. A name or a phone alone makes none."""


_LINES: dict[str, tuple[str, str]] = {
    column: (found.part, found.name)
    for column, found in {**COLUMNS, **ATTACHED}.items()
    if found.cell.kind is LINE and not found.cell.is_list
}


_FEW: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    column: (found.part, found.name, lru_cache(1_000)(found.read))
    for column, found in {**COLUMNS, **ATTACHED}.items()
    if isinstance(found.cell.kind, OneOf | Flag | Country)
}
"""The columns that say few things again and again, with what remembers them."""


class CheckedRow(msgspec.Struct, array_like=True):
    """One row of a file, checked. A part holds only what the row gives; None clears."""

    line: int
    own: dict[str, Any]
    bill_to: dict[str, Any]
    ship_to: dict[str, Any]
    addresses: list[dict[str, Any]]
    """Attached addresses; a name that isn't given is that of the customer."""
    external_ids: dict[str, Any]
    """Ids in other systems, by the names of these."""
    problems: list[Problem] = []
    refused: list[str] = []
    place: int = 0
    """Which row of the file it is. Lines don't tell: a JSON list may have all of its objects in one."""
    for_new: list[str] = []
    """Columns with a default of the map that a customer who is there already does not take."""
    is_undecided: bool = False
    """Whether nobody can tell whose row it is: what it is known by was refused."""

    def refuse(self, column: str, value: Any, reason: str) -> None:
        """Note that this row can't be taken in."""
        self.refused.append(column)
        self.problems.append(problem(self.line, column, value, reason))

    def leave_to(self, known: dict[str, Any]) -> None:
        """Leave a customer as it is where the file has nothing, and only the map a default.

        A currency goes with its amount, and an address that the customer does not have begins with the
        defaults.
        """
        for column in self.for_new:
            found = column_named(column)
            assert found is not None, "maps refuse others"
            amount = self.own.get(column.removesuffix("_currency")) if column.endswith("_currency") else None
            is_new_address = found.part in ADDRESSES and known[f"{found.part}_address_id"] is None
            if amount is None and not is_new_address and found.part in ("own", *ADDRESSES):
                getattr(self, found.part).pop(found.name, None)

    def says(self, part: str) -> bool:
        """Tell whether the row has such an address: a cell of its place."""
        return self.has_place(getattr(self, part))

    @staticmethod
    def has_place(given: dict[str, Any]) -> bool:
        """Tell whether an address says where it is."""
        return bool(given) and any(given.get(name) is not None for name in PLACE)

    def require(self, column: str, reason: str) -> None:
        """Note that a column is missing, unless what it holds was refused already."""
        if column not in self.refused:
            self.refuse(column, None, reason)


def problem(line: int, column: str, value: Any, reason: str) -> Problem:
    """Describe what is wrong with a cell."""
    return Problem(line, column, shown(value), reason)


def shown(value: Any) -> str:
    """Write a value into a message, whatever it is."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "; ".join(map(shown, value[:VALUE_SHOWN_MAX])) if isinstance(value, list) else str(value)
    return shortened(text, VALUE_SHOWN_MAX)


def check_row(row: Row, *, keeps_empty: bool = False) -> CheckedRow:
    """Check every cell of a row; what is wrong is in the record's problems, what is right in its parts.

    `keeps_empty` has an empty cell say nothing, where it would clear; a default is then for new customers.
    """
    parts: dict[str, dict[str, Any]] = {name: {} for name in PARTS}
    attached = [parts["address"]]
    record = CheckedRow(
        row.line,
        parts["own"],
        parts["bill_to"],
        parts["ship_to"],
        attached,
        parts["external_ids"],
        problems=list(row.problems),
        refused=list(row.refused),
        for_new=sorted(row.defaulted) if keeps_empty else [],
    )
    for column, value in row.values.items():
        if value.__class__ is str and column in _LINES:
            # The fast way for nearly every cell: what `check_text` takes as it is.
            text = value.strip()
            if text and len(text) <= TEXT_LENGTH_MAX and text.isprintable():
                part, name = _LINES[column]
                parts[part][name] = text
                continue
        elif value.__class__ is str and column in _FEW and value:
            part, name, read = _FEW[column]
            try:
                parts[part][name] = read(value)
            except ValueError:
                # It is looked at again below, and told.
                pass
            else:
                continue
        if column == "addresses":
            _check_addresses(record, value)
            continue
        found = column_named(column)
        assert found is not None, "files and maps refuse others"
        if not keeps_empty or not is_nothing(value):
            _check_cell(record, column, found, value, parts[found.part])
    for part in ADDRESSES:
        _settle(record, part, row.defaulted)
    record.addresses = [address for address in attached if _is_made(record, address, row.defaulted)]
    return record


def is_nothing(value: Any) -> bool:
    """Tell whether a cell is empty."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _check_cell(record: CheckedRow, column: str, found: Column, value: Any, values: dict[str, Any]) -> None:
    part, name, can_be_null, read, _ = found
    try:
        checked = None if value is None or value == "" else read(value)
    except ValueError as error:
        if not isinstance(value, str) or value.strip():
            record.refuse(column, value, str(error))
            return
        checked = None
    # In an address also what can't be null: all of it empty means that there is none.
    if checked is None or checked == "":
        if can_be_null or part != "own":
            values[name] = None
    else:
        values[name] = checked


def _check_addresses(record: CheckedRow, value: Any) -> None:
    """Check a list of attached addresses."""
    listed = [] if value is None or value == "" else value
    if not isinstance(listed, list) or not all(isinstance(address, dict) for address in listed):
        record.refuse("addresses", value, "must be a list of addresses, each an object of its fields")
        return
    for address in listed:
        checked: dict[str, Any] = {}
        for name, cell in address.items():
            column = f"address.{name}"
            if column in ATTACHED:
                _check_cell(record, column, ATTACHED[column], cell, checked)
            else:
                known = ", ".join(ADDRESS_FIELDS)
                record.refuse("addresses", name, f"is no field of an address, which has {known}")
        record.addresses.append(checked)


def _settle(record: CheckedRow, part: str, defaulted: Container[str]) -> None:
    """Leave out an address that only constants, a name, a phone or an e-mail would make."""
    given: dict[str, Any] = getattr(record, part)
    if not given or _has_place(record, part, given, defaulted):
        return
    if len(given) == len(ADDRESS_FIELDS):
        # All its columns are there and none says where it is: the customer has none.
        given.update(dict.fromkeys(given))
        return
    for name in [name for name in given if f"{part}.{name}" in defaulted]:
        del given[name]


def _is_made(record: CheckedRow, address: dict[str, Any], defaulted: Container[str]) -> bool:
    """Tell whether an attached address is one; one without a country is a problem."""
    if not _has_place(record, "address", address, defaulted):
        return False
    if address.get("country") is None and "addresses" not in record.refused:
        record.require("address.country", "is missing: an address needs a country")
    return True


def _has_place(record: CheckedRow, part: str, given: dict[str, Any], defaulted: Container[str]) -> bool:
    if not defaulted and not record.refused:
        return record.has_place(given)
    return any(
        (given.get(name) is not None and f"{part}.{name}" not in defaulted)
        or f"{part}.{name}" in record.refused
        for name in PLACE
    )
