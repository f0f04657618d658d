"""Parents and children in a file, decided against a snapshot when the whole file has been read.

A parent may come after its children in the file, so nothing can be decided before. What is remembered of each
row until then is in temporary files, and sorted, so that two of them are read side by side.

A customer of the book has its key. One that only the file has gets a key below zero, made of the place of its
row.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa

from tradebook.crud.records import Values
from tradebook.resources.customers import customers
from tradebook.resources.customers import records as customer_records
from tradebook.storage.database import ROWS_AT_ONCE, Reader
from tradebook.storage.schema import ACCOUNT, any_of, apart, prepare
from tradebook.text import fold_case
from tradebook.transfer.imports.resemblance import did_you_mean, nearest_of
from tradebook.transfer.imports.spill import SortedSpill, chunks_of

Refuse = Callable[[int, str, str, str], None]
"""Takes the place of a row, a column, its value, and what is wrong with it."""

NOBODY = 0
_UNKNOWN: Values = {"id": None}
_IS, _WANTS = 0, 1
_FAULTY = "is the number of line {}, which has a problem itself"
_IS_CHILD = "has a parent itself ({}): a child can't have children"
_HAS_CHILDREN = "can't be the parent of a customer that has children itself"

_child, _parent = customers.alias("child"), customers.alias("parent")
_NUMBER_OF_PARENT = prepare(
    sa.select(_child.c.id, _parent.c.number)
    .join_from(_child, _parent, sa.and_(_parent.c.account_id == ACCOUNT, _parent.c.id == _child.c.parent_id))
    .where(_child.c.account_id == ACCOUNT, any_of(_child.c.id, "ids"))
)
_CHILDREN = prepare(
    sa.select(_child.c.parent_id, sa.func.count())
    .where(_child.c.account_id == ACCOUNT, any_of(_child.c.parent_id, "ids"))
    .group_by(_child.c.parent_id)
)


class _Mention(NamedTuple):
    """A number in the file: a row's own, or the parent that it wants."""

    folded: str
    purpose: int
    place: int
    line: int
    key: int
    """Whose number it is; NOBODY's if the row would make a customer and has a problem."""
    number: str
    kept: str
    """How the book keeps it, or would keep it `apart` from another customer's with which it agrees."""


class _Adoption(NamedTuple):
    """A row's customer gets this parent."""

    place: int
    child: int
    parent: int
    number: str


class _Pair(NamedTuple):
    """An adoption in the order of one of the two."""

    one: int
    other: int
    place: int
    number: str


class _Move(NamedTuple):
    """A customer of the book leaves its parent."""

    place: int
    child: int
    parent: int


def key_of_place(place: int) -> int:
    """Return the key that stands for the customer that a row would make."""
    return -place - 1


