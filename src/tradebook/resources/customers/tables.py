"""Where customers are kept."""

from typing import Literal, get_args

import sqlalchemy as sa

from tradebook.resources.account_groups import CommissionPolicy, FreightPolicy
from tradebook.resources.account_statuses import CODES, StatusCode
from tradebook.resources.priorities import PriorityCode
from tradebook.storage.schema import (
    choice,
    flag,
    moment,
    reference,
    table,
    text,
    unique,
)

EdiStatus = Literal["enabled", "disabled"]
BillingType = Literal["sender", "third_party"]
STATUSES = CODES
EDI_STATUSES: tuple[EdiStatus, ...] = get_args(EdiStatus)
BILLING_TYPES: tuple[BillingType, ...] = get_args(BillingType)

customers: sa.Table = table(
    "customers",
    text("name"),
    text("number"),
    choice("status", StatusCode),
    choice("edi_status", EdiStatus),
    choice("commission_policy", CommissionPolicy),
    choice("freight_policy", FreightPolicy),
    reference("parent_id", "customers", nullable=True),
    # Kept, not derived, so that a page needs no look at the children: written with their
    # `parent_id`.
    flag("is_parent"),
    text("note", nullable=True),
    text("credit_limit", nullable=True),
    text("credit_limit_currency", nullable=True),
    text("email", nullable=True),
    text("phone", nullable=True),
    text("url", nullable=True),
    reference("type_id", "account_groups", nullable=True),
    reference("carrier_id", "carriers", nullable=True),
    reference("service_level_id", "service_levels", nullable=True),
    choice("carrier_billing_type", BillingType, nullable=True),
    text("carrier_billing_account", nullable=True),
    reference("payment_term_id", "payment_terms", nullable=True),
    reference("shipping_term_id", "shipping_terms", nullable=True),
    choice("priority", PriorityCode, nullable=True),
    reference("sales_rep_id", "account_users", nullable=True),
    flag("accepts_invoice_emails"),
    reference("bill_to_address_id", "addresses", nullable=True),
    reference("ship_to_address_id", "addresses", nullable=True),
    unique("customers", "number"),
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

merged_customers: sa.Table = table(
    "merged_customers",
    reference("survivor_id", "customers"),
    moment("merged_at"),
)
