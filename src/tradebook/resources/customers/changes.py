"""Creating, changing and deleting customers, with the rules between a customer and what it refers to."""

from collections.abc import Collection, Mapping
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from tradebook.crud.change import Change
from tradebook.crud.kinds import OneOf
from tradebook.crud.parameters import Parameter
from tradebook.crud.records import Values, differ
from tradebook.errors import (
    CustomerMerged,
    MissingField,
    ResourceConflict,
    ResourceGone,
    ValidationFailed,
)
from tradebook.ids import encode_id
from tradebook.resources import addresses
from tradebook.resources.customers import external_ids
from tradebook.resources.customers.addresses import addresses_of, serving_nobody
from tradebook.resources.customers.fields import NEW, columns
from tradebook.resources.customers.finished import FINISHED
from tradebook.resources.customers.given_addresses import AddressChanges
from tradebook.resources.customers.index import INDEX
from tradebook.resources.customers.numbering import Numbering
from tradebook.resources.customers.parents import Misfit, misfits, review_parents
from tradebook.resources.customers.price_groups import price_groups_of
from tradebook.resources.customers.reads import tell_plain
from tradebook.resources.customers.references import check_references, foresee_references
from tradebook.resources.customers.shape import ID_PREFIX, PATH
from tradebook.resources.customers.tables import merged_customers
from tradebook.resources.customers.writing import add_customers, change_customers, records
from tradebook.storage.database import Reader, Writer
from tradebook.storage.schema import ACCOUNT, any_of, prepare

ERRORS = (ResourceGone, ResourceConflict)
"""What the rules below can refuse with."""

ADDRESSES = Parameter(
    "addresses",
    # The order of the words is that of the question whether they go.
    OneOf(Literal["keep", "delete"]),
    "What becomes of the customer's addresses. `keep`, the default: they stay, as they belong to the "
    "account. `delete`: those that serve no other customer go with it; this needs `addresses:delete` too.",
    example="keep",
)

_SURVIVORS = prepare(
    sa.select(merged_customers.c.id, merged_customers.c.survivor_id).where(
        merged_customers.c.account_id == ACCOUNT, any_of(merged_customers.c.id, "ids")
    )
)
_MISFITS: dict[Misfit, str] = {
    "itself": "A customer can't be its own parent.",
    "is_child": "This parent is itself a child account; there is one level.",
    "has_children": "This customer has child accounts, so it can't become one.",
}


class AddressesLeft(msgspec.Struct, frozen=True):
    """What became of the addresses of a customer that was deleted."""

    kept_addresses: int
    """How many of its addresses stay in the account."""
    deleted_addresses: int
    """How many were deleted with it: those that serve nobody else, where that was asked for."""


def foresee(reader: Reader, given: Values) -> None:
    """Say what the rules will look at, by the fields of a body."""
    foresee_references(reader, given)
    if "number" in given:
        Numbering.foresee(reader)
        records.foresee_free(reader, given, ["number"])


def create(change: Change) -> int:
    """Add a customer with its addresses."""
    writer, given = change.writer, dict(change.values)
    groups = given.pop("customer_price_group_ids") or ()
    ids = given.pop(external_ids.FIELD) or {}
    inline = addresses.new_rows([given.pop(f"{part}_to_address") for part in ("bill", "ship")])
    bill, ship = inline[0], inline[-1]
    _check(writer, {name: value for name, value in change.values.items() if value is not None}, NEW)
    given["number"] = _number(writer, given["number"])
    addresses.records.insert(writer, inline)
    row = records.new_row(
        {
            **NEW,
            **columns(given, NEW),
            "bill_to_address_id": bill["id"],
            "ship_to_address_id": ship["id"],
        }
    )
    key: int = row["id"]
    places = {address["id"]: address for address in inline}
    made = FINISHED.made([row])
    add_customers(writer, [row], price_groups={key: groups}, places=places, finished=made)
    external_ids.set_external_ids(writer, {key: ids}, had={})
    listed = [{"group_id": group} for group in groups]
    writer.reindex(INDEX, [key], [{key: [row]}, {key: inline}, {key: listed}])
    if stale := review_parents(writer, [row["parent_id"]]):
        writer.reindex(INDEX, stale)
    tell_plain(writer, made)
    return key


def _number(writer: Writer, given: str | None, key: int | None = None) -> str:
    """Take note of the number that a customer is to have, or find the next one that is free."""
    numbering = Numbering(writer)
    if given is None:
        (given,) = numbering.next(1)
    else:
        records.require_free(writer, {"id": key, "number": given}, ["number"])
        numbering.saw(given)
    numbering.save()
    return given


def update(change: Change) -> int:
    """Change the fields of a customer that the body gives."""
    given = _checked(change.writer, change.values, change.row)
    _change(change.writer, change.row, given)
    return change.id


def put(change: Change) -> int:
    """Change a customer as a row of an import does: of its addresses too, what is not given stays.

    Nothing is written where nothing is other than before: then it keeps its version.
    """
    writer, before, values = change.writer, change.row, dict(change.values)
    said = _Said(values.pop("bill_to_address", {}), values.pop("ship_to_address", {}))
    old = tuple(before[f"{part}_to_address_id"] for part in ("bill", "ship"))
    addresses = AddressChanges(writer)
    addresses.load(old)
    new = addresses.of_changed(said, values.get("name", before["name"]), before)
    has_moved = addresses.attach(change.id, old, new)
    given = _checked(writer, values, before)
    given.columns.update(bill_to_address_id=new[0], ship_to_address_id=new[1])
    if has_moved or given.is_other_than(before):
        addresses.write_new(writer)
        # Before the customer is indexed, by where its addresses are then.
        addresses.write_changed(writer)
        _change(writer, before, given, places=addresses.rows, has_moved=has_moved)
    return change.id


