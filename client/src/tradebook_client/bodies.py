"""What can be sent: the fields of bodies, and the filters of lists.

Made from the declarations of the server: run `make docs` to make it again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Required, TypedDict

from tradebook_client.words import (
    AccountGroupType,
    AddressCustomers,
    AddressType,
    ApiKeyStatus,
    BillingType,
    CarrierCode,
    CommissionPolicy,
    CustomerAddresses,
    CustomerPortalVisibility,
    CustomerStatus,
    EdiStatus,
    FreightPolicy,
    Only,
    Outcome,
    ParentAccountStatus,
    PaymentTermStatus,
    Permission,
    PriorityCode,
    Relation,
    RemovedScope,
    ShippingTermType,
    State,
    UnitType,
)


class AddressInput(TypedDict, total=False):
    """An object inside a body."""

    name: Required[str]
    """The company or person at this address."""
    country: Required[str]
    """Two letters, such as US."""
    street_line_1: str | None
    """Street and number."""
    street_line_2: str | None
    """A second line, such as a suite or a floor."""
    locality: str | None
    """The city."""
    state: str | None
    """The state, as it is written on a letter."""
    postal_code: str | None
    """The postal code."""
    phone: str | None
    """A phone number."""
    email: str | None
    """An email address."""
    type: AddressType
    """What kind of place it is. Default: `standard`."""


class QuantityInput(TypedDict, total=False):
    """An object inside a body."""

    value: Required[str]
    """A plain decimal, as text, of up to 24 digits, not below zero."""
    unit_id: str | None
    """The currency's unit. Default: an amount keeps its currency, a new one is in US dollars."""


class AddressPut(TypedDict, total=False):
    """An object inside a body."""

    name: str
    """The company or person at this address."""
    country: str
    """Two letters, such as US."""
    street_line_1: str | None
    """Street and number."""
    street_line_2: str | None
    """A second line, such as a suite or a floor."""
    locality: str | None
    """The city."""
    state: str | None
    """The state, as it is written on a letter."""
    postal_code: str | None
    """The postal code."""
    phone: str | None
    """A phone number."""
    email: str | None
    """An email address."""
    type: AddressType
    """What kind of place it is. Default: `standard`."""


class CustomersFilters(TypedDict, total=False):
    """What `GET /v1/sales/customers` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""
    customer_group_ids: Sequence[str]
    """Only customers whose type group (`type`) is one of these."""
    pricing_group_ids: Sequence[str]
    """Only customers that belong to any of these pricing groups."""
    sales_rep_ids: Sequence[str]
    """Only customers with one of these default sales reps (account user ids)."""
    status_codes: Sequence[CustomerStatus]
    """Only customers with one of these account statuses."""
    shipping_term_ids: Sequence[str]
    """Only customers with one of these default shipping terms."""
    payment_term_ids: Sequence[str]
    """Only customers with one of these default payment terms."""
    commission_status_codes: Sequence[CommissionPolicy]
    """Only customers whose own commission policy is one of these; what a group adds doesn't count."""
    freight_status_codes: Sequence[FreightPolicy]
    """Only customers whose own freight policy is one of these; what a group adds doesn't count."""
    carrier_ids: Sequence[str]
    """Only customers with one of these default carriers."""
    service_level_ids: Sequence[str]
    """Only customers with one of these default service levels."""
    parent_account_status: ParentAccountStatus
    """`parent`: only customers with child accounts; `non_parent`: only those without."""
    city: str
    """Only customers with an address whose city is exactly this. `city`, `state` and `postal_code` given together must match one and the same address."""
    state: str
    """Only customers with an address whose state is exactly this. `city`, `state` and `postal_code` given together must match one and the same address."""
    postal_code: str
    """Only customers with an address whose postal code is exactly this. `city`, `state` and `postal_code` given together must match one and the same address. `q` finds it with its blanks or without."""
    start_date: datetime | str
    """Only what was created at this time or later. `starts_at` is the same."""
    end_date: datetime | str
    """Only what was created at this time or earlier. `ends_at` is the same."""


