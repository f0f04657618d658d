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
    """The id."""
    object: str
    """What kind of object this is."""
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
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """An exact amount."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    value: str = ABSENT
    display_value: str = ABSENT
    unit: "Unit | None" = None


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """What a quantity counts: a currency."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    code: str = ABSENT
    symbol: str = ABSENT


class CustomerContactInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Email, phone and web address of a customer."""

    object: str
    """What kind of object this is."""
    email: str | None = None
    phone: str | None = None
    url: str | None = None


class CustomerFreightPreferences(msgspec.Struct, frozen=True, kw_only=True):
    """How goods are sent to the customer, and who pays for it."""

    object: str
    """What kind of object this is."""
    status: "FreightPolicy" = ABSENT
    carrier: "Carrier | None" = None
    service_level: "ServiceLevel | None" = None
    billing_type: "BillingType | None" = None
    billing_account: str | None = None


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """Who brings the goods."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    code: "CarrierCode | None" = None
    account_number: str | None = None
    customer_portal_visibility: "CustomerPortalVisibility" = ABSENT
    owner: Any = None
    """Always null in this version."""
    service_levels: "ListOf[ServiceLevel] | None" = None
    deleted_at: datetime | None = None
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class ServiceLevel(msgspec.Struct, frozen=True, kw_only=True):
    """One of a carrier's services."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    service_level_token: str = ABSENT
    customer_portal_visibility: "CustomerPortalVisibility" = ABSENT
    is_default: bool = ABSENT
    owner: Any = None
    """Always null in this version."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class CustomerDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """What an order of this customer starts with."""

    object: str
    """What kind of object this is."""
    payment_term: "PaymentTerm | None" = None
    shipping_term: "ShippingTerm | None" = None
    priority: "Priority | None" = None
    sales_rep: "AccountUser | None" = None


class PaymentTerm(msgspec.Struct, frozen=True, kw_only=True):
    """When an invoice falls due."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    status: "PaymentTermStatus" = ABSENT
    owner: Any = None
    """Always null in this version."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class ShippingTerm(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays the freight."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    type: "ShippingTermType" = ABSENT
    owner: Any = None
    """Always null in this version."""
    flat_rate: "Quantity | None" = None
    minimum_order_value: "Quantity | None" = None
    free_shipping_service_levels: "ListOf[ServiceLevel] | None" = None
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class Priority(msgspec.Struct, frozen=True, kw_only=True):
    """How urgent orders are."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    code: "PriorityCode" = ABSENT
    name: str = ABSENT
    owner: Any = None
    """Always null in this version."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class AccountUser(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the account."""

    id: str
    """The id."""
    user: "User | None" = None
    object: str
    """What kind of object this is."""
    status: "AccountUserStatus" = ABSENT
    role: Any = None
    department: Any = None
    last_used_at: datetime | None = None
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """The person behind an account user. Both ids are made of the same key."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    email: str | None = None
    name: str | None = None
    username: str | None = None
    email_verified_at: datetime | None = None
    image_url: str | None = None
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class CustomerNotificationPreferences(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages the customer wants."""

    object: str
    """What kind of object this is."""
    accepts_invoice_emails: bool = ABSENT


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    phone: str | None = None
    email: str | None = None
    type: "AddressType" = ABSENT
    geolocation: "Geolocation | None" = None
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class Geolocation(msgspec.Struct, frozen=True, kw_only=True):
    """Where an address is. Its id is made of the same key as the address's."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    street_line_1: str | None = None
    street_line_2: str | None = None
    locality: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str = ABSENT


class AccountGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of customers: a customer has one type group and any number of pricing groups."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    description: str | None = None
    commission_policy: "CommissionPolicy" = ABSENT
    freight_policy: "FreightPolicy" = ABSENT
    type: "AccountGroupType" = ABSENT
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class AccountStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How orders are treated."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    code: "CustomerStatus" = ABSENT
    name: str = ABSENT
    owner: Any = None
    """Always null in this version."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key, without its secret."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str | None = None
    environment: "Environment" = ABSENT
    last_four: str = ABSENT
    permissions: "list[str]" = ABSENT
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class CustomerMergePreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge would do; nothing was done."""

    object: str
    """What kind of object this is."""
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
