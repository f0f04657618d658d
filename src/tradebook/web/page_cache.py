"""Finished answers, kept in memory. An entry is valid only as long as the account's revision is the same."""

from contextlib import suppress

import msgspec
from cachetools import LRUCache

ENTRY_OVERHEAD_BYTES = 500


class CachedAnswer(msgspec.Struct, frozen=True):
    """A finished answer, and the revision that it was made from."""

    revision: int
    etag: str
    body: bytes

    @property
    def size_bytes(self) -> int:
        """What it takes up in memory, roughly."""
        return len(self.body) + ENTRY_OVERHEAD_BYTES


class PageCache:
    """The pages that were asked for last, up to a number of bytes."""

    def __init__(self, bytes_max: int) -> None:
        self._pages: LRUCache[tuple[int, str, str], CachedAnswer] = LRUCache(
            bytes_max, getsizeof=lambda page: page.size_bytes
        )

    def get(self, key: tuple[int, str, str], revision: int | None) -> CachedAnswer | None:
        """Return the page if the account has not changed since."""
        page = self._pages.get(key)
        return page if page is not None and page.revision == revision else None

    def put(self, key: tuple[int, str, str], page: CachedAnswer) -> None:
        """Keep a page, and let go of those not asked for the longest; one larger than all is not kept."""
        with suppress(ValueError):
            self._pages[key] = page
