"""The finished JSON of customers and addresses, kept beside their rows."""

import sqlalchemy as sa
from alembic import op

from tradebook.storage.postgres import row_security
from tradebook.storage.schema import TEXT

revision = "0007"
down_revision = "0006"

FINISHED = (
    ("finished_customers", "customer_id", "customers", ("head", "credit_limit", "contact_info", "ending")),
    ("finished_addresses", "address_id", "addresses", ("head", "place", "ending")),
)


def upgrade() -> None:
    """Add the tables. What stands in them is made afterwards, as indexes are."""
    for table, key, of, parts in FINISHED:
        op.create_table(
            table,
            sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
            sa.Column(key, sa.BigInteger, nullable=False, autoincrement=False),
            *(sa.Column(part, TEXT, nullable=False) for part in parts),
            sa.PrimaryKeyConstraint("account_id", key),
            sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
            sa.ForeignKeyConstraint(
                ["account_id", key], [f"{of}.account_id", f"{of}.id"], name=f"{table}_{key}_fkey"
            ),
            sqlite_with_rowid=False,
        )
        if op.get_context().dialect.name == "postgresql":
            for statement in row_security.guard_table(table):
                op.execute(statement)


def downgrade() -> None:
    """Remove them, and what is known of what stood in them; so all indexes are made anew as well."""
    op.execute("UPDATE accounts SET indexes = '{}'")
    for table, *_ in FINISHED:
        op.drop_table(table)
