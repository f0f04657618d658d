"""The ids that customers have in other systems."""

import sqlalchemy as sa
from alembic import op

from tradebook.storage.postgres import row_security
from tradebook.storage.schema import TEXT

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table: a customer's ids lie together, and each id is found by its system's name."""
    op.create_table(
        "external_ids",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "customer_id", "name"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_id"],
            ["customers.account_id", "customers.id"],
            name="external_ids_customer_id_fkey",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "external_ids_unique_name_value", "external_ids", ["account_id", "name", "value"], unique=True
    )
    if op.get_context().dialect.name == "postgresql":
        for statement in row_security.guard_table("external_ids"):
            op.execute(statement)


def downgrade() -> None:
    """Remove it."""
    op.drop_table("external_ids")
