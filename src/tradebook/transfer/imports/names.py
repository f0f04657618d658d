"""From the names in a file to the account's groups, terms and sales reps; missing ones are made.

No two have names that differ in case alone, so a name is found whatever its case. Only a book of before may
have such names: each is found as it is written, and an export of them changes nothing where it came from.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from tradebook.crud.fields import Body
from tradebook.crud.records import Records, Values
from tradebook.resources import account_groups, account_users
from tradebook.storage.database import Reader, Writer
from tradebook.storage.schema import ACCOUNT, Prepared, prepare
from tradebook.text import fold_case
from tradebook.transfer.imports.making import MadeKind, Making

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


@cache
def _names(table: sa.Table) -> Prepared:
    c = table.c
    return prepare(sa.select(c.name, c.id).where(c.account_id == ACCOUNT).order_by(c.id.desc()))


class Terms:
    """Payment terms or shipping terms by name."""

    def __init__(
        self,
        reader: Reader,
        making: Making,
        records: Records,
        body: Body,
        add: Callable[[Writer, Values], int],
        kind: MadeKind,
    ) -> None:
        self._making, self._body, self._add_row, self._kind = making, body, add, kind
        self._by_name: ByName[int] = ByName()
        self.name_of: dict[int, str] = {}
        for name, key in reader.rows(_names(records.table)):
            self._know(key, name)

    def _know(self, key: int, name: str) -> None:
        self._by_name.put(name, key)
        self.name_of[key] = name

    def names(self) -> list[str]:
        """List the names that the book has."""
        return [name for key, name in self.name_of.items() if key > 0]

    def key_of(self, name: str) -> int:
        """Return the term of this name, a new one where there is none."""
        key = self._by_name.get(name)
        if key is None:
            key = self._making.make(
                self._kind, name, 0, lambda writer: self._add_row(writer, self._body.new(name=name))
            )
            self._know(key, name)
        return key


class Groups:
    """Type groups and pricing groups. No two groups of either kind have the same name."""

    def __init__(self, reader: Reader, making: Making) -> None:
        self._making = making
        self._by_name: ByName[tuple[int, int]] = ByName()
        self.name_of: dict[int, str] = {}
        self._kind_of: dict[int, int] = {}
        for name, key, kind in reader.rows(_GROUPS):
            self._know(key, name, kind)

    def _know(self, key: int, name: str, kind: int) -> tuple[int, int]:
        self._by_name.put(name, (key, kind))
        self.name_of[key] = name
        self._kind_of[key] = kind
        return key, kind

    def names(self, kind: int) -> list[str]:
        """List the names that the book has of a kind."""
        return [name for key, name in self.name_of.items() if key > 0 and self._kind_of[key] == kind]

    def key_of(self, name: str, kind: int, column: str) -> int:
        """Return the group of this name, a new one where there is none."""
        known = self._by_name.get(name) or self._know(self._make(name, kind), name, kind)
        if known[1] != kind:
            wanted, other = account_groups.TYPES[kind], account_groups.TYPES[known[1]]
            raise Refusal(column, name, f"is the name of a {other}, so no {wanted} can have it")
        return known[0]

    def _make(self, name: str, kind: int) -> int:
        return self._making.make(
            "type_groups" if kind == TYPE_GROUP else "pricing_groups",
            name,
            0,
            lambda writer: account_groups.acts.add(writer, account_groups.CREATE.new(name=name, type=kind)),
        )


class SalesReps:
    """Account users by e-mail; one without an e-mail by name."""

    def __init__(self, reader: Reader, making: Making) -> None:
        self._making = making
        self.known: dict[int, tuple[str | None, str | None]] = {}
        """E-mail and name of each."""
        self._by_email: ByName[int] = ByName()
        self._by_name: ByName[int] = ByName()
        for email, name, key in reader.rows(_REPS):
            self._know(key, email, name)

    def _know(self, key: int, email: str | None, name: str | None) -> None:
        self.known[key] = (email, name)
        if email is not None:
            self._by_email.put(email, key)
        elif name is not None:
            self._by_name.put(name, key)

    def key_of(self, email: str | None, name: str | None, current: int | None) -> int | None:
        """Return the rep, or a new one if there is none."""
        if email is None and name is None:
            return None
        if current is not None and self.known[current] == (email, name):
            return current
        if email is None:
            assert name is not None
            found = self._by_name.get(name)
        else:
            found = self._by_email.get(email)
        return self._add(email, name) if found is None else found

    def email_of(self, key: int) -> str | None:
        """Return the e-mail of a rep that is known."""
        return self.known[key][0]

    def name_of(self, key: int) -> str | None:
        """Return the name of a rep that is known."""
        return self.known[key][1]

    def names(self) -> list[str]:
        """List the e-mails that the book has, and the names of reps without one."""
        return [email or name or "" for key, (email, name) in self.known.items() if key > 0]

    def rename(self, key: int, name: str) -> int:
        """Give a rep another name; returns a key that stands for the renaming, 0 where there is none."""
        email, _ = self.known[key]
        self.known[key] = (email, name)
        if key < 0:
            # It is yet to be made.
            return 0

        def write(writer: Writer) -> int:
            row = account_users.records.find(writer, key)
            assert row is not None
            account_users.records.update(writer, row, {"name": name})
            return key

        return self._making.make("sales_reps_renamed", email or name, 0, write)

    def _add(self, email: str | None, name: str | None) -> int:
        key = self._making.make(
            "sales_reps",
            email or name or "",
            0,
            lambda writer: account_users.add(writer, account_users.CREATE.new(email=email, name=name)),
        )
        self._know(key, email, name)
        return key
