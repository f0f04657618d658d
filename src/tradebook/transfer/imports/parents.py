"""Parents and children: who a file says belongs to whom, settled when the whole file has been read.

A parent may stand behind its children in the file, so nothing can be said before. What is remembered of each
row waits in temporary files.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import NamedTuple

import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.crud.versions import next_version_of
from tradebook.resources.customers.tables import customers
from tradebook.storage.database import Writer
from tradebook.storage.schema import ACCOUNT, any_of, prepare
from tradebook.transfer.files.rows import Problem
from tradebook.transfer.imports.records import CheckedRow, problem
from tradebook.transfer.imports.spill import SortedSpill, Spill, chunks_of

CHUNK = 1_000
NOT_WRITTEN = 0

_IS, _WANTS = 0, 1

_c = customers.c
_child, _parent = customers.alias("child"), customers.alias("parent")
_BY_NUMBER = prepare(
    sa.select(_c.number, _c.id).where(_c.account_id == ACCOUNT, any_of(_c.number, "numbers"))
)
_ADOPT = prepare(
    sa.update(customers)
    .where(_c.account_id == ACCOUNT, _c.id == sa.bindparam("child"))
    .values(parent_id=sa.bindparam("parent"), updated_at=next_version_of(_c.updated_at))
)
_PARENTS_OF = prepare(
    sa.select(_child.c.id, _parent.c.number)
    .join_from(_child, _parent, sa.and_(_parent.c.account_id == ACCOUNT, _parent.c.id == _child.c.parent_id))
    .where(_child.c.account_id == ACCOUNT, any_of(_child.c.id, "ids"))
)
# The key alone, not `*`: then the index of children answers without a look at any row.
_has_children = (
    sa.exists(_child.c.id)
    .where(_child.c.account_id == ACCOUNT, _child.c.parent_id == _c.id)
    .correlate(customers)
)
_WITH_CHILDREN = prepare(
    sa.select(_c.id).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids"), _has_children)
)
_WRONG_FLAG = prepare(
    sa.select(_c.id).where(
        _c.account_id == ACCOUNT, any_of(_c.id, "ids"), (_c.is_parent == 1) != _has_children
    )
)
_TURN_FLAG = prepare(
    sa.update(customers)
    .where(_c.account_id == ACCOUNT, any_of(_c.id, "ids"))
    .values(is_parent=1 - _c.is_parent, updated_at=next_version_of(_c.updated_at))
)


class _Mention(NamedTuple):
    """A number in the file: a row's own, with the row's key, or the parent it wants for that key."""

    number: str
    purpose: int
    line: int
    key: int


class _Adoption(NamedTuple):
    """A row's customer gets this parent."""

    child: int
    parent: int
    line: int
    number: str


class Families:
    """Who has which number in the file, and who wants which parent."""

    def __init__(self, writer: Writer, report: Callable[[Problem], None]) -> None:
        self._writer = writer
        self._report = report
        self._mentions: SortedSpill[_Mention] = SortedSpill(_Mention)
        self._adoptions: Spill[_Adoption] = Spill(_Adoption)
        self._to_review: SortedSpill[int] = SortedSpill(int)

    def close(self) -> None:
        """Let go of the temporary files."""
        for spill in (self._mentions, self._adoptions, self._to_review):
            spill.close()

    def has_number(self, record: CheckedRow, number: str, key: int) -> None:
        """Remember whose number this is; NOT_WRITTEN as key where the row could not be taken in."""
        self._mentions.add(_Mention(number, _IS, record.line, key))

    def wants_parent(self, record: CheckedRow, number: str, key: int) -> None:
        """Remember that a customer is to become the child of this number."""
        self._mentions.add(_Mention(number, _WANTS, record.line, key))

    def left_parent(self, parent: int) -> None:
        """Remember that a customer has lost a child, perhaps its last."""
        self._to_review.add(parent)

    def settle(self, is_automatic: Callable[[str], bool]) -> None:
        """Report every number that is there twice and every parent that can't be; give the rest theirs."""
        for chunk in chunks_of(self._wanted(), CHUNK):
            self._adopt(chunk, is_automatic)
        for adoptions in self._adoptions.chunks():
            self._check(adoptions)

    def _wanted(self) -> Iterator[tuple[_Mention, int | None]]:
        """Yield each wish with the parent's key, None where no row of the file has the number."""
        for _, mentions in groupby(self._mentions, key=lambda mention: mention.number):
            first: _Mention | None = None
            for mention in mentions:
                if mention.purpose == _WANTS:
                    yield mention, first.key if first else None
                elif first is None:
                    first = mention
                else:
                    self._refuse(mention, "number", f"is the number of line {first.line} already")

    def _adopt(self, wanted: list[tuple[_Mention, int | None]], is_automatic: Callable[[str], bool]) -> None:
        unknown = {
            mention.number for mention, key in wanted if key is None and not is_automatic(mention.number)
        }
        known: dict[str, int] = dict(self._writer.rows(_BY_NUMBER, numbers=list(unknown))) if unknown else {}
        now, changes = now_ms(), []
        for mention, key in wanted:
            parent = known.get(mention.number) if key is None else key
            if parent is None:
                self._refuse(
                    mention, "parent_number", "is the number of no customer, in the book or the file"
                )
            elif parent == mention.key != NOT_WRITTEN:
                self._refuse(mention, "parent_number", "is the customer's own number")
            elif NOT_WRITTEN not in (parent, mention.key):
                changes.append({"child": mention.key, "parent": parent, "now": now})
                self._adoptions.add(_Adoption(mention.key, parent, mention.line, mention.number))
                self._to_review.add(parent)
        self._writer.insert(_ADOPT, changes)

    def _check(self, adoptions: list[_Adoption]) -> None:
        """Refuse what makes three generations: judged when every row has the parent it wants."""
        grandparents: dict[int, str] = dict(
            self._writer.rows(_PARENTS_OF, ids=list({each.parent for each in adoptions}))
        )
        with_children = {
            key for (key,) in self._writer.rows(_WITH_CHILDREN, ids=[each.child for each in adoptions])
        }
        for each in adoptions:
            mention = _Mention(each.number, _WANTS, each.line, each.child)
            if each.parent in grandparents:
                reason = f"has a parent itself ({grandparents[each.parent]}): a child can't have children"
                self._refuse(mention, "parent_number", reason)
            elif each.child in with_children:
                reason = "can't be the parent of a customer that has children itself"
                self._refuse(mention, "parent_number", reason)

    def _refuse(self, mention: _Mention, column: str, reason: str) -> None:
        self._report(problem(mention.line, column, mention.number, reason))

    def set_flags(self) -> Iterator[int]:
        """Bring up to date which customers are parents; yield those of whom it changed."""
        for keys in chunks_of(self._to_review.distinct(), CHUNK):
            wrong = [key for (key,) in self._writer.rows(_WRONG_FLAG, ids=keys)]
            if wrong:
                self._writer.run(_TURN_FLAG, ids=wrong, now=now_ms())
                yield from wrong
