"""The two tables that belong to no account: the accounts themselves, and the secrets of the deployment."""

import sqlalchemy as sa

from tradebook.storage.schema import ACCOUNT, TEXT, metadata, prepare, prepare_of_all_accounts

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("environment", TEXT, nullable=False),
    # Every commit gives a new number, never an old one again. Values derived from the account are valid
    # until it changes.
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("last_customer_number", sa.BigInteger, nullable=False),
    # What each of the account's indexes was made from (`index_versions`).
    sa.Column("indexes", TEXT, nullable=False, server_default="{}"),
    # When somebody should look at the account's imports, in milliseconds; null where there is none.
    sa.Column("imports_due", sa.BigInteger, nullable=True),
    sqlite_with_rowid=False,
)

deployment = sa.Table(
    "deployment",
    metadata,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

REVISION = prepare(sa.select(accounts.c.revision).where(accounts.c.account_id == ACCOUNT))
NEW_REVISION = prepare(
    sa.update(accounts)
    .where(accounts.c.account_id == ACCOUNT)
    .values(revision=sa.bindparam("new_revision"))
    .returning(accounts.c.indexes)
)
NEW_ACCOUNT = prepare(sa.insert(accounts))
FIRST_VALUES = {"last_customer_number": 0, "imports_due": None}
"""What a new account begins with, unless it is a copy."""

IMPORTS_DUE = prepare_of_all_accounts(
    sa.select(accounts.c.account_id)
    .where(accounts.c.imports_due <= sa.bindparam("now"))
    .order_by(accounts.c.account_id)
)
"""The accounts at whose imports somebody should look."""
