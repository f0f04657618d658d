"""What a customer refers to: looked up in one question, with the rules on what it may be.

Who the parent may be is a matter of its own (`parents`).
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from tradebook.crud.records import Values, not_found
from tradebook.errors import ResourceGone, ValidationFailed
from tradebook.resources.account_groups import TYPES, account_groups
from tradebook.resources.account_users import STATUSES, account_users
from tradebook.resources.addresses import addresses
from tradebook.resources.carriers import carriers
from tradebook.resources.payment_terms import payment_terms
from tradebook.resources.service_levels import go_together, service_levels
from tradebook.resources.shipping_terms import shipping_terms
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, Prepared, any_of, prepare

_CARRIER, _LEVEL = "default_carrier_id", "default_service_level_id"
_PLAIN = ("default_payment_term_id", "default_shipping_term_id", "bill_to_address_id", "ship_to_address_id")
# Of each field, the key of what it refers to, and what else decides whether that may be; the key, if nothing.
_TARGETS: Mapping[str, tuple[sa.Column[Any], sa.Column[Any]]] = {
    "default_payment_term_id": (payment_terms.c.id, payment_terms.c.id),
    "default_shipping_term_id": (shipping_terms.c.id, shipping_terms.c.id),
    "bill_to_address_id": (addresses.c.id, addresses.c.id),
    "ship_to_address_id": (addresses.c.id, addresses.c.id),
    "customer_type_group_id": (account_groups.c.id, account_groups.c.type),
    "customer_price_group_ids": (account_groups.c.id, account_groups.c.type),
    _CARRIER: (carriers.c.id, carriers.c.deleted_at),
    _LEVEL: (service_levels.c.id, service_levels.c.carrier_id),
    "default_sales_rep_id": (account_users.c.id, account_users.c.status),
}


@cache
def _statement(fields: tuple[str, ...]) -> Prepared:
    """Ask for what some fields refer to: (place of the field, key, what else decides)."""
    asked = (
        sa.select(sa.literal_column(str(place)), key, more).where(
            key.table.c.account_id == ACCOUNT, any_of(key, field)
        )
        for place, field in enumerate(fields)
        for key, more in (_TARGETS[field],)
    )
    return prepare(sa.union_all(*asked))


def _asked(given: Values) -> dict[str, list[int]]:
    """List by field the keys that a body gives."""
    found: dict[str, list[int]] = {}
    for field in _TARGETS:
        value = given.get(field)
        if value is not None and value != []:
            found[field] = sorted(set(value)) if isinstance(value, list) else [value]
    return found


def foresee_references(reader: Reader, given: Values) -> None:
    """Say that what a body refers to will be checked."""
    if asked := _asked(given):
        reader.foresee(_statement(tuple(asked)), **asked)


def check_references(reader: Reader, given: Values, before: Values) -> None:
    """Refuse what a body refers to that is not there, or may not be had; `before` is the row so far."""
    # A level that is not given has to go with the new carrier.
    kept = {_LEVEL: before["service_level_id"]} if _CARRIER in given else {}
    found = _Found(reader, kept | given)
    for field in _PLAIN:
        found.require(field)
    for field, kind in (
        ("customer_type_group_id", "type_group"),
        ("customer_price_group_ids", "pricing_group"),
    ):
        if set(found.require(field).values()) - {TYPES.index(kind)}:
            raise ValidationFailed(f"{field} takes groups whose type is {kind}.", param=field)
    _check_carrier(found, given, before)
    _check_rep(found, given, before)


class _Found:
    """What a body refers to, as far as it is there."""

    def __init__(self, reader: Reader, given: Values) -> None:
        self._asked = _asked(given)
        self._found: dict[str, dict[int, Any]] = {field: {} for field in self._asked}
        fields = tuple(self._asked)
        for place, key, more in reader.rows(_statement(fields), **self._asked) if fields else ():
            self._found[fields[place]][key] = more

    def require(self, field: str, param: str | None = None) -> dict[int, Any]:
        """Return by key what else decides; ValidationFailed names `param` where the account lacks one."""
        found = self._found.get(field, {})
        if len(found) < len(self._asked.get(field, ())):
            raise not_found(param or field)
        return found


def _check_carrier(found: _Found, given: Values, before: Values) -> None:
    carrier = given.get(_CARRIER, before["carrier_id"])
    if (
        carrier != before["carrier_id"]
        and carrier is not None
        and found.require(_CARRIER)[carrier] is not None
    ):
        raise ResourceGone("This carrier was deleted: choose another one.", param=_CARRIER)
    param = _LEVEL if _LEVEL in given else _CARRIER
    carrier_of = found.require(_LEVEL, param)
    if any(not go_together(carrier, level, carrier_of) for level in carrier_of):
        raise ValidationFailed(
            "The service level belongs to another carrier: give default_carrier_id and "
            "default_service_level_id that go together.",
            param=param,
        )


def _check_rep(found: _Found, given: Values, before: Values) -> None:
    field = "default_sales_rep_id"
    rep = given.get(field)
    if rep is None or rep == before["sales_rep_id"]:
        return
    if found.require(field)[rep] == STATUSES.index("removed"):
        raise ResourceGone(
            "This account user was removed: choose another one, or activate them.", param=field
        )
