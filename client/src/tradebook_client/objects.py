"""The objects that the API answers with.

Made from the declarations of the server: run `make docs` to make it again.
"""

from datetime import datetime
from typing import Any

import msgspec

from tradebook_client.lists import ListOf
from tradebook_client.words import (
    AccountGroupType,
    AccountUserStatus,
    AddressType,
    BillingType,
    CarrierCode,
    CommissionPolicy,
    CustomerPortalVisibility,
    CustomerStatus,
    EdiStatus,
    Environment,
    FreightPolicy,
    PaymentTermStatus,
    PriorityCode,
    RelationshipType,
    ShippingTermType,
)

ABSENT: Any = msgspec.UNSET
"""What a key is that the server does not have, as it is of another version."""


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer of the account. Every key is always present."""

    id: str
    object: str
    name: str = ABSENT
    number: str = ABSENT
    status: "CustomerStatus" = ABSENT
    edi_status: "EdiStatus" = ABSENT
    relationship_type: "RelationshipType" = ABSENT
    commission_policy: "CommissionPolicy" = ABSENT
    note: str | None = None
    credit_limit: "Quantity | None" = None
    contact_info: "CustomerContactInfo | None" = None
    freight_preferences: "CustomerFreightPreferences | None" = None
    defaults: "CustomerDefaults | None" = None
    notification_preferences: "CustomerNotificationPreferences | None" = None
    bill_to_address: "Address | None" = None
    ship_to_address: "Address | None" = None
    type: "AccountGroup | None" = None
    price_groups: "ListOf[AccountGroup] | None" = None
    parent_account: "Customer | None" = None
    child_accounts: "ListOf[Customer] | None" = None
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """An exact amount."""

    id: str
    object: str
    value: str = ABSENT
    display_value: str = ABSENT
    unit: "Unit | None" = None


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """What a quantity counts: a currency."""

    id: str
    object: str
    name: str = ABSENT
    code: str = ABSENT
    symbol: str = ABSENT


class CustomerContactInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Email, phone and web address of a customer."""

    object: str
    email: str | None = None
    phone: str | None = None
    url: str | None = None


class CustomerFreightPreferences(msgspec.Struct, frozen=True, kw_only=True):
    """How goods are sent to the customer, and who pays for it."""

    object: str
    status: "FreightPolicy" = ABSENT
    carrier: "Carrier | None" = None
    service_level: "ServiceLevel | None" = None
    billing_type: "BillingType | None" = None
    billing_account: str | None = None


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """Who brings the goods."""

    id: str
    object: str
    name: str = ABSENT
    code: "CarrierCode | None" = None
    account_number: str | None = None
    customer_portal_visibility: "CustomerPortalVisibility" = ABSENT
    owner: None = None
    service_levels: "ListOf[ServiceLevel] | None" = None
    deleted_at: datetime | None = None
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class ServiceLevel(msgspec.Struct, frozen=True, kw_only=True):
    """One of a carrier's services."""

    id: str
    object: str
    name: str = ABSENT
    service_level_token: str = ABSENT
    customer_portal_visibility: "CustomerPortalVisibility" = ABSENT
    is_default: bool = ABSENT
    owner: None = None
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class CustomerDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """What an order of this customer starts with."""

    object: str
    payment_term: "PaymentTerm | None" = None
    shipping_term: "ShippingTerm | None" = None
    priority: "Priority | None" = None
    sales_rep: "AccountUser | None" = None


class PaymentTerm(msgspec.Struct, frozen=True, kw_only=True):
    """When an invoice falls due."""

    id: str
    object: str
    name: str = ABSENT
    status: "PaymentTermStatus" = ABSENT
    owner: None = None
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class ShippingTerm(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays the freight."""

    id: str
    object: str
    name: str = ABSENT
    type: "ShippingTermType" = ABSENT
    owner: None = None
    flat_rate: "Quantity | None" = None
    minimum_order_value: "Quantity | None" = None
    free_shipping_service_levels: "ListOf[ServiceLevel] | None" = None
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class Priority(msgspec.Struct, frozen=True, kw_only=True):
    """How urgent orders are."""

    id: str
    object: str
    code: "PriorityCode" = ABSENT
    name: str = ABSENT
    owner: None = None
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class AccountUser(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the account."""

    id: str
    user: "User | None" = None
    object: str
    status: "AccountUserStatus" = ABSENT
    role: None = None
    department: None = None
    last_used_at: datetime | None = None
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class User(msgspec.Struct, frozen=True, kw_only=True):
    """The person behind an account user. Both ids are made of the same key."""

    id: str
    object: str
    email: str | None = None
    name: str | None = None
    username: str | None = None
    email_verified_at: datetime | None = None
    image_url: str | None = None
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class CustomerNotificationPreferences(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages the customer wants."""

    object: str
    accepts_invoice_emails: bool = ABSENT


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address."""

    id: str
    object: str
    name: str = ABSENT
    phone: str | None = None
    email: str | None = None
    type: "AddressType" = ABSENT
    geolocation: "Geolocation | None" = None
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class Geolocation(msgspec.Struct, frozen=True, kw_only=True):
    """Where an address is. Its id is made of the same key as the address's."""

    id: str
    object: str
    street_line_1: str | None = None
    street_line_2: str | None = None
    locality: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str = ABSENT


class AccountGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of customers: a customer has one type group and any number of pricing groups."""

    id: str
    object: str
    name: str = ABSENT
    description: str | None = None
    commission_policy: "CommissionPolicy" = ABSENT
    freight_policy: "FreightPolicy" = ABSENT
    type: "AccountGroupType" = ABSENT
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class AccountStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How orders are treated."""

    id: str
    object: str
    code: "CustomerStatus" = ABSENT
    name: str = ABSENT
    owner: None = None
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, without its secret."""

    id: str
    object: str
    name: str | None = None
    environment: "Environment" = ABSENT
    last_four: str = ABSENT
    permissions: "list[str]" = ABSENT
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    created_at: datetime = ABSENT
    updated_at: datetime = ABSENT


class CustomerMergePreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge would do; nothing was done."""

    object: str
    customer_id: str = ABSENT
    source_customer_ids: "list[str]" = ABSENT
    moved_address_ids: "list[str]" = ABSENT
    moved_price_group_ids: "list[str]" = ABSENT
    moved_child_account_ids: "list[str]" = ABSENT
    losses: "list[MergeLoss]" = ABSENT
    left_out: "MergeLeftOut" = ABSENT


class MergeLoss(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a source that is lost, because the customer that remains has another one."""

    customer_id: str = ABSENT
    field: str = ABSENT
    lost: Any = None
    kept: Any = None


class MergeLeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """How much of each list of a preview is not shown, because it had no room."""

    moved_address_ids: int = ABSENT
    moved_price_group_ids: int = ABSENT
    moved_child_account_ids: int = ABSENT
    losses: int = ABSENT
