"""What an account has few of, kept as objects and as JSON for as long as the account doesn't change."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Generic

import msgspec
import sqlalchemy as sa

from tradebook.crud.resource import View
from tradebook.crud.shapes import Inside, RowShape, Shape
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, any_of, prepare

FRAGMENTS_MAX = 10_000
Fragment = Any
"""Finished JSON (`msgspec.Raw`) in a field whose type is that of the object; msgspec copies it as it is."""


class Fragments(Generic[Shape]):
    """The rows of one small table, each encoded once. A page needs at most one statement for them."""

    def __init__(
        self,
        name: str,
        table: sa.Table,
        *,
        shown: type[Shape],
        id_prefix: str,
        inside: Inside | None = None,
    ) -> None:
        """`name` tells apart two shapes of one table; for the rest see `RowShape`."""
        self._name = name
        self.shape = RowShape(shown, table, id_prefix, inside)
        self._statement = prepare(
            sa.select(*self.shape.columns).where(table.c.account_id == ACCOUNT, any_of(table.c.id, "ids"))
        )

    def load(self, reader: Reader, keys: Collection[int | None]) -> dict[int | None, Fragment]:
        """Return the finished JSON of these rows by key; None, which refers to nothing, gives null."""
        known, missing = _known(reader, self._name, keys)
        if missing:
            for key, found in self.objects(reader, missing).items():
                known[key] = msgspec.Raw(msgspec.json.encode(found))
        return known

    def load_found(self, view: View, keys: Sequence[int]) -> Mapping[int, Shape]:
        """Return the objects as routes show them; rows that are gone are left out."""
        known, missing = _known(view.reader, f"{self._name} as an object", keys)
        if missing:
            known.update(self.objects(view.reader, missing).items())
        return {key: known[key] for key in keys if key in known}

    def objects(self, reader: Reader, keys: Iterable[int | None]) -> dict[int, Shape]:
        """Make the objects of these rows anew."""
        return {row[0]: self.shape.make(row) for row in reader.rows(self._statement, ids=list(keys))}


def _known(
    reader: Reader, name: str, keys: Collection[int | None]
) -> tuple[dict[int | None, Any], set[int | None]]:
    """Return what is kept under a name, with room for these keys, and which of them are missing."""
    known: dict[int | None, Any] = reader.cache.setdefault(name, {None: None})
    missing = set(keys).difference(known)
    if missing and len(known) + len(missing) > FRAGMENTS_MAX:
        known = {key: known[key] for key in (None, *keys) if key in known}
        reader.cache[name] = known
    return known, missing
