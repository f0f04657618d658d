"""What SQLite's planner is told of a book: the same for every book, whatever is in it.

Told nothing, SQLite takes the first column of any index to leave ten rows. Here that is the account, so it
reads a whole account where an index of a reference stands ready, and does so behind every DELETE, to see
that nothing refers to the row. What ANALYZE finds depends on the day it runs. These figures don't, so plans
change with the schema only.
"""

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

# The plans are the same for all accounts between a hundredth and half of the book. At the whole of it, a
# table is walked through an index of its names instead of its key.
BOOK_ROWS = 1_000_000
ACCOUNT_ROWS = 100_000
REFERRING_ROWS = 100


def fixed_statistics(tables: Iterable[sa.Table]) -> Iterator[str]:
    """Write the statements that put these figures in the place of whatever the file has.

    A connection reads them when it reads the schema, so those that are open go on as before.
    """
    # Makes the table, which can't be made otherwise, and looks at no row of the book.
    yield "ANALYZE sqlite_master"
    yield "DELETE FROM sqlite_stat1"
    # Some builds keep samples too, once somebody has run ANALYZE.
    yield "DROP TABLE IF EXISTS sqlite_stat4"
    for table in tables:
        # A table in the order of its key has the key under its own name.
        yield _statistic(table.name, table.name, list(table.primary_key.columns), is_unique=True)
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield _statistic(table.name, str(index.name), list(index.columns), is_unique=index.unique)


def _statistic(table: str, index: str, columns: list[sa.Column[object]], *, is_unique: bool) -> str:
    """Tell how many rows agree in the first column, in the first two, and so on."""
    rows = [ACCOUNT_ROWS if column.name == "account_id" else REFERRING_ROWS for column in columns]
    # An index of a reference ends in the row's key and leads to one row as well. Unsaid, for by a whole key
    # the table itself is the shorter way.
    if is_unique:
        rows[-1] = 1
    figures = " ".join(str(count) for count in (BOOK_ROWS, *rows))
    return f"INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('{table}', '{index}', '{figures}')"
