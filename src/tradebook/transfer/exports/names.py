"""The names under which an export writes what customers refer to."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from tradebook.resources.account_groups import account_groups
from tradebook.resources.account_users import account_users
from tradebook.resources.carriers import CODES, carriers
from tradebook.resources.payment_terms import payment_terms
from tradebook.resources.service_levels import service_levels
from tradebook.resources.shipping_terms import shipping_terms
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, Prepared, prepare
from tradebook.text import fold_case

ByKey = dict[int | None, str | None]


def _of(table: sa.Table, *columns: str) -> Prepared:
    return prepare(
        sa.select(table.c.id, *(table.c[name] for name in columns)).where(table.c.account_id == ACCOUNT)
    )


_GROUPS = _of(account_groups, "name")
_CARRIERS = _of(carriers, "name", "is_system", "deleted_at")
_LEVELS = _of(service_levels, "name")
_PAYMENT_TERMS = _of(payment_terms, "name", "is_system")
_SHIPPING_TERMS = _of(shipping_terms, "name", "is_system")
_REPS = _of(account_users, "email", "name")


class Names:
    """All names of an account, by key; the key None has the name None."""

    def __init__(self, reader: Reader) -> None:
        self._mistakable: set[str] = set()
        carriers_of = reader.rows(_CARRIERS)
        reps = reader.rows(_REPS)
        self.of: dict[str, ByKey] = {
            "account_groups.name": _by_key(reader.rows(_GROUPS)),
            "carriers.name": self._named([row[:3] for row in carriers_of], also_taken=CODES),
            "service_levels.name": _by_key(reader.rows(_LEVELS)),
            "payment_terms.name": self._named(reader.rows(_PAYMENT_TERMS)),
            "shipping_terms.name": self._named(reader.rows(_SHIPPING_TERMS)),
            "account_users.email": _by_key((key, email) for key, email, _ in reps),
            "account_users.name": _by_key((key, name) for key, _, name in reps),
        }
        """By what a cell names, see `Cell.names`."""
        self.deleted_carriers = {key for key, _, _, deleted_at in carriers_of if deleted_at is not None}
        self.nameless_reps = {key for key, email, name in reps if email is None and name is None}

    def _named(self, rows: Sequence[tuple[Any, ...]], also_taken: Iterable[str] = ()) -> ByKey:
        """Return the names, and note the account's own names that an import would take for the system's."""
        taken = {fold_case(name) for _, name, is_system in rows if is_system} | set(also_taken)
        own = {name for _, name, is_system in rows if not is_system}
        self._mistakable |= {name for name in own if fold_case(name) in taken}
        return _by_key((key, name) for key, name, _ in rows)

    def group(self, key: int) -> str:
        """Return the name of a group."""
        name = self.of["account_groups.name"][key]
        assert name is not None
        return name

    def notes(self) -> list[str]:
        """List the names that an import into another account would take for the system's."""
        if not self._mistakable:
            return []
        listed = ", ".join(sorted(self._mistakable))
        return [f"An import into another account takes these for the system's of the same name: {listed}."]


def _by_key(pairs: Iterable[tuple[Any, ...]]) -> ByKey:
    return {None: None, **dict(pairs)}
