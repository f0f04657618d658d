"""Fixed statistics for SQLite's query planner, the same for every book, whatever is in it.

Without statistics, SQLite assumes that the first column of any index leaves ten rows. Here that column is the
account. So SQLite would read the whole account instead of using the index of a reference: in every DELETE, to
check that nothing refers to the row. The figures of ANALYZE depend on the day it runs. These don't, so plans
change with the schema only (docs/decisions/0012).
"""

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

# The plans are the same for any account between a hundredth and a half of the book. With an account as large
# as the book, a list would be read through the index of its names instead of its key.
BOOK_ROWS = 1_000_000
ACCOUNT_ROWS = 100_000
REFERRING_ROWS = 100


def fixed_statistics(tables: Iterable[sa.Table]) -> Iterator[str]:
    """Write the statements that replace the statistics in the file by these figures.

    A connection reads them together with the schema, so connections that are open keep the old ones.
    """
    # This makes the table of statistics, which has no other way to be made, without reading the book.
    yield "ANALYZE sqlite_master"
    yield "DELETE FROM sqlite_stat1"
    # Some builds of SQLite also store samples here, if somebody has run ANALYZE.
    yield "DROP TABLE IF EXISTS sqlite_stat4"
    for table in tables:
        # A table WITHOUT ROWID lists its primary key under the table's own name.
        yield _statistic(table.name, table.name, list(table.primary_key.columns), is_unique=True)
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield _statistic(table.name, str(index.name), list(index.columns), is_unique=index.unique)


def _statistic(table: str, index: str, columns: list[sa.Column[object]], *, is_unique: bool) -> str:
    """Write the figures of one index: how many rows share its first column, its first two, and so on."""
    rows = [ACCOUNT_ROWS if column.name == "account_id" else REFERRING_ROWS for column in columns]
    # All columns of a unique index leave one row. The index of a reference ends with the row's key, so all of
    # its columns leave one row too. This is not written down on purpose: for a look-up by the whole key, the
    # planner has to prefer the table itself, which is the shorter way.
    if is_unique:
        rows[-1] = 1
    figures = " ".join(str(count) for count in (BOOK_ROWS, *rows))
    return f"INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('{table}', '{index}', '{figures}')"
