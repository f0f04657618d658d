"""What the book keeps of a customer: each fact once, for the table, the bodies, and the columns of files.

A new fact of a customer is a line here and a migration.
"""

from typing import Any

from tradebook.crud.fields import Body, Field, Object
from tradebook.crud.kinds import EMAIL, LINE, NOTE, URL, Flag, Id, Many, OneOf
from tradebook.crud.records import Values
from tradebook.crud.table_fields import Cell, TableField, given, kept, new_row, own, ref, required_first
from tradebook.ids import encode_id, example_key
from tradebook.resources import (
    account_groups,
    account_users,
    addresses,
    carriers,
    payment_terms,
    service_levels,
    shipping_terms,
)
from tradebook.resources.account_groups import CommissionPolicy, FreightPolicy
from tradebook.resources.account_statuses import StatusCode
from tradebook.resources.customers.external_ids import FIELD as EXTERNAL_IDS
from tradebook.resources.customers.external_ids import ExternalIds
from tradebook.resources.customers.shape import ID_PREFIX, BillingType, Customer, EdiStatus
from tradebook.resources.priorities import PriorityCode
from tradebook.resources.quantities import amount
from tradebook.resources.system import system_id

FIELDS = (
    own(
        "number",
        LINE,
        "Unique in the account, in capitals or not. Default: the next number in sequence.",
        can_be_null=False,
        example="C-2041",
    ),
    own("name", LINE, "What the customer is called.", is_required=True, example="Harbor Coffee"),
    own("status", OneOf(StatusCode), "The account status.", default="normal", example="preferred"),
    own("edi_status", OneOf(EdiStatus), "Whether the customer exchanges data (EDI).", default="disabled"),
    own(
        "commission_policy",
        OneOf(CommissionPolicy),
        "The customer's own policy.",
        default="commission_exempt",
    ),
    own("freight_policy", OneOf(FreightPolicy), "The customer's own policy.", default="billed_freight"),
    own("note", NOTE, "A note, in one or several lines."),
    own("email", EMAIL, "An email address."),
    own("phone", LINE, "A phone number.", example="+1 207 555 0142"),
    own("url", URL, "A web address."),
    amount("credit_limit", "The most that the customer may owe."),
    ref(
        "type_id",
        "account_groups",
        account_groups.ID_PREFIX,
        "The customer's type: a group whose type is `type_group`.",
        Cell("type", LINE, "The name of a type group.", names="name"),
        field="customer_type_group_id",
        is_required=True,
    ),
    TableField(
        name="customer_price_group_ids",
        kind=Many(Id(account_groups.ID_PREFIX)),
        example=[encode_id(account_groups.ID_PREFIX, example_key(2))],
        description="Groups whose type is `pricing_group`. The list replaces all of them.",
        cells=(Cell("price_groups", LINE, "The names of all its pricing groups.", is_list=True),),
    ),
    ref(
        "parent_id",
        "customers",
        ID_PREFIX,
        "The customer whose child account this is. An addition of this project.",
        Cell("parent_number", LINE, "The parent's number, in the file or in the account.", names="number"),
        field="parent_account_id",
    ),
    ref(
        "carrier_id",
        "carriers",
        carriers.ID_PREFIX,
        "Who brings the goods.",
        Cell("carrier", LINE, "The name or the code of a carrier.", names="name"),
        field="default_carrier_id",
        is_required=True,
        example=system_id(carriers.ID_PREFIX, "carrier"),
    ),
    ref(
        "service_level_id",
        "service_levels",
        service_levels.ID_PREFIX,
        "A service level of the default carrier.",
        Cell("service_level", LINE, "The name of a service level of the carrier.", names="name"),
        field="default_service_level_id",
        example=system_id(service_levels.ID_PREFIX, "service_level"),
    ),
    own("carrier_billing_type", OneOf(BillingType), "Whom the carrier bills."),
    own("carrier_billing_account", LINE, "The account that the carrier bills.", example="00417733"),
    ref(
        "payment_term_id",
        "payment_terms",
        payment_terms.ID_PREFIX,
        "When invoices fall due.",
        Cell("payment_term", LINE, "The name of a payment term.", names="name"),
        field="default_payment_term_id",
        is_required=True,
        example=system_id(payment_terms.ID_PREFIX, "payment_term"),
    ),
    ref(
        "shipping_term_id",
        "shipping_terms",
        shipping_terms.ID_PREFIX,
        "Who pays the freight.",
        Cell("shipping_term", LINE, "The name of a shipping term.", names="name"),
        field="default_shipping_term_id",
        is_required=True,
        example=system_id(shipping_terms.ID_PREFIX, "shipping_term"),
    ),
    own(
        "priority",
        OneOf(PriorityCode),
        "How urgent orders are.",
        field="default_priority",
        default="normal",
        can_be_null=True,
    ),
    ref(
        "sales_rep_id",
        "account_users",
        account_users.ID_PREFIX,
        "An account user.",
        Cell("sales_rep_email", EMAIL, "The email address of an account user.", names="email"),
        Cell("sales_rep_name", LINE, "The name of that account user.", names="name"),
        field="default_sales_rep_id",
    ),
    own(
        "accepts_invoice_emails",
        Flag(),
        "Whether invoices go out by email. An addition of this project.",
        default=False,
    ),
    ref(
        "bill_to_address_id",
        "addresses",
        addresses.ID_PREFIX,
        "Where invoices go: an address of the account.",
        is_required=True,
    ),
    ref(
        "ship_to_address_id",
        "addresses",
        addresses.ID_PREFIX,
        "Where goods go; both may be the same address.",
        is_required=True,
    ),
    TableField(
        name=EXTERNAL_IDS,
        kind=ExternalIds(),
        example={"shopify": "7244551"},
        description="The customer's ids in other systems, by their names. Each is unique for its name. What "
        "is not named stays; null takes one away, or all of them. An addition of this project.",
        can_be_null=True,
    ),
)
"""In the order of the columns of a file. In a body what is required comes first."""

NEW: Values = {**new_row(FIELDS), "is_parent": 0}
"""The row of a customer of whom nothing is said."""


def _with_inline(address: Body) -> tuple[Field, ...]:
    """List the fields of a body that brings the customer's addresses along."""
    inline = {
        f"{name}_id": Field(name, Object(address), description, is_required=True)
        for name, description in (
            ("bill_to_address", "Where invoices go."),
            ("ship_to_address", "Where goods go."),
        )
    }
    return required_first(inline.get(field.name, field) for field in FIELDS)


_ADDRESS = required_first(addresses.FIELDS)
CREATE = Body(
    "CustomerCreate",
    _with_inline(Body("AddressInput", _ADDRESS, shape=addresses.Address, shown=addresses.SHOWN)),
    shape=Customer,
)
PUT = Body(
    "CustomerPut",
    _with_inline(
        Body("AddressPut", _ADDRESS, is_partial=True, shape=addresses.Address, shown=addresses.SHOWN)
    ),
    is_partial=True,
    shape=Customer,
    shown=tuple(field.name for field in CREATE.fields if field.is_required),
)
"""As CREATE for a new customer; of one that is there, also of its addresses, absent fields stay."""

UPDATE = Body(
    "CustomerUpdate", required_first(FIELDS), is_partial=True, shape=Customer, shown=("status", "note")
)


def columns(values: Values, before: Values) -> Values:
    """Return the columns and values of a body's fields; `before` is the row so far."""
    return kept(FIELDS, values, before)


def as_given(row: Values) -> dict[str, Any]:
    """Return a row as the body of a change would write it, without its price groups."""
    return given(FIELDS, row)
