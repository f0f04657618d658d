"""Merging customers: several become one. Everything that is lost by it is shown by a preview."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from tradebook.crud.change import Change, Told
from tradebook.crud.fields import Body, Field
from tradebook.crud.kinds import Flag, Id, Many
from tradebook.crud.records import Values
from tradebook.crud.versions import next_version
from tradebook.errors import ResourceConflict, ValidationFailed
from tradebook.ids import SOURCE, encode_id, example_key
from tradebook.resources import account_groups, addresses, carriers
from tradebook.resources.customers import external_ids
from tradebook.resources.customers.addresses import (
    Pair,
    addresses_of,
    customer_addresses,
    link,
    links_of,
)
from tradebook.resources.customers.changes import require_customers
from tradebook.resources.customers.fields import FIELDS, as_given
from tradebook.resources.customers.index import INDEX
from tradebook.resources.customers.parents import children_of, review_parents, set_parents
from tradebook.resources.customers.price_groups import (
    price_groups_of,
    price_groups_of_any,
    set_price_groups,
)
from tradebook.resources.customers.shape import ID_PREFIX, Customer
from tradebook.resources.customers.tables import (
    customer_price_groups,
    customer_search,
    customers,
    finished_customers,
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
            Many(Id(ID_PREFIX), 1, is_distinct=True),
            "The customers to merge into this one. They are deleted.",
            is_required=True,
            example=[encode_id(ID_PREFIX, example_key(SOURCE))],
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
        (external_ids.external_ids, external_ids.external_ids.c.customer_id),
        (finished_customers, finished_customers.c.customer_id),
        (customers, _c.id),
    )
]


_PARENTS = prepare(sa.select(_c.id, _c.parent_id).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids")))

SOURCES_AT_ONCE = 25
"""How many sources are read at once for a preview: a row may have a long note."""

ID_BYTES = 24
"""What an id in a list takes up at most."""

_CARRIER, _BILLING = ("carrier_id", "service_level_id"), ("carrier_billing_type", "carrier_billing_account")
_UNITS = (
    _BILLING,
    *(
        names
        for names in (tuple(column.name for column in field.columns) for field in FIELDS)
        if all(_c[name].nullable for name in names) and not {*names} & {*_CARRIER, *_BILLING, "parent_id"}
    ),
)
"""Columns that are taken from a source together, or one where the target agrees with the source in the rest.

