"""From the names in a file to the account's groups, terms and sales reps; what it lacks is made.

A name is found as it is written. What the system owns is found whatever the case, as nobody means a
second "Net 30" by "NET 30"; the account's own names may differ in case alone, and an export of them
has to come back as it was.
"""

from collections import Counter
from typing import Any

import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.crud.versions import next_version_of
from tradebook.resources.account_groups import FREIGHT_POLICIES, account_groups
from tradebook.resources.account_groups import INDEX as GROUP_INDEX
from tradebook.resources.account_groups import TYPES as GROUP_TYPES
from tradebook.resources.account_users import account_users
from tradebook.resources.shipping_terms import TYPES as SHIPPING_TERM_TYPES
from tradebook.storage.database import Writer
from tradebook.storage.schema import ACCOUNT, prepare
from tradebook.text import fold_case
from tradebook.transfer.imports.row_keys import RowKeys

TYPE_GROUP = GROUP_TYPES.index("type_group")
PRICING_GROUP = GROUP_TYPES.index("pricing_group")

_TERM_DEFAULTS: dict[str, dict[str, Any]] = {
    "payment_terms": {"status": 0},
    "shipping_terms": {
        # The only type that promises the customer nothing.
        "type": SHIPPING_TERM_TYPES.index("carrier_rate_freight"),
        "flat_rate": None,
        "flat_rate_currency": None,
        "minimum_order_value": None,
        "minimum_order_value_currency": None,
    },
}
_GROUPS = prepare(
    sa.select(account_groups.c.name, account_groups.c.id, account_groups.c.type).where(
        account_groups.c.account_id == ACCOUNT
    )
)
_NEW_GROUP = prepare(sa.insert(account_groups))
_REPS = prepare(
    sa.select(account_users.c.email, account_users.c.name, account_users.c.id)
    .where(account_users.c.account_id == ACCOUNT)
    .order_by(account_users.c.id.desc())
)
_NEW_REP = prepare(sa.insert(account_users))
_RENAME_REP = prepare(
    sa.update(account_users)
    .where(account_users.c.account_id == ACCOUNT, account_users.c.id == sa.bindparam("key"))
    .values(name=sa.bindparam("new_name"), updated_at=next_version_of(account_users.c.updated_at))
)


class Refusal(Exception):
    """A value of a record is well-formed, and yet can't be taken."""

    def __init__(self, column: str, value: Any, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value
        self.reason = reason


class Terms:
    """Payment terms or shipping terms by name."""

    def __init__(self, writer: Writer, keys: RowKeys, made: Counter[str], table: sa.Table) -> None:
        self._writer, self._keys, self._made, self._table = writer, keys, made, table
        self._insert = prepare(sa.insert(table))
        self._by_name: dict[str, int] = {}
        self._of_system: dict[str, int] = {}
        names = prepare(
            sa.select(table.c.name, table.c.id, table.c.is_system).where(table.c.account_id == ACCOUNT)
        )
        for name, key, is_system in writer.rows(names):
            self._by_name[name] = key
            if is_system:
                self._of_system[name.casefold()] = key

    def key_of(self, name: str) -> int:
        """Return the term of this name, a new one where there is none."""
        key = self._by_name.get(name) or self._of_system.get(name.casefold())
        if key is None:
            key = self._by_name[name] = self._keys.now()
            row = {"id": key, "name": name, "is_system": 0, "updated_at": now_ms()}
            self._writer.run(self._insert, **row, **_TERM_DEFAULTS[self._table.name])
            self._made[self._table.name] += 1
        return key


class Groups:
    """Type groups and pricing groups, whose names no two of either kind share."""

    def __init__(self, writer: Writer, keys: RowKeys, made: Counter[str]) -> None:
        self._writer, self._keys, self._made = writer, keys, made
        self._by_name = {name: (key, kind) for name, key, kind in writer.rows(_GROUPS)}

    def key_of(self, name: str, kind: int, column: str) -> int:
        """Return the group of this name, a new one where there is none."""
        known = self._by_name.get(name)
        if known is None:
            known = self._by_name[name] = (self._add(name, kind), kind)
        if known[1] != kind:
            wanted, other = GROUP_TYPES[kind], GROUP_TYPES[known[1]]
            raise Refusal(column, name, f"is the name of a {other}, so no {wanted} can have it")
        return known[0]

    def _add(self, name: str, kind: int) -> int:
        key = self._keys.now()
        self._writer.run(
            _NEW_GROUP,
            id=key,
            name=name,
            description=None,
            commission_policy=0,
            freight_policy=FREIGHT_POLICIES.index("billed_freight"),
            type=kind,
            updated_at=now_ms(),
        )
        self._writer.reindex(GROUP_INDEX, [key])
        self._made["type_groups" if kind == TYPE_GROUP else "pricing_groups"] += 1
        return key


class SalesReps:
    """Account users by e-mail, whatever its case; one without an e-mail by name."""

    def __init__(self, writer: Writer, keys: RowKeys, made: Counter[str]) -> None:
        self._writer, self._keys, self._made = writer, keys, made
        self._known: dict[int, tuple[str | None, str | None]] = {}
        self._by_email: dict[str, int] = {}
        self._by_folded_email: dict[str, int] = {}
        self._by_name: dict[str, int] = {}
        # From the newest to the oldest: the oldest of one name stays.
        for email, name, key in writer.rows(_REPS):
            self._know(key, email, name)

    def _know(self, key: int, email: str | None, name: str | None) -> None:
        self._known[key] = (email, name)
        if email is not None:
            self._by_email[email] = key
            self._by_folded_email[fold_case(email)] = key
        elif name is not None:
            self._by_name[name] = key

    def name_of(self, key: int) -> str | None:
        """Return the name of a rep that a customer has."""
        return self._known[key][1]

    def key_of(self, email: str | None, name: str | None, current: int | None) -> int | None:
        """Return the rep, a new one where there is none; a name other than the known one renames."""
        if email is None and name is None:
            return None
        if current is not None and self._known[current] == (email, name):
            return current
        if email is None:
            assert name is not None
            return self._by_name.get(name) or self._add(None, name)
        # As it is written first: a book may have two from before, which differ in case alone.
        key = self._by_email.get(email) or self._by_folded_email.get(fold_case(email))
        if key is None:
            return self._add(email, name)
        if name is not None and name != self._known[key][1]:
            self._writer.run(_RENAME_REP, key=key, new_name=name, now=now_ms())
            self._know(key, email, name)
            self._made["sales_reps_renamed"] += 1
        return key

    def _add(self, email: str | None, name: str | None) -> int:
        key = self._keys.now()
        self._know(key, email, name)
        self._writer.run(
            _NEW_REP,
            id=key,
            status=0,
            last_used_at=None,
            email=email,
            email_folded=None if email is None else fold_case(email),
            name=name,
            username=None,
            email_verified_at=None,
            image_url=None,
            updated_at=now_ms(),
        )
        self._made["sales_reps"] += 1
        return key