class Families:
    """Which row of the file has which number, and which customer wants which parent."""

    def __init__(self, reader: Reader, refuse: Refuse, wait: Callable[[int], None]) -> None:
        self._reader, self._refuse, self._wait = reader, refuse, wait
        self._mentions: SortedSpill[_Mention] = SortedSpill(_Mention)
        self._adoptions: SortedSpill[_Adoption] = SortedSpill(_Adoption)
        self._moves: SortedSpill[_Move] = SortedSpill(_Move)
        self._by_parent: SortedSpill[_Pair] = SortedSpill(_Pair)
        self._by_child: SortedSpill[_Pair] = SortedSpill(_Pair)
        # By key: what leaves its parent, what is left, what the file would make if its row had no problem.
        self._leavers: SortedSpill[tuple[int, int]] = SortedSpill(tuple[int, int])
        self._left: SortedSpill[tuple[int, int]] = SortedSpill(tuple[int, int])
        self._faulty: SortedSpill[tuple[int, int]] = SortedSpill(tuple[int, int])
        self._rejected: SortedSpill[int] = SortedSpill(int)
        self._spills: tuple[SortedSpill[Any], ...] = (
            *(self._mentions, self._adoptions, self._moves, self._by_parent, self._by_child),
            *(self._leavers, self._left, self._faulty, self._rejected),
        )

    def close(self) -> None:
        """Close the temporary files, which deletes them."""
        for spill in self._spills:
            spill.close()

    def has_number(self, place: int, line: int, number: str, kept: str | None, key: int) -> None:
        """Remember whose number this is, and how the book keeps it; NOBODY's if the row has a problem."""
        folded = fold_case(number)
        self._mentions.add(_Mention(folded, _IS, place, line, key, number, kept or folded))

    def wants_parent(self, place: int, line: int, number: str, key: int) -> None:
        """Remember that a customer is to become the child of this number."""
        folded = fold_case(number)
        self._mentions.add(_Mention(folded, _WANTS, place, line, key, number, apart(folded, number)))

    def leaves_parent(self, place: int, child: int, parent: int) -> None:
        """Remember that a customer of the book leaves its parent, for another one or none."""
        self._moves.add(_Move(place, child, parent))

    def reject(self, place: int, line: int) -> None:
        """Remember that a row is left out, for a problem found when all were read."""
        self._rejected.add(place)
        self._faulty.add((key_of_place(place), line))

    def settle(self) -> None:
        """Refuse every number that occurs twice and every impossible parent; tell which rows have to wait."""
        for chunk in chunks_of(self._wanted(), ROWS_AT_ONCE):
            self._adopt(chunk)
        if not self._adoptions.count:
            return
        for move in _without(self._moves, self._rejected):
            self._leavers.add((move.child, move.place))
        for place, child, parent, number in _without(self._adoptions, self._rejected):
            self._by_parent.add(_Pair(parent, child, place, number))
            self._by_child.add(_Pair(child, parent, place, number))
        self._check_parents()
        # Without those that were to get another parent, and can't.
        for move in _without(self._moves, self._rejected):
            self._left.add((move.parent, move.child))
        self._check_children()

    def _wanted(self) -> Iterator[tuple[_Mention, _Mention | None]]:
        """Yield each wish with the row that has the number; None if no row of the file has it."""
        for _, mentions in groupby(self._mentions, key=lambda mention: mention.folded):
            there: dict[str, _Mention] = {}
            for mention in mentions:
                if mention.purpose == _WANTS:
                    yield mention, there.get(mention.kept) or there.get(mention.folded)
                elif mention.kept in there:
                    first = there[mention.kept]
                    self.reject(mention.place, mention.line)
                    # Two rows about one customer of the book: told of what they are matched by.
                    if mention.key != first.key or mention.key <= NOBODY:
                        reason = f"is the number of line {first.line} already"
                        self._refuse(mention.place, "number", mention.number, reason)
                else:
                    there[mention.kept] = mention

    def _adopt(self, wanted: list[tuple[_Mention, _Mention | None]]) -> None:
        unknown = {mention.number for mention, row in wanted if row is None}
        known = customer_records.find_by(self._reader, "number", unknown)
        near = nearest_of(self._reader, unknown - set(known))
        for mention, row in wanted:
            parent = known.get(mention.number, _UNKNOWN)["id"] if row is None else row.key
            if parent is None:
                hint = did_you_mean(near.get(mention.number))
                self._refuse_parent(mention, "is the number of no customer, in the book or the file" + hint)
            elif mention.key == NOBODY:
                # It has a problem of its own.
                continue
            elif parent == NOBODY:
                assert row is not None
                self._refuse_parent(mention, _FAULTY.format(row.line))
            elif parent == mention.key:
                self._refuse_parent(mention, "is the customer's own number")
            else:
                self._adoptions.add(_Adoption(mention.place, mention.key, parent, mention.number))

    def _refuse_parent(self, mention: _Mention, reason: str) -> None:
        self.reject(mention.place, mention.line)
        self._refuse(mention.place, "parent_number", mention.number, reason)

    def _check_parents(self) -> None:
        """Refuse parents that have a parent themselves when all is done, or that the file only would have."""
        wishes = _SideBySide((pair.one, pair.number) for pair in self._by_child)
        leavers, faulty = _SideBySide(self._leavers), _SideBySide(self._faulty)
        known: list[_Pair] = []
        for pair in self._by_parent:
            parent = pair.one
            if (grandparent := wishes.find(parent)) is not None:
                self._refuse_pair(pair, _IS_CHILD.format(grandparent))
            elif (line := faulty.find(parent)) is not None:
                self._refuse_pair(pair, _FAULTY.format(line))
            elif parent < key_of_place(pair.place) or leavers.find(parent) is not None:
                self._wait(pair.place)
            elif parent > 0:
                known.append(pair)
                if len(known) >= ROWS_AT_ONCE:
                    self._check_known_parents(known)
                    known = []
        self._check_known_parents(known)

    def _check_known_parents(self, pairs: list[_Pair]) -> None:
        keys = sorted({pair.one for pair in pairs})
        grandparents: dict[int, str] = dict(self._reader.rows(_NUMBER_OF_PARENT, ids=keys)) if keys else {}
        for pair in pairs:
            if pair.one in grandparents:
                self._refuse_pair(pair, _IS_CHILD.format(grandparents[pair.one]))

    def _check_children(self) -> None:
        """Refuse parents for customers that have children when all is done."""
        parents = _SideBySide((pair.one, pair.place) for pair in self._by_parent)
        by_parent = groupby(self._left, key=lambda left: left[0])
        left = _SideBySide((parent, sum(1 for _ in gone)) for parent, gone in by_parent)
        for chunk in chunks_of(self._by_child, ROWS_AT_ONCE):
            keys = sorted({pair.one for pair in chunk if pair.one > 0})
            children: dict[int, int] = dict(self._reader.rows(_CHILDREN, ids=keys)) if keys else {}
            for pair in chunk:
                gone = left.find(pair.one) or 0
                if parents.find(pair.one) is not None or gone < children.get(pair.one, 0):
                    self._refuse_pair(pair, _HAS_CHILDREN)
                elif gone:
                    self._wait(pair.place)

    def _refuse_pair(self, pair: _Pair, reason: str) -> None:
        self._rejected.add(pair.place)
        self._refuse(pair.place, "parent_number", pair.number, reason)


class _SideBySide:
    """Looks up keys that never fall in entries that never fall, reading each entry once."""

    def __init__(self, entries: Iterable[tuple[int, Any]]) -> None:
        self._entries = iter(entries)
        self._next = next(self._entries, None)

    def find(self, key: int) -> Any | None:
        """Return what stands beside the first entry of this key; None if there is none."""
        while self._next is not None and self._next[0] < key:
            self._next = next(self._entries, None)
        return self._next[1] if self._next is not None and self._next[0] == key else None


def _without(entries: Iterable[Any], rejected: SortedSpill[int]) -> Iterator[Any]:
    """Yield the entries, which are in the order of their places, without those of rejected rows."""
    gone = _SideBySide((place, True) for place in rejected)
    return (entry for entry in entries if gone.find(entry.place) is None)