class CustomerCreate(TypedDict, total=False):
    """The fields of `POST /v1/sales/customers`."""

    name: Required[str]
    """What the customer is called."""
    customer_type_group_id: Required[str]
    """The customer's type: a group whose type is `type_group`."""
    default_carrier_id: Required[str]
    """Who brings the goods."""
    default_payment_term_id: Required[str]
    """When invoices fall due."""
    default_shipping_term_id: Required[str]
    """Who pays the freight."""
    bill_to_address: Required[AddressInput]
    """Where invoices go."""
    ship_to_address: Required[AddressInput]
    """Where goods go."""
    number: str
    """Unique in the account, in capitals or not. Default: the next number in sequence."""
    status: CustomerStatus
    """The account status. Default: `normal`."""
    edi_status: EdiStatus
    """Whether the customer exchanges data (EDI). Default: `disabled`."""
    commission_policy: CommissionPolicy
    """The customer's own policy. Default: `commission_exempt`."""
    freight_policy: FreightPolicy
    """The customer's own policy. Default: `billed_freight`."""
    note: str | None
    """A note, in one or several lines."""
    email: str | None
    """An email address."""
    phone: str | None
    """A phone number."""
    url: str | None
    """A web address."""
    credit_limit: QuantityInput | None
    """The most that the customer may owe."""
    customer_price_group_ids: Sequence[str]
    """Groups whose type is `pricing_group`. The list replaces all of them."""
    parent_account_id: str | None
    """The customer whose child account this is. An addition of this project."""
    default_service_level_id: str | None
    """A service level of the default carrier."""
    carrier_billing_type: BillingType | None
    """Whom the carrier bills."""
    carrier_billing_account: str | None
    """The account that the carrier bills."""
    default_priority: PriorityCode | None
    """How urgent orders are. Default: `normal`."""
    default_sales_rep_id: str | None
    """An account user."""
    accepts_invoice_emails: bool
    """Whether invoices go out by email. An addition of this project. Default: `false`."""
    external_ids: dict[str, str | None] | None
    """The customer's ids in other systems, by their names. Each is unique for its name. What is not named stays; null takes one away, or all of them. An addition of this project."""


class CustomerUpdate(TypedDict, total=False):
    """The fields of `PATCH /v1/sales/customers/{id}`."""

    name: str
    """What the customer is called."""
    customer_type_group_id: str
    """The customer's type: a group whose type is `type_group`."""
    default_carrier_id: str
    """Who brings the goods."""
    default_payment_term_id: str
    """When invoices fall due."""
    default_shipping_term_id: str
    """Who pays the freight."""
    bill_to_address_id: str
    """Where invoices go: an address of the account."""
    ship_to_address_id: str
    """Where goods go; both may be the same address."""
    number: str
    """Unique in the account, in capitals or not. Default: the next number in sequence."""
    status: CustomerStatus
    """The account status. Default: `normal`."""
    edi_status: EdiStatus
    """Whether the customer exchanges data (EDI). Default: `disabled`."""
    commission_policy: CommissionPolicy
    """The customer's own policy. Default: `commission_exempt`."""
    freight_policy: FreightPolicy
    """The customer's own policy. Default: `billed_freight`."""
    note: str | None
    """A note, in one or several lines."""
    email: str | None
    """An email address."""
    phone: str | None
    """A phone number."""
    url: str | None
    """A web address."""
    credit_limit: QuantityInput | None
    """The most that the customer may owe."""
    customer_price_group_ids: Sequence[str]
    """Groups whose type is `pricing_group`. The list replaces all of them."""
    parent_account_id: str | None
    """The customer whose child account this is. An addition of this project."""
    default_service_level_id: str | None
    """A service level of the default carrier."""
    carrier_billing_type: BillingType | None
    """Whom the carrier bills."""
    carrier_billing_account: str | None
    """The account that the carrier bills."""
    default_priority: PriorityCode | None
    """How urgent orders are. Default: `normal`."""
    default_sales_rep_id: str | None
    """An account user."""
    accepts_invoice_emails: bool
    """Whether invoices go out by email. An addition of this project. Default: `false`."""
    external_ids: dict[str, str | None] | None
    """The customer's ids in other systems, by their names. Each is unique for its name. What is not named stays; null takes one away, or all of them. An addition of this project."""


