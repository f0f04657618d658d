"""What an account has few of, kept as finished JSON for as long as the account doesn't change."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa

from tradebook.crud.resource import View
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, any_of, prepare

FRAGMENTS_MAX = 10_000
Fragment = Any
"""JSON that is already encoded (`msgspec.Raw`), where a Struct's field says the object's own type."""

Shape = TypeVar("Shape", bound=msgspec.Struct)


class Fragments(Generic[Shape]):
    """The rows of one small table, each encoded once; at most one statement a page."""

    def __init__(
        self,
        name: str,
        table: sa.Table,
        columns: Iterable[sa.Column[Any]],
        shape: Callable[..., Shape],
    ) -> None:
        """`shape` takes the key and then the columns; `name` tells apart two shapes of one table."""
        self._name = name
        self._shape = shape
        self._statement = prepare(
            sa.select(table.c.id, *columns).where(table.c.account_id == ACCOUNT, any_of(table.c.id, "ids"))
        )

    def load(self, reader: Reader, keys: Collection[int | None]) -> dict[int | None, Fragment]:
        """Return the finished JSON of these rows; a None among the keys stands for nothing, and is null."""
        known: dict[int | None, Fragment] = reader.cache.setdefault(self._name, {None: None})
        missing = set(keys).difference(known)
        if missing:
            if len(known) + len(missing) > FRAGMENTS_MAX:
                known = {key: known[key] for key in (None, *keys) if key in known}
                reader.cache[self._name] = known
            for key, found in self.objects(reader, missing).items():
                known[key] = msgspec.Raw(msgspec.json.encode(found))
        return known

    def objects(self, reader: Reader, keys: Iterable[int | None]) -> dict[int, Shape]:
        """Return the objects themselves, which are not kept; rows that are gone are left out."""
        return {row[0]: self._shape(*row) for row in reader.rows(self._statement, ids=list(keys))}

    def load_found(self, view: View, keys: Sequence[int]) -> Mapping[int, Shape]:
        """Return the objects as routes show them."""
        return self.objects(view.reader, keys)