class _Said(msgspec.Struct):
    """What the body of a PUT says of the addresses of a customer that is there."""

    bill_to: Values
    ship_to: Values

    def says(self, part: str) -> bool:
        """Tell whether anything is said of an address: null clears a field."""
        return bool(getattr(self, part))

    def require(self, column: str, reason: str) -> None:
        """Refuse an address that can't be made of what is given."""
        part, _, field = column.partition(".")
        param = f"{part}_address.{field}"
        raise MissingField(f"{param} {reason}.", param=param)


class _Given(msgspec.Struct):
    """What a customer is to have: columns, price groups unless None, and ids in other systems."""

    columns: Values
    groups: Collection[int] | None
    had_groups: Mapping[int, Collection[int]]
    ids: Mapping[str, str | None]
    had_ids: Mapping[str, str]

    def is_other_than(self, before: Values) -> bool:
        """Tell whether a customer with this row has anything that it is to have otherwise."""
        (had,) = self.had_groups.values() or ((),)
        return (
            differ(before, self.columns, self.columns)
            or (self.groups is not None and set(self.groups) != set(had))
            or any(self.had_ids.get(name) != value for name, value in self.ids.items())
        )


def _checked(reader: Reader, values: Values, before: Values) -> _Given:
    """Check what a body says of a customer that is there, by its fields."""
    given = dict(values)
    groups = given.pop("customer_price_group_ids", None)
    _check(reader, values, before)
    key: int = before["id"]
    had = {} if groups is None else price_groups_of(reader, [key])
    had_ids = external_ids.of(reader, [key])[key] if external_ids.FIELD in given else {}
    ids = given.pop(external_ids.FIELD, {})
    return _Given(
        columns(given, before), groups, had, dict.fromkeys(had_ids) if ids is None else ids, had_ids
    )


def _change(
    writer: Writer,
    before: Values,
    given: _Given,
    *,
    places: Mapping[int, Mapping[str, Any]] | None = None,
    has_moved: bool = False,
) -> None:
    """Write a customer as it is to be; `has_moved` if an address is another one, or elsewhere.

    `places` are its addresses where their fields were given. Otherwise one that is replaced stays attached.
    """
    after = {**before, **given.columns}
    if after["number"] != before["number"]:
        _number(writer, after["number"], before["id"])
    external_ids.set_external_ids(writer, {before["id"]: given.ids}, had={before["id"]: given.had_ids})
    groups = {} if given.groups is None else {before["id"]: given.groups}
    stale = change_customers(
        writer,
        [(before, after)],
        price_groups=groups,
        had_groups=given.had_groups,
        places=places,
        keeps_addresses=places is None,
    )
    stale.update(review_parents(writer, {before["parent_id"]} ^ {after["parent_id"]}))
    if has_moved:
        stale.add(before["id"])
    if stale:
        writer.reindex(INDEX, sorted(stale))


def delete(change: Change) -> AddressesLeft:
    """Delete a customer that has no children. Its addresses stay, as they belong to the account.

    Those that serve nobody else are deleted with it where that is asked for.
    """
    writer = change.writer
    with_addresses = bool(change.parameters.get(ADDRESSES.name))
    if with_addresses:
        change.grant.require("addresses:delete")
    served = addresses_of(writer, [change.id])
    records.delete(writer, change.row)
    writer.reindex(INDEX, [change.id, *review_parents(writer, [change.row["parent_id"]])])
    left = serving_nobody(writer, served)
    if not with_addresses:
        addresses.mark(writer, left, is_unused=True)
        return AddressesLeft(len(served), 0)
    addresses.drop(writer, left)
    return AddressesLeft(len(served) - len(left), len(left))


def survivor_of(reader: Reader, key: int, param: str = "id") -> CustomerMerged | None:
    """Return the error that names the customer into which this one was merged, if it was."""
    found = reader.rows(_SURVIVORS, ids=[key])
    if not found:
        return None
    survivor = encode_id(ID_PREFIX, found[0][1])
    return CustomerMerged(f"This customer was merged into {survivor}.", param=param, see=f"{PATH}/{survivor}")


def require_customers(reader: Reader, keys: Collection[int], param: str) -> None:
    """Refuse keys of customers that the account doesn't have: ValidationFailed, which names survivors."""
    try:
        records.require(reader, keys, param)
    except ValidationFailed:
        for key, survivor in reader.rows(_SURVIVORS, ids=list(keys)):
            gone, there = encode_id(ID_PREFIX, key), encode_id(ID_PREFIX, survivor)
            raise ValidationFailed(
                f"{param} names {gone}, which was merged into {there}.", param=param
            ) from None
        raise


def _check(reader: Reader, given: Values, before: Values) -> None:
    """Check the given values against the rules."""
    check_references(reader, given, before)
    if given.get("parent_account_id") is not None:
        _check_parent(reader, given["parent_account_id"], before)


def _check_parent(reader: Reader, parent: int, before: Values) -> None:
    param, child = "parent_account_id", before.get("id", 0)
    misfit = misfits(reader, {child: parent}).get(child)
    if misfit == "missing":
        require_customers(reader, [parent], param)
    elif misfit is not None:
        raise ResourceConflict(_MISFITS[misfit], param=param)
