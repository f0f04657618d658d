"""Finished pages: given out while they are true, and never more bytes than were allowed."""

import pytest

from tradebook.web.page_cache import ENTRY_OVERHEAD_BYTES, CachedAnswer, PageCache, size_of

SIZE = 1_000


def page(revision=1, size=SIZE):
    return CachedAnswer(revision, '"tag"', b"x" * size)


def key(name):
    return (1, "/v1/sales/customers", (("q", name),))


ROOM = size_of(key("a"), page())


def kept(cache, names):
    return [name for name in names if cache.get(key(name), 1)]


def test_a_page_is_given_out_while_its_revision_stands():
    cache = PageCache(ROOM)
    made = page()
    cache.put(key("a"), made)

    assert cache.get(key("a"), 1) is made
    assert cache.get(key("a"), 2) is None
    assert cache.get(key("a"), None) is None
    assert cache.get(key("b"), 1) is None


def test_what_was_not_asked_for_the_longest_makes_room():
    cache = PageCache(3 * ROOM)
    for name in "abc":
        cache.put(key(name), page())
    cache.get(key("a"), 1)

    cache.put(key("d"), page())

    assert kept(cache, "abcd") == ["a", "c", "d"]


def test_a_large_page_makes_room_for_itself_by_bytes():
    cache = PageCache(3 * ROOM)
    for name in "abc":
        cache.put(key(name), page())

    cache.put(key("d"), page(size=ROOM + SIZE))

    assert kept(cache, "abcd") == ["c", "d"]


def test_a_page_that_is_made_anew_takes_the_place_of_the_old_one():
    cache = PageCache(2 * ROOM)
    cache.put(key("a"), page())
    cache.put(key("b"), page())

    cache.put(key("a"), page(revision=2))

    assert cache.get(key("a"), 2) is not None
    assert kept(cache, "b") == ["b"]


@pytest.mark.parametrize("bytes_max", [0, ENTRY_OVERHEAD_BYTES, ROOM - 1])
def test_what_is_larger_than_all_is_not_kept(bytes_max):
    cache = PageCache(bytes_max)

    cache.put(key("a"), page())

    assert cache.get(key("a"), 1) is None
