"""The tables that stand outside the book: the accounts themselves and what the deployment keeps."""

import sqlalchemy as sa

from tradebook.storage.schema import metadata

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("environment", sa.Text, nullable=False),
    # Changed by every commit, never repeated: what was derived from the account holds while it
    # stands.
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("last_customer_number", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

deployment = sa.Table(
    "deployment",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