class CustomersDeleteOptions(TypedDict, total=False):
    """What `DELETE /v1/sales/customers/{id}` can be told in the query."""

    addresses: CustomerAddresses
    """What becomes of the customer's addresses. `keep`, the default: they stay, as they belong to the account. `delete`: those that serve no other customer go with it; this needs `addresses:delete` too."""


class CustomerPut(TypedDict, total=False):
    """The fields of `PUT /v1/sales/customers/by-number/{number}`."""

    name: str
    """What the customer is called."""
    customer_type_group_id: str
    """The customer's type: a group whose type is `type_group`."""
    default_carrier_id: str
    """Who brings the goods."""
    default_payment_term_id: str
    """When invoices fall due."""
    default_shipping_term_id: str
    """Who pays the freight."""
    bill_to_address: AddressPut
    """Where invoices go."""
    ship_to_address: AddressPut
    """Where goods go."""
    number: str
    """Unique in the account, in capitals or not. Default: the next number in sequence."""
    status: CustomerStatus
    """The account status. Default: `normal`."""
    edi_status: EdiStatus
    """Whether the customer exchanges data (EDI). Default: `disabled`."""
    commission_policy: CommissionPolicy
    """The customer's own policy. Default: `commission_exempt`."""
    freight_policy: FreightPolicy
    """The customer's own policy. Default: `billed_freight`."""
    note: str | None
    """A note, in one or several lines."""
    email: str | None
    """An email address."""
    phone: str | None
    """A phone number."""
    url: str | None
    """A web address."""
    credit_limit: QuantityInput | None
    """The most that the customer may owe."""
    customer_price_group_ids: Sequence[str]
    """Groups whose type is `pricing_group`. The list replaces all of them."""
    parent_account_id: str | None
    """The customer whose child account this is. An addition of this project."""
    default_service_level_id: str | None
    """A service level of the default carrier."""
    carrier_billing_type: BillingType | None
    """Whom the carrier bills."""
    carrier_billing_account: str | None
    """The account that the carrier bills."""
    default_priority: PriorityCode | None
    """How urgent orders are. Default: `normal`."""
    default_sales_rep_id: str | None
    """An account user."""
    accepts_invoice_emails: bool
    """Whether invoices go out by email. An addition of this project. Default: `false`."""
    external_ids: dict[str, str | None] | None
    """The customer's ids in other systems, by their names. Each is unique for its name. What is not named stays; null takes one away, or all of them. An addition of this project."""


class CustomerMerge(TypedDict):
    """The fields of `POST /v1/sales/customers/{id}/actions/merge`."""

    source_customer_ids: Sequence[str]
    """The customers to merge into this one. They are deleted."""


class CustomersChildAccountsFilters(TypedDict, total=False):
    """What `GET /v1/sales/customers/{id}/child_accounts` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""


class CustomersPriceGroupsFilters(TypedDict, total=False):
    """What `GET /v1/sales/customers/{id}/price_groups` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""


class AccountGroupsFilters(TypedDict, total=False):
    """What `GET /v1/sales/account-groups` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""
    type: AccountGroupType
    """Only groups of this kind."""


class AccountGroupCreate(TypedDict, total=False):
    """The fields of `POST /v1/sales/account-groups`."""

    name: Required[str]
    """What it is called; no two groups share a name, in capitals or not."""
    type: Required[AccountGroupType]
    """Which kind of group it is. It can't be changed later."""
    description: str | None
    """What the group is for."""
    commission_policy: CommissionPolicy
    """Whether commission is due on sales to its customers. Default: `commission_exempt`."""
    freight_policy: FreightPolicy
    """Whether freight is billed to its customers. Default: `billed_freight`."""


