"""From the keys of a page to finished customers: one statement for each relation, none for each row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from itertools import zip_longest
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.crud.fragments import Fragments
from tradebook.crud.listing import NESTED_MAX, nested_lists
from tradebook.crud.resource import LoadSpan, Span, View
from tradebook.crud.walks import NewestOfEach, select_span
from tradebook.ids import encode_id
from tradebook.money import DEFAULT_CURRENCY
from tradebook.resources import (
    account_groups,
    account_users,
    addresses,
    carriers,
    payment_terms,
    service_levels,
    shipping_terms,
)
from tradebook.resources.account_groups import FREIGHT_POLICIES
from tradebook.resources.customers import external_ids
from tradebook.resources.customers.finished import COLUMNS, FINISHED, NOTHING_ELSE, OTHERS, plain
from tradebook.resources.customers.shape import (
    BILLING_TYPES,
    ID_PREFIX,
    PATH,
    CustomerDefaults,
    CustomerFreightPreferences,
    CustomerNotificationPreferences,
)
from tradebook.resources.customers.tables import customer_price_groups, customers, finished_customers
from tradebook.resources.priorities import PRIORITIES
from tradebook.resources.quantities import unit_of
from tradebook.storage.database import Row
from tradebook.storage.schema import ACCOUNT, TEXT, Prepared, any_of, prepare, utf8

_NOTIFICATION_PREFERENCES = tuple(
    msgspec.json.encode(CustomerNotificationPreferences("customer_notification_preferences", accepts))
    for accepts in (False, True)
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

ByKey = Mapping[Any, Any]
Finished = Callable[[set[int]], Mapping[Any, msgspec.Raw]]
_NOTHING: ByKey = {}
_LISTS = frozenset({"child_accounts", "price_groups"})

_c = customers.c
_Columns = tuple[sa.Column[Any], ...]
_INCLUDED = (
    _c.credit_limit_currency,
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
_s = finished_customers.c
_WHOLE = (
    _c.id,
    *(utf8(part) for part in (_s.head, _s.credit_limit, _s.contact_info, _s.ending)),
    _c.parent_id,
    _c.is_parent,
    *_INCLUDED,
)
_PLACES = {column.name: place for place, column in enumerate(_WHOLE)}
_PLAIN = (_s.customer_id, utf8(_s.head + sa.literal(NOTHING_ELSE, TEXT) + _s.ending))
_BOTH = (_s.account_id == ACCOUNT, _s.customer_id == _c.id)


class _Reads(msgspec.Struct, frozen=True):
    """The statements that read customers by their keys, or those of a span, the newest first or last."""

    by_key: Prepared
    falling: Prepared
    rising: Prepared

    def of(self, span: Span) -> Prepared:
        """Return the one that reads a span."""
        return self.falling if span.descending else self.rising


def _reads(key: sa.Column[int], *columns: sa.ColumnElement[Any], both: Sequence[Any] = ()) -> _Reads:
    by_key = sa.select(*columns).where(key.table.c.account_id == ACCOUNT, any_of(key, "ids"))
    spans = (select_span(key, *columns, descending=descending) for descending in (True, False))
    return _Reads(*(prepare(each.where(*both)) for each in (by_key, *spans)))


_PLAIN_READS = _reads(_s.customer_id, *_PLAIN)
_WHOLE_READS = _reads(_c.id, *_WHOLE, both=_BOTH)
# Where no JSON is kept.
_PLAIN_ROWS = _reads(_c.id, *COLUMNS)
_WHOLE_ROWS = _reads(_c.id, *FINISHED.columns, *_INCLUDED[1:])
_PRICE_GROUPS = NewestOfEach(
    customer_price_groups.c.customer_id, customer_price_groups.c.group_id, NESTED_MAX + 1
)
_CHILDREN = NewestOfEach(_c.parent_id, _c.id, NESTED_MAX + 1)


def load(view: View, keys: Sequence[int]) -> Mapping[int, Any]:
    """Return finished customers by key, with what the view includes, as far as there is room."""
    if not view.include:
        return load_plain(view, keys)
    reader = view.reader
    rows = FINISHED.read(reader, _WHOLE_READS.by_key, ids=keys)
    if rows is None:
        rows = _with_parts(reader.rows(_WHOLE_ROWS.by_key, ids=keys))
    if len(rows) > 1 and not view.include.isdisjoint(_LISTS):
        # In the order of the keys: where there is no more room, it is the last ones that wait.
        by_key = {row[0]: row for row in rows}
        rows = [by_key[key] for key in keys if key in by_key]
    return dict(zip_longest([row[0] for row in rows], _expanded(view, rows)))


def _read_span(view: View, span: Span) -> Sequence[Row]:
    reader, bounds = view.reader, span.bounds
    if not view.include:
        rows = FINISHED.read(reader, _PLAIN_READS.of(span), **bounds)
        return _written(reader.rows(_PLAIN_ROWS.of(span), **bounds)) if rows is None else rows
    rows = FINISHED.read(reader, _WHOLE_READS.of(span), **bounds)
    return _with_parts(reader.rows(_WHOLE_ROWS.of(span), **bounds)) if rows is None else rows


def _finish(view: View, rows: Sequence[Row]) -> list[msgspec.Raw]:
    return _expanded(view, rows) if view.include else [msgspec.Raw(text) for _, text in rows]


load_span = LoadSpan(_read_span, _finish)


def load_plain(view: View, keys: Iterable[int]) -> dict[int, msgspec.Raw]:
    """Return customers as they are shown inside another one: every sub-object is null."""
    wanted = list(keys)
    rows = FINISHED.read(view.reader, _PLAIN_READS.by_key, ids=wanted)
    if rows is None:
        rows = _written(view.reader.rows(_PLAIN_ROWS.by_key, ids=wanted))
    return {key: msgspec.Raw(text) for key, text in rows}


def _written(rows: Sequence[Row]) -> list[Row]:
    """Write the JSON that is not kept of rows: they become rows of `_PLAIN`."""
    return [(key, msgspec.json.encode(customer)) for key, customer in plain(rows).items()]


def _with_parts(rows: Sequence[Row]) -> list[Row]:
    """Give rows the JSON that is not kept of them: they become rows of `_WHOLE`."""
    count = len(FINISHED.columns)
    places = [FINISHED.columns.index(each) for each in (_c.parent_id, _c.is_parent, _c.credit_limit_currency)]
    made = FINISHED.make([row[:count] for row in rows])
    parts = {key: [part.encode() for part in of_row] for key, of_row in made.items()}
    return [(row[0], *parts[row[0]], *(row[at] for at in places), *row[count:]) for row in rows]


def _expanded(view: View, rows: Sequence[Row]) -> list[msgspec.Raw]:
    """Turn rows of `_WHOLE` into the JSON of customers, as far as there is room for their lists."""
    related = _related(view, rows)
    return _spliced(rows[: _whole(view.include, rows, related)], view.include, related)


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
    external_ids: ByKey


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
        external_ids=_external_ids(view, column("id")) if external_ids.FIELD in include else _NOTHING,
    )


def _addresses(
    view: View, bill_to: Sequence[int | None], ship_to: Sequence[int | None]
) -> tuple[ByKey, ByKey]:
    """Read both kinds of address, in one statement if both or neither are shown with their places."""
    kinds = {"bill_to_address": bill_to, "ship_to_address": ship_to}
    wanted: dict[bool, set[int]] = {}
    for name, keys in kinds.items():
        if name in view.include:
            with_place = f"{name}.geolocation" in view.include
            wanted.setdefault(with_place, set()).update(key for key in keys if key is not None)
    loaded = {
        with_place: addresses.load(view.reader, keys, geolocation=with_place)
        for with_place, keys in wanted.items()
    }

    def shown(name: str) -> ByKey:
        return loaded[f"{name}.geolocation" in view.include] if name in view.include else _NOTHING

    return shown("bill_to_address"), shown("ship_to_address")


def _parents(view: View, keys: Sequence[int | None]) -> ByKey:
    wanted = {key for key in keys if key is not None}
    return load_plain(view, wanted) if wanted else _NOTHING


def _children(view: View, parents: Sequence[int]) -> ByKey:
    finished = partial(load_plain, view)
    return _nested(view, "child_accounts", _CHILDREN, parents, finished) if parents else _NOTHING


def _price_groups(view: View, customers_of: Sequence[int]) -> ByKey:
    finished = partial(account_groups.fragments.load, view.reader)
    return _nested(view, "price_groups", _PRICE_GROUPS, customers_of, finished)


def _external_ids(view: View, keys: Sequence[int]) -> ByKey:
    # Before the times of the customer, as whatever is inside it: see `web.tags`. Not asked for, it isn't
    # there: who knows the published object alone gets that, key by key.
    found = external_ids.of(view.reader, keys)
    return {key: b',"external_ids":%b' % msgspec.json.encode(ids) for key, ids in found.items()}


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


_JSON = b"%b" + b"".join(b',"%b":%%b' % name.encode() for name in OTHERS) + b"%b%b"
"""A customer, with places for its own parts and for what is included."""

_NO_UNIT = b"null}"


# Requests with includes spend their time here: so a row is one expression.
def _spliced(rows: Sequence[Row], include: frozenset[str], related: _Related) -> list[msgspec.Raw]:
    with_limit, with_contact = "credit_limit" in include, "contact_info" in include
    with_unit, with_notifications = "credit_limit.unit" in include, "notification_preferences" in include
    freight_of, defaults_of = _freight_of(include, related), _defaults_of(include, related)
    bill_to_of, ship_to_of, type_of = related.bill_to.get, related.ship_to.get, related.types.get
    groups_of, parent_of, children_of = related.price_groups.get, related.parents.get, related.children.get
    ids_of = related.external_ids.get
    null: Any = b"null"
    return [
        msgspec.Raw(
            _JSON
            % (
                head,
                (_with_unit(limit, currency) if with_unit else limit) if with_limit else null,
                contact if with_contact else null,
                freight_of(freight, carrier, level, billing_type, billing_account),
                defaults_of(payment, shipping, priority, rep),
                _NOTIFICATION_PREFERENCES[accepts] if with_notifications else null,
                bill_to_of(bill_to) or null,
                ship_to_of(ship_to) or null,
                type_of(kind) or null,
                groups_of(key) or null,
                parent_of(parent_id) or null,
                children_of(key) or null,
                ids_of(key, b""),
                ending,
            )
        )
        for (
            key, head, limit, contact, ending, parent_id, _, currency,
            freight, carrier, level, billing_type, billing_account,
            payment, shipping, priority, rep, accepts, bill_to, ship_to, kind,
        ) in rows
    ]  # fmt: skip


def _with_unit(limit: bytes, currency: str | None) -> bytes:
    """Fill the unit of a credit limit, which ends in it."""
    if limit == b"null":
        return limit
    unit = msgspec.json.encode(unit_of(currency or DEFAULT_CURRENCY))
    return b"%b%b}" % (limit.removesuffix(_NO_UNIT), unit)


# Customers of a page have few combinations of these: so each is made once.
def _freight_of(include: frozenset[str], related: _Related) -> Callable[..., bytes]:
    @cache
    def made(
        policy: int, carrier: int | None, level: int | None, billing_type: int | None, account: str | None
    ) -> bytes:
        return msgspec.json.encode(
            CustomerFreightPreferences(
                "customer_freight_preferences",
                FREIGHT_POLICIES[policy],
                related.carriers.get(carrier),
                related.levels.get(level),
                None if billing_type is None else BILLING_TYPES[billing_type],
                account,
            )
        )

    return made if "freight_preferences" in include else _null


def _defaults_of(include: frozenset[str], related: _Related) -> Callable[..., bytes]:
    with_priority = "defaults.priority" in include

    @cache
    def made(payment: int | None, shipping: int | None, priority: int | None, rep: int | None) -> bytes:
        return msgspec.json.encode(
            CustomerDefaults(
                "customer_defaults",
                related.payment_terms.get(payment),
                related.shipping_terms.get(shipping),
                PRIORITIES[priority] if with_priority and priority is not None else None,
                related.reps.get(rep),
            )
        )

    return made if "defaults" in include else _null


def _null(*_: object) -> bytes:
    return b"null"
