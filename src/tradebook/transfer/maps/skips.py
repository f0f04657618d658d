"""Rows that a map leaves out: totals under a list, suppliers among customers."""

from collections.abc import Callable, Sequence

from tradebook.text import composed
from tradebook.transfer.maps.sources import CellError, Headings, Read, Reading, as_text
from tradebook.transfer.rows import Record, Skipping

Skip = Callable[[Record], int | None]
"""Returns the place of the rule by which a record is left out; None if it is not."""


def skip_of(rules: Sequence[Skipping], headings: Headings | None, nothing: frozenset[str]) -> Skip | None:
    """Return what leaves out rows by these rules; None where there are none."""
    tests = []
    for column in dict.fromkeys(rule.column for rule in rules):
        words = {
            composed(rule.is_): place for place, rule in reversed(_of(rules, column)) if not rule.is_like
        }
        likes = [(composed(rule.is_).split("*"), place) for place, rule in _of(rules, column) if rule.is_like]
        if headings is None or headings.has(column) or not headings.are_optional:
            read = Reading(headings, purpose="leaves out rows by").reader(column)
            tests.append(_test(read, words, likes, nothing))
    return _first(tests) if tests else None


def _of(rules: Sequence[Skipping], column: str) -> list[tuple[int, Skipping]]:
    return [(place, rule) for place, rule in enumerate(rules) if rule.column == column]


def _test(
    read: Read, words: dict[str, int], likes: Sequence[tuple[list[str], int]], nothing: frozenset[str]
) -> Skip:
    empty = words.get("")

    def test(record: Record) -> int | None:
        try:
            text = composed(as_text(read(record)).strip())
        except CellError:  # An object of JSON is no word.
            return None
        if not likes and text not in nothing:
            return words.get(text)
        places = [words.get(text), empty if text in nothing else None]
        places += [place for pattern, place in likes if _is_like(text, pattern)]
        return min((place for place in places if place is not None), default=None)

    return test


def _first(tests: Sequence[Skip]) -> Skip:
    if len(tests) == 1:
        return tests[0]
    return lambda record: min((place for test in tests if (place := test(record)) is not None), default=None)


def _is_like(text: str, pattern: Sequence[str]) -> bool:
    """Tell whether a text has these parts, one after the other, from its beginning to its end.

    A regular expression would take very long for many stars and a long text.
    """
    if len(pattern) == 1:
        return text == pattern[0]
    first, last = pattern[0], pattern[-1]
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in pattern[1:-1]:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
