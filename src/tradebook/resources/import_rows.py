"""What the rows of a planned import do, read from the blocks in which they wait."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from tradebook.crud.resource import Asked, Span, View
from tradebook.errors import ResourceGone, ResourceNotFound
from tradebook.resources.import_blocks import packed, unpacked
from tradebook.resources.import_shapes import OUTCOMES, ImportRow
from tradebook.resources.imports import BlockKind, State, import_blocks, imports
from tradebook.storage.database import Reader, Writer
from tradebook.storage.index import Facet
from tradebook.storage.schema import ACCOUNT, prepare, words_of

FIRST = 1 << 48
"""The key of the first row. The next ones are below it, as a list goes down its keys."""

_b = import_blocks.c
OF_OUTCOME = Facet("o", (_b.outcomes,))
_STATE = prepare(
    sa.select(imports.c.state, imports.c.ends_at).where(
        imports.c.account_id == ACCOUNT, imports.c.id == sa.bindparam("key")
    )
)
_OF_ONE = (
    _b.account_id == ACCOUNT,
    _b.import_id == sa.bindparam("key"),
    _b.kind == words_of(BlockKind).index("rows"),
)
_HEADS = prepare(sa.select(_b.place, _b.rows, _b.outcomes).where(*_OF_ONE).order_by(_b.place))
_CONTENT = prepare(sa.select(_b.content).where(*_OF_ONE, _b.place == sa.bindparam("place")))
_ADD = prepare(sa.insert(import_blocks))


class _Head(NamedTuple):
    """Where a block begins, and how many rows it has."""

    place: int
    rows: int
    outcomes: str


def walk_rows(reader: Reader, asked: Asked) -> list[int]:
    """Walk the rows in the order of the file, those of some outcomes where these are asked for."""
    span, key = asked.span, asked.path_key
    assert key is not None
    _require_there(reader, key)
    wanted = {OUTCOMES[place] for place in asked.places}
    found: list[int] = []
    heads = [_Head(*row) for row in reader.rows(_HEADS, key=key)]
    for head in heads if span.descending else reversed(heads):
        if wanted and wanted.isdisjoint(msgspec.json.decode(head.outcomes)):
            continue
        keys = _keys_in(head, span)
        if wanted and keys:
            rows = _rows_of(reader, key, head.place)
            keys = [each for each in keys if rows[FIRST - each - head.place].outcome in wanted]
        found += keys if span.descending else keys[::-1]
        if len(found) >= span.limit:
            break
    return found[: span.limit]


def load_rows(view: View, keys: Sequence[int]) -> Mapping[int, ImportRow]:
    """Return what rows do, each block read once."""
    key = view.path_key
    assert key is not None
    begins = [place for place, _, _ in view.reader.rows(_HEADS, key=key)]
    found: dict[int, ImportRow] = {}
    at, rows = -1, []  # type: int, list[ImportRow]
    for each in keys:
        place = FIRST - each
        begin = begins[bisect_right(begins, place) - 1]
        if begin != at:
            at, rows = begin, _rows_of(view.reader, key, begin)
        found[each] = rows[place - begin]
    return found


def add_block(writer: Writer, key: int, rows: Sequence[ImportRow]) -> None:
    """Add the only block of a plan."""
    outcomes = msgspec.json.encode(Counter(row.outcome for row in rows)).decode()
    block = {"import_id": key, "kind": words_of(BlockKind).index("rows"), "place": 0, "rows": len(rows)}
    writer.insert(_ADD, [{**block, "outcomes": outcomes, "content": packed(rows)}])


def _keys_in(head: _Head, span: Span) -> list[int]:
    """List the keys of a block that are in a span, in the order of the file."""
    first = max(head.place, FIRST - span.below + 1)
    end = min(head.place + head.rows, FIRST - span.above + 1)
    return [FIRST - place for place in range(first, end)]


def _require_there(reader: Reader, key: int) -> None:
    ((place, ends_at),) = reader.rows(_STATE, key=key)
    state = words_of(State)[place]
    if state == "planning":
        raise ResourceNotFound("This import is still being planned: its rows are not there yet.", param="id")
    if ends_at is None and state != "planned":
        raise ResourceGone(
            f"This import is {state}. Rows are kept for seven days, and until a plan is discarded.",
            param="id",
        )


def _rows_of(reader: Reader, key: int, place: int) -> list[ImportRow]:
    return unpacked(reader.rows(_CONTENT, key=key, place=place)[0][0], ImportRow)
