"""The customer object, in the key order of the published reference."""

from typing import Literal, Optional, get_args

import msgspec

from tradebook.crud.listing import ListObject
from tradebook.resources.account_groups import AccountGroup, CommissionPolicy, FreightPolicy
from tradebook.resources.account_statuses import CODES, StatusCode
from tradebook.resources.account_users import AccountUser
from tradebook.resources.addresses import Address
from tradebook.resources.carriers import Carrier
from tradebook.resources.payment_terms import PaymentTerm
from tradebook.resources.priorities import Priority
from tradebook.resources.quantities import Quantity
from tradebook.resources.service_levels import ServiceLevel
from tradebook.resources.shipping_terms import ShippingTerm

EdiStatus = Literal["enabled", "disabled"]
BillingType = Literal["sender", "third_party"]
STATUSES = CODES
EDI_STATUSES: tuple[EdiStatus, ...] = get_args(EdiStatus)
BILLING_TYPES: tuple[BillingType, ...] = get_args(BillingType)


class CustomerContactInfo(msgspec.Struct, frozen=True):
    """Email, phone and web address of a customer."""

    object: Literal["customer_contact_info"]
    email: str | None
    phone: str | None
    url: str | None


class CustomerFreightPreferences(msgspec.Struct, frozen=True):
    """How goods are sent to the customer, and who pays for it."""

    object: Literal["customer_freight_preferences"]
    status: FreightPolicy
    carrier: Carrier | None
    service_level: ServiceLevel | None
    billing_type: BillingType | None
    billing_account: str | None


class CustomerDefaults(msgspec.Struct, frozen=True):
    """What an order of this customer starts with."""

    object: Literal["customer_defaults"]
    payment_term: PaymentTerm | None
    shipping_term: ShippingTerm | None
    priority: Priority | None
    sales_rep: AccountUser | None


class CustomerNotificationPreferences(msgspec.Struct, frozen=True):
    """Which messages the customer wants."""

    object: Literal["customer_notification_preferences"]
    accepts_invoice_emails: bool


# gc=False: these objects form no cycles, and a page of 1,000 should not start the garbage collector.
class Customer(msgspec.Struct, frozen=True, gc=False):
    """A customer of the account. Every key is always present."""

    id: str
    object: Literal["customer"]
    name: str
    number: str
    status: StatusCode
    edi_status: EdiStatus
    relationship_type: Literal["standalone", "parent", "child"]
    commission_policy: CommissionPolicy
    note: str | None
    credit_limit: Quantity | None
    contact_info: CustomerContactInfo | None
    freight_preferences: CustomerFreightPreferences | None
    defaults: CustomerDefaults | None
    notification_preferences: CustomerNotificationPreferences | None
    bill_to_address: Address | None
    ship_to_address: Address | None
    type: AccountGroup | None
    price_groups: ListObject[AccountGroup] | None
    parent_account: Optional["Customer"]
    child_accounts: ListObject["Customer"] | None
    created_at: str
    updated_at: str


ID_PREFIX = "ac"
PATH = "/v1/sales/customers"
