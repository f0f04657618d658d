"""Constants: objects that are the same for every account, such as the priorities and the currencies."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from tradebook.crud.resource import Asked, View
from tradebook.storage.database import Reader


class Constants:
    """Constants by key, made when they are first asked for: most commands never load them."""

    def __init__(self, make: Callable[[], Mapping[int, Any]], *searched: str) -> None:
        """Take what makes them, and the fields that they are searched by."""
        self._by_key = cache(make)
        self._searched = searched

    def walk(self, _reader: Reader, asked: Asked) -> list[int]:
        """Walk them all."""
        span = asked.span
        found = sorted(key for key in self._by_key() if span.above <= key < span.below)
        return (found[::-1] if span.descending else found)[: span.limit]

    def load(self, _view: View, keys: Sequence[int]) -> Mapping[int, Any]:
        """Return them by key."""
        by_key = self._by_key()
        return {key: by_key[key] for key in keys if key in by_key}

    def texts(self, _reader: Reader, keys: Sequence[int]) -> Iterable[tuple[int, Sequence[str | None]]]:
        """Read the fields that they are searched by."""
        by_key = self._by_key()
        return [(key, [getattr(by_key[key], field) for field in self._searched]) for key in keys]
