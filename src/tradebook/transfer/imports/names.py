"""From the names in a file to the account's groups, terms and sales reps; missing ones are made.

A name is found exactly as it is written. For names of the system the case does not matter, as nobody means a
second "Net 30" by "NET 30"; the account's own names may differ in case alone, and an export of them
has to come back as it was.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from tradebook.crud.fields import Body
from tradebook.crud.records import Records, Values
from tradebook.resources import account_groups, account_users
from tradebook.storage.database import Writer
from tradebook.storage.schema import ACCOUNT, prepare
from tradebook.text import fold_case

TYPE_GROUP = account_groups.TYPES.index("type_group")
PRICING_GROUP = account_groups.TYPES.index("pricing_group")

_g, _u = account_groups.account_groups.c, account_users.account_users.c
_GROUPS = prepare(sa.select(_g.name, _g.id, _g.type).where(_g.account_id == ACCOUNT))
_REPS = prepare(sa.select(_u.email, _u.name, _u.id).where(_u.account_id == ACCOUNT).order_by(_u.id.desc()))


class Refusal(Exception):
    """A value of a row is well-formed, but can't be accepted."""

    def __init__(self, column: str, value: Any, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value
        self.reason = reason


class Terms:
    """Payment terms or shipping terms by name."""

    def __init__(
        self,
        writer: Writer,
        made: Counter[str],
        records: Records,
        body: Body,
        add: Callable[[Writer, Values], int],
    ) -> None:
        self._writer, self._made, self._body, self._add_row = writer, made, body, add
        self._by_name: dict[str, int] = {}
        self._of_system: dict[str, int] = {}
        table = records.table
        self._kind = table.name
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
            key = self._by_name[name] = self._add_row(self._writer, self._body.new(name=name))
            self._made[self._kind] += 1
        return key


class Groups:
    """Type groups and pricing groups. No two groups of either kind have the same name."""

    def __init__(self, writer: Writer, made: Counter[str]) -> None:
        self._writer, self._made = writer, made
        self._by_name = {name: (key, kind) for name, key, kind in writer.rows(_GROUPS)}

    def key_of(self, name: str, kind: int, column: str) -> int:
        """Return the group of this name, a new one where there is none."""
        known = self._by_name.get(name)
        if known is None:
            known = self._by_name[name] = (self._add(name, kind), kind)
        if known[1] != kind:
            wanted, other = account_groups.TYPES[kind], account_groups.TYPES[known[1]]
            raise Refusal(column, name, f"is the name of a {other}, so no {wanted} can have it")
        return known[0]

    def _add(self, name: str, kind: int) -> int:
        self._made["type_groups" if kind == TYPE_GROUP else "pricing_groups"] += 1
        return account_groups.acts.add(self._writer, account_groups.CREATE.new(name=name, type=kind))


class SalesReps:
    """Account users by e-mail, whatever its case; one without an e-mail by name."""

    def __init__(self, writer: Writer, made: Counter[str]) -> None:
        self._writer, self._made = writer, made
        self._known: dict[int, tuple[str | None, str | None]] = {}
        self._by_email: dict[str, int] = {}
        self._by_folded_email: dict[str, int] = {}
        self._by_name: dict[str, int] = {}
        # From the newest to the oldest: the oldest of one name, and of one e-mail in any case, stays.
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
        """Return the rep, or a new one if there is none; another name than the known one renames the rep."""
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
            self._rename(key, name)
        return key

    def _rename(self, key: int, name: str) -> None:
        row = account_users.records.find(self._writer, key)
        assert row is not None
        account_users.records.update(self._writer, row, {"name": name})
        self._know(key, row["email"], name)
        self._made["sales_reps_renamed"] += 1

    def _add(self, email: str | None, name: str | None) -> int:
        key = account_users.add(self._writer, account_users.CREATE.new(email=email, name=name))
        self._know(key, email, name)
        self._made["sales_reps"] += 1
        return key