class AccountGroupUpdate(TypedDict, total=False):
    """The fields of `PATCH /v1/sales/account-groups/{id}`."""

    name: str
    """What it is called; no two groups share a name, in capitals or not."""
    type: AccountGroupType
    """Which kind of group it is. It can't be changed later."""
    description: str | None
    """What the group is for."""
    commission_policy: CommissionPolicy
    """Whether commission is due on sales to its customers. Default: `commission_exempt`."""
    freight_policy: FreightPolicy
    """Whether freight is billed to its customers. Default: `billed_freight`."""


class AddressesFilters(TypedDict, total=False):
    """What `GET /v1/sales/addresses` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""
    type: AddressType
    """Only addresses of this type."""
    customer_ids: Sequence[str]
    """Only addresses of one of these customers: bill-to, ship-to or attached."""
    customers: AddressCustomers
    """`none`: only addresses that serve no customer, as bill-to, as ship-to or attached; `some`: only the others."""


class AddressCreate(TypedDict, total=False):
    """The fields of `POST /v1/sales/addresses`."""

    name: Required[str]
    """The company or person at this address."""
    country: Required[str]
    """Two letters, such as US."""
    street_line_1: str | None
    """Street and number."""
    street_line_2: str | None
    """A second line, such as a suite or a floor."""
    locality: str | None
    """The city."""
    state: str | None
    """The state, as it is written on a letter."""
    postal_code: str | None
    """The postal code."""
    phone: str | None
    """A phone number."""
    email: str | None
    """An email address."""
    type: AddressType
    """What kind of place it is. Default: `standard`."""
    customer_ids: Sequence[str]
    """The customers to attach it to, besides those that it bills or ships to. The list replaces all of them. An addition of this project."""


class AddressUpdate(TypedDict, total=False):
    """The fields of `PATCH /v1/sales/addresses/{id}`."""

    name: str
    """The company or person at this address."""
    country: str
    """Two letters, such as US."""
    street_line_1: str | None
    """Street and number."""
    street_line_2: str | None
    """A second line, such as a suite or a floor."""
    locality: str | None
    """The city."""
    state: str | None
    """The state, as it is written on a letter."""
    postal_code: str | None
    """The postal code."""
    phone: str | None
    """A phone number."""
    email: str | None
    """An email address."""
    type: AddressType
    """What kind of place it is. Default: `standard`."""
    customer_ids: Sequence[str]
    """The customers to attach it to, besides those that it bills or ships to. The list replaces all of them. An addition of this project."""


class AddressesCustomersFilters(TypedDict, total=False):
    """What `GET /v1/sales/addresses/{id}/customers` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    relations: Sequence[Relation]
    """Only customers that it is attached to, bills or ships to; default: all of them."""


class PrioritiesFilters(TypedDict, total=False):
    """What `GET /v1/sales/priorities` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""


class AccountStatusesFilters(TypedDict, total=False):
    """What `GET /v1/sales/account-statuses` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""


class CarriersFilters(TypedDict, total=False):
    """What `GET /v1/operations/carriers` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""


class CarrierCreate(TypedDict, total=False):
    """The fields of `POST /v1/operations/carriers`."""

    name: Required[str]
    """What it is called; no two carriers share a name, in capitals or not."""
    code: CarrierCode | None
    """Which of the known carriers it is."""
    account_number: str | None
    """The account's own number with the carrier."""
    customer_portal_visibility: CustomerPortalVisibility
    """Whether customers see it. Default: `visible`."""


