"""Merging customers: several become one. Everything that is lost by it is shown by a preview."""

from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from tradebook.crud.change import Change
from tradebook.crud.fields import Body, Field
from tradebook.crud.kinds import Flag, Id, Many
from tradebook.crud.records import Values
from tradebook.crud.versions import next_version
from tradebook.errors import HierarchyViolation, ValidationFailed
from tradebook.ids import encode_id
from tradebook.resources import account_groups, addresses
from tradebook.resources.customers.addresses import Pair, customer_addresses, link, links_of
from tradebook.resources.customers.changes import require_customers
from tradebook.resources.customers.fields import as_given
from tradebook.resources.customers.index import INDEX
from tradebook.resources.customers.parents import children_of, review_parents, set_parents
from tradebook.resources.customers.price_groups import price_groups_of, set_price_groups
from tradebook.resources.customers.shape import ID_PREFIX
from tradebook.resources.customers.tables import (
    customer_price_groups,
    customer_search,
    customers,
    merged_customers,
)
from tradebook.resources.customers.writing import records
from tradebook.storage.database import Writer
from tradebook.storage.schema import ACCOUNT, any_of, prepare

PARAM = "source_customer_ids"
BODY = Body(
    "CustomerMerge",
    (
        Field(
            PARAM,
            Many(Id(ID_PREFIX), 1),
            "The customers to merge into this one. They are deleted.",
            is_required=True,
        ),
        Field(
            "dry_run", Flag(), "Only show what would move and what would be lost. Default: false.", default=0
        ),
    ),
)

_c, _merged = customers.c, merged_customers.c
_POINT_ON = prepare(
    sa.update(merged_customers)
    .where(_merged.account_id == ACCOUNT, any_of(_merged.survivor_id, "ids"))
    .values(survivor_id=sa.bindparam("survivor"), updated_at=sa.bindparam("now"))
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
    """A value of a source that is lost, because the customer that remains has another one."""

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
    """A merge that may be done, and what is known of those that it is about."""

    target: Values
    sources: dict[int, Values]
    links: dict[Pair, bool]
    groups: dict[int, set[int]]
    children: list[int]

    @property
    def addresses(self) -> list[int]:
        """The addresses of the sources."""
        return sorted({address for customer, address in self.links if customer in self.sources})

    @property
    def moved_addresses(self) -> list[int]:
        """Those of them that the target does not have."""
        return [address for address in self.addresses if (self.target["id"], address) not in self.links]

    @property
    def moved_groups(self) -> list[int]:
        """The price groups of the sources that the target is not in."""
        found = set().union(*(self.groups[key] for key in self.sources))
        return sorted(found - self.groups[self.target["id"]])


def merge(change: Change) -> int | CustomerMergePreview:
    """Merge the sources into the customer of the path, or show what that would do."""
    plan = _plan(change)
    if change.values["dry_run"]:
        return _preview(plan)
    _move(change.writer, plan)
    _remove(change.writer, plan)
    parents = {source["parent_id"] for source in plan.sources.values()}
    turned = review_parents(change.writer, {change.id, *parents})
    change.writer.reindex(INDEX, list(dict.fromkeys([change.id, *plan.sources, *turned])))
    return change.id


def _plan(change: Change) -> _Merge:
    reader, target, keys = change.writer, change.row, change.values[PARAM]
    if change.id in keys:
        raise ValidationFailed(f"{PARAM} names the customer itself, which stays.", param=PARAM)
    found = records.find_all(reader, keys)
    if len(found) < len(keys):
        require_customers(reader, keys, PARAM)
    gone = {change.id, *keys}
    children = [key for key in children_of(reader, keys) if key not in gone]
    if children and target["parent_id"] is not None and target["parent_id"] not in gone:
        raise HierarchyViolation(
            "The sources have child accounts, which can't become children of a child account.", param=PARAM
        )
    return _Merge(
        target,
        {key: found[key] for key in keys},
        links_of(reader, gone),
        price_groups_of(reader, gone),
        children,
    )


def _preview(plan: _Merge) -> CustomerMergePreview:
    kept = as_given(plan.target)
    gone = {encode_id(ID_PREFIX, key) for key in (plan.target["id"], *plan.sources)}
    losses = []
    for key, source in plan.sources.items():
        for field, lost in as_given(source).items():
            is_moot = field == "parent_account_id" and lost in gone
            if lost is not None and lost != kept[field] and not is_moot:
                losses.append(MergeLoss(encode_id(ID_PREFIX, key), field, lost, kept[field]))
    return CustomerMergePreview(
        "customer_merge_preview",
        encode_id(ID_PREFIX, plan.target["id"]),
        [encode_id(ID_PREFIX, key) for key in plan.sources],
        [encode_id(addresses.ID_PREFIX, key) for key in plan.moved_addresses],
        [encode_id(account_groups.ID_PREFIX, key) for key in plan.moved_groups],
        [encode_id(ID_PREFIX, key) for key in plan.children],
        losses,
    )


def _move(writer: Writer, plan: _Merge) -> None:
    target: int = plan.target["id"]
    # What the target was only billed at, and a source had attached, is attached to the target.
    link(writer, [(target, address) for address in plan.addresses], known=plan.links, is_attached=True)
    set_price_groups(writer, {target: {*plan.groups[target], *plan.moved_groups}}, plan.groups)
    set_parents(writer, dict.fromkeys(plan.children, target))
    # This may include the target, as a child of one of the sources. Then it becomes nobody's child.
    stays_child = plan.target["parent_id"] not in plan.sources
    records.update(writer, plan.target, {"parent_id": plan.target["parent_id"] if stays_child else None})


def _remove(writer: Writer, plan: _Merge) -> None:
    keys = list(plan.sources)
    inner = [key for key, source in plan.sources.items() if source["parent_id"] in plan.sources]
    set_parents(writer, dict.fromkeys(inner))
    now = next_version(0)
    writer.run(_POINT_ON, ids=keys, survivor=plan.target["id"], now=now)
    writer.insert(
        _POINT,
        [{"id": key, "survivor_id": plan.target["id"], "merged_at": now, "updated_at": now} for key in keys],
    )
    for statement in _DROPS:
        writer.run(statement, ids=keys)
