"""Fills the indexes that a new version has and an older book does not have."""

from typing import Any

import sqlalchemy as sa

from tradebook.resources import INDEXES
from tradebook.storage.accounts import accounts
from tradebook.storage.database import Database
from tradebook.storage.index import ListIndex
from tradebook.storage.location import locate
from tradebook.storage.schema import ACCOUNT, Prepared, prepare, prepare_of_all_accounts
from tradebook.storage.transactions import writing

ROWS_AT_ONCE = 2_000
TIMEOUT_MS = 60_000

_ACCOUNTS = prepare_of_all_accounts(sa.select(accounts.c.account_id).order_by(accounts.c.account_id))


def fill_indexes(url: str) -> None:
    """Index every row that isn't indexed yet, some rows in each transaction."""
    database = locate(url).open(timeout_ms=TIMEOUT_MS, indexes=INDEXES)
    try:
        for (account_id,) in database.rows_of_all_accounts(_ACCOUNTS):
            for index in INDEXES:
                _fill(database, account_id, index)
    finally:
        database.close()


def _fill(database: Database, account_id: int, index: ListIndex) -> None:
    missing = _missing(index)
    after = -1
    while True:
        with database.read(account_id) as reader:
            keys = [key for (key,) in reader.rows(missing, after=after)]
        if not keys and after >= 0:
            return

        def work(writer: Any, keys: list[int] = keys) -> None:
            writer.create_indexes([index])
            writer.reindex(index, keys)

        writing(database, account_id, work)
        if not keys:
            return
        after = keys[-1]


def _missing(index: ListIndex) -> Prepared:
    table, folded = index.table, index.folded
    key = folded.c[index.folded_key]
    return prepare(
        sa.select(table.c.id)
        .where(
            table.c.account_id == ACCOUNT,
            table.c.id > sa.bindparam("after"),
            ~sa.exists(key).where(folded.c.account_id == ACCOUNT, key == table.c.id),
        )
        .order_by(table.c.id)
        .limit(ROWS_AT_ONCE)
    )
