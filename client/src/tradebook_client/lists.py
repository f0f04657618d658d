"""Lists inside an object, such as the price groups of a customer."""

from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")


class ListOf(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """A whole list: the client has read it to its end."""

    data: list[Item]

    def __iter__(self) -> Iterator[Item]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)
