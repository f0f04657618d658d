"""From the keys of a page to finished customers: one statement for each relation, none for each row."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.listing import NESTED_MAX, ListObject, nested_list
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


def load(view: View, keys: Sequence[int]) -> Mapping[int, Customer]:
    """Return finished customers by key, with what the view includes."""
    return _finish(view, view.reader.rows(_BY_KEY[_columns(view)], ids=keys))


def load_span(view: View, span: Span) -> Mapping[int, Customer]:
    """Return the finished customers of a span; this needs one statement less than reading keys first."""
    statement = _SPANS[_columns(view), span.descending]
    return _finish(view, view.reader.rows(statement, **span.bounds))


def load_plain(view: View, keys: Sequence[int]) -> dict[int, Customer]:
    """Return customers as they are shown inside another one: every sub-object is null."""
    return _plain(view.reader.rows(_BY_KEY[_ALWAYS], ids=keys))


def _columns(view: View) -> _Columns:
    return _WHOLE if view.include else _ALWAYS


def _finish(view: View, rows: Sequence[tuple[Any, ...]]) -> Mapping[int, Customer]:
    return _Related(view, rows).customers() if view.include else _plain(rows)


# Most requests spend their time here and in `_Related.customers`: so a row is one expression, without calls.
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


def _nested_path(owner: int, name: str) -> str:
    return f"{PATH}/{encode_id(ID_PREFIX, owner)}/{name}"


class _Shows(msgspec.Struct, frozen=True):
    """Which of the sub-objects that need no further statement are included."""

    credit_limit: bool
    unit: bool
    contact_info: bool
    freight_preferences: bool
    defaults: bool
    priority: bool
    notification_preferences: bool


class _Related:
    """What the customers of one page refer to, read at once for all of them."""

    def __init__(self, view: View, rows: Sequence[tuple[Any, ...]]) -> None:
        self._view = view
        self._include = include = view.include
        self._shows = _Shows(
            "credit_limit" in include,
            "credit_limit.unit" in include,
            "contact_info" in include,
            "freight_preferences" in include,
            "defaults" in include,
            "defaults.priority" in include,
            "notification_preferences" in include,
        )
        self._places = {column.name: place for place, column in enumerate(_WHOLE)}
        self._records = rows
        self._load_fragments()
        self._load_addresses()
        self._load_accounts()
        self._load_price_groups()

    def _column(self, name: str) -> list[Any]:
        place = self._places[name]
        return [row[place] for row in self._records]

    def _load_fragments(self) -> None:
        reader, include, column = self._view.reader, self._include, self._column
        nothing: dict[int | None, Any] = {}
        self.types = self.carriers = self.levels = self.reps = nothing
        self.payment_terms = self.shipping_terms = nothing
        if "type" in include:
            self.types = account_groups.fragments.load(reader, column("type_id"))
        if "freight_preferences.carrier.service_levels" in include:
            self.carriers = carriers.load_with_levels(self._view, column("carrier_id"))
        elif "freight_preferences.carrier" in include:
            self.carriers = carriers.fragments.load(reader, column("carrier_id"))
        if "freight_preferences.service_level" in include:
            self.levels = service_levels.fragments.load(reader, column("service_level_id"))
        if "defaults.payment_term" in include:
            self.payment_terms = payment_terms.fragments.load(reader, column("payment_term_id"))
        if "defaults.shipping_term" in include:
            self.shipping_terms = shipping_terms.fragments.load(reader, column("shipping_term_id"))
        if "defaults.sales_rep.user" in include:
            self.reps = account_users.fragments_with_user.load(reader, column("sales_rep_id"))
        elif "defaults.sales_rep" in include:
            self.reps = account_users.fragments.load(reader, column("sales_rep_id"))

    def _load_addresses(self) -> None:
        self.bill_to: dict[int | None, Any] = {}
        self.ship_to: dict[int | None, Any] = {}
        columns = {
            name: f"{name}_address_id"
            for name in ("bill_to", "ship_to")
            if f"{name}_address" in self._include
        }
        wanted = {key for column in columns.values() for key in self._column(column)} - {None}
        if not wanted:
            return
        with_place = {name for name in columns if f"{name}_address.geolocation" in self._include}
        loaded = addresses.load(self._view.reader, wanted, geolocation=bool(with_place))
        for name in columns:
            shown = loaded if name in with_place or not with_place else addresses.without_place(loaded)
            setattr(self, name, shown)

    def _load_accounts(self) -> None:
        self.parents: dict[int | None, Customer] = {}
        self.children: dict[int, ListObject] = {}
        if "parent_account" in self._include:
            parents = {key for key in self._column("parent_id") if key is not None}
            if parents:
                self.parents.update(load_plain(self._view, list(parents)).items())
        if "child_accounts" in self._include:
            keys = [
                key
                for key, is_parent in zip(self._column("id"), self._column("is_parent"), strict=True)
                if is_parent
            ]
            if keys:
                listed = _CHILDREN.load(self._view.reader, keys)
                children = load_plain(self._view, [key for entries in listed.values() for key in entries])
                self.children = {
                    key: self._nested(key, "child_accounts", entries, children)
                    for key, entries in listed.items()
                }

    def _load_price_groups(self) -> None:
        self.price_groups: dict[int, ListObject] = {}
        if "price_groups" in self._include:
            listed = _PRICE_GROUPS.load(self._view.reader, self._column("id"))
            groups = account_groups.fragments.load(
                self._view.reader, {key for entries in listed.values() for key in entries}
            )
            self.price_groups = {
                key: self._nested(key, "price_groups", entries, groups) for key, entries in listed.items()
            }

    def _nested(self, owner: int, name: str, keys: list[int], loaded: Mapping[Any, Any]) -> ListObject:
        path_of = partial(_nested_path, owner, name)
        return nested_list(self._view, path_of, keys, [loaded[key] for key in keys])

    def customers(self) -> dict[int, Customer]:
        """Put the customers together, in the key order of the object."""
        shows = self._shows
        credit_limit, freight_preferences, defaults = self._credit_limit, self._freight, self._defaults
        bill_to_of, ship_to_of, type_of = self.bill_to.get, self.ship_to.get, self.types.get
        groups_of, parent_of, children_of = self.price_groups.get, self.parents.get, self.children.get
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
                credit_limit(body, limit, currency) if shows.credit_limit and limit is not None else None,
                CustomerContactInfo("customer_contact_info", email, phone, url)
                if shows.contact_info
                else None,
                freight_preferences(freight, carrier, level, billing_type, billing_account)
                if shows.freight_preferences
                else None,
                defaults(payment, shipping, priority, rep) if shows.defaults else None,
                _NOTIFICATION_PREFERENCES[accepts] if shows.notification_preferences else None,
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
            ) in self._records
        }  # fmt: skip

    def _credit_limit(self, body: str, value: str, currency: str | None) -> Quantity:
        code = currency or DEFAULT_CURRENCY
        return Quantity(
            f"{QUANTITY_PREFIX}_{body}",
            "quantity",
            value,
            display_amount(value, code),
            unit_of(code) if self._shows.unit else None,
        )

    def _freight(
        self,
        policy: int,
        carrier: int | None,
        level: int | None,
        billing_type: int | None,
        billing_account: str | None,
    ) -> CustomerFreightPreferences:
        return CustomerFreightPreferences(
            "customer_freight_preferences",
            FREIGHT_POLICIES[policy],
            self.carriers.get(carrier),
            self.levels.get(level),
            None if billing_type is None else BILLING_TYPES[billing_type],
            billing_account,
        )

    def _defaults(
        self, payment: int | None, shipping: int | None, priority: int | None, rep: int | None
    ) -> CustomerDefaults:
        return CustomerDefaults(
            "customer_defaults",
            self.payment_terms.get(payment),
            self.shipping_terms.get(shipping),
            PRIORITIES[priority] if self._shows.priority and priority is not None else None,
            self.reps.get(rep),
        )
