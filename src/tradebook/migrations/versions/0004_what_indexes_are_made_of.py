"""What each account's indexes were made from."""

import sqlalchemy as sa
from alembic import op

from tradebook.storage.schema import TEXT

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column. No index tells yet what it was made from, so all of them are made anew afterwards."""
    op.add_column("accounts", sa.Column("indexes", TEXT, nullable=False, server_default="{}"))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("accounts", "indexes")
