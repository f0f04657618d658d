"""The rows of one table, changed one at a time, with the rules that hold for every resource."""

from collections.abc import Collection, Container, Iterable, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from tradebook.crud.change import Change
from tradebook.crud.versions import first_version, next_version
from tradebook.errors import AlreadyExists, ReferenceNotFound, StillReferenced
from tradebook.storage.database import Reader, Writer
from tradebook.storage.index import ListIndex
from tradebook.storage.schema import ACCOUNT, Prepared, any_of, metadata, prepare

Values = dict[str, Any]
_KEY: sa.BindParameter[int] = sa.bindparam("key", type_=sa.BigInteger)


class Records:
    """Reads, adds, changes and deletes rows by key."""

    def __init__(
        self,
        table: sa.Table,
        *,
        unique: Sequence[str] = (),
        unique_within: str | None = None,
        unless: sa.ColumnElement[bool] | None = None,
        standing: sa.ColumnElement[bool] | None = None,
        owned: Collection[sa.Column[Any]] = (),
        index: ListIndex | None = None,
    ) -> None:
        """Declare what is special about the table.

        `unique` names columns whose value no two rows share, within those that agree in `unique_within`,
        apart from the rows for which `unless` holds. A row for which `standing` doesn't hold is not found.
        `owned` are references of rows that go with the row they refer to.
        """
        self.table, self._index, self._within = table, index, unique_within
        self._indexed = frozenset() if index is None else index.columns_of(table)
        self.columns = tuple(column.name for column in table.c if column.name != "account_id")
        self._owned = [
            prepare(sa.delete(column.table).where(column.table.c.account_id == ACCOUNT, column == _KEY))
            for column in owned
        ]
        self._owned_columns = set(owned)
        own = (table.c.account_id == ACCOUNT, table.c.id == _KEY)
        there = own if standing is None else (*own, standing)
        self._select = prepare(sa.select(*(table.c[name] for name in self.columns)).where(*there))
        self._insert = prepare(sa.insert(table))
        self._update = prepare(
            sa.update(table)
            .where(*own)
            .values(**{name: sa.bindparam(name) for name in self.columns if name != "id"})
        )
        self._delete = prepare(sa.delete(table).where(*own))
        self._taken = {name: self._same(name, unless) for name in unique}
        self._known = prepare(
            sa.select(table.c.id).where(table.c.account_id == ACCOUNT, any_of(table.c.id, "ids"))
        )

    def _same(self, name: str, unless: sa.ColumnElement[bool] | None) -> Any:
        column = self.table.c[name]
        conditions = [self.table.c.account_id == ACCOUNT, column == sa.bindparam("value")]
        if self._within is not None:
            conditions.append(self.table.c[self._within] == sa.bindparam("within"))
        if unless is not None:
            conditions.append(~unless)
        return prepare(sa.select(self.table.c.id).where(*conditions))

    def find(self, reader: Reader, key: int) -> Values | None:
        """Return a row by column; None where there is none."""
        found = reader.rows(self._select, key=key)
        return dict(zip(self.columns, found[0], strict=True)) if found else None

    def require(self, reader: Reader, keys: Iterable[int], param: str) -> None:
        """Refuse keys that the account has no row of: ReferenceNotFound."""
        wanted = set(keys)
        if wanted and len(reader.rows(self._known, ids=sorted(wanted))) < len(wanted):
            raise ReferenceNotFound(f"{param} names an object that this account doesn't have.", param=param)

    def add(self, change: Change, values: Values) -> int:
        """Add a row and return its key; AlreadyExists where a value is taken."""
        key = change.new_key()
        row = {"id": key, "updated_at": first_version(key), **values}
        self._require_free(change.writer, row, self._taken)
        change.writer.run(self._insert, **row)
        self.reindex(change.writer, [key])
        return key

    def update(self, change: Change, before: Values, changes: Values) -> None:
        """Change columns of a row; every change is a new version, also one that changes nothing."""
        row = {**before, **changes, "updated_at": next_version(before["updated_at"])}
        changed = {name for name in changes if row[name] != before[name]}
        self._require_free(change.writer, row, changed)
        key = row.pop("id")
        change.writer.run(self._update, key=key, **row)
        if not changed.isdisjoint(self._indexed):
            self.reindex(change.writer, [key])

    def delete(self, change: Change, before: Values) -> None:
        """Delete a row and what goes with it; StillReferenced where others need it."""
        key = before["id"]
        self.require_unreferenced(change.writer, key)
        for statement in self._owned:
            change.writer.run(statement, key=key)
        change.writer.run(self._delete, key=key)
        self.reindex(change.writer, [key])

    def reindex(self, writer: Writer, keys: Sequence[int]) -> None:
        """Bring the table's index up to date, where it has one."""
        if self._index is not None and keys:
            writer.reindex(self._index, keys)

    def require_unreferenced(self, reader: Reader, key: int) -> None:
        """Refuse to go on where other rows refer to this one, and say how many."""
        for name, statement in self._referring:
            count = reader.rows(statement, key=key)[0][0]
            if count:
                subject = (
                    f"{count} {name} still refer" if count > 1 else f"1 {name.removesuffix('s')} still refers"
                )
                raise StillReferenced(f"{subject} to it. Let them refer to another one first.", param="id")

    @cached_property
    def _referring(self) -> list[tuple[str, Prepared]]:
        """How many rows refer to a row, by what they are called. Late: others are declared after this one."""
        found: dict[str, list[sa.Select[Any]]] = {}
        for column in references_to(self.table):
            if column not in self._owned_columns:
                name, key = _referrer(column)
                select = sa.select(key).where(column.table.c.account_id == ACCOUNT, column == _KEY)
                found.setdefault(name, []).append(select)
        return [
            (name, prepare(sa.select(sa.func.count()).select_from(sa.union(*selects).subquery("referring"))))
            for name, selects in found.items()
        ]

    def _require_free(self, reader: Reader, row: Values, columns: Container[str]) -> None:
        for name, statement in self._taken.items():
            if name not in columns or row.get(name) is None:
                continue
            more = {} if self._within is None else {"within": row[self._within]}
            if any(key != row["id"] for (key,) in reader.rows(statement, value=row[name], **more)):
                raise AlreadyExists(f"Another one has this {name} already; it must be unique.", param=name)


def references_to(table: sa.Table) -> list[sa.Column[Any]]:
    """List the columns of all tables that hold keys of this one."""
    return [
        column
        for other in metadata.sorted_tables
        for column in other.c
        if column.info.get("references") == table.name
    ]


def _referrer(column: sa.Column[Any]) -> tuple[str, sa.Column[Any]]:
    """Tell what refers by a column, in the words of the API, and the column of its own key.

    A row of a link table stands for what its key begins with.
    """
    table = column.table
    assert isinstance(table, sa.Table)
    first = next(other for other in table.primary_key.columns if other.name != "account_id")
    return str(first.info.get("references", table.name)).replace("_", " "), first
