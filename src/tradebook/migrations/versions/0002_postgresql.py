"""PostgreSQL: an index for every filter, trigrams, and the wall between accounts."""

from itertools import chain

from alembic import op

from tradebook.storage.postgres import row_security

revision = "0002"
down_revision = "0001"

SEARCH = ("customer_search", "customer_search_of_account")

FILTERS = (
    ("customers", "status", "id"),
    ("customers", "commission_policy", "id"),
    ("customers", "freight_policy", "id"),
    ("customers", "is_parent", "id"),
    ("customer_addresses", "locality", "customer_id"),
    ("customer_addresses", "state", "customer_id"),
    ("customer_addresses", "postal_code", "customer_id"),
)
"""Filtered columns that are no references, so they have no index yet: table, column, key in list order."""

TENANT_TABLES = (
    "account_groups",
    "account_users",
    "addresses",
    "api_keys",
    "carriers",
    "customer_addresses",
    "customer_price_groups",
    "customer_search",
    "customers",
    "free_shipping_service_levels",
    "merged_customers",
    "payment_terms",
    "service_levels",
    "shipping_terms",
)


def upgrade() -> None:
    """Add what only PostgreSQL needs."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for table, column, key in FILTERS:
        op.create_index(f"{table}_by_{column}", table, ["account_id", column, key])
    op.execute("CREATE INDEX customer_search_by_trigram ON customer_search USING gin (folded gin_trgm_ops)")
    for statement in chain(
        row_security.create_role(),
        row_security.guard_accounts(),
        row_security.open_table("deployment"),
        row_security.open_table("alembic_version"),
        chain.from_iterable(row_security.guard_table(table) for table in TENANT_TABLES),
        row_security.guard_search(*SEARCH, "customer_id, folded"),
    ):
        op.execute(statement)


def downgrade() -> None:
    """Remove it again. The role stays, because other books may use it."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute(f"DROP VIEW {SEARCH[1]}")
    op.execute("DROP POLICY all_accounts ON accounts")
    for table in ("accounts", *TENANT_TABLES):
        op.execute(f"DROP POLICY own_account ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    # A version of the program that came later has made another one in its place.
    op.execute("DROP INDEX IF EXISTS customer_search_by_trigram, customer_search_by_everything")
    op.execute("ALTER TABLE customer_search DROP COLUMN IF EXISTS facts")
    for table, column, _ in FILTERS:
        op.drop_index(f"{table}_by_{column}")
    for table in ("accounts", "deployment", "alembic_version", *TENANT_TABLES):
        op.execute(f"REVOKE ALL ON {table} FROM {row_security.APPLICATION}")
