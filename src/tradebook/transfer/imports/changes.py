"""What a decision changes, column by column, in the words of an export."""

from collections.abc import Mapping
from typing import Any

from tradebook.crud.records import Values
from tradebook.crud.table_fields import Cell
from tradebook.resources.addresses import FIELDS as ADDRESS_FIELDS
from tradebook.resources.addresses import agree
from tradebook.transfer.columns import ADDRESS_CELLS, CUSTOMER_CELLS, EXTERNAL_IDS
from tradebook.transfer.imports.deciding import Decision
from tradebook.transfer.imports.records import CheckedRow
from tradebook.transfer.imports.references import References

Changes = dict[str, tuple[Any, Any]]

_OWN = tuple(
    (cell.name, cell.column, cell)
    for cell in CUSTOMER_CELLS
    if cell.column is not None and cell.names != "customers.number"
)
_BY_NAME = {name: (column, cell) for name, column, cell in _OWN}
_PLACE = tuple((cell.name, cell.kind.write_json) for cell in ADDRESS_CELLS)
assert len(_PLACE) == len(ADDRESS_FIELDS)


class Words:
    """Writes what changes."""

    def __init__(self, references: References) -> None:
        self._references = references

    def of(self, record: CheckedRow, decision: Decision) -> Changes:
        """Return what changes: old and new by column; of a new customer, what its row gives."""
        if decision.before is None:
            return self._of_new(record, decision)
        if decision.outcome == "unchanged" and decision.rep_name is None:
            return {}
        before, after = decision.before, decision.after
        changes: Changes = {}
        for name, column, cell in _OWN:
            old, new = before[column], after[column]
            if old != new:
                self._note(changes, name, self._word(cell, old), self._word(cell, new))
        if decision.groups is not None:
            self._note(
                changes, "price_groups", self._groups(decision.had_groups), self._groups(decision.groups)
            )
        if decision.parent is not None:
            self._note(changes, "parent_number", *decision.parent)
        if decision.rep_name is not None:
            changes["sales_rep_name"] = (
                self._references.reps.known[after["sales_rep_id"]][1],
                decision.rep_name,
            )
        self._of_places(changes, decision)
        self._of_further(changes, decision)
        self._of_ids(changes, decision)
        return changes

    def _of_new(self, record: CheckedRow, decision: Decision) -> Changes:
        changes: Changes = {}
        after = decision.after
        for name in record.own:
            found = _BY_NAME.get(name)
            if found is not None:
                column, cell = found
                self._note(changes, name, None, self._word(cell, after[column]))
        if decision.groups:
            changes["price_groups"] = ([], self._groups(decision.groups))
        if decision.parent is not None:
            changes["parent_number"] = decision.parent
        self._of_places(changes, decision)
        self._of_further(changes, decision)
        self._of_ids(changes, decision)
        return changes

    def _of_ids(self, changes: Changes, decision: Decision) -> None:
        changes.update((f"{EXTERNAL_IDS}{name}", change) for name, change in decision.external_ids.items())

    def _of_places(self, changes: Changes, decision: Decision) -> None:
        """Compare the addresses as an export writes them: a ship-to that agrees with the bill-to is empty."""
        (old_bill, old_ship), (new_bill, new_ship) = decision.had_places, decision.places
        if old_bill is not new_bill:
            self._of_place(changes, "bill_to", old_bill, new_bill)
        old_own, new_own = _own_ship(old_bill, old_ship), _own_ship(new_bill, new_ship)
        if old_own is not new_own:
            self._of_place(changes, "ship_to", old_own, new_own)

    def _of_further(self, changes: Changes, decision: Decision) -> None:
        """Name the addresses that are attached; those that are there already stay."""
        if decision.further:
            changes["addresses"] = (
                [],
                [
                    {name: write(row[name]) for name, write in _PLACE if row[name] is not None}
                    for row in decision.further
                ],
            )

    def _of_place(self, changes: Changes, part: str, old: Values | None, new: Values | None) -> None:
        for name, write in _PLACE:
            before = None if old is None else old[name]
            after = None if new is None else new[name]
            if before != after:
                changes[f"{part}.{name}"] = (
                    None if before is None else write(before),
                    None if after is None else write(after),
                )

    def _note(self, changes: Changes, name: str, old: Any, new: Any) -> None:
        if old != new:
            changes[name] = (old, new)

    def _word(self, cell: Cell, kept: Any) -> Any:
        if kept is None:
            return None
        if cell.names is None:
            # As a cell: JSON has a currency's id, where files have its three letters.
            (word,) = cell.kind.write_cells((kept,))
            return word
        return self._references.words[cell.names](kept)

    def _groups(self, keys: set[int]) -> list[str]:
        return sorted(self._references.groups.name_of[key] for key in keys)


def _own_ship(bill: Values | None, ship: Values | None) -> Values | None:
    if bill is None or ship is None or ship is bill:
        return None if ship is bill else ship
    return None if agree(bill, ship) else ship


def cleared(changes: Mapping[str, tuple[Any, Any]]) -> list[str]:
    """List the columns in which a value becomes empty."""
    return [name for name, (old, new) in changes.items() if new in (None, []) and old not in (None, [])]
