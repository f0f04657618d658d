"""From the keys of a page, or a part of the list, to finished customers."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from tradebook.crud.resource import LoadSpan, Span, View
from tradebook.resources.customers.reads import by_key, read_plain, read_whole
from tradebook.resources.customers.related import related
from tradebook.resources.customers.splicing import spliced
from tradebook.storage.database import Row

INCLUDES = (
    "bill_to_address",
    "bill_to_address.geolocation",
    "ship_to_address",
    "ship_to_address.geolocation",
    "type",
    "parent_account",
    "child_accounts",
    "price_groups",
    "external_ids",
    "contact_info",
    "credit_limit",
    "credit_limit.unit",
    "notification_preferences",
    "freight_preferences",
    "freight_preferences.carrier",
    "freight_preferences.carrier.service_levels",
    "freight_preferences.service_level",
    "defaults",
    "defaults.payment_term",
    "defaults.shipping_term",
    "defaults.priority",
    "defaults.sales_rep",
    "defaults.sales_rep.user",
)

_LISTS = frozenset({"child_accounts", "price_groups"})


def load(view: View, keys: Sequence[int]) -> Mapping[int, Any]:
    """Return finished customers by key, with what the view includes, as far as there is room."""
    if not view.include:
        return load_plain(view, keys)
    rows = read_whole(view.reader, keys, view.include)
    if len(rows) > 1 and not view.include.isdisjoint(_LISTS):
        # In the order of the keys: where there is no more room, it is the last ones that wait.
        by_key = {row[0]: row for row in rows}
        rows = [by_key[key] for key in keys if key in by_key]
    made = map(msgspec.Raw, _expanded(view, rows, are_all=False))
    return dict(zip_longest([row[0] for row in rows], made))


def load_plain(view: View, keys: Iterable[int]) -> dict[int, msgspec.Raw]:
    """Return customers as they are shown inside another one: every sub-object is null."""
    return {key: msgspec.Raw(text) for key, text in read_plain(view.reader, list(keys))}


def _read(view: View, span: Span) -> Sequence[Row]:
    return read_whole(view.reader, span, view.include) if view.include else read_plain(view.reader, span)


def _finish(view: View, rows: Sequence[Row]) -> list[bytes]:
    return _expanded(view, rows, are_all=True) if view.include else [text for _, text in rows]


def _expect(view: View) -> None:
    view.reader.expect(by_key(view.include))


load_span = LoadSpan(_read, _finish, _expect)


def _expanded(view: View, rows: Sequence[Row], *, are_all: bool) -> list[bytes]:
    """Turn rows of `read_whole` into the JSON of customers, as far as there is room for their lists."""
    if not rows:
        return []
    found = related(view, rows, are_all=are_all)
    return spliced(rows[: found.count], view.include, found)
