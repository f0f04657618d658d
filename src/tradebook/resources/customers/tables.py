"""Where customers are kept."""

import sqlalchemy as sa

from tradebook.crud.table_fields import columns_of
from tradebook.resources.customers.fields import FIELDS
from tradebook.storage.schema import (
    case_folded,
    flag,
    moment,
    reference,
    table,
    text,
    unique,
)

customers: sa.Table = table(
    "customers",
    *columns_of(FIELDS),
    # Stored, so that a page need not read the children. It is written when their `parent_id` changes.
    flag("is_parent"),
    case_folded("number"),
    unique("customers", "number_folded"),
)

customer_price_groups: sa.Table = table(
    "customer_price_groups",
    reference("customer_id", "customers"),
    reference("group_id", "account_groups"),
    key=("customer_id", "group_id"),
)

customer_search: sa.Table = table(
    "customer_search",
    reference("customer_id", "customers"),
    text("folded"),
    key=("customer_id",),
)

finished_customers: sa.Table = table(
    "finished_customers",
    reference("customer_id", "customers"),
    # The JSON of a customer in parts: what is included stands between the head and the ending.
    text("head"),
    text("credit_limit"),
    text("contact_info"),
    text("ending"),
    key=("customer_id",),
)

merged_customers: sa.Table = table(
    "merged_customers",
    reference("survivor_id", "customers"),
    moment("merged_at"),
)
