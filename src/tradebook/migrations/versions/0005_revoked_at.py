"""One time at which a key is revoked: also where its rotation sets it, which had a column of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Move the end of each rotation; a key that was revoked before its grace ended keeps that time."""
    op.execute(
        "UPDATE api_keys SET revoked_at = grace_ends_at WHERE grace_ends_at IS NOT NULL "
        "AND (revoked_at IS NULL OR revoked_at > grace_ends_at)"
    )
    op.drop_column("api_keys", "grace_ends_at")


def downgrade() -> None:
    """Have the column again; a key that is to be revoked later ends by it."""
    op.add_column("api_keys", sa.Column("grace_ends_at", sa.BigInteger, nullable=True))
    op.execute("UPDATE api_keys SET grace_ends_at = revoked_at WHERE revoked_at IS NOT NULL")