class CarrierUpdate(TypedDict, total=False):
    """The fields of `PATCH /v1/operations/carriers/{id}`."""

    name: str
    """What it is called; no two carriers share a name, in capitals or not."""
    code: CarrierCode | None
    """Which of the known carriers it is."""
    account_number: str | None
    """The account's own number with the carrier."""
    customer_portal_visibility: CustomerPortalVisibility
    """Whether customers see it. Default: `visible`."""


class ServiceLevelsFilters(TypedDict, total=False):
    """What `GET /v1/operations/carriers/{carrier_id}/service-levels` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""


class ServiceLevelCreate(TypedDict, total=False):
    """The fields of `POST /v1/operations/carriers/{carrier_id}/service-levels`."""

    name: Required[str]
    """What it is called; unique among the carrier's levels, in capitals or not."""
    service_level_token: str
    """What other systems call it. Default: made from the name."""
    code: str
    """Another name of `service_level_token`, which clients of the published API send."""
    customer_portal_visibility: CustomerPortalVisibility
    """Whether customers see it. Default: `visible`."""
    is_default: bool
    """Whether it is the carrier's default. A new default replaces the old one."""


class ServiceLevelUpdate(TypedDict, total=False):
    """The fields of `PATCH /v1/operations/carriers/{carrier_id}/service-levels/{id}`."""

    name: str
    """What it is called; unique among the carrier's levels, in capitals or not."""
    service_level_token: str
    """What other systems call it. Default: made from the name."""
    code: str
    """Another name of `service_level_token`, which clients of the published API send."""
    customer_portal_visibility: CustomerPortalVisibility
    """Whether customers see it. Default: `visible`."""
    is_default: bool
    """Whether it is the carrier's default. A new default replaces the old one."""


class ShippingTermsFilters(TypedDict, total=False):
    """What `GET /v1/operations/shipping-terms` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""


class ShippingTermCreate(TypedDict, total=False):
    """The fields of `POST /v1/operations/shipping-terms`."""

    name: Required[str]
    """What it is called; no two terms share a name, in capitals or not."""
    type: ShippingTermType
    """Who pays the freight, and how it is calculated. Default: `carrier_rate_freight`."""
    flat_rate: QuantityInput | None
    """What freight costs at a flat rate."""
    minimum_order_value: QuantityInput | None
    """The smallest order value for which the term holds."""
    free_shipping_service_level_ids: Sequence[str]
    """The service levels that are free. The list replaces all of them."""


class ShippingTermUpdate(TypedDict, total=False):
    """The fields of `PATCH /v1/operations/shipping-terms/{id}`."""

    name: str
    """What it is called; no two terms share a name, in capitals or not."""
    type: ShippingTermType
    """Who pays the freight, and how it is calculated. Default: `carrier_rate_freight`."""
    flat_rate: QuantityInput | None
    """What freight costs at a flat rate."""
    minimum_order_value: QuantityInput | None
    """The smallest order value for which the term holds."""
    free_shipping_service_level_ids: Sequence[str]
    """The service levels that are free. The list replaces all of them."""


class ShippingTermsFreeShippingServiceLevelsFilters(TypedDict, total=False):
    """What `GET /v1/operations/shipping-terms/{id}/free_shipping_service_levels` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""


class PaymentTermsFilters(TypedDict, total=False):
    """What `GET /v1/finance/payment-terms` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""


class PaymentTermCreate(TypedDict, total=False):
    """The fields of `POST /v1/finance/payment-terms`."""

    name: Required[str]
    """What it is called; no two terms share a name, in capitals or not."""
    status: PaymentTermStatus
    """Whether the term is offered. Default: `active`."""


class PaymentTermUpdate(TypedDict, total=False):
    """The fields of `PATCH /v1/finance/payment-terms/{id}`."""

    name: str
    """What it is called; no two terms share a name, in capitals or not."""
    status: PaymentTermStatus
    """Whether the term is offered. Default: `active`."""


class AccountUsersFilters(TypedDict, total=False):
    """What `GET /v1/identity/account-users` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""
    removed_scope: RemovedScope
    """Whether users who were removed are listed too. Default: `excluded`."""


