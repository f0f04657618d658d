"""What was asked for last, remembered up to a size."""

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Entries in two generations: what is not asked for while a generation fills up is let go of.

    Cheaper than a list in order of use, as a look-up changes nothing, and safe for several threads: in a race
    an entry is lost at most.
    """

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max // 2
        self._size = 0
        self._new: dict[Key, tuple[Value, int]] = {}
        self._old: dict[Key, tuple[Value, int]] = {}

    def get(self, key: Key) -> Value | None:
        """Return what is remembered."""
        found = self._new.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def forget(self, key: Key) -> None:
        """Remember something no more."""
        for entries in (self._new, self._old):
            entries.pop(key, None)

    def put(self, key: Key, value: Value, size: int = 1) -> None:
        """Remember something, and let go of what was not asked for since long."""
        if size > self._size_max:
            return
        if key not in self._new:
            if self._size + size > self._size_max:
                self._old, self._new, self._size = self._new, {}, 0
            self._size += size
        self._new[key] = (value, size)
