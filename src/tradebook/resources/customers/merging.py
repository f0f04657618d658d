"""Merging customers: several become one, and nothing is dropped that a preview does not show."""

from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.crud.change import Change
from tradebook.crud.fields import Body, Field, Flag, Many
from tradebook.crud.parameters import Id
from tradebook.crud.records import Values
from tradebook.crud.versions import next_version, next_version_of
from tradebook.errors import HierarchyViolation, ValidationFailed
from tradebook.ids import encode_id
from tradebook.resources import account_groups, addresses
from tradebook.resources.customers.changes import records, require_customers
from tradebook.resources.customers.fields import as_given
from tradebook.resources.customers.links import GROUPED, LINKED, link, review_parent, set_price_groups
from tradebook.resources.customers.shape import ID_PREFIX
from tradebook.resources.customers.tables import (
    INDEX,
    customer_addresses,
    customer_price_groups,
    customer_search,
    customers,
    merged_customers,
)
from tradebook.storage.schema import ACCOUNT, Prepared, any_of, prepare

PARAM = "source_customer_ids"
ADOPTED_AT_ONCE = 1_000
BODY = Body(
    "CustomerMerge",
    (
        Field(
            PARAM,
            Many(Id(ID_PREFIX), 1),
            "The customers that are merged into this one, and then are no more.",
            is_required=True,
        ),
        Field("dry_run", Flag(), "Only shows what would move and what would be lost.", default=0),
    ),
)

_c, _merged = customers.c, merged_customers.c
_NOW = sa.bindparam("now", type_=sa.BigInteger)
_CHILDREN = prepare(
    sa.select(_c.id).where(_c.account_id == ACCOUNT, any_of(_c.parent_id, "ids")).order_by(_c.id.desc())
)
_ADOPT = prepare(
    sa.update(customers)
    .where(_c.account_id == ACCOUNT, any_of(_c.id, "ids"))
    .values(
        parent_id=sa.bindparam("parent"),
        updated_at=next_version_of(_c.updated_at),
    )
)
_POINT_ON = prepare(
    sa.update(merged_customers)
    .where(_merged.account_id == ACCOUNT, any_of(_merged.survivor_id, "ids"))
    .values(survivor_id=sa.bindparam("survivor"), updated_at=_NOW)
)
_POINT = prepare(sa.insert(merged_customers))
_DROPS = [
    prepare(sa.delete(table).where(table.c.account_id == ACCOUNT, any_of(column, "ids")))
    for table, column in (
        (customer_addresses, customer_addresses.c.customer_id),
        (customer_price_groups, customer_price_groups.c.customer_id),
        (customer_search, customer_search.c.customer_id),
        (customers, _c.id),
    )
]


class MergeLoss(msgspec.Struct, frozen=True):
    """What a source says otherwise than the customer that stays, and what is gone with it."""

    customer_id: str
    field: str
    lost: Any
    kept: Any


class CustomerMergePreview(msgspec.Struct, frozen=True):
    """What a merge would do; nothing was done."""

    object: Literal["customer_merge_preview"]
    customer_id: str
    source_customer_ids: list[str]
    moved_address_ids: list[str]
    moved_price_group_ids: list[str]
    moved_child_account_ids: list[str]
    losses: list[MergeLoss]


class _Merge(msgspec.Struct, frozen=True):
    """A merge that may be done: what moves, by key."""

    target: Values
    sources: list[Values]
    addresses: list[int]
    moved_addresses: list[int]
    moved_groups: list[int]
    children: list[int]

    @property
    def keys(self) -> list[int]:
        return [source["id"] for source in self.sources]


def merge(change: Change) -> int | CustomerMergePreview:
    """Merge the sources into the customer of the path, or show what that would do."""
    plan = _plan(change)
    if change.values["dry_run"]:
        return _preview(plan)
    _move(change, plan)
    _remove(change, plan)
    change.writer.reindex(INDEX, [change.id, *plan.keys])
    for parent in {source["parent_id"] for source in plan.sources} | {change.id}:
        review_parent(change, parent)
    return change.id


def _plan(change: Change) -> _Merge:
    target, keys = change.row, change.values[PARAM]
    if change.id in keys:
        raise ValidationFailed(f"{PARAM} names the customer itself, which stays.", param=PARAM)
    require_customers(change.writer, keys, PARAM)
    sources = [source for key in keys if (source := records.find(change.writer, key)) is not None]
    gone = {change.id, *keys}
    children = [key for (key,) in change.writer.rows(_CHILDREN, ids=keys) if key not in gone]
    if children and target["parent_id"] is not None and target["parent_id"] not in gone:
        raise HierarchyViolation(
            "The sources have child accounts, which can't become children of a child account.", param=PARAM
        )
    return _Merge(
        target,
        sources,
        _of(change, LINKED, keys),
        _new(change, LINKED, keys),
        _new(change, GROUPED, keys),
        children,
    )


def _of(change: Change, statement: Prepared, customers_of: list[int]) -> list[int]:
    """List what customers are linked with, each once."""
    return sorted({row[0] for row in change.writer.rows(statement, customers=customers_of)})


def _new(change: Change, statement: Prepared, sources: list[int]) -> list[int]:
    """List what the sources are linked with and the target is not."""
    known = set(_of(change, statement, [change.id]))
    return [key for key in _of(change, statement, sources) if key not in known]


def _preview(plan: _Merge) -> CustomerMergePreview:
    kept = as_given(plan.target)
    gone = {encode_id(ID_PREFIX, key) for key in (plan.target["id"], *plan.keys)}
    losses = []
    for source in plan.sources:
        for field, lost in as_given(source).items():
            is_moot = field == "parent_account_id" and lost in gone
            if lost is not None and lost != kept[field] and not is_moot:
                losses.append(MergeLoss(encode_id(ID_PREFIX, source["id"]), field, lost, kept[field]))
    return CustomerMergePreview(
        "customer_merge_preview",
        encode_id(ID_PREFIX, plan.target["id"]),
        [encode_id(ID_PREFIX, key) for key in plan.keys],
        [encode_id(addresses.ID_PREFIX, key) for key in plan.moved_addresses],
        [encode_id(account_groups.ID_PREFIX, key) for key in plan.moved_groups],
        [encode_id(ID_PREFIX, key) for key in plan.children],
        losses,
    )


def _move(change: Change, plan: _Merge) -> None:
    target = change.id
    link(change, target, plan.addresses, is_attached=True)
    set_price_groups(change, target, [*_of(change, GROUPED, [target]), *plan.moved_groups])
    # Also the target itself, where it was a child of one of the sources; it is nobody's child then.
    stays_child = plan.target["parent_id"] not in plan.keys
    parent = plan.target["parent_id"] if stays_child else None
    # Not all at once: a statement has its time, and a parent may have any number of children.
    for start in range(0, len(plan.children), ADOPTED_AT_ONCE):
        some = plan.children[start : start + ADOPTED_AT_ONCE]
        change.writer.run(_ADOPT, ids=some, parent=target, now=now_ms())
    records.update(change, plan.target, {"parent_id": parent})


def _remove(change: Change, plan: _Merge) -> None:
    # A source may be the child of another source.
    change.writer.run(_ADOPT, ids=plan.keys, parent=None, now=now_ms())
    now = next_version(0)
    change.writer.run(_POINT_ON, ids=plan.keys, survivor=change.id, now=now)
    change.writer.insert(
        _POINT,
        [{"id": key, "survivor_id": change.id, "merged_at": now, "updated_at": now} for key in plan.keys],
    )
    for statement in _DROPS:
        change.writer.run(statement, ids=plan.keys)
