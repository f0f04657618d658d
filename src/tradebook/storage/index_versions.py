"""What an account's indexes were made from, so that none is asked that was made from something else.

Every account keeps a version of each of its indexes: a digest of all that decides what stands in it. An
account of other versions is not searched, and not written to, before `tradebook migrate` has made its
indexes anew (docs/decisions/0013).
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa

from tradebook.storage.accounts import accounts
from tradebook.storage.database import ROWS_AT_ONCE, Unavailable, Writer
from tradebook.storage.finished import FinishedRows
from tradebook.storage.index import ListIndex, Source
from tradebook.storage.schema import ACCOUNT, Prepared, prepare, prepare_of_all_accounts
from tradebook.text import FOLDING

NO_VERSIONS = "{}"
_DIGEST_BYTES = 8

VERSIONS = prepare(sa.select(accounts.c.indexes).where(accounts.c.account_id == ACCOUNT))
KEEP_VERSIONS = prepare(
    sa.update(accounts).where(accounts.c.account_id == ACCOUNT).values(indexes=sa.bindparam("kept"))
)
OTHER_VERSIONS = prepare_of_all_accounts(
    sa.select(accounts.c.account_id)
    .where(accounts.c.indexes != sa.bindparam("kept"))
    .order_by(accounts.c.account_id)
)


class IndexOutOfDate(Unavailable):
    """An index was made from something else than this version of the program makes it from."""

    def __init__(self) -> None:
        super().__init__(
            "The account's indexes were made by another version of Tradebook, or are being made anew. Stop "
            "whatever runs another version, and run tradebook migrate."
        )


class Made(msgspec.Struct, frozen=True, array_like=True):
    """What an index was made from; while it is being made, for the rows up to the key `after`."""

    version: str
    after: int | None = None


Versions = Mapping[str, Made]


@lru_cache(1_000)
def read_versions(kept: str) -> Versions:
    """Read what an account keeps; nearly all accounts of a book keep the same."""
    return msgspec.json.decode(kept, type=dict[str, Made])


def write_versions(versions: Versions) -> str:
    """Write what an account keeps: equal versions as equal text."""
    return msgspec.json.encode(versions, order="sorted").decode()


class Remaker(Writer, Protocol):
    """What making indexes anew takes of an engine's writer."""

    @property
    def versions(self) -> Versions:
        """What the account's indexes were made from."""

    def keep_versions(self, versions: Versions) -> None:
        """Write down what the account's indexes are made from."""

    def empty_index(self, index: ListIndex) -> None:
        """Throw away what an index holds, where the engine keeps that apart."""


class IndexVersions:
    """The indexes of this version of the program, and what an engine makes each from."""

    def __init__(self, indexes: Sequence[ListIndex], version_of: Callable[[ListIndex], str]) -> None:
        self.indexes = indexes
        finished = [index.finished for index in indexes if index.finished is not None]
        self._parts: list[ListIndex | FinishedRows] = [*indexes, *finished]
        self._own = {index.name: version_of(index) for index in indexes}
        self._own |= {each.name: each.version for each in finished}
        self._whole = {name: Made(version) for name, version in self._own.items()}
        self.kept = write_versions(self._whole)

    def require_whole(self, kept: Versions, index: ListIndex) -> None:
        """Refuse to ask an index that is of another version, or not whole."""
        if not self.is_whole(kept, index.name):
            raise IndexOutOfDate

    def is_whole(self, kept: Versions, name: str) -> bool:
        """Tell whether what is kept under a name is of this version, and of all rows."""
        return kept.get(name) == self._whole[name]

    def require_own(self, kept: Versions) -> None:
        """Refuse to write to an account of other versions; an index in the making takes writes in.

        Any write: who doesn't know of a filter doesn't know either which writes concern it.
        """
        if {name: made.version for name, made in kept.items()} != self._own:
            raise IndexOutOfDate

    def remake_some(self, writer: Remaker) -> int:
        """Make the next rows anew, and write down how far that is, so that anybody can go on; 0 at the end.

        All indexes begin in the first transaction: from then on the account is of this version.
        """
        kept: dict[str, Made] = {}
        for part in self._parts:
            made, version = writer.versions.get(part.name), self._own[part.name]
            if made is None or made.version != version:
                if isinstance(part, ListIndex):
                    writer.empty_index(part)
                made = Made(version, after=-1)
            kept[part.name] = made
        count = 0
        for part in self._parts:
            after = kept[part.name].after
            if after is None:
                continue
            keys = [key for (key,) in writer.rows(keys_to_index(part), after=after)]
            if isinstance(part, ListIndex):
                writer.reindex(part, keys)
            else:
                part.make_anew(writer, keys)
            count += len(keys)
            is_whole = len(keys) < ROWS_AT_ONCE
            kept[part.name] = Made(self._own[part.name], None if is_whole else keys[-1])
            if not is_whole:
                break
        if kept != writer.versions:
            writer.keep_versions(kept)
        return count


@cache
def keys_to_index(kept: ListIndex | FinishedRows) -> Prepared:
    """Ask for the next keys `after` a key: of rows, and of what is kept of rows that are gone."""
    parts = [
        sa.select(column.label("id"))
        .where(column.table.c.account_id == ACCOUNT, column > sa.bindparam("after", type_=sa.BigInteger))
        .order_by(column)
        .limit(ROWS_AT_ONCE)
        .subquery(name)
        for name, column in (("indexed", kept.table.c.id), ("kept", kept.indexed_key))
    ]
    keys = sa.union(*(sa.select(part.c.id) for part in parts)).subquery("keys")
    return prepare(sa.select(keys.c.id).order_by(keys.c.id).limit(ROWS_AT_ONCE))


def digest_of(index: ListIndex, dialect: sa.Dialect, *, form: int) -> str:
    """Sum up what decides the content of an engine's index.

    `form` is the engine's number for how it writes a document.
    """
    rules = [form, FOLDING, unicodedata.unidata_version]
    sources = [_described(source, dialect) for source in index.sources]
    digest = blake2b(msgspec.json.encode([rules, list(filter(None, sources))]), digest_size=_DIGEST_BYTES)
    return digest.hexdigest()


def _described(source: Source, dialect: sa.Dialect) -> list[Any] | None:
    facets = sorted(source.facets, key=lambda facet: facet.letter)
    of_facets = [column for facet in facets for column in facet.columns]
    used = sorted({*source.texts, *source.phones, *of_facets}, key=str)
    if not used:
        return None
    # What is read besides is no difference, nor is the order.
    select = source.statement.statement
    bare = select.with_only_columns(select.selected_columns[0], *used, maintain_column_froms=True)
    return [
        " ".join(str(bare.compile(dialect=dialect)).split()),
        *(sorted(map(str, columns)) for columns in (source.texts, source.phones, source.codes)),
        *([facet.letter, *map(str, facet.columns)] for facet in facets),
    ]
