"""Planned rows put into the book, where they wait until they are written, and taken out again.

They come and go in short transactions of a few blocks. Nobody sees them before the switch, and blocks that
nobody will write any more are swept.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

import msgspec
import sqlalchemy as sa

from tradebook.crud.records import Values
from tradebook.resources.import_blocks import BLOCK_ROWS, packed, unpacked
from tradebook.resources.imports import BlockKind, import_blocks
from tradebook.storage.database import Database, Reader, Writer
from tradebook.storage.schema import ACCOUNT, prepare, words_of
from tradebook.storage.transactions import reading, writing
from tradebook.transfer.imports import entries
from tradebook.transfer.imports.plan import PlannedRow

BLOCKS_AT_ONCE = 4
"""How many blocks one transaction brings or takes away."""

KINDS: dict[BlockKind, int] = {kind: place for place, kind in enumerate(words_of(BlockKind))}  # type: ignore[misc]
_b = import_blocks.c
_KEY: sa.BindParameter[int] = sa.bindparam("key", type_=sa.BigInteger)
_of_import = (_b.account_id == ACCOUNT, _b.import_id == _KEY)
_of_kind = (*_of_import, _b.kind == sa.bindparam("kind"))
_ADD = prepare(sa.insert(import_blocks))
_AT = prepare(
    sa.select(_b.place, _b.rows, _b.content)
    .where(*_of_kind, _b.place <= sa.bindparam("place"))
    .order_by(_b.place.desc())
    .limit(1)
)
_ALL = prepare(
    sa.select(_b.kind, _b.place).where(*_of_import).order_by(_b.kind, _b.place).limit(BLOCKS_AT_ONCE)
)
_DROP = prepare(sa.delete(import_blocks).where(*_of_kind, _b.place == sa.bindparam("place")))


class Block(msgspec.Struct, frozen=True):
    """Some rows that wait, and the place of the first of them."""

    place: int
    rows: list[PlannedRow]

    @property
    def end(self) -> int:
        """The place behind its last row."""
        return self.place + len(self.rows)

    def has(self, place: int) -> bool:
        """Tell whether the row of a place is in it."""
        return self.place <= place < self.end


def stage(database: Database, account_id: int, key: int, rows: Iterable[PlannedRow]) -> int:
    """Put rows into the book, in their order; returns how many."""
    count = 0
    blocks = _blocks(key, rows)
    while some := list(islice(blocks, BLOCKS_AT_ONCE)):
        count += sum(block["rows"] for block in some if block["kind"] == KINDS["rows"])
        writing(database, account_id, partial(_add, key=key, blocks=some))
    return count


def _add(writer: Writer, *, key: int, blocks: Sequence[Values]) -> None:
    entries.renew(writer, key)
    writer.insert(_ADD, blocks)


def _blocks(key: int, rows: Iterable[PlannedRow]) -> Iterator[Values]:
    """Make blocks; who has to wait for its parent stands in one of the last ones again."""
    waiting: list[PlannedRow] = []
    place = waited = 0
    listed = iter(rows)
    while some := list(islice(listed, BLOCK_ROWS)):
        yield _block(key, "rows", place, some)
        place += len(some)
        waiting += [row for row in some if row.waits]
        if len(waiting) >= BLOCK_ROWS:
            yield _block(key, "parents", waited, waiting)
            waited += len(waiting)
            waiting = []
    if waiting:
        yield _block(key, "parents", waited, waiting)


def _block(key: int, kind: BlockKind, place: int, rows: list[PlannedRow]) -> Values:
    outcomes = Counter(row.outcome for row in rows)
    return {
        "import_id": key,
        "kind": KINDS[kind],
        "place": place,
        "rows": len(rows),
        "outcomes": msgspec.json.encode(outcomes).decode(),
        "content": packed(rows),
    }


def block_at(reader: Reader, *, key: int, kind: BlockKind, place: int) -> Block | None:
    """Return the block that has the row of a place; None where there is none."""
    for first, count, content in reader.rows(_AT, key=key, kind=KINDS[kind], place=place):
        if place < first + count:
            return Block(first, unpacked(content, PlannedRow))
    return None


def rows_of(database: Database, account_id: int, key: int) -> Iterator[PlannedRow]:
    """Yield the rows that wait, each block from a snapshot of its own."""
    place = 0
    while block := reading(database, account_id, partial(block_at, key=key, kind="rows", place=place)):
        yield from block.rows
        place = block.end


def drop(writer: Writer, key: int, kind: BlockKind, place: int) -> None:
    """Take away a block whose rows are written."""
    writer.run(_DROP, key=key, kind=KINDS[kind], place=place)


def sweep(database: Database, account_id: int, key: int) -> None:
    """Take away all blocks of an import."""
    while writing(database, account_id, lambda writer: _sweep_some(writer, key)):
        pass


def _sweep_some(writer: Writer, key: int) -> int:
    found = writer.rows(_ALL, key=key)
    for kind, place in found:
        writer.run(_DROP, key=key, kind=kind, place=place)
    return len(found)
