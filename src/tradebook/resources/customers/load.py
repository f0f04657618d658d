"""From the keys of a page to finished customers: one statement for each relation, none for each row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.fragments import Fragments
from tradebook.crud.listing import NESTED_MAX, nested_lists
from tradebook.crud.resource import Span, View
from tradebook.crud.walks import NewestOfEach, select_span
from tradebook.ids import SEQUENCE_BITS, encode_body, encode_id
from tradebook.money import DEFAULT_CURRENCY, display_amount
from tradebook.resources import (
    account_groups,
    account_users,
    addresses,
    carriers,
    payment_terms,
    service_levels,
    shipping_terms,
)
from tradebook.resources.account_groups import COMMISSION_POLICIES, FREIGHT_POLICIES
from tradebook.resources.customers.shape import (
    BILLING_TYPES,
    EDI_STATUSES,
    ID_PREFIX,
    PATH,
    STATUSES,
    Customer,
    CustomerContactInfo,
    CustomerDefaults,
    CustomerFreightPreferences,
    CustomerNotificationPreferences,
)
from tradebook.resources.customers.tables import customer_price_groups, customers
from tradebook.resources.priorities import PRIORITIES
from tradebook.resources.quantities import PREFIX as QUANTITY_PREFIX
from tradebook.resources.quantities import Quantity, unit_of
from tradebook.storage.schema import ACCOUNT, any_of, prepare

_NOTIFICATION_PREFERENCES = tuple(
    CustomerNotificationPreferences("customer_notification_preferences", accepts) for accepts in (False, True)
)

INCLUDES = (
    "bill_to_address",
    "bill_to_address.geolocation",
    "ship_to_address",
    "ship_to_address.geolocation",
    "type",
    "parent_account",
    "child_accounts",
    "price_groups",
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

ByKey = Mapping[Any, Any]
Finished = Callable[[set[int]], Mapping[Any, msgspec.Raw]]
_NOTHING: ByKey = {}
_LISTS = frozenset({"child_accounts", "price_groups"})

_c = customers.c
_Columns = tuple[sa.Column[Any], ...]
_ALWAYS: _Columns = (
    _c.id,
    _c.name,
    _c.number,
    _c.status,
    _c.edi_status,
    _c.parent_id,
    _c.is_parent,
    _c.commission_policy,
    _c.note,
    _c.updated_at,
)
_INCLUDED = (
    _c.credit_limit,
    _c.credit_limit_currency,
    _c.email,
    _c.phone,
    _c.url,
    _c.freight_policy,
    _c.carrier_id,
    _c.service_level_id,
    _c.carrier_billing_type,
    _c.carrier_billing_account,
    _c.payment_term_id,
    _c.shipping_term_id,
    _c.priority,
    _c.sales_rep_id,
    _c.accepts_invoice_emails,
    _c.bill_to_address_id,
    _c.ship_to_address_id,
    _c.type_id,
)
_WHOLE: _Columns = (*_ALWAYS, *_INCLUDED)
_PLACES = {column.name: place for place, column in enumerate(_WHOLE)}
_BY_KEY = {
    columns: prepare(sa.select(*columns).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids")))
    for columns in (_ALWAYS, _WHOLE)
}
_SPANS = {
    (columns, descending): prepare(select_span(_c.id, *columns, descending=descending))
    for columns in (_ALWAYS, _WHOLE)
    for descending in (True, False)
}
_PRICE_GROUPS = NewestOfEach(
    customer_price_groups.c.customer_id, customer_price_groups.c.group_id, NESTED_MAX + 1
)
_CHILDREN = NewestOfEach(_c.parent_id, _c.id, NESTED_MAX + 1)


def load(view: View, keys: Sequence[int]) -> Mapping[int, Customer | None]:
    """Return finished customers by key, with what the view includes, as far as there is room."""
    rows = view.reader.rows(_BY_KEY[_columns(view)], ids=keys)
    if len(rows) > 1 and not view.include.isdisjoint(_LISTS):
        # In the order of the keys: where there is no more room, it is the last ones that wait.
        by_key = {row[0]: row for row in rows}
        rows = [by_key[key] for key in keys if key in by_key]
    return _finish(view, rows)


def load_span(view: View, span: Span) -> Mapping[int, Customer | None]:
    """Return the finished customers of a span; this needs one statement less than reading keys first."""
    statement = _SPANS[_columns(view), span.descending]
    return _finish(view, view.reader.rows(statement, **span.bounds))


def load_plain(view: View, keys: Sequence[int]) -> dict[int, Customer]:
    """Return customers as they are shown inside another one: every sub-object is null."""
    return _plain(view.reader.rows(_BY_KEY[_ALWAYS], ids=keys))


def _columns(view: View) -> _Columns:
    return _WHOLE if view.include else _ALWAYS


def _finish(view: View, rows: Sequence[tuple[Any, ...]]) -> Mapping[int, Customer | None]:
    if not view.include:
        return _plain(rows)
    related = _related(view, rows)
    count = _whole(view.include, rows, related)
    made = _expanded(rows[:count], view.include, related)
    return made if count == len(rows) else {row[0]: made.get(row[0]) for row in rows}


# Most requests spend their time here and in `_expanded`: so a row is one expression, without calls.
def _plain(rows: Sequence[tuple[Any, ...]]) -> dict[int, Customer]:
    """Turn rows of `_ALWAYS` into customers without sub-objects."""
    return {
        key: Customer(
            f"{ID_PREFIX}_{encode_body(key)}",
            "customer",
            name,
            number,
            STATUSES[status],
            EDI_STATUSES[edi],
            "parent" if is_parent else "standalone" if parent_id is None else "child",
            COMMISSION_POLICIES[commission],
            note,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            format_ms(key >> SEQUENCE_BITS),
            format_ms(updated_at),
        )
        for key, name, number, status, edi, parent_id, is_parent, commission, note, updated_at in rows
    }


class _Related(msgspec.Struct, frozen=True):
    """What the customers of one page refer to, by key: whatever is not included is not found."""

    types: ByKey
    carriers: ByKey
    levels: ByKey
    payment_terms: ByKey
    shipping_terms: ByKey
    reps: ByKey
    bill_to: ByKey
    ship_to: ByKey
    parents: ByKey
    children: ByKey
    """The lists of the customers themselves, by their keys; so are the price groups."""
    price_groups: ByKey


def _related(view: View, rows: Sequence[tuple[Any, ...]]) -> _Related:
    """Read everything that a page refers to: one statement for each relation that is included."""
    reader, include = view.reader, view.include

    def column(name: str) -> list[Any]:
        place = _PLACES[name]
        return [row[place] for row in rows]

    def fragments(path: str, of: Fragments[Any], name: str) -> ByKey:
        return of.load(reader, column(name)) if path in include else _NOTHING

    with_levels = "freight_preferences.carrier.service_levels" in include
    of_reps = (
        account_users.fragments_with_user if "defaults.sales_rep.user" in include else account_users.fragments
    )
    bill_to, ship_to = _addresses(view, column("bill_to_address_id"), column("ship_to_address_id"))
    parents = [key for key, is_parent in zip(column("id"), column("is_parent"), strict=True) if is_parent]
    return _Related(
        types=fragments("type", account_groups.fragments, "type_id"),
        carriers=carriers.load_with_levels(view, column("carrier_id"))
        if with_levels
        else fragments("freight_preferences.carrier", carriers.fragments, "carrier_id"),
        levels=fragments("freight_preferences.service_level", service_levels.fragments, "service_level_id"),
        payment_terms=fragments("defaults.payment_term", payment_terms.fragments, "payment_term_id"),
        shipping_terms=fragments("defaults.shipping_term", shipping_terms.fragments, "shipping_term_id"),
        reps=fragments("defaults.sales_rep", of_reps, "sales_rep_id"),
        bill_to=bill_to,
        ship_to=ship_to,
        parents=_parents(view, column("parent_id")) if "parent_account" in include else _NOTHING,
        children=_children(view, parents) if "child_accounts" in include else _NOTHING,
        price_groups=_price_groups(view, column("id")) if "price_groups" in include else _NOTHING,
    )


def _addresses(
    view: View, bill_to: Sequence[int | None], ship_to: Sequence[int | None]
) -> tuple[ByKey, ByKey]:
    """Read both kinds of address in one statement, with their places if either kind shows them."""
    kinds = {"bill_to_address": bill_to, "ship_to_address": ship_to}
    included = [name for name in kinds if name in view.include]
    with_place = [name for name in included if f"{name}.geolocation" in view.include]
    wanted = {key for name in included for key in kinds[name] if key is not None}
    loaded = addresses.load(view.reader, wanted, geolocation=bool(with_place)) if wanted else {}

    def shown(name: str) -> ByKey:
        if name not in included:
            return _NOTHING
        return loaded if name in with_place or not with_place else addresses.without_place(loaded)

    return shown("bill_to_address"), shown("ship_to_address")


def _parents(view: View, keys: Sequence[int | None]) -> ByKey:
    wanted = {key for key in keys if key is not None}
    return load_plain(view, list(wanted)) if wanted else _NOTHING


def _children(view: View, parents: Sequence[int]) -> ByKey:
    def finished(keys: Iterable[int]) -> dict[int, msgspec.Raw]:
        loaded = load_plain(view, list(keys))
        return {key: msgspec.Raw(msgspec.json.encode(child)) for key, child in loaded.items()}

    return _nested(view, "child_accounts", _CHILDREN, parents, finished) if parents else _NOTHING


def _price_groups(view: View, customers_of: Sequence[int]) -> ByKey:
    finished = partial(account_groups.fragments.load, view.reader)
    return _nested(view, "price_groups", _PRICE_GROUPS, customers_of, finished)


def _nested(view: View, name: str, of: NewestOfEach, owners: Sequence[int], finished: Finished) -> ByKey:
    def path_of(owner: int) -> str:
        return f"{PATH}/{encode_id(ID_PREFIX, owner)}/{name}"

    return nested_lists(view, of.load(view.reader, owners), finished, path_of)


def _whole(include: frozenset[str], rows: Sequence[tuple[Any, ...]], related: _Related) -> int:
    """Count the rows, from the first on, for whose lists there was room."""
    count = len(rows)
    if "price_groups" in include:
        count = min(count, len(related.price_groups))
    if "child_accounts" in include:
        is_parent = _PLACES["is_parent"]
        without = (at for at, row in enumerate(rows) if row[is_parent] and row[0] not in related.children)
        count = min(count, next(without, count))
    return count


def _expanded(
    rows: Sequence[tuple[Any, ...]], include: frozenset[str], related: _Related
) -> dict[int, Customer]:
    """Turn rows of `_WHOLE` into customers, in the key order of the object."""
    with_limit, with_unit = "credit_limit" in include, "credit_limit.unit" in include
    with_contact, with_freight = "contact_info" in include, "freight_preferences" in include
    with_defaults, with_priority = "defaults" in include, "defaults.priority" in include
    with_notifications = "notification_preferences" in include
    bill_to_of, ship_to_of, type_of = related.bill_to.get, related.ship_to.get, related.types.get
    groups_of, parent_of, children_of = related.price_groups.get, related.parents.get, related.children.get
    carrier_of, level_of, rep_of = related.carriers.get, related.levels.get, related.reps.get
    payment_term_of, shipping_term_of = related.payment_terms.get, related.shipping_terms.get
    return {
        key: Customer(
            f"{ID_PREFIX}_{(body := encode_body(key))}",
            "customer",
            name,
            number,
            STATUSES[status],
            EDI_STATUSES[edi],
            "parent" if is_parent else "standalone" if parent_id is None else "child",
            COMMISSION_POLICIES[commission],
            note,
            _credit_limit(body, limit, currency, with_unit=with_unit)
            if with_limit and limit is not None
            else None,
            CustomerContactInfo("customer_contact_info", email, phone, url) if with_contact else None,
            CustomerFreightPreferences(
                "customer_freight_preferences",
                FREIGHT_POLICIES[freight],
                carrier_of(carrier),
                level_of(level),
                None if billing_type is None else BILLING_TYPES[billing_type],
                billing_account,
            )
            if with_freight
            else None,
            CustomerDefaults(
                "customer_defaults",
                payment_term_of(payment),
                shipping_term_of(shipping),
                PRIORITIES[priority] if with_priority and priority is not None else None,
                rep_of(rep),
            )
            if with_defaults
            else None,
            _NOTIFICATION_PREFERENCES[accepts] if with_notifications else None,
            bill_to_of(bill_to),
            ship_to_of(ship_to),
            type_of(kind),
            groups_of(key),
            parent_of(parent_id),
            children_of(key),
            format_ms(key >> SEQUENCE_BITS),
            format_ms(updated_at),
        )
        for (
            key, name, number, status, edi, parent_id, is_parent, commission, note, updated_at,
            limit, currency, email, phone, url, freight, carrier, level, billing_type, billing_account,
            payment, shipping, priority, rep, accepts, bill_to, ship_to, kind,
        ) in rows
    }  # fmt: skip


def _credit_limit(body: str, value: str, currency: str | None, *, with_unit: bool) -> Quantity:
    code = currency or DEFAULT_CURRENCY
    return Quantity(
        f"{QUANTITY_PREFIX}_{body}",
        "quantity",
        value,
        display_amount(value, code),
        unit_of(code) if with_unit else None,
    )
