"""What a body says of a customer, and which column keeps it."""

from typing import Any

from tradebook.crud.fields import EMAIL, LINE, NOTE, URL, Body, Field, Flag, Many, Object
from tradebook.crud.parameters import Id, OneOf
from tradebook.crud.records import Values
from tradebook.ids import encode_id
from tradebook.resources import (
    account_groups,
    account_users,
    addresses,
    carriers,
    payment_terms,
    service_levels,
    shipping_terms,
)
from tradebook.resources.account_groups import (
    COMMISSION_POLICIES,
    FREIGHT_POLICIES,
    CommissionPolicy,
    FreightPolicy,
)
from tradebook.resources.account_statuses import StatusCode
from tradebook.resources.customers.shape import ID_PREFIX, Customer
from tradebook.resources.customers.tables import EDI_STATUSES, BillingType, EdiStatus
from tradebook.resources.priorities import PriorityCode
from tradebook.resources.quantities import AMOUNT, columns_of, unit_of

COLUMN_OF = {
    "customer_type_group_id": "type_id",
    "default_carrier_id": "carrier_id",
    "default_service_level_id": "service_level_id",
    "default_payment_term_id": "payment_term_id",
    "default_shipping_term_id": "shipping_term_id",
    "default_sales_rep_id": "sales_rep_id",
    "default_priority": "priority",
    "parent_account_id": "parent_id",
}
"""Where a field's column is called otherwise."""

_NOT_COLUMNS = {"customer_price_group_ids", "credit_limit"}

_REQUIRED = (
    Field("name", LINE, "What the customer is called.", is_required=True),
    Field(
        "customer_type_group_id",
        Id(account_groups.ID_PREFIX),
        "The customer's type: a group whose type is `type_group`.",
        is_required=True,
    ),
    Field("default_carrier_id", Id(carriers.ID_PREFIX), "Who brings the goods.", is_required=True),
    Field(
        "default_payment_term_id",
        Id(payment_terms.ID_PREFIX),
        "When invoices fall due.",
        is_required=True,
    ),
    Field(
        "default_shipping_term_id", Id(shipping_terms.ID_PREFIX), "Who pays the freight.", is_required=True
    ),
)
_OPTIONAL = (
    Field("number", LINE, "Unique in the account; the next number in sequence unless told."),
    Field("status", OneOf(StatusCode), "The account status: `normal` unless told.", default=0),
    Field(
        "edi_status",
        OneOf(EdiStatus),
        "`disabled` unless told.",
        default=EDI_STATUSES.index("disabled"),
    ),
    Field(
        "commission_policy",
        OneOf(CommissionPolicy),
        "The customer's own: `commission_applied` unless told.",
        default=COMMISSION_POLICIES.index("commission_applied"),
    ),
    Field(
        "freight_policy",
        OneOf(FreightPolicy),
        "The customer's own: `billed_freight` unless told.",
        default=FREIGHT_POLICIES.index("billed_freight"),
    ),
    Field("note", NOTE, "Anything, in several lines.", can_be_null=True),
    Field("email", EMAIL, "An email address.", can_be_null=True),
    Field("phone", LINE, "A phone number.", can_be_null=True),
    Field("url", URL, "A web address.", can_be_null=True),
    Field(
        "default_service_level_id",
        Id(service_levels.ID_PREFIX),
        "A service level of the default carrier.",
        can_be_null=True,
    ),
    Field("default_sales_rep_id", Id(account_users.ID_PREFIX), "An account user.", can_be_null=True),
    Field("default_priority", OneOf(PriorityCode), "How urgent orders are.", can_be_null=True),
    Field("carrier_billing_type", OneOf(BillingType), "Whom the carrier bills.", can_be_null=True),
    Field("carrier_billing_account", LINE, "The account that the carrier bills.", can_be_null=True),
    Field("credit_limit", AMOUNT, "The most that may be open.", can_be_null=True),
    Field(
        "customer_price_group_ids",
        Many(Id(account_groups.ID_PREFIX)),
        "Groups whose type is `pricing_group`; replaced as a set.",
    ),
    Field(
        "parent_account_id",
        Id(ID_PREFIX),
        "The customer whose child account this is. An addition of this project.",
        can_be_null=True,
    ),
    Field(
        "accepts_invoice_emails",
        Flag(),
        "Whether invoices go out by email: not, unless told. An addition of this project.",
        default=0,
    ),
)
_ADDRESS = Object(Body("AddressInput", addresses.FIELDS, shape=addresses.Address))
_ADDRESS_ID = Id(addresses.ID_PREFIX)

CREATE = Body(
    "CustomerCreate",
    (
        *_REQUIRED,
        Field("bill_to_address", _ADDRESS, "Where invoices go.", is_required=True),
        Field("ship_to_address", _ADDRESS, "Where goods go.", is_required=True),
        *_OPTIONAL,
    ),
    shape=Customer,
)
UPDATE = Body(
    "CustomerUpdate",
    (
        *_REQUIRED,
        Field("bill_to_address_id", _ADDRESS_ID, "Where invoices go: an address of the account."),
        Field("ship_to_address_id", _ADDRESS_ID, "Where goods go; both may be the same address."),
        *_OPTIONAL,
    ),
    is_partial=True,
    shape=Customer,
)


def columns(values: Values, before: Values) -> Values:
    """Return the columns that a body's fields are kept in; `before` is the row so far."""
    found = {COLUMN_OF.get(name, name): value for name, value in values.items() if name not in _NOT_COLUMNS}
    if "credit_limit" in values:
        found.update(columns_of("credit_limit", values["credit_limit"], before))
    return found


def as_given(row: Values) -> dict[str, Any]:
    """Return what a change would say for a row, field by field, but for its groups."""
    found = {}
    for field in UPDATE.fields:
        if field.name not in _NOT_COLUMNS:
            kept = row[COLUMN_OF.get(field.name, field.name)]
            found[field.name] = None if kept is None else _as_given(field, kept)
    limit = row["credit_limit"]
    found["credit_limit"] = limit and {
        "value": limit,
        "unit_id": unit_of(row["credit_limit_currency"]).id,
    }
    return found


def _as_given(field: Field, kept: Any) -> Any:
    if isinstance(field.kind, Id):
        return encode_id(field.kind.prefix, kept)
    if isinstance(field.kind, OneOf):
        return field.kind.words[kept]
    return bool(kept) if isinstance(field.kind, Flag) else kept
