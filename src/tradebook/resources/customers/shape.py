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
    """The email address, such as `orders@harbor-coffee.example`."""
    phone: str | None
    """The phone number as it was given, such as `+1 207 555 0142`."""
    url: str | None
    """The web address, such as `https://www.harbor-coffee.example`."""


class CustomerFreightPreferences(msgspec.Struct, frozen=True):
    """How goods are sent to the customer, and who pays for it."""

    object: Literal["customer_freight_preferences"]
    status: FreightPolicy
    """The customer's own freight policy; what a group adds doesn't count."""
    carrier: Carrier | None
    """The default carrier."""
    service_level: ServiceLevel | None
    """The default service level, one of that carrier."""
    billing_type: BillingType | None
    """Whom the carrier bills."""
    billing_account: str | None
    """The account that the carrier bills, such as `00417733`."""


class CustomerDefaults(msgspec.Struct, frozen=True):
    """What an order of this customer starts with."""

    object: Literal["customer_defaults"]
    payment_term: PaymentTerm | None
    """When invoices fall due."""
    shipping_term: ShippingTerm | None
    """Who pays the freight."""
    priority: Priority | None
    """How urgent orders are."""
    sales_rep: AccountUser | None
    """The account user who looks after the customer."""


class CustomerNotificationPreferences(msgspec.Struct, frozen=True):
    """Which messages the customer wants."""

    object: Literal["customer_notification_preferences"]
    accepts_invoice_emails: bool
    """Whether invoices go out by email."""


# gc=False: these objects form no cycles, and a page of 1,000 should not start the garbage collector.
class Customer(msgspec.Struct, frozen=True, gc=False):
    """A customer of the account. Every key is always present."""

    id: str
    object: Literal["customer"]
    name: str
    """What the customer is called."""
    number: str
    """The number that people know the customer by; unique in the account."""
    status: StatusCode
    """How the customer's orders are treated."""
    edi_status: EdiStatus
    """Whether the customer exchanges data (EDI)."""
    relationship_type: Literal["standalone", "parent", "child"]
    """Whether the customer has child accounts, is one, or neither."""
    commission_policy: CommissionPolicy
    """The customer's own commission policy; what a group adds doesn't count."""
    note: str | None
    """A note, in one or several lines."""
    credit_limit: Quantity | None
    """The most that the customer may owe."""
    contact_info: CustomerContactInfo | None
    """How to reach the customer."""
    freight_preferences: CustomerFreightPreferences | None
    """How goods are sent, and who pays for it."""
    defaults: CustomerDefaults | None
    """What an order of this customer starts with."""
    notification_preferences: CustomerNotificationPreferences | None
    """Which messages the customer wants."""
    bill_to_address: Address | None
    """Where invoices go."""
    ship_to_address: Address | None
    """Where goods go."""
    type: AccountGroup | None
    """The one type group of the customer."""
    price_groups: ListObject[AccountGroup] | None
    """The pricing groups that the customer belongs to: at most 100, the others behind `next_page_url`."""
    parent_account: Optional["Customer"]
    """The customer whose child account this is; null if it is none."""
    child_accounts: ListObject["Customer"] | None
    """The child accounts: at most 100, the others behind `next_page_url`; null if there are none."""
    created_at: str
    updated_at: str
    external_ids: dict[str, str] | msgspec.UnsetType | None = msgspec.UNSET
    """The customer's ids in other systems, by their names. The key is there only where it is included."""


ID_PREFIX = "ac"
PATH = "/v1/sales/customers"
