"""Finished answers, kept in memory. An entry is valid only as long as the account's revision is the same."""

from collections import OrderedDict

import msgspec

ENTRY_OVERHEAD_BYTES = 500


class CachedAnswer(msgspec.Struct, frozen=True):
    """A finished answer, and the revision that it was made from."""

    revision: int
    etag: str
    body: bytes


class PageCache:
    """The pages that were asked for last, up to a number of bytes."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._pages: OrderedDict[tuple[int, str, str], CachedAnswer] = OrderedDict()

    def get(self, key: tuple[int, str, str], revision: int | None) -> CachedAnswer | None:
        """Return the page if the account has not changed since."""
        page = self._pages.get(key)
        if page is None or page.revision != revision:
            return None
        self._pages.move_to_end(key)
        return page

    def put(self, key: tuple[int, str, str], page: CachedAnswer) -> None:
        """Keep a page, and let go of those not asked for the longest."""
        self._drop(key)
        if len(page.body) + ENTRY_OVERHEAD_BYTES > self._bytes_max:
            return
        self._pages[key] = page
        self._bytes += len(page.body) + ENTRY_OVERHEAD_BYTES
        while self._bytes > self._bytes_max:
            self._drop(next(iter(self._pages)))

    def _drop(self, key: tuple[int, str, str]) -> None:
        page = self._pages.pop(key, None)
        if page is not None:
            self._bytes -= len(page.body) + ENTRY_OVERHEAD_BYTES
