"""Parents and children in a file, decided when the whole file has been read.

A parent may come after its children in the file, so nothing can be decided before. Until then, what is
remembered of each row is in temporary files.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import NamedTuple

import sqlalchemy as sa

from tradebook.crud.records import Values
from tradebook.resources.customers import Misfit, customers, misfits, review_parents, set_parents
from tradebook.resources.customers import records as customer_records
from tradebook.storage.database import ROWS_AT_ONCE, Writer
from tradebook.storage.schema import ACCOUNT, any_of, apart, prepare
from tradebook.text import fold_case
from tradebook.transfer.imports.records import CheckedRow, problem
from tradebook.transfer.imports.spill import SortedSpill, Spill, chunks_of
from tradebook.transfer.rows import Problem

NOT_WRITTEN = 0
_NOBODY: Values = {"id": None}

_IS, _WANTS = 0, 1
_REASONS: dict[Misfit, str] = {
    "itself": "is the customer's own number",
    "is_child": "has a parent itself ({}): a child can't have children",
    "has_children": "can't be the parent of a customer that has children itself",
}

_child, _parent = customers.alias("child"), customers.alias("parent")
_NUMBER_OF_PARENT = prepare(
    sa.select(_child.c.id, _parent.c.number)
    .join_from(_child, _parent, sa.and_(_parent.c.account_id == ACCOUNT, _parent.c.id == _child.c.parent_id))
    .where(_child.c.account_id == ACCOUNT, any_of(_child.c.id, "ids"))
)


class _Mention(NamedTuple):
    """A number in the file: a row's own, with the row's key, or the parent it wants for that key."""

    folded: str
    purpose: int
    line: int
    key: int
    number: str
    kept: str
    """How the book keeps it, or would keep it `apart` from another customer's with which it agrees."""


def _wish(number: str, line: int, key: int) -> _Mention:
    """Note the parent that a row wants."""
    folded = fold_case(number)
    return _Mention(folded, _WANTS, line, key, number, apart(folded, number))


class _Adoption(NamedTuple):
    """A row's customer gets this parent."""

    child: int
    parent: int
    line: int
    number: str


class Families:
    """Which row of the file has which number, and which customer wants which parent."""

    def __init__(self, writer: Writer, report: Callable[[Problem], None]) -> None:
        self._writer = writer
        self._report = report
        self._mentions: SortedSpill[_Mention] = SortedSpill(_Mention)
        self._adoptions: Spill[_Adoption] = Spill(_Adoption)
        self._to_review: SortedSpill[int] = SortedSpill(int)

    def close(self) -> None:
        """Close the temporary files, which deletes them."""
        for spill in (self._mentions, self._adoptions, self._to_review):
            spill.close()

    def has_number(self, record: CheckedRow, kept: str, key: int) -> None:
        """Remember whose number this is, and how it is kept; with NOT_WRITTEN if the row was not accepted."""
        number = record.own["number"]
        folded = fold_case(number)
        self._mentions.add(_Mention(folded, _IS, record.line, key, number, kept))

    def wants_parent(self, record: CheckedRow, number: str, key: int) -> None:
        """Remember that a customer is to become the child of this number."""
        self._mentions.add(_wish(number, record.line, key))

    def left_parent(self, parent: int) -> None:
        """Remember that a customer has lost a child, perhaps its last."""
        self._to_review.add(parent)

    def settle(self, is_automatic: Callable[[str], bool]) -> None:
        """Report every number that occurs twice and every impossible parent; set all other parents."""
        for chunk in chunks_of(self._wanted(), ROWS_AT_ONCE):
            self._adopt(chunk, is_automatic)
        for adoptions in self._adoptions.chunks():
            self._check(adoptions)

    def _wanted(self) -> Iterator[tuple[_Mention, int | None]]:
        """Yield each wish with the parent's key; None if no row of the file has the number."""
        for _, mentions in groupby(self._mentions, key=lambda mention: mention.folded):
            there: dict[str, _Mention] = {}
            for mention in mentions:
                if mention.purpose == _WANTS:
                    parent = there.get(mention.kept) or there.get(mention.folded)
                    yield mention, parent.key if parent else None
                elif mention.kept in there:
                    line = there[mention.kept].line
                    self._refuse(mention, "number", f"is the number of line {line} already")
                else:
                    there[mention.kept] = mention

    def _adopt(self, wanted: list[tuple[_Mention, int | None]], is_automatic: Callable[[str], bool]) -> None:
        unknown = {
            mention.number for mention, key in wanted if key is None and not is_automatic(mention.number)
        }
        known = customer_records.find_by(self._writer, "number", unknown)
        parents: dict[int, int | None] = {}
        for mention, key in wanted:
            parent = known.get(mention.number, _NOBODY)["id"] if key is None else key
            if parent is None:
                self._refuse(
                    mention, "parent_number", "is the number of no customer, in the book or the file"
                )
            elif NOT_WRITTEN not in (parent, mention.key):
                # Its own number makes no child of it, or others would be told that their parent is one.
                if parent != mention.key:
                    parents[mention.key] = parent
                self._adoptions.add(_Adoption(mention.key, parent, mention.line, mention.number))
                self._to_review.add(parent)
        set_parents(self._writer, parents)

    def _check(self, adoptions: list[_Adoption]) -> None:
        """Refuse what would make three generations, once every row has the parent that it wants."""
        found = misfits(self._writer, {each.child: each.parent for each in adoptions})
        if not found:
            return
        parents = [each.parent for each in adoptions if each.child in found]
        grandparents: dict[int, str] = dict(self._writer.rows(_NUMBER_OF_PARENT, ids=parents))
        for each in adoptions:
            if each.child in found:
                reason = _REASONS[found[each.child]].format(grandparents.get(each.parent))
                self._refuse(_wish(each.number, each.line, each.child), "parent_number", reason)

    def _refuse(self, mention: _Mention, column: str, reason: str) -> None:
        self._report(problem(mention.line, column, mention.number, reason))

    def set_flags(self) -> Iterator[int]:
        """Update which customers are parents; yield those that changed."""
        for keys in chunks_of(self._to_review.distinct(), ROWS_AT_ONCE):
            yield from review_parents(self._writer, keys)