class AccountUserCreate(TypedDict, total=False):
    """The fields of `POST /v1/identity/account-users`."""

    email: str | None
    """No two users share an email, in capitals or not."""
    name: str | None
    """The person's name. An email or a name must be given."""
    username: str | None
    """What the person signs in with."""
    image_url: str | None
    """Where a picture of the person is."""


class AccountUserUpdate(TypedDict, total=False):
    """The fields of `PATCH /v1/identity/account-users/{id}`."""

    email: str | None
    """No two users share an email, in capitals or not."""
    name: str | None
    """The person's name. An email or a name must be given."""
    username: str | None
    """What the person signs in with."""
    image_url: str | None
    """Where a picture of the person is."""


class ApiKeysFilters(TypedDict, total=False):
    """What `GET /v1/auth/api-keys` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""
    statuses: Sequence[ApiKeyStatus]
    """Only keys that work, or have expired, or were revoked; a revoked one counts as revoked, expired or not. Default: all."""


class ApiKeyCreate(TypedDict, total=False):
    """The fields of `POST /v1/auth/api-keys`."""

    name: Required[str]
    """What the key is for."""
    permissions: Sequence[Permission]
    """What the key may do: at most what the key that creates it may do. Give these or a `role_id`."""
    role_id: str
    """The role whose permissions the key has. There are no roles yet, so no account has this one: give `permissions`."""
    expires_at: datetime | str | None
    """When the key expires: not later than the key that creates it. Default: the same time."""


class ApiKeyRotate(TypedDict, total=False):
    """The fields of `POST /v1/auth/api-keys/{id}/actions/rotate`."""

    revoke_at: datetime | str
    """When the old key stops working, up to 30 days ahead; a time that is past ends it at once. Default: in one day."""
    grace_seconds: int
    """The same in seconds from now: how long the old key goes on working. Give this or `revoke_at`."""
    expires_at: datetime | str
    """When the new key expires. Default: when the old one would have."""


class UnitsFilters(TypedDict, total=False):
    """What `GET /v1/catalog/units` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    q: str
    """Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of phone numbers don't matter."""
    type: UnitType
    """Only units of this type. There are currencies; the other types have none."""


class ImportsFilters(TypedDict, total=False):
    """What `GET /v1/core/imports` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    states: Sequence[State]
    """Only imports in one of these states."""


class ImportsCreateOptions(TypedDict, total=False):
    """What `POST /v1/core/imports` can be told in the query."""

    encoding: str
    """How the file's text is encoded. Default: recognised, and told."""
    match: str
    """What says which customer a row is about: `number`, `email`, `phone`, `external_ids.NAME`; of several, separated by commas, the first that a row has. Default: what the map says, or `number`."""
    only: Only
    """`create`: a customer that is there already is a problem; `update`: one that is not is. Default: both are good."""
    keep_empty: bool
    """Whether an empty cell leaves what a customer has. Default: it clears that."""
    sheet: str
    """Which sheet of a workbook. Default: the first."""
    map: str
    """The name of a map that ships with Tradebook, such as `shopify`. A map of your own comes beside the file, as the part `map` of a form."""


class ImportsRowsFilters(TypedDict, total=False):
    """What `GET /v1/core/imports/{id}/rows` can be asked for. `limit` is the size of a page, not of the walk."""

    limit: int
    """The most results in one page. Left empty, it counts as absent."""
    outcome: Sequence[Outcome]
    """Only rows with one of these outcomes."""


class ImportsApplyOptions(TypedDict, total=False):
    """What `POST /v1/core/imports/{id}/actions/apply` can be told in the query."""

    rejects: bool
    """Whether the good rows are applied where others have problems. Default: false."""
    yes: bool
    """Whether it is applied in spite of the warnings that ask for it. Default: false."""
