"""What tells later whether a customer has changed since a plan was made."""

from collections.abc import Mapping, Sequence

from tradebook.crud.records import Values
from tradebook.crud.versions import version_of
from tradebook.resources import addresses
from tradebook.resources.customers import NEW
from tradebook.resources.customers import records as customer_records
from tradebook.storage.database import Reader
from tradebook.transfer.columns import EXTERNAL_IDS
from tradebook.transfer.imports.making import Foreseen
from tradebook.transfer.imports.matching import Matcher
from tradebook.transfer.imports.plan import PlannedRow, key_of
from tradebook.transfer.imports.references import References
from tradebook.transfer.rows import Match

NO_PARENT = "can't be its parent any more"
_ADDRESSES = ("bill_to_address_id", "ship_to_address_id")


def version_seen(customer: Values, places: Mapping[int, Values]) -> str:
    """Write the versions of a customer and of the addresses that it is billed at and shipped to."""
    rows = [customer]
    rows += [places[key] for key in (customer[name] for name in _ADDRESSES) if key in places]
    return ".".join(version_of(row["updated_at"]) for row in rows)


def changed_since(reader: Reader, rows: Sequence[PlannedRow], match: Match) -> list[PlannedRow]:
    """List the rows that a plan can no longer be held to.

    These are changes of a customer that has changed since, or is gone, new customers that are there by now,
    and rows whose names or parent can't be that any more. What a plan leaves as it is doesn't matter.
    """
    changes = [row for row in rows if row.outcome == "updated" and row.record is not None]
    known = customer_records.find_all(reader, [key_of(row) for row in changes])
    wanted = {each[name] for each in known.values() for name in _ADDRESSES} - {None}
    places = addresses.records.find_all(reader, wanted)
    stale = {
        id(row)
        for row in changes
        if (customer := known.get(key_of(row))) is None or version_seen(customer, places) != row.seen
    }
    stale |= _taken_since(reader, rows, match)
    stale |= _not_allowed_since(reader, rows, known)
    return [row for row in rows if id(row) in stale]


def _taken_since(reader: Reader, rows: Sequence[PlannedRow], match: Match) -> set[int]:
    """Find new customers that are there by now, and numbers and ids that somebody else has by now."""
    asked = [(row, row.record) for row in rows if row.record is not None and _takes_what_is_unique(row)]
    matcher = Matcher(reader, match)
    try:
        found = matcher.match([record for _, record in asked])
    finally:
        matcher.close()
    return {
        id(row)
        for (row, record), matched in zip(asked, found, strict=True)
        if record.problems or (row.outcome == "created" and matched.known is not None)
    }


def _takes_what_is_unique(row: PlannedRow) -> bool:
    return row.outcome == "created" or any(
        column == "number" or column.startswith(EXTERNAL_IDS) for column in row.changes
    )


def _not_allowed_since(reader: Reader, rows: Sequence[PlannedRow], known: Mapping[int, Values]) -> set[int]:
    """Find rows with a name that is of another kind by now, or a parent that is a child."""
    references = References(reader, Foreseen())
    parents = {id(row): row.changes["parent_number"][1] for row in rows if _has_parent_in_book(row)}
    there = customer_records.find_by(reader, "number", set(parents.values()))
    for row in rows:
        if (record := row.record) is None:
            continue
        customer = known.get(key_of(row)) if row.outcome == "updated" else None
        references.columns(record, customer or NEW)
        references.price_groups(record)
        number = parents.get(id(row))
        parent = None if number is None else there.get(number)
        # One that is not there comes with an earlier row of the file.
        is_child = parent is not None and parent["parent_id"] is not None
        if number is not None and (is_child or (customer is not None and customer["is_parent"])):
            record.refuse("parent_number", number, NO_PARENT)
    return {id(row) for row in rows if row.record is not None and row.record.problems}


def _has_parent_in_book(row: PlannedRow) -> bool:
    """Tell whether a row gets a parent that is or comes before it."""
    return not row.waits and row.changes.get("parent_number", (None, None))[1] is not None
