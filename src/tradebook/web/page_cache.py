"""Finished answers, kept in memory. An entry is valid only as long as the account's revision is the same."""

from collections import OrderedDict
from threading import Lock

import msgspec

from tradebook.web.compression import Encoding
from tradebook.web.recent import Recent

ENTRY_OVERHEAD_BYTES = 500
PAIR_OVERHEAD_BYTES = 200
"""What a name and its value take up in memory besides their characters."""

TEXT_LENGTH_MAX = 2_000
"""The longest query string that is remembered as it was sent. A longer one is parsed each time."""

TEXTS_BYTES_MAX = 1_048_576

Pairs = tuple[tuple[str, str], ...]
PageKey = tuple[int, str, Pairs, int | None, Encoding | None]
"""Which page it is: account, path, the query as it was read however it was written, owner, and form."""


class CachedAnswer(msgspec.Struct, frozen=True):
    """A finished answer, and the revision that it was made from."""

    revision: int
    etag: str
    body: bytes
    encoding: Encoding | None = None


def size_of_pairs(pairs: Pairs) -> int:
    """Return what names and values take up in memory, roughly."""
    return sum([len(name) + len(value) + PAIR_OVERHEAD_BYTES for name, value in pairs])


def size_of(key: PageKey, page: CachedAnswer) -> int:
    """Return what an entry takes up in memory, roughly: the page, and what it is found by."""
    return len(page.body) + len(key[1]) + size_of_pairs(key[2]) + ENTRY_OVERHEAD_BYTES


class PageCache:
    """The pages that were asked for last, up to a number of bytes."""

    def __init__(self, bytes_max: int) -> None:
        self._lock = Lock()
        self._bytes, self._bytes_max = 0, bytes_max
        self._pages: OrderedDict[PageKey, tuple[int, CachedAnswer]] = OrderedDict()
        self._pairs: Recent[str, Pairs] = Recent(TEXTS_BYTES_MAX if bytes_max else 0)

    def pairs_of(self, raw_query: str) -> Pairs | None:
        """Return what a query string was read as, if it is one of a kept page."""
        return self._pairs.get(raw_query)

    def remember(self, raw_query: str, pairs: Pairs) -> None:
        """Remember what the query string of a kept page was read as."""
        if len(raw_query) <= TEXT_LENGTH_MAX:
            self._pairs.put(raw_query, pairs, len(raw_query) + size_of_pairs(pairs) + ENTRY_OVERHEAD_BYTES)

    def get(self, key: PageKey, revision: int | None) -> CachedAnswer | None:
        """Return the page if the account has not changed since."""
        with self._lock:
            sized = self._pages.get(key)
            if sized is None or sized[1].revision != revision:
                return None
            self._pages.move_to_end(key)
        return sized[1]

    def put(self, key: PageKey, page: CachedAnswer) -> None:
        """Keep a page, and let go of those not asked for the longest; one larger than all is not kept."""
        size = size_of(key, page)
        if size > self._bytes_max:
            return
        with self._lock:
            before, _ = self._pages.pop(key, (0, None))
            self._pages[key] = size, page
            self._bytes += size - before
            while self._bytes > self._bytes_max:
                _, (gone, _) = self._pages.popitem(last=False)
                self._bytes -= gone
