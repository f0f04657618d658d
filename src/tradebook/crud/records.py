"""Records: the rows of one table, changed one at a time, with the rules that hold for every resource."""

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from tradebook.crud.versions import first_version, next_version
from tradebook.errors import ResourceConflict, ResourceExists, ValidationFailed
from tradebook.ids import new_key
from tradebook.storage.database import Finished, Reader, Writer
from tradebook.storage.finished import FinishedRows
from tradebook.storage.index import ListIndex
from tradebook.storage.schema import ACCOUNT, TEXT, Prepared, any_of, apart, metadata, prepare, table_of_list
from tradebook.text import fold_case

Values = dict[str, Any]
_VALUE: sa.BindParameter[str] = sa.bindparam("value", type_=TEXT)
BeforeAfter = tuple[Values, Values]
"""A row as it is, and as it is to be."""

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
        owned: Collection[sa.Column[Any]] = (),
        index: ListIndex | None = None,
        finished: FinishedRows | None = None,
    ) -> None:
        """Declare what is special about the table.

        No two rows may have the same value in a column of `unique`: among the rows that have the same
        `unique_within`, and without those for which `unless` is true. Rows that refer to a row by a column of
        `owned` are deleted with it. The JSON that is kept of the rows, `finished`, is written with them.
        """
        self.table, self._index, self._within = table, index, unique_within
        self._finished = finished
        if finished is not None:
            owned = (*owned, finished.key)
        self._indexed = frozenset() if index is None else index.columns_of(table)
        self.columns = tuple(column.name for column in table.c if column.name != "account_id")
        self._owned = [
            prepare(sa.delete(column.table).where(column.table.c.account_id == ACCOUNT, column == _KEY))
            for column in owned
        ]
        self._owned_columns = set(owned)
        own = (table.c.account_id == ACCOUNT, table.c.id == _KEY)
        self._select = prepare(sa.select(*(table.c[name] for name in self.columns)).where(*own))
        self._insert = prepare(sa.insert(table))
        self._update = prepare(
            sa.update(table)
            .where(*own)
            .values(**{name: sa.bindparam(name) for name in self.columns if name != "id"})
        )
        self._delete = prepare(sa.delete(table).where(*own))
        self._folded = {
            column.info["case_folded"]: column.name for column in table.c if "case_folded" in column.info
        }
        self._made = {column.name: column.info["made_of"] for column in table.c if "made_of" in column.info}
        self._found_by = frozenset((*self._folded, *(of for of, _ in self._made.values())))
        self.unique = frozenset(unique)
        self._taken = {name: self._same(name, unless) for name in unique}
        some = (table.c.account_id == ACCOUNT, any_of(table.c.id, "ids"))
        self._some = prepare(sa.select(*(table.c[name] for name in self.columns)).where(*some))
        self._by_name = {
            name: prepare(
                sa.select(*(table.c[each] for each in self.columns)).where(
                    table.c.account_id == ACCOUNT, any_of(table.c[folded], "values")
                )
            )
            for name, folded in self._folded.items()
        }
        self._oldest_apart = {name: self._apart(folded) for name, folded in self._folded.items()}

    @property
    def has_system_rows(self) -> bool:
        """Whether some rows belong to the system, in every account."""
        return "is_system" in self.columns

    @property
    def is_deleted_softly(self) -> bool:
        """Whether a deleted row stays, for those that refer to it."""
        return "deleted_at" in self.columns

    @property
    def is_referred_to(self) -> bool:
        """Whether rows of other objects refer to these, by declaration."""
        return bool(self._referring)

    def _same(self, name: str, unless: sa.ColumnElement[bool] | None) -> Any:
        column = self.table.c[self._folded.get(name, name)]
        # What is kept apart agrees too: see `schema.apart`. No text has a character below its line feed.
        same = (column >= _VALUE, column < _VALUE + "\v") if name in self._folded else (column == _VALUE,)
        conditions = [self.table.c.account_id == ACCOUNT, *same]
        if self._within is not None:
            conditions.append(self.table.c[self._within] == sa.bindparam("within"))
        if unless is not None:
            conditions.append(~unless)
        return prepare(sa.select(self.table.c.id).where(*conditions))

    def _apart(self, folded: str) -> Prepared:
        """Find for each of some folded texts the oldest row that is kept apart."""
        asked, kept = table_of_list("values", TEXT), self.table.alias("kept")
        # Not the key itself: an engine might walk all keys of the account to the first that fits.
        oldest = (
            sa.select(sa.func.min(kept.c.id + 0))
            .where(
                kept.c.account_id == ACCOUNT,
                kept.c[folded] > asked.c.value,
                kept.c[folded] < asked.c.value + "\v",
            )
            .correlate(asked)
            .scalar_subquery()
        )
        return prepare(sa.select(asked.c.value, oldest))

    def find(self, reader: Reader, key: int) -> Values | None:
        """Return a row, by the names of its columns; None if there is none."""
        found = reader.rows(self._select, key=key)
        return dict(zip(self.columns, found[0], strict=True)) if found else None

    def find_all(self, reader: Reader, keys: Iterable[int]) -> dict[int, Values]:
        """Return the rows of some keys; those that aren't there are left out."""
        wanted = sorted(set(keys))
        rows = reader.rows(self._some, ids=wanted) if wanted else []
        return {row["id"]: row for row in (dict(zip(self.columns, each, strict=True)) for each in rows)}

    def find_by(self, reader: Reader, name: str, texts: Iterable[str]) -> dict[str, Values]:
        """Return rows by a text that is unique whatever its case; those that aren't there are left out.

        The row whose text is spelled so goes before one that agrees with it; of these goes first the one
        that has the text plainly, then the oldest that is kept apart: see `schema.apart`.
        """
        forms = {text: (apart(folded := fold_case(text), text), folded) for text in texts}
        asked = sorted({form for both in forms.values() for form in both})
        rows = reader.rows(self._by_name[name], values=asked) if asked else []
        listed = (dict(zip(self.columns, row, strict=True)) for row in rows)
        there = {row[self._folded[name]]: row for row in listed}
        found = {text: there.get(own) or there.get(folded) for text, (own, folded) in forms.items()}
        missing = {folded for text, (_, folded) in forms.items() if found[text] is None}
        others = self._find_apart(reader, name, sorted(missing))
        found = {text: row or others.get(forms[text][1]) for text, row in found.items()}
        return {text: row for text, row in found.items() if row is not None}

    def _find_apart(self, reader: Reader, name: str, folded: Sequence[str]) -> dict[str, Values]:
        """Return by folded text the oldest row that is kept apart; few books have any."""
        listed = reader.rows(self._oldest_apart[name], values=folded) if folded else []
        keys = {text: key for text, key in listed if key is not None}
        rows = self.find_all(reader, keys.values())
        return {text: rows[key] for text, key in keys.items()}

    def require(self, reader: Reader, keys: Iterable[int], param: str) -> dict[int, Values]:
        """Return the rows of keys; ValidationFailed where the account doesn't have them all."""
        wanted = set(keys)
        found = self.find_all(reader, wanted)
        if len(found) < len(wanted):
            raise not_found(param)
        return found

    def new_row(self, values: Values) -> Values:
        """Make a row of values: with a key, and its first version."""
        key = new_key()
        return {"id": key, "updated_at": first_version(key), **values}

    def add(self, writer: Writer, values: Values) -> int:
        """Add a row and return its key; ResourceExists if a unique value is taken."""
        row = self.new_row(values)
        self.require_free(writer, row, self._taken)
        self.insert(writer, [row])
        key: int = row["id"]
        return key

    def insert(
        self,
        writer: Writer,
        rows: Sequence[Values],
        *,
        is_indexed: bool = False,
        finished: Sequence[Finished] | None = None,
    ) -> None:
        """Add whole rows whose unique values are known to be free.

        See `index_ahead` for `is_indexed`, and `finish_ahead` for `finished`.
        """
        if rows:
            writer.insert(self._insert, [self._making(row, row) for row in rows] if self._found_by else rows)
            if self._finished is not None:
                self._finished.add(writer, rows, finished)
            if not is_indexed:
                self._reindex(writer, rows)
            elif self._index is not None:
                writer.take_indexed(self._index)

    def index_ahead(self, writer: Writer, rows: Sequence[Values]) -> bool:
        """Have the entries of rows made that the next transaction is to insert; False where nobody can."""
        return self._index is not None and writer.index_ahead(
            self._index, [{row["id"]: [row] for row in rows}]
        )

    def finish_ahead(self, writer: Writer, rows: Sequence[Values]) -> bool:
        """Have the JSON of rows made that the next transaction is to insert; False where nobody can."""
        return self._finished is not None and self._finished.make_ahead(writer, rows)

    def update(self, writer: Writer, before: Values, changes: Values) -> None:
        """Change columns of a row. Every change makes a new version, even if it changes nothing."""
        after = {**before, **changes}
        self.require_free(writer, after, [name for name in changes if after[name] != before[name]])
        self.write(writer, [(before, after)])

    def write(self, writer: Writer, changes: Sequence[BeforeAfter]) -> None:
        """Change rows, whose unique values are known to be free; every change is a new version."""
        if not changes:
            return
        versions = [
            {
                **self._making(after, [name for name in self._found_by if after[name] != before[name]]),
                "key": before["id"],
                "updated_at": next_version(before["updated_at"]),
            }
            for before, after in changes
        ]
        writer.insert(self._update, versions)
        if self._finished is not None:
            self._finished.change(writer, versions)
        self._reindex(writer, [after for before, after in changes if differ(before, after, self._indexed)])

    def delete(self, writer: Writer, before: Values) -> None:
        """Delete a row and the rows that it owns; ResourceConflict if other rows refer to it."""
        key = before["id"]
        self.require_unreferenced(writer, key)
        for statement in self._owned:
            writer.run(statement, key=key)
        writer.run(self._delete, key=key)
        if self._index is not None:
            writer.reindex(self._index, [key])

    def _reindex(self, writer: Writer, rows: Sequence[Values]) -> None:
        if self._index is not None and rows:
            writer.reindex(self._index, [row["id"] for row in rows], [{row["id"]: [row] for row in rows}])

    def require_unreferenced(self, reader: Reader, key: int) -> None:
        """Refuse if other rows refer to this one, and say how many: ResourceConflict."""
        for name, statement in self._referring:
            count = reader.rows(statement, key=key)[0][0]
            if count:
                subject = (
                    f"{count} {name} still refer" if count > 1 else f"1 {name.removesuffix('s')} still refers"
                )
                raise ResourceConflict(f"{subject} to it. Let them refer to another one first.", param="id")

    @cached_property
    def _referring(self) -> list[tuple[str, Prepared]]:
        """Count what refers to a row. Made when first used: other tables are declared later."""
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

    def _making(self, row: Values, columns: Container[str]) -> Values:
        """Return a row with what is made of some columns, to find it by; the others have it already."""
        made = {
            kept: None if row[of] is None else fold_case(row[of])
            for of, kept in self._folded.items()
            if of in columns
        }
        for kept, (of, make) in self._made.items():
            if of in columns:
                made[kept] = None if row[of] is None else make(row[of])
        return {**row, **made} if made else row

    def require_free(self, reader: Reader, row: Values, columns: Container[str]) -> None:
        """Refuse a row whose value in one of these columns another one has: ResourceExists."""
        for name, statement, values in self._asked_of(row, columns):
            if any(key != row["id"] for (key,) in reader.rows(statement, **values)):
                but = ", in capitals or not" if name in self._folded else ""
                raise ResourceExists(
                    f"Another one has this {name} already{but}; it must be unique.", param=name
                )

    def foresee_free(self, reader: Reader, row: Values, columns: Container[str]) -> None:
        """Say that these values will be required to be free."""
        for _, statement, values in self._asked_of(row, columns):
            reader.foresee(statement, **values)

    def _asked_of(self, row: Values, columns: Container[str]) -> Iterator[tuple[str, Prepared, Values]]:
        """Tell by which statements, with which values, rows are found that have a row's unique values."""
        more = {} if self._within is None else {"within": row[self._within]}
        for name, statement in self._taken.items():
            if name in columns and row.get(name) is not None:
                value = fold_case(row[name]) if name in self._folded else row[name]
                yield name, statement, {"value": value, **more}


def not_found(param: str) -> ValidationFailed:
    """Make the refusal of a key that the account doesn't have."""
    return ValidationFailed(f"{param} names an object that this account doesn't have.", param=param)


def differ(before: Values, after: Values, columns: Iterable[str]) -> bool:
    """Tell whether a row is another one in some columns."""
    return any(before[name] != after[name] for name in columns)


def references_to(table: sa.Table) -> list[sa.Column[Any]]:
    """List the columns of all tables that hold keys of this one."""
    return [
        column
        for other in metadata.sorted_tables
        for column in other.c
        if column.info.get("references") == table.name
    ]


def _referrer(column: sa.Column[Any]) -> tuple[str, sa.Column[Any]]:
    """Name what refers by a column, in the words of the API, and the column of its own key.

    A row of a link table counts as the object that its key begins with.
    """
    table = column.table
    assert isinstance(table, sa.Table)
    first = next(other for other in table.primary_key.columns if other.name != "account_id")
    return str(first.info.get("references", table.name)).replace("_", " "), first
