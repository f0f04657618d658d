"""Declares what a list can be filtered by and searched for, once for all engines.

Each engine has its own index for it, in list order, so that any filters and words can be combined
(docs/decisions/0002 and 0007).
"""

from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from tradebook.storage.schema import Prepared

if TYPE_CHECKING:
    from tradebook.storage.finished import FinishedRows


class Facet(msgspec.Struct, frozen=True, eq=False):
    """A fact about a row that filters can ask for: the value of a column, or of several together.

    `letter` names it inside the index. If a filter asks for several columns, one row of the source must match
    all of them.
    """

    letter: str
    columns: tuple[sa.Column[Any], ...]

    def __post_init__(self) -> None:
        # Pieces of text are hexadecimal numbers, joined by x. These letters occur in neither.
        assert "g" <= self.letter <= "w"


class Source(msgspec.Struct, frozen=True):
    """Rows with texts and facts of the indexed rows: these rows themselves, or rows that refer to them.

    `statement` takes the list `ids`. It yields the key of the indexed row, then `columns` in their order.
    """

    statement: Prepared
    columns: tuple[sa.Column[Any], ...]
    texts: tuple[sa.Column[Any], ...] = ()
    phones: tuple[sa.Column[Any], ...] = ()
    codes: tuple[sa.Column[Any], ...] = ()
    """Those of the texts that are found without their blanks too."""
    facets: tuple[Facet, ...] = ()


class ListIndex(msgspec.Struct, frozen=True, eq=False):
    """What is indexed of one table; `folded` is the table that holds the folded text.

    `finished` is the JSON of the rows, where that is kept.
    """

    table: sa.Table
    folded: sa.Table
    sources: tuple[Source, ...]
    finished: "FinishedRows | None" = None

    @property
    def indexed_key(self) -> sa.Column[Any]:
        """The column of `folded` that names the indexed row."""
        return self.folded.c[self.folded_key]

    @property
    def folded_key(self) -> str:
        """The column of `folded` that names the indexed row."""
        return self.folded.primary_key.columns.values()[-1].name

    def columns_of(self, table: sa.Table) -> frozenset[str]:
        """Name the columns of a table that the index is made of: a change of others leaves it as it is."""
        return frozenset(
            column.name for source in self.sources for column in source.columns if column.table is table
        )

    @property
    def facet_columns(self) -> list[sa.Column[Any]]:
        """The columns that a filter asks for."""
        return [column for source in self.sources for facet in source.facets for column in facet.columns]

    @property
    def name(self) -> str:
        """The name of the index inside an engine."""
        return f"{self.table.name}_index"


class Condition(msgspec.Struct, frozen=True):
    """One facet must have one of these values. None inside a value matches anything."""

    facet: Facet
    values: tuple[tuple[Any, ...], ...]


class Query(msgspec.Struct, frozen=True):
    """All conditions must hold and all folded words must occur."""

    conditions: tuple[Condition, ...] = ()
    words: tuple[str, ...] = ()
