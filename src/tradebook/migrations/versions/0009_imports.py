"""Imports that are planned first, and then written in steps."""

import sqlalchemy as sa
from alembic import op

from tradebook.storage.postgres import row_security
from tradebook.storage.schema import TEXT

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the tables, and the time at which somebody should look at an account's imports."""
    op.add_column("accounts", sa.Column("imports_due", sa.BigInteger, nullable=True))
    op.create_table(
        "imports",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=True),
        sa.Column("source", TEXT, nullable=True),
        sa.Column("options", TEXT, nullable=False),
        sa.Column("matched_by", TEXT, nullable=False),
        sa.Column("summary", TEXT, nullable=True),
        sa.Column("counts", TEXT, nullable=False),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("owner", TEXT, nullable=True),
        sa.Column("lease_until", sa.BigInteger, nullable=True),
        sa.Column("ends_at", sa.BigInteger, nullable=True),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index("imports_by_state", "imports", ["account_id", "state", "id"])
    op.create_index("imports_by_ends_at", "imports", ["account_id", "ends_at"])
    op.create_table(
        "import_blocks",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("import_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("outcomes", TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "import_id", "kind", "place"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sa.ForeignKeyConstraint(
            ["account_id", "import_id"],
            ["imports.account_id", "imports.id"],
            name="import_blocks_import_id_fkey",
        ),
        sqlite_with_rowid=False,
    )
    if op.get_context().dialect.name == "postgresql":
        for table in ("imports", "import_blocks"):
            for statement in row_security.guard_table(table):
                op.execute(statement)


def downgrade() -> None:
    """Remove them."""
    op.drop_table("import_blocks")
    op.drop_table("imports")
    op.drop_column("accounts", "imports_due")
