"""The book: accounts, keys, and everything that a customer is made of."""

import sqlalchemy as sa
from alembic import op

from tradebook.storage.schema import TEXT

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("last_customer_number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deployment",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "account_groups",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=True),
        sa.Column("commission_policy", sa.SmallInteger, nullable=False),
        sa.Column("freight_policy", sa.SmallInteger, nullable=False),
        sa.Column("type", sa.SmallInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index("account_groups_unique_name", "account_groups", ["account_id", "name"], unique=True)
    op.create_table(
        "account_users",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger, nullable=True),
        sa.Column("email", TEXT, nullable=True),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("username", TEXT, nullable=True),
        sa.Column("email_verified_at", sa.BigInteger, nullable=True),
        sa.Column("image_url", TEXT, nullable=True),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index("account_users_unique_email", "account_users", ["account_id", "email"], unique=True)
    op.create_table(
        "addresses",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("phone", TEXT, nullable=True),
        sa.Column("email", TEXT, nullable=True),
        sa.Column("type", sa.SmallInteger, nullable=False),
        sa.Column("street_line_1", TEXT, nullable=True),
        sa.Column("street_line_2", TEXT, nullable=True),
        sa.Column("locality", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("postal_code", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "api_keys",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("secret_hash", TEXT, nullable=False),
        sa.Column("last_four", TEXT, nullable=False),
        sa.Column("permissions", TEXT, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=True),
        sa.Column("revoked_at", sa.BigInteger, nullable=True),
        sa.Column("last_used_at", sa.BigInteger, nullable=True),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index("api_keys_unique_secret_hash", "api_keys", ["account_id", "secret_hash"], unique=True)
    op.create_table(
        "carriers",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("code", sa.SmallInteger, nullable=True),
        sa.Column("account_number", TEXT, nullable=True),
        sa.Column("customer_portal_visibility", sa.SmallInteger, nullable=False),
        sa.Column("is_system", sa.SmallInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger, nullable=True),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "carriers_unique_name",
        "carriers",
        ["account_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "payment_terms",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("is_system", sa.SmallInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index("payment_terms_unique_name", "payment_terms", ["account_id", "name"], unique=True)
    op.create_table(
        "shipping_terms",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("type", sa.SmallInteger, nullable=False),
        sa.Column("flat_rate", TEXT, nullable=True),
        sa.Column("flat_rate_currency", TEXT, nullable=True),
        sa.Column("minimum_order_value", TEXT, nullable=True),
        sa.Column("minimum_order_value_currency", TEXT, nullable=True),
        sa.Column("is_system", sa.SmallInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index("shipping_terms_unique_name", "shipping_terms", ["account_id", "name"], unique=True)
    op.create_table(
        "service_levels",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("carrier_id", sa.BigInteger, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("service_level_token", TEXT, nullable=False),
        sa.Column("customer_portal_visibility", sa.SmallInteger, nullable=False),
        sa.Column("is_default", sa.SmallInteger, nullable=False),
        sa.Column("is_system", sa.SmallInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.ForeignKeyConstraint(
            ["account_id", "carrier_id"],
            ["carriers.account_id", "carriers.id"],
            name="service_levels_carrier_id_fkey",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index("service_levels_by_carrier_id", "service_levels", ["account_id", "carrier_id", "id"])
    op.create_index(
        "service_levels_unique_carrier_id_name",
        "service_levels",
        ["account_id", "carrier_id", "name"],
        unique=True,
    )
    op.create_table(
        "customers",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("number", TEXT, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("edi_status", sa.SmallInteger, nullable=False),
        sa.Column("commission_policy", sa.SmallInteger, nullable=False),
        sa.Column("freight_policy", sa.SmallInteger, nullable=False),
        sa.Column("parent_id", sa.BigInteger, nullable=True),
        sa.Column("is_parent", sa.SmallInteger, nullable=False),
        sa.Column("note", TEXT, nullable=True),
        sa.Column("credit_limit", TEXT, nullable=True),
        sa.Column("credit_limit_currency", TEXT, nullable=True),
        sa.Column("email", TEXT, nullable=True),
        sa.Column("phone", TEXT, nullable=True),
        sa.Column("url", TEXT, nullable=True),
        sa.Column("type_id", sa.BigInteger, nullable=True),
        sa.Column("carrier_id", sa.BigInteger, nullable=True),
        sa.Column("service_level_id", sa.BigInteger, nullable=True),
        sa.Column("carrier_billing_type", sa.SmallInteger, nullable=True),
        sa.Column("carrier_billing_account", TEXT, nullable=True),
        sa.Column("payment_term_id", sa.BigInteger, nullable=True),
        sa.Column("shipping_term_id", sa.BigInteger, nullable=True),
        sa.Column("priority", sa.SmallInteger, nullable=True),
        sa.Column("sales_rep_id", sa.BigInteger, nullable=True),
        sa.Column("accepts_invoice_emails", sa.SmallInteger, nullable=False),
        sa.Column("bill_to_address_id", sa.BigInteger, nullable=True),
        sa.Column("ship_to_address_id", sa.BigInteger, nullable=True),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.ForeignKeyConstraint(
            ["account_id", "bill_to_address_id"],
            ["addresses.account_id", "addresses.id"],
            name="customers_bill_to_address_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "carrier_id"],
            ["carriers.account_id", "carriers.id"],
            name="customers_carrier_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "parent_id"],
            ["customers.account_id", "customers.id"],
            name="customers_parent_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "payment_term_id"],
            ["payment_terms.account_id", "payment_terms.id"],
            name="customers_payment_term_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "sales_rep_id"],
            ["account_users.account_id", "account_users.id"],
            name="customers_sales_rep_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "service_level_id"],
            ["service_levels.account_id", "service_levels.id"],
            name="customers_service_level_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "ship_to_address_id"],
            ["addresses.account_id", "addresses.id"],
            name="customers_ship_to_address_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "shipping_term_id"],
            ["shipping_terms.account_id", "shipping_terms.id"],
            name="customers_shipping_term_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "type_id"],
            ["account_groups.account_id", "account_groups.id"],
            name="customers_type_id_fkey",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "customers_by_bill_to_address_id", "customers", ["account_id", "bill_to_address_id", "id"]
    )
    op.create_index("customers_by_carrier_id", "customers", ["account_id", "carrier_id", "id"])
    op.create_index("customers_by_parent_id", "customers", ["account_id", "parent_id", "id"])
    op.create_index("customers_by_payment_term_id", "customers", ["account_id", "payment_term_id", "id"])
    op.create_index("customers_by_sales_rep_id", "customers", ["account_id", "sales_rep_id", "id"])
    op.create_index("customers_by_service_level_id", "customers", ["account_id", "service_level_id", "id"])
    op.create_index(
        "customers_by_ship_to_address_id", "customers", ["account_id", "ship_to_address_id", "id"]
    )
    op.create_index("customers_by_shipping_term_id", "customers", ["account_id", "shipping_term_id", "id"])
    op.create_index("customers_by_type_id", "customers", ["account_id", "type_id", "id"])
    op.create_index("customers_unique_number", "customers", ["account_id", "number"], unique=True)
    op.create_table(
        "free_shipping_service_levels",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("shipping_term_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("service_level_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("account_id", "shipping_term_id", "service_level_id"),
        sa.ForeignKeyConstraint(
            ["account_id", "service_level_id"],
            ["service_levels.account_id", "service_levels.id"],
            name="free_shipping_service_levels_service_level_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "shipping_term_id"],
            ["shipping_terms.account_id", "shipping_terms.id"],
            name="free_shipping_service_levels_shipping_term_id_fkey",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "free_shipping_service_levels_by_service_level_id",
        "free_shipping_service_levels",
        ["account_id", "service_level_id", "shipping_term_id"],
    )
    op.create_table(
        "customer_addresses",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("address_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("locality", TEXT, nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("postal_code", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("account_id", "customer_id", "address_id"),
        sa.ForeignKeyConstraint(
            ["account_id", "address_id"],
            ["addresses.account_id", "addresses.id"],
            name="customer_addresses_address_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_id"],
            ["customers.account_id", "customers.id"],
            name="customer_addresses_customer_id_fkey",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "customer_addresses_by_address_id",
        "customer_addresses",
        ["account_id", "address_id", "customer_id"],
    )
    op.create_table(
        "customer_price_groups",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("group_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("account_id", "customer_id", "group_id"),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_id"],
            ["customers.account_id", "customers.id"],
            name="customer_price_groups_customer_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "group_id"],
            ["account_groups.account_id", "account_groups.id"],
            name="customer_price_groups_group_id_fkey",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "customer_price_groups_by_group_id",
        "customer_price_groups",
        ["account_id", "group_id", "customer_id"],
    )
    op.create_table(
        "customer_search",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("folded", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "customer_id"),
        sa.ForeignKeyConstraint(
            ["account_id", "customer_id"],
            ["customers.account_id", "customers.id"],
            name="customer_search_customer_id_fkey",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "merged_customers",
        sa.Column("account_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("survivor_id", sa.BigInteger, nullable=False),
        sa.Column("merged_at", sa.BigInteger, nullable=True),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "id"),
        sa.ForeignKeyConstraint(
            ["account_id", "survivor_id"],
            ["customers.account_id", "customers.id"],
            name="merged_customers_survivor_id_fkey",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"]),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "merged_customers_by_survivor_id", "merged_customers", ["account_id", "survivor_id", "id"]
    )


def downgrade() -> None:
    """Remove all tables."""
    op.drop_table("merged_customers")
    op.drop_table("customer_search")
    op.drop_table("customer_price_groups")
    op.drop_table("customer_addresses")
    op.drop_table("free_shipping_service_levels")
    op.drop_table("customers")
    op.drop_table("service_levels")
    op.drop_table("shipping_terms")
    op.drop_table("payment_terms")
    op.drop_table("carriers")
    op.drop_table("api_keys")
    op.drop_table("addresses")
    op.drop_table("account_users")
    op.drop_table("account_groups")
    op.drop_table("deployment")
    op.drop_table("accounts")
