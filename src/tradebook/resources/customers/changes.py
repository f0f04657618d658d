"""Creating, changing and deleting customers, with the rules that hold between them and everything else."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from tradebook.crud.change import Change
from tradebook.crud.records import Records, Values
from tradebook.errors import (
    AlreadyDeleted,
    CustomerMerged,
    HierarchyViolation,
    ReferenceNotFound,
    WrongCarrier,
    WrongGroupType,
)
from tradebook.ids import encode_id
from tradebook.resources import (
    account_groups,
    account_users,
    addresses,
    carriers,
    payment_terms,
    service_levels,
    shipping_terms,
)
from tradebook.resources.customers.fields import COLUMN_OF, columns
from tradebook.resources.customers.links import link, review_parent, set_price_groups, unlink
from tradebook.resources.customers.numbering import Numbering
from tradebook.resources.customers.shape import ID_PREFIX
from tradebook.resources.customers.tables import (
    INDEX,
    customer_addresses,
    customer_price_groups,
    customer_search,
    customers,
    merged_customers,
)
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, any_of, prepare

PATH = "/v1/sales/customers"
_c = customers.c

records = Records(
    customers,
    unique=("number",),
    owned=(
        customer_addresses.c.customer_id,
        customer_price_groups.c.customer_id,
        customer_search.c.customer_id,
        merged_customers.c.survivor_id,
    ),
)
_GROUP_TYPES = prepare(
    sa.select(account_groups.account_groups.c.id, account_groups.account_groups.c.type).where(
        account_groups.account_groups.c.account_id == ACCOUNT,
        any_of(account_groups.account_groups.c.id, "ids"),
    )
)
_SURVIVORS = prepare(
    sa.select(merged_customers.c.id, merged_customers.c.survivor_id).where(
        merged_customers.c.account_id == ACCOUNT, any_of(merged_customers.c.id, "ids")
    )
)
_PLAIN_REFERENCES = (
    ("default_payment_term_id", payment_terms.records),
    ("default_shipping_term_id", shipping_terms.records),
    ("default_sales_rep_id", account_users.records),
    ("bill_to_address_id", addresses.records),
    ("ship_to_address_id", addresses.records),
)
_NEW: Values = {"parent_id": None, "is_parent": 0}


def create(change: Change) -> int:
    """Add a customer with its addresses."""
    given = dict(change.values)
    groups = given.pop("customer_price_group_ids") or ()
    bill, ship = given.pop("bill_to_address"), given.pop("ship_to_address")
    _check(change, {name: value for name, value in given.items() if value is not None}, _NEW, groups)
    given["number"] = _number(change, given["number"])
    row = {**_NEW, **columns(given, _NEW)}
    row["bill_to_address_id"] = addresses.records.add(change, bill)
    row["ship_to_address_id"] = addresses.records.add(change, ship)
    key = records.add(change, row)
    _link_with(change, key, row, groups)
    return key


def _number(change: Change, given: str | None) -> str:
    numbering = Numbering(change.writer)
    if given is None:
        (given,) = numbering.next(1)
    numbering.saw(given)
    numbering.save()
    return given


def update(change: Change) -> int:
    """Change what is given of a customer."""
    before = change.row
    given = dict(change.values)
    groups = given.pop("customer_price_group_ids", None)
    _check(change, given, before, groups or ())
    if "number" in given:
        _number(change, given["number"])
    changes = columns(given, before)
    records.update(change, before, changes)
    after = {**before, **changes}
    old, new = _addresses_of(before), _addresses_of(after)
    unlink(change, change.id, old - new)
    _link_with(change, change.id, after, groups)
    if before["parent_id"] != after["parent_id"]:
        review_parent(change, before["parent_id"])
    return change.id


def _link_with(change: Change, key: int, row: Values, groups: Any) -> None:
    link(change, key, sorted(_addresses_of(row)))
    if groups is not None:
        set_price_groups(change, key, groups)
    review_parent(change, row["parent_id"])
    change.writer.reindex(INDEX, [key])


def _addresses_of(row: Values) -> set[int]:
    return {row["bill_to_address_id"], row["ship_to_address_id"]} - {None}


def delete(change: Change) -> None:
    """Delete a customer that has no children; its addresses stay, they belong to the account."""
    records.delete(change, change.row)
    change.writer.reindex(INDEX, [change.id])
    review_parent(change, change.row["parent_id"])


def survivor_of(reader: Reader, key: int) -> CustomerMerged | None:
    """Tell where a customer that is gone lives on."""
    found = reader.rows(_SURVIVORS, ids=[key])
    if not found:
        return None
    survivor = encode_id(ID_PREFIX, found[0][1])
    return CustomerMerged(f"This customer was merged into {survivor}.", param="id", see=f"{PATH}/{survivor}")


def require_customers(reader: Reader, keys: Iterable[int], param: str) -> None:
    """Refuse keys of customers that the account doesn't have: ReferenceNotFound, also naming survivors."""
    wanted = list(keys)
    try:
        records.require(reader, wanted, param)
    except ReferenceNotFound:
        for key, survivor in reader.rows(_SURVIVORS, ids=wanted):
            gone, there = encode_id(ID_PREFIX, key), encode_id(ID_PREFIX, survivor)
            raise ReferenceNotFound(
                f"{param} names {gone}, which was merged into {there}.", param=param
            ) from None
        raise


