"""Writing: answers kept for their idempotency keys, attached addresses, searched addresses and groups."""

from itertools import chain

import sqlalchemy as sa
from alembic import op

from tradebook.storage.postgres import row_security
from tradebook.storage.schema import TEXT

revision = "0003"
down_revision = "0002"

SEARCHED = (
    ("address_search", "address_id"),
    ("account_group_search", "account_group_id"),
)
FILTERS = (("account_groups", "type"), ("addresses", "type"))


def upgrade() -> None:
    """Add the tables, and what each engine needs beside them."""
    op.create_table(
        "idempotency_records",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("key_hash", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("answer", TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key_hash"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index("idempotency_records_by_created_at", "idempotency_records", ["account_id", "created_at"])
    op.add_column(
        "customer_addresses",
        sa.Column("is_attached", sa.SmallInteger, nullable=False, server_default="0"),
    )
    op.add_column("api_keys", sa.Column("grace_ends_at", sa.BigInteger, nullable=True))
    for table, key in SEARCHED:
        op.create_table(
            table,
            sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
            sa.Column(key, sa.BigInteger, nullable=False, autoincrement=False),
            sa.Column("folded", TEXT, nullable=False),
            sa.PrimaryKeyConstraint("account_id", key),
            sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
            sqlite_with_rowid=False,
        )
    if op.get_context().dialect.name == "postgresql":
        _upgrade_postgresql()


def _upgrade_postgresql() -> None:
    for table, column in FILTERS:
        op.create_index(f"{table}_by_{column}", table, ["account_id", column, "id"])
    for table, _ in SEARCHED:
        op.execute(f"CREATE INDEX {table}_by_trigram ON {table} USING gin (folded gin_trgm_ops)")
    for statement in chain(
        row_security.guard_table("idempotency_records"),
        *(row_security.guard_table(table) for table, _ in SEARCHED),
        *(
            row_security.guard_search(table, f"{table}_of_account", f"{key}, folded")
            for table, key in SEARCHED
        ),
    ):
        op.execute(statement)


def downgrade() -> None:
    """Remove all of it."""
    if op.get_context().dialect.name == "postgresql":
        for table, _ in SEARCHED:
            op.execute(f"DROP VIEW {table}_of_account")
        for table, column in FILTERS:
            op.drop_index(f"{table}_by_{column}")
    for table in ("account_group_search", "address_search", "idempotency_records"):
        op.drop_table(table)
    op.drop_column("api_keys", "grace_ends_at")
    op.drop_column("customer_addresses", "is_attached")
