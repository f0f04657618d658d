"""Compares what a list's index holds with the rows that it is made from, some rows at a time."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache

import msgspec
import sqlalchemy as sa

from tradebook.ids import KEY_MAX
from tradebook.storage.database import ROWS_AT_ONCE, FaultKind, IndexFault, Reader
from tradebook.storage.index import ListIndex
from tradebook.storage.index_documents import FIELD_END, Document, documents
from tradebook.storage.index_versions import keys_to_index
from tradebook.storage.schema import ACCOUNT, Prepared, prepare


class Step(msgspec.Struct, frozen=True):
    """A part of the list, `after < key <= last`: what is to be indexed of it, and what text is."""

    after: int
    last: int
    documents: Mapping[int, Document]
    texts: Mapping[int, str]


def steps(reader: Reader, index: ListIndex) -> Iterator[Step]:
    """Walk all rows and all indexed texts; the steps cover every key, whether or not it has a row."""
    after = -1
    while after < KEY_MAX:
        keys = [key for (key,) in reader.rows(keys_to_index(index), after=after)]
        last = keys[-1] if len(keys) == ROWS_AT_ONCE else KEY_MAX
        texts = reader.rows(_texts(index), after=after, last=last)
        yield Step(after, last, documents(index, reader.rows, keys), dict(texts))
        after = last


def compare_texts(step: Step, write: Callable[[Document], str]) -> dict[int, FaultKind]:
    """Name the rows whose indexed text is another one than the engine would `write` now."""
    found: dict[int, FaultKind] = {}
    for key, document in step.documents.items():
        if key not in step.texts:
            found[key] = "missing"
        # Fields stand in the order in which their rows were read, which decides nothing.
        elif sorted(step.texts[key].split(FIELD_END)) != sorted(write(document).split(FIELD_END)):
            found[key] = "stale"
    return found | dict.fromkeys(step.texts.keys() - step.documents.keys(), "left over")


def told(index: ListIndex, found: Mapping[int, FaultKind]) -> Iterator[IndexFault]:
    """Make faults of what was found, in the order of the list."""
    return (IndexFault(index, key, found[key]) for key in sorted(found))


@cache
def _texts(index: ListIndex) -> Prepared:
    folded = index.folded.c
    key = folded[index.folded_key]
    after, last = (sa.bindparam(name, type_=sa.BigInteger) for name in ("after", "last"))
    return prepare(
        sa.select(key, folded.folded).where(folded.account_id == ACCOUNT, key > after, key <= last)
    )