The carrier is looked at apart, and the parent.
"""

TOLD_BYTES_MAX = 32_768
"""What the losses take up in the answer to a merge: it is stored for a replay, as the sources are gone."""

LOSSES_SHARE, IDS_SHARE = 2, 8
"""An answer has a half for the losses, and an eighth for each of the three lists of what moves."""


class MergeLoss(msgspec.Struct, frozen=True):
    """A value of a source that is lost, because the customer that remains has another one."""

    customer_id: str
    """The source that has the value, such as `ac_2t17adc000002`."""
    field: str
    """The field as a body calls it, such as `note`."""
    lost: Any
    """The value that is lost."""
    kept: Any
    """The value that stays."""


class MergeLeftOut(msgspec.Struct, frozen=True):
    """How much of each list of a preview is not shown, because it had no room."""

    moved_address_ids: int
    """How many ids of addresses are not listed."""
    moved_price_group_ids: int
    """How many ids of price groups are not listed."""
    moved_child_account_ids: int
    """How many ids of child accounts are not listed."""
    losses: int
    """How many losses are not listed."""


class LossesLeftOut(msgspec.Struct, frozen=True):
    """How many losses of a merge are not told, because they had no room."""

    losses: int
    """How many losses are not listed."""


class MergeLosses(msgspec.Struct, frozen=True):
    """What a merge has lost, beside the customer that remains."""

    losses: list[MergeLoss]
    left_out: LossesLeftOut


class MergedCustomer(Customer, frozen=True, kw_only=True):
    """The customer that remains after a merge, and what was lost by it."""

    losses: list[MergeLoss]
    """The values of sources that were lost, because the customer has others."""
    left_out: LossesLeftOut
    """How many entries of the list had no room."""


class CustomerMergePreview(msgspec.Struct, frozen=True):
    """What a merge would do; nothing was done."""

    object: Literal["customer_merge_preview"]
    customer_id: str
    """The customer that would stay, such as `ac_2t17adc000000`."""
    source_customer_ids: list[str]
    """The customers that would be merged into it, such as `ac_2t17adc000002`."""
    moved_address_ids: list[str]
    """The addresses that it would get, such as `ad_2t17adc000000`."""
    moved_price_group_ids: list[str]
    """The price groups that it would get, such as `acgr_2t17adc000002`."""
    moved_child_account_ids: list[str]
    """The child accounts that it would get, such as `ac_2t17adc000003`."""
    losses: list[MergeLoss]
    """The values that would be lost."""
    left_out: MergeLeftOut
    """How many entries of each list had no room."""


class _Merge(msgspec.Struct, frozen=True):
    """A merge that may be done, and what is known of those that it is about."""

    target: Values
    parents: dict[int, int | None]
    """The sources, each with its parent."""
    links: dict[Pair, bool]
    """The addresses of the target; its price groups are `groups`."""
    groups: set[int]
    external_ids: dict[str, str]
    addresses: list[int]
    """The addresses of the sources."""
    moved_groups: list[int]
    children: list[int]

    @property
    def moved_addresses(self) -> list[int]:
        """The addresses of the sources that the target does not have."""
        return [address for address in self.addresses if (self.target["id"], address) not in self.links]


class _Sources:
    """The rows of the sources with their external ids, in their order.

    Where they are many, they are read each time anew.
    """

    def __init__(self, change: Change, plan: _Merge) -> None:
        self._reader, self._keys = change.writer, list(plan.parents)
        self._few = list(self._read()) if len(self._keys) <= SOURCES_AT_ONCE else None

    def __iter__(self) -> Iterator[Values]:
        return self._read() if self._few is None else iter(self._few)

    def _read(self) -> Iterator[Values]:
        for start in range(0, len(self._keys), SOURCES_AT_ONCE):
            some = self._keys[start : start + SOURCES_AT_ONCE]
            found, ids = records.find_all(self._reader, some), external_ids.of(self._reader, some)
            yield from ({**found[key], external_ids.FIELD: ids[key]} for key in some)


def merge(change: Change) -> Told | CustomerMergePreview:
    """Merge the sources into the customer of the path, or show what that would do."""
    plan = _plan(change)
    sources = _Sources(change, plan)
    filled = _filled(change, plan, sources)
    if change.values["dry_run"]:
        return _preview(change, plan, filled, sources)
    room = min(change.answer_bytes_max // LOSSES_SHARE, TOLD_BYTES_MAX)
    losses, left_out = _losses(plan, filled, sources, room)
    ids = filled.pop(external_ids.FIELD, plan.external_ids)
    _move(change.writer, plan, filled)
    _remove(change.writer, plan)
    # When the sources have none any more: an id is one customer's.
    external_ids.set_external_ids(change.writer, {change.id: ids}, had={change.id: plan.external_ids})
    turned = review_parents(change.writer, {change.id, *plan.parents.values()})
    change.writer.reindex(INDEX, list(dict.fromkeys([change.id, *plan.parents, *turned])))
    return Told(change.id, MergeLosses(losses, LossesLeftOut(left_out)))


def _plan(change: Change) -> _Merge:
    reader, target, keys = change.writer, change.row, change.values[PARAM]
    if change.id in keys:
        raise ValidationFailed(f"{PARAM} names the customer itself, which stays.", param=PARAM)
    parents: dict[int, int | None] = dict(reader.rows(_PARENTS, ids=keys))
    if len(parents) < len(keys):
        require_customers(reader, keys, PARAM)
    gone = {change.id, *keys}
    children = [key for key in children_of(reader, keys) if key not in gone]
    if children and target["parent_id"] is not None and target["parent_id"] not in gone:
        raise ResourceConflict(
            "The sources have child accounts, which can't become children of a child account.", param=PARAM
        )
    groups = price_groups_of(reader, [change.id])[change.id]
    return _Merge(
        target,
        {key: parents[key] for key in keys},
        links_of(reader, [change.id]),
        groups,
        external_ids.of(reader, [change.id])[change.id],
        addresses_of(reader, keys),
        sorted(price_groups_of_any(reader, keys) - groups),
        children,
    )


def _preview(change: Change, plan: _Merge, filled: Values, sources: _Sources) -> CustomerMergePreview:
    ids_max = max(1, change.answer_bytes_max // IDS_SHARE // ID_BYTES)

    def some(prefix: str, keys: Sequence[int]) -> list[str]:
        return [encode_id(prefix, key) for key in keys[:ids_max]]

    moved = (plan.moved_addresses, plan.moved_groups, plan.children)
    of_addresses, of_groups, of_children = [max(0, len(keys) - ids_max) for keys in moved]
    losses, of_losses = _losses(plan, filled, sources, change.answer_bytes_max // LOSSES_SHARE)
    return CustomerMergePreview(
        "customer_merge_preview",
        encode_id(ID_PREFIX, plan.target["id"]),
        [encode_id(ID_PREFIX, key) for key in plan.parents],
        some(addresses.ID_PREFIX, plan.moved_addresses),
        some(account_groups.ID_PREFIX, plan.moved_groups),
        some(ID_PREFIX, plan.children),
        losses,
        MergeLeftOut(of_addresses, of_groups, of_children, of_losses),
    )


def _filled(change: Change, plan: _Merge, sources: _Sources) -> Values:
    """Take what the target has not set from the sources, in their order; returns columns, and all its ids."""
    target = dict(plan.target)
    ids = dict(plan.external_ids)
    if target["parent_id"] in plan.parents:
        target["parent_id"] = None
    gone = {target["id"], *plan.parents}
    own_children = children_of(change.writer, [target["id"]]) if target["is_parent"] else []
    may_be_child = not plan.children and set(own_children) <= gone
    for source in sources:
        for unit in _UNITS:
            _fill(target, source, unit)
        carrier = target["carrier_id"]
        if carrier == source["carrier_id"] or (
            carrier is None and _is_standing(change, source["carrier_id"])
        ):
            _fill(target, source, _CARRIER)
        if may_be_child and source["parent_id"] not in gone:
            _fill(target, source, ("parent_id",))
        new = [name for name in source[external_ids.FIELD] if name not in ids]
        room = external_ids.OF_CUSTOMER_MAX - len(ids)
        ids.update({name: source[external_ids.FIELD][name] for name in new[:room]})
    filled = {name: value for name, value in target.items() if value != plan.target[name]}
    return filled if ids == plan.external_ids else {**filled, external_ids.FIELD: ids}


def _fill(target: Values, source: Values, unit: tuple[str, ...]) -> None:
    """Take the columns of a unit that the target has not set, where the source agrees with those it has."""
    if all(target[name] is None or target[name] == source[name] for name in unit):
        target.update({name: source[name] for name in unit if source[name] is not None})


def _is_standing(change: Change, carrier: int | None) -> bool:
    """Tell whether a carrier may be chosen: one that was deleted stays with who has it."""
    found = None if carrier is None else carriers.records.find(change.writer, carrier)
    return found is not None and found["deleted_at"] is None


def _losses(plan: _Merge, filled: Values, sources: _Sources, room: int) -> tuple[list[Any], int]:
    """List what is lost, source by source, as JSON; and count what has no room.

    A source is listed whole or not at all, the first one always, and none after one that was left out.
    """
    kept = as_given({**plan.target, **filled})
    kept |= _by_field(filled.get(external_ids.FIELD, plan.external_ids))
    listed: list[Any] = []
    left_out = 0
    for source in sources:
        lost = _lost(plan, source, kept)
        if left_out == 0:
            made = [msgspec.Raw(msgspec.json.encode(loss)) for loss in lost]
            room -= sum([len(raw) + 1 for raw in made])
            if room >= 0 or not listed:
                listed += made
                continue
        left_out += len(lost)
    return listed, left_out


def _lost(plan: _Merge, source: Values, kept: Values) -> list[MergeLoss]:
    # A parent that is part of the merge is no loss.
    given = {**as_given(source), **_by_field(source[external_ids.FIELD])}
    if source["parent_id"] == plan.target["id"] or source["parent_id"] in plan.parents:
        del given["parent_account_id"]
    source_id = encode_id(ID_PREFIX, source["id"])
    return [
        MergeLoss(source_id, field, lost, kept.get(field))
        for field, lost in given.items()
        if lost is not None and lost != kept.get(field)
    ]


def _by_field(ids: Mapping[str, str]) -> dict[str, str]:
    return {f"{external_ids.FIELD}.{name}": value for name, value in ids.items()}


def _move(writer: Writer, plan: _Merge, filled: Values) -> None:
    target: int = plan.target["id"]
    # What the target was only billed at, and a source had attached, is attached to the target.
    link(writer, [(target, address) for address in plan.addresses], known=plan.links, is_attached=True)
    set_price_groups(writer, {target: {*plan.groups, *plan.moved_groups}}, {target: plan.groups})
    set_parents(writer, dict.fromkeys(plan.children, target))
    # A target that was the child of a source is nobody's child now, or of whom it took from another source.
    records.update(writer, plan.target, filled)


def _remove(writer: Writer, plan: _Merge) -> None:
    keys = list(plan.parents)
    inner = [key for key, parent in plan.parents.items() if parent in plan.parents]
    set_parents(writer, dict.fromkeys(inner))
    now = next_version(0)
    writer.run(_POINT_ON, ids=keys, survivor=plan.target["id"], now=now)
    writer.insert(
        _POINT,
        [{"id": key, "survivor_id": plan.target["id"], "merged_at": now, "updated_at": now} for key in keys],
    )
    for statement in _DROPS:
        writer.run(statement, ids=keys)
