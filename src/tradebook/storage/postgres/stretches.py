"""Stretches of a list, for which the index can be asked alone.

It finds rows in no order, so all that match, however many these are. Where some rows have told how dense the
matches are, the next page lies in a stretch of the list. So each row's entry says where in the list it is,
once for each width of a stretch: what the index finds there is found without looking at any other row.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from tradebook.ids import KEY_BITS, KEY_MAX

WIDTHS = (28, 34, 40, 46, 52, 58)
"""How many bits of their keys tell rows of one stretch apart: from a part of a second to some years."""

ASKED_MAX = 64
"""How many stretches the index is asked for at most; all keys are in fewer of the widest."""

KNOWN_MAX = 1_000
"""Of how many searches it is remembered how far apart their matches are. Then all begin anew."""

FEW = 10
"""Pages of fewer rows tell too little, and need too little."""

_WIDTH_BITS = 6


class Reach(NamedTuple):
    """Between which two keys the rest of a page should lie, both among them."""

    lowest: int
    highest: int

    @property
    def is_narrowest(self) -> bool:
        """Whether the index can't be asked for less of it."""
        return self.lowest >> WIDTHS[0] == self.highest >> WIDTHS[0]

    def stretches(self, account_id: int) -> list[int]:
        """Tell which stretches of an account cover it, as the index has them: the narrowest that do."""
        bits = self._bits()
        numbers = range(self.lowest >> bits, (self.highest >> bits) + 1)
        return [(number << _WIDTH_BITS | bits) ^ account_id for number in numbers]

    def exact_stretches(self, account_id: int) -> list[int]:
        """Tell those that cover hardly more than it: narrow ones at both ends, wide ones between them."""
        low, high = self.lowest >> WIDTHS[0], self.highest >> WIDTHS[0]
        found: list[int] = []
        for bits, wider in zip(WIDTHS, [*WIDTHS[1:], KEY_BITS], strict=True):
            step = 1 << wider - bits
            # What is whole in the next width.
            first, last = -(-low // step), (high + 1) // step - 1
            is_done = bits == WIDTHS[-1] or first > last
            ends = (low, high + 1), (low, low)
            if not is_done:
                ends = (low, first * step), ((last + 1) * step, high + 1)
            found += [(number << _WIDTH_BITS | bits) ^ account_id for end in ends for number in range(*end)]
            if is_done:
                break
            low, high = first, last
        return found

    def _bits(self) -> int:
        return next(b for b in WIDTHS if (self.highest >> b) - (self.lowest >> b) < ASKED_MAX)

    def to_the_end(self, *, descending: bool) -> "Reach":
        """Return it with all of its last stretch: what is in there is found anyway."""
        bits = self._bits()
        if descending:
            return Reach(self.lowest >> bits << bits, self.highest)
        return Reach(self.lowest, ((self.highest >> bits) + 1 << bits) - 1)


def reach_from(first: int, far: float, *, descending: bool) -> Reach:
    """Tell the part of a list that reaches so far from a key."""
    if descending:
        return Reach(max(0, first - int(far)), first)
    return Reach(first, min(KEY_MAX, first + int(far)))


class Distances:
    """How far apart the matches of searches are, as their last pages have told.

    Who reads page after page of a search is spared the look at the first rows, each time after the first.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, float] = {}

    def note(self, search: Hashable, page: Sequence[int]) -> None:
        """Remember how far apart the keys of a full page are."""
        if len(page) >= FEW:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[search] = abs(page[0] - page[-1]) / (len(page) - 1)

    def reach(
        self, search: Hashable, above: int, below: int, limit: int, *, descending: bool
    ) -> Reach | None:
        """Tell how far the page at a place in the list should reach; None if nothing tells it."""
        known, first = self._known.get(search), below if descending else above
        if known is None or limit < FEW or not 0 < first < KEY_MAX:
            return None
        return reach_from(first, known * limit * 1.4, descending=descending)


def stretches_of(key: str) -> str:
    """Write the stretches that a row is in, by the column of its key; each account has its own."""
    stretches = (f"(((({key} >> {bits}) << {_WIDTH_BITS}) | {bits}) # account_id)" for bits in WIDTHS)
    return f"ARRAY[{', '.join(stretches)}]"
