"""From the names in a file to the account's groups, terms and sales reps; missing ones are made.

No two have names that differ in case alone, so a name is found whatever its case. Only a book of before may
have such names: each is found as it is written, and an export of them changes nothing where it came from.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Generic, TypeVar

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
# From the newest to the oldest: of names that differ in case alone, the oldest counts.
_GROUPS = prepare(sa.select(_g.name, _g.id, _g.type).where(_g.account_id == ACCOUNT).order_by(_g.id.desc()))
_REPS = prepare(sa.select(_u.email, _u.name, _u.id).where(_u.account_id == ACCOUNT).order_by(_u.id.desc()))


class Refusal(Exception):
    """A value of a row is well-formed, but can't be accepted."""

    def __init__(self, column: str, value: Any, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value
        self.reason = reason


Found = TypeVar("Found")


class ByName(Generic[Found]):
    """What is found by a name: as it is written first, then whatever its case."""

    def __init__(self) -> None:
        self._exactly: dict[str, Found] = {}
        self._folded: dict[str, Found] = {}

    def put(self, name: str, found: Found) -> None:
        """Have it found by a name; of names that differ in case alone, the last one counts."""
        self._exactly[name] = found
        self._folded[fold_case(name)] = found

    def get(self, name: str) -> Found | None:
        """Return what has this name; None if nothing has."""
        found = self._exactly.get(name)
        return self._folded.get(fold_case(name)) if found is None else found

    def names(self) -> list[str]:
        """List the names as they are written."""
        return sorted(self._exactly)


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
        self._by_name: ByName[int] = ByName()
        c = records.table.c
        self._kind = records.table.name
        names = prepare(sa.select(c.name, c.id).where(c.account_id == ACCOUNT).order_by(c.id.desc()))
        for name, key in writer.rows(names):
            self._by_name.put(name, key)

    def key_of(self, name: str) -> int:
        """Return the term of this name, a new one where there is none."""
        key = self._by_name.get(name)
        if key is None:
            key = self._add_row(self._writer, self._body.new(name=name))
            self._by_name.put(name, key)
            self._made[self._kind] += 1
        return key


class Groups:
    """Type groups and pricing groups. No two groups of either kind have the same name."""

    def __init__(self, writer: Writer, made: Counter[str]) -> None:
        self._writer, self._made = writer, made
        self._by_name: ByName[tuple[int, int]] = ByName()
        for name, key, kind in writer.rows(_GROUPS):
            self._by_name.put(name, (key, kind))

    def key_of(self, name: str, kind: int, column: str) -> int:
        """Return the group of this name, a new one where there is none."""
        known = self._by_name.get(name)
        if known is None:
            known = (self._add(name, kind), kind)
            self._by_name.put(name, known)
        if known[1] != kind:
            wanted, other = account_groups.TYPES[kind], account_groups.TYPES[known[1]]
            raise Refusal(column, name, f"is the name of a {other}, so no {wanted} can have it")
        return known[0]

    def _add(self, name: str, kind: int) -> int:
        self._made["type_groups" if kind == TYPE_GROUP else "pricing_groups"] += 1
        return account_groups.acts.add(self._writer, account_groups.CREATE.new(name=name, type=kind))


class SalesReps:
    """Account users by e-mail; one without an e-mail by name."""

    def __init__(self, writer: Writer, made: Counter[str]) -> None:
        self._writer, self._made = writer, made
        self._known: dict[int, tuple[str | None, str | None]] = {}
        self._by_email: ByName[int] = ByName()
        self._by_name: ByName[int] = ByName()
        for email, name, key in writer.rows(_REPS):
            self._know(key, email, name)

    def _know(self, key: int, email: str | None, name: str | None) -> None:
        self._known[key] = (email, name)
        if email is not None:
            self._by_email.put(email, key)
        elif name is not None:
            self._by_name.put(name, key)

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
        key = self._by_email.get(email)
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
