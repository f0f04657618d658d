"""Where customers are kept."""

import sqlalchemy as sa

from tradebook.crud.table_fields import columns_of
from tradebook.resources.customers.fields import FIELDS
from tradebook.resources.customers.likeness import digits_of, plain_number
from tradebook.storage.schema import (
    case_folded,
    flag,
    found_by,
    made_of,
    moment,
    reference,
    table,
    text,
    unique,
)
from tradebook.text import fold_case

customers: sa.Table = table(
    "customers",
    *columns_of(FIELDS),
    # Stored, so that a page need not read the children. It is written when their `parent_id` changes.
    flag("is_parent"),
    case_folded("number"),
    unique("customers", "number_folded"),
    made_of("number", "number_plain", plain_number),
    made_of("email", "email_folded", fold_case),
    made_of("phone", "phone_digits", digits_of),
    found_by("customers", "number_plain"),
    found_by("customers", "email_folded"),
    found_by("customers", "phone_digits"),
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
