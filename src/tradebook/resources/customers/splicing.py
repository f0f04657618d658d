"""Customers with their includes, put together from finished JSON."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from tradebook.money import DEFAULT_CURRENCY
from tradebook.resources.account_groups import FREIGHT_POLICIES
from tradebook.resources.customers import external_ids
from tradebook.resources.customers.finished import OTHERS
from tradebook.resources.customers.related import Related
from tradebook.resources.customers.shape import (
    BILLING_TYPES,
    CustomerDefaults,
    CustomerFreightPreferences,
    CustomerNotificationPreferences,
)
from tradebook.resources.priorities import PRIORITIES
from tradebook.resources.quantities import unit_of
from tradebook.storage.database import Row

_HOLE: Any = msgspec.Raw(b"\0")
_SEAMS = tuple(b',"%b":' % name.encode() for name in OTHERS)
"""What stands between a customer's own parts and what is included."""


def _seams(shape: type[msgspec.Struct], name: str) -> list[bytes]:
    """Return what stands around the values of an object; what kind it is stands in front of them."""
    holes = [_HOLE] * (len(shape.__struct_fields__) - 1)
    return msgspec.json.encode(shape(name, *holes)).split(b"\0")


def _words(words: Iterable[Any]) -> dict[int | None, bytes]:
    return {None: _NULL, **dict(enumerate(map(msgspec.json.encode, words)))}


_TO_IDS = b',"%b":' % external_ids.FIELD.encode()
_NULL = b"null"
_NO_UNIT = b"null}"
_FREIGHT = _seams(CustomerFreightPreferences, "customer_freight_preferences")
_FREIGHT_POLICIES, _BILLING_TYPES = _words(FREIGHT_POLICIES), _words(BILLING_TYPES)
_DEFAULTS = _seams(CustomerDefaults, "customer_defaults")
_PRIORITIES = _words(PRIORITIES)
_BEFORE_ACCEPTS, _BEHIND_ACCEPTS = _seams(
    CustomerNotificationPreferences, "customer_notification_preferences"
)
_NOTIFICATIONS = [b"".join((_BEFORE_ACCEPTS, accepts, _BEHIND_ACCEPTS)) for accepts in (b"false", b"true")]


# Requests with includes spend their time here: so a row is one join, which takes a fifth of a `%`.
def spliced(rows: Sequence[Row], include: frozenset[str], related: Related) -> list[bytes]:
    """Put customers together from their own parts, in rows of `read_whole`, and what is included."""
    with_limit, with_contact = "credit_limit" in include, "contact_info" in include
    with_unit, with_notifications = "credit_limit.unit" in include, "notification_preferences" in include
    freight_of, defaults_of = _freight_of(include, related), _defaults_of(include, related)
    groups_of, parent_of, children_of = related.price_groups.get, related.parents.get, related.children.get
    type_of, ids_of = related.types.get, related.external_ids.get
    to_limit, to_contact, to_freight, to_defaults, to_notifications, *others = _SEAMS
    to_bill_to, to_ship_to, to_type, to_groups, to_parent, to_children = others
    # Not asked for, it isn't there: who knows the published object alone gets that, key by key. It comes
    # before the times of the customer, as whatever is inside it: see `web.tags`.
    to_ids, no_ids = (_TO_IDS, b"{}") if external_ids.FIELD in include else (b"", b"")
    null: Any = _NULL
    return [
        b"".join((
            head,
            to_limit, (_with_unit(limit, currency) if with_unit else limit) if with_limit else null,
            to_contact, contact if with_contact else null,
            to_freight, freight_of(freight, carrier, level, billing_type, billing_account),
            to_defaults, defaults_of(payment, shipping, priority, rep),
            to_notifications, _NOTIFICATIONS[accepts] if with_notifications else null,
            to_bill_to, bill_to or null,
            to_ship_to, null if ship_to is None else ship_to or bill_to,
            to_type, type_of(kind) or null,
            to_groups, groups_of(key) or null,
            to_parent, parent_of(parent_id) or null,
            to_children, children_of(key) or null,
            to_ids, ids_of(key, no_ids),
            ending,
        ))
        for (
            key, head, limit, contact, ending, bill_to, ship_to, parent_id, _, currency,
            freight, carrier, level, billing_type, billing_account,
            payment, shipping, priority, rep, accepts, kind,
        ) in rows
    ]  # fmt: skip


def _with_unit(limit: bytes, currency: str | None) -> bytes:
    """Fill the unit of a credit limit, which ends in it."""
    if limit == _NULL:
        return limit
    unit = msgspec.json.encode(unit_of(currency or DEFAULT_CURRENCY))
    return b"%b%b}" % (limit.removesuffix(_NO_UNIT), unit)


def _freight_of(include: frozenset[str], related: Related) -> Callable[..., bytes]:
    begin, to_carrier, to_level, to_billing_type, to_account, end = _FREIGHT
    carrier_of, level_of, null = related.carriers.get, related.levels.get, _NULL

    def made(
        policy: int, carrier: int | None, level: int | None, billing_type: int | None, account: str | None
    ) -> bytes:
        return b"".join((
            begin, _FREIGHT_POLICIES[policy],
            to_carrier, carrier_of(carrier) or null,
            to_level, level_of(level) or null,
            to_billing_type, _BILLING_TYPES[billing_type],
            to_account, null if account is None else msgspec.json.encode(account),
            end,
        ))  # fmt: skip

    return made if "freight_preferences" in include else _null


def _defaults_of(include: frozenset[str], related: Related) -> Callable[..., bytes]:
    begin, to_shipping, to_priority, to_rep, end = _DEFAULTS
    payment_of, shipping_of, rep_of = related.payment_terms.get, related.shipping_terms.get, related.reps.get
    priority_of, null = (_PRIORITIES if "defaults.priority" in include else {}).get, _NULL

    def made(payment: int | None, shipping: int | None, priority: int | None, rep: int | None) -> bytes:
        return b"".join((
            begin, payment_of(payment) or null,
            to_shipping, shipping_of(shipping) or null,
            to_priority, priority_of(priority) or null,
            to_rep, rep_of(rep) or null,
            end,
        ))  # fmt: skip

    return made if "defaults" in include else _null


def _null(*_: object) -> bytes:
    return _NULL
