"""What the customers of a page refer to: one statement for each relation, none for each row."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import msgspec

from tradebook.crud.fragments import Fragments
from tradebook.crud.listing import nested_lists
from tradebook.crud.resource import View
from tradebook.crud.walks import NewestOfEach
from tradebook.ids import encode_id
from tradebook.resources import (
    account_groups,
    account_users,
    carriers,
    payment_terms,
    service_levels,
    shipping_terms,
)
from tradebook.resources.customers import external_ids
from tradebook.resources.customers.reads import PLACES, read_plain
from tradebook.resources.customers.shape import ID_PREFIX, PATH
from tradebook.resources.customers.tables import customer_price_groups, customers
from tradebook.storage.database import Reader, Row

ByKey = Mapping[Any, Any]
Finished = Callable[[set[int]], Mapping[Any, Any]]
_NOTHING: ByKey = {}

_PRICE_GROUPS = NewestOfEach(customer_price_groups.c.customer_id, customer_price_groups.c.group_id)
_CHILDREN = NewestOfEach(customers.c.parent_id, customers.c.id)


class Related(msgspec.Struct, frozen=True):
    """What the customers of one page refer to, by key: whatever is not included is not found."""

    count: int
    """For how many of the customers, from the first on, there was room for their lists."""
    types: ByKey
    carriers: ByKey
    levels: ByKey
    payment_terms: ByKey
    shipping_terms: ByKey
    reps: ByKey
    parents: ByKey
    children: ByKey
    """The lists of the customers themselves, by their keys; so are the price groups."""
    price_groups: ByKey
    external_ids: ByKey
    """Of those customers that have any."""


_referred = itemgetter(
    0,
    *(
        PLACES[name]
        for name in (
            "is_parent",
            "parent_id",
            "type_id",
            "carrier_id",
            "service_level_id",
            "payment_term_id",
            "shipping_term_id",
            "sales_rep_id",
        )
    ),
)


def related(view: View, rows: Sequence[Row], *, are_all: bool) -> Related:
    """Read what rows of `read_whole` refer to: one statement for each relation that is included.

    `are_all` tells that these are all customers between the first and the last of them.
    """
    reader, include = view.reader, view.include

    def fragments(path: str, of: Fragments[Any], keys: Collection[int | None]) -> ByKey:
        return of.load(reader, keys) if path in include else _NOTHING

    with_levels = "freight_preferences.carrier.service_levels" in include
    of_reps = (
        account_users.fragments_with_user if "defaults.sales_rep.user" in include else account_users.fragments
    )
    keys, is_parent, parents_of, types, carried_by, levels, paid, shipped, reps = zip(
        *map(_referred, rows), strict=True
    )
    parents = [key for key, is_one in zip(keys, is_parent, strict=True) if is_one]
    children = _children(view, parents, are_all=are_all) if "child_accounts" in include else _NOTHING
    price_groups = _price_groups(view, keys, are_all=are_all) if "price_groups" in include else _NOTHING
    count = len(price_groups) if "price_groups" in include else len(rows)
    if len(children) < len(parents) and "child_accounts" in include:
        count = min(count, keys.index(next(key for key in parents if key not in children)))
    return Related(
        count=count,
        types=fragments("type", account_groups.fragments, types),
        carriers=carriers.load_with_levels(view, carried_by)
        if with_levels
        else fragments("freight_preferences.carrier", carriers.fragments, carried_by),
        levels=fragments("freight_preferences.service_level", service_levels.fragments, levels),
        payment_terms=fragments("defaults.payment_term", payment_terms.fragments, paid),
        shipping_terms=fragments("defaults.shipping_term", shipping_terms.fragments, shipped),
        reps=fragments("defaults.sales_rep", of_reps, reps),
        parents=_parents(view, parents_of) if "parent_account" in include else _NOTHING,
        children=children,
        price_groups=price_groups,
        external_ids=_external_ids(view, keys, are_all=are_all)
        if external_ids.FIELD in include
        else _NOTHING,
    )


def _parents(view: View, keys: Sequence[int | None]) -> ByKey:
    wanted = {key for key in keys if key is not None}
    return _plain(view.reader, wanted) if wanted else _NOTHING


def _plain(reader: Reader, keys: Iterable[int]) -> dict[int, bytes]:
    return dict(read_plain(reader, list(keys)))


def _children(view: View, parents: Sequence[int], *, are_all: bool) -> ByKey:
    if not parents:
        return _NOTHING
    listed = _CHILDREN.load(view.reader, parents, are_all=are_all)
    return _nested(view, "child_accounts", listed, partial(_plain, view.reader))


def _price_groups(view: View, keys: Sequence[int], *, are_all: bool) -> ByKey:
    listed = _PRICE_GROUPS.load(view.reader, keys, are_all=are_all)
    return _nested(view, "price_groups", listed, partial(account_groups.fragments.load, view.reader))


def _external_ids(view: View, keys: Sequence[int], *, are_all: bool) -> ByKey:
    found = external_ids.of_some(view.reader, keys, are_all=are_all)
    return {key: msgspec.json.encode(ids) for key, ids in found.items()}


def _nested(view: View, name: str, listed: Mapping[int, list[int]], finished: Finished) -> ByKey:
    def path_of(owner: int) -> str:
        return f"{PATH}/{encode_id(ID_PREFIX, owner)}/{name}"

    return nested_lists(view, listed, finished, path_of)
