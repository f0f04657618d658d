"""Addresses that serve nobody can be listed, and those that are attached be found."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ATTACHED = "is_attached = 1"


def upgrade() -> None:
    """Add the flag, set it, and index the links by which an address is attached: as a rule they are few."""
    op.add_column("addresses", sa.Column("is_unused", sa.SmallInteger, nullable=False, server_default="0"))
    op.execute(
        "UPDATE addresses SET is_unused = 1 WHERE NOT EXISTS (SELECT 1 FROM customer_addresses l"
        " WHERE l.account_id = addresses.account_id AND l.address_id = addresses.id)"
    )
    op.create_index(
        "customer_addresses_attached",
        "customer_addresses",
        ["account_id", "customer_id", "address_id"],
        sqlite_where=sa.text(ATTACHED),
        postgresql_where=sa.text(ATTACHED),
    )


def downgrade() -> None:
    """Take both away; the indexes know the flag, so they are made anew."""
    op.execute("UPDATE accounts SET indexes = '{}'")
    op.drop_index("customer_addresses_attached", "customer_addresses")
    op.drop_column("addresses", "is_unused")
