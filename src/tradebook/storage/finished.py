"""The finished JSON of rows, kept beside them: a page reads it, and need not make it.

It is written where its row is written, in the same transaction. An account keeps the version of what was
written, as it does of its indexes: while it is another one, pages are made from the rows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.storage.database import Finished, Reader, Row, Writer
from tradebook.storage.schema import ACCOUNT, Prepared, any_of, prepare

Make = Callable[[Iterable[Row]], Mapping[int, tuple[str, ...]]]
"""Makes the JSON of rows, in one or more parts, by key."""

_DIGEST_BYTES = 8


class FinishedRows:
    """The JSON of one table's rows, in the columns of a table of its own."""

    def __init__(
        self,
        kept: sa.Table,
        columns: Sequence[sa.Column[Any]],
        make: Make,
        samples: Iterable[Row],
        besides: Sequence[str] = (),
    ) -> None:
        """`make` is given the `columns` of rows, the key first.

        What it makes of `samples` is the version of what is kept: where it changes, everything is made anew.
        `besides` is what decides more than the samples show.
        """
        self.table, self.kept, self.make = columns[0].table, kept, make
        self.key, *parts = [column for column in kept.c if column.name != "account_id"]
        self._parts = [column.name for column in parts]
        self.columns = tuple(columns)
        self._row_of: Callable[[Mapping[str, Any]], Row] = itemgetter(*(column.name for column in columns))
        made = [*sorted(make(samples).items()), *besides]
        self.version = blake2b(msgspec.json.encode(made), digest_size=_DIGEST_BYTES).hexdigest()
        own = (kept.c.account_id == ACCOUNT, any_of(self.key, "ids"))
        self._rows = prepare(
            sa.select(*columns).where(self.table.c.account_id == ACCOUNT, any_of(columns[0], "ids"))
        )
        self._found = prepare(sa.select(self.key, *parts).where(*own))
        self._insert = prepare(sa.insert(kept))
        self._delete = prepare(sa.delete(kept).where(*own))
        self._update = prepare(
            sa.update(kept)
            .where(kept.c.account_id == ACCOUNT, self.key == sa.bindparam("key", type_=sa.BigInteger))
            .values({name: sa.bindparam(name) for name in self._parts})
        )

    @property
    def name(self) -> str:
        """The name under which an account keeps the version."""
        return self.kept.name

    @property
    def indexed_key(self) -> sa.Column[Any]:
        """The column that names the row."""
        return self.key

    def read(self, reader: Reader, statement: Prepared, **values: Any) -> list[Row] | None:
        """Run a statement that reads what is kept; None where that is not whole, or of another version."""
        # In this order: the first statement of a transaction settles what the second one sees.
        rows = reader.rows(statement, **values)
        return rows if reader.is_whole(self.name) else None

    def add(
        self, writer: Writer, rows: Sequence[Mapping[str, Any]], made: Sequence[Finished] | None = None
    ) -> None:
        """Keep the JSON of whole rows that are new; `made` where it was made ahead."""
        writer.insert(self._insert, self._named(self.made(rows) if made is None else made))

    def made(self, rows: Iterable[Mapping[str, Any]]) -> Sequence[Finished]:
        """Make the JSON of whole rows, which `add` takes."""
        return list(self.make(map(self._row_of, rows)).items())

    def make_ahead(self, writer: Writer, rows: Sequence[Mapping[str, Any]]) -> bool:
        """Have the JSON of rows made that the next transaction is to add; False where nobody can."""
        # SQLAlchemy's names are more than texts, and can't be sent.
        return writer.finish_ahead(str(self.name), list(map(self._row_of, rows)))

    def change(self, writer: Writer, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep the JSON of whole rows that have changed."""
        writer.insert(self._update, self._changes(map(self._row_of, rows)))

    def renew(self, writer: Writer, keys: Sequence[int]) -> None:
        """Keep the JSON of some rows that were changed, and are not at hand."""
        writer.insert(self._update, self._changes(writer.rows(self._rows, ids=list(keys))))

    def make_anew(self, writer: Writer, keys: Sequence[int]) -> None:
        """Keep the JSON of some rows whatever is kept of them; that of rows that are gone is dropped."""
        if keys:
            writer.run(self._delete, ids=list(keys))
            writer.insert(self._insert, self._made(writer.rows(self._rows, ids=list(keys))))

    def wrong(self, reader: Reader, keys: Sequence[int]) -> Iterator[int]:
        """Tell of which of these rows something else is kept than would be made of them now."""
        rows = {row[0]: row for row in reader.rows(self._rows, ids=list(keys))}
        found = {key: tuple(parts) for key, *parts in reader.rows(self._found, ids=list(keys))}
        for key in keys:
            # Of a row that holds what can't be shown there is no JSON, neither right nor wrong.
            with suppress(LookupError, ArithmeticError):
                if self.make([rows[key]] if key in rows else []).get(key) != found.get(key):
                    yield key

    def _changes(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        return [{**parts, "key": parts[self.key.name]} for parts in self._made(rows)]

    def _made(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        return self._named(self.make(rows).items())

    def _named(self, made: Iterable[Finished]) -> list[dict[str, Any]]:
        return [{self.key.name: key, **dict(zip(self._parts, parts, strict=True))} for key, parts in made]