def _check(change: Change, given: Values, before: Values, groups: Any) -> None:
    """Hold what is given against the rules."""
    reader = change.writer
    for param, target in _PLAIN_REFERENCES:
        if given.get(param) is not None:
            target.require(reader, [given[param]], param)
    if "customer_type_group_id" in given:
        _require_groups(reader, [given["customer_type_group_id"]], "customer_type_group_id", "type_group")
    _require_groups(reader, groups, "customer_price_group_ids", "pricing_group")
    _check_carrier(reader, given, before)
    if given.get("parent_account_id") is not None:
        _check_parent(reader, given["parent_account_id"], before)


def _require_groups(reader: Reader, keys: Any, param: str, kind: str) -> None:
    account_groups.records.require(reader, keys, param)
    wanted = account_groups.TYPES.index(kind)
    if keys and any(found != wanted for _, found in reader.rows(_GROUP_TYPES, ids=list(keys))):
        raise WrongGroupType(f"{param} takes groups whose type is {kind}.", param=param)


def _check_carrier(reader: Reader, given: Values, before: Values) -> None:
    names = ("default_carrier_id", "default_service_level_id")
    carrier, level = [given.get(name, before.get(COLUMN_OF[name])) for name in names]
    if carrier is not None and carrier != before.get("carrier_id"):
        carriers.records.require(reader, [carrier], "default_carrier_id")
        found = carriers.records.find(reader, carrier)
        if found is not None and found["deleted_at"] is not None:
            raise AlreadyDeleted("This carrier was deleted: choose another one.", param="default_carrier_id")
    if level is None or not any(name in given for name in names):
        return
    param = "default_service_level_id" if "default_service_level_id" in given else "default_carrier_id"
    service_levels.records.require(reader, [level], param)
    if carrier is None or not service_levels.is_of_carrier(reader, carrier, level):
        raise WrongCarrier(
            "The service level belongs to another carrier: give default_carrier_id and "
            "default_service_level_id that go together.",
            param=param,
        )


def _check_parent(reader: Reader, parent: int, before: Values) -> None:
    param = "parent_account_id"
    require_customers(reader, [parent], param)
    found = records.find(reader, parent)
    assert found is not None
    if parent == before.get("id"):
        raise HierarchyViolation("A customer can't be its own parent.", param=param)
    if found["parent_id"] is not None:
        raise HierarchyViolation("This parent is itself a child account; there is one level.", param=param)
    if before["is_parent"]:
        raise HierarchyViolation("This customer has child accounts, so it can't become one.", param=param)
