"""What an account has few of, kept as objects and as JSON for as long as the account doesn't change."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Generic

import msgspec
import sqlalchemy as sa

from tradebook.crud.resource import View
from tradebook.crud.shapes import Inside, RowShape, Shape
from tradebook.storage.database import Reader
from tradebook.storage.derived import Values
from tradebook.storage.schema import ACCOUNT, any_of, prepare

KEPT_BYTES_MAX = 1_048_576
"""How much is kept of one small table of an account, in bytes."""

ENTRY_OVERHEAD_BYTES = 210
"""What a key and its JSON take up in memory besides the text."""

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
        return kept(reader, self._name, keys, lambda missing: self.objects(reader, missing))

    def load_found(self, view: View, keys: Sequence[int]) -> Mapping[int, Shape]:
        """Return the objects as routes show them; rows that are gone are left out."""
        found = self.objects(view.reader, keys)
        return {key: found[key] for key in keys if key in found}

    def objects(self, reader: Reader, keys: Iterable[int | None]) -> dict[int, Shape]:
        """Make the objects of these rows anew."""
        return {row[0]: self.shape.make(row) for row in reader.rows(self._statement, ids=list(keys))}


class _Kept:
    """Finished JSON by key, and what it takes up in memory, roughly."""

    __slots__ = ("by_key", "size_bytes")

    def __init__(self) -> None:
        self.by_key: dict[int | None, Fragment] = {None: None}
        self.size_bytes = 0


def kept(
    reader: Reader,
    name: str,
    keys: Collection[int | None],
    objects: Callable[[set[int | None]], Mapping[int, msgspec.Struct | None]],
) -> dict[int | None, Fragment]:
    """Return finished JSON by key: what is kept under a name, and of what is missing what `objects` makes."""
    cache = reader.cache
    found: _Kept = cache.get(name) or cache.setdefault(name, _Kept())
    missing = set(keys).difference(found.by_key)
    if not missing:
        return found.by_key
    # Copied, as what msgspec returns holds on to half as much memory again as it is long.
    made: dict[int | None, msgspec.Raw] = {
        key: msgspec.Raw(bytes(memoryview(msgspec.json.encode(each))))
        for key, each in objects(missing).items()
    }
    with cache.lock:
        if cache.get(name) is not found:
            # Another thread has begun it anew.
            return {**found.by_key, **made}
        return _keep(cache, name, found.by_key.keys() & set(keys), made)


def _keep(
    cache: Values, name: str, wanted: Collection[int | None], made: Mapping[int | None, msgspec.Raw]
) -> dict[int | None, Fragment]:
    """Keep what was made; where there is no room, begin anew with that, and what else is wanted."""
    found: _Kept = cache[name]
    # Another thread may have made the same.
    new = {key: raw for key, raw in made.items() if key not in found.by_key}
    size = _size_of(new)
    if found.size_bytes + size > KEPT_BYTES_MAX:
        new |= {key: found.by_key[key] for key in wanted}
        size = _size_of(new)
        whole = {**found.by_key, **new}
        cache.grow(-found.size_bytes)
        found = cache[name] = _Kept()
        if size > KEPT_BYTES_MAX:
            return whole
    found.by_key |= new
    found.size_bytes += size
    cache.grow(size)
    return found.by_key


def _size_of(fragments: Mapping[int | None, Fragment]) -> int:
    return sum([len(raw) + ENTRY_OVERHEAD_BYTES for raw in fragments.values() if raw is not None])
