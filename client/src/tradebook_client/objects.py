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
    FreightPolicy,
    Only,
    Outcome,
    PaymentTermStatus,
    PriorityCode,
    RelationshipType,
    ShippingTermType,
    State,
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
    """What the customer is called."""
    number: str = ABSENT
    """The number that people know the customer by; unique in the account."""
    status: "CustomerStatus" = ABSENT
    """How the customer's orders are treated."""
    edi_status: "EdiStatus" = ABSENT
    """Whether the customer exchanges data (EDI)."""
    relationship_type: "RelationshipType" = ABSENT
    """Whether the customer has child accounts, is one, or neither."""
    commission_policy: "CommissionPolicy" = ABSENT
    """The customer's own commission policy; what a group adds doesn't count."""
    note: str | None = None
    """A note, in one or several lines."""
    credit_limit: "Quantity | None" = None
    """The most that the customer may owe."""
    contact_info: "CustomerContactInfo | None" = None
    """How to reach the customer."""
    freight_preferences: "CustomerFreightPreferences | None" = None
    """How goods are sent, and who pays for it."""
    defaults: "CustomerDefaults | None" = None
    """What an order of this customer starts with."""
    notification_preferences: "CustomerNotificationPreferences | None" = None
    """Which messages the customer wants."""
    bill_to_address: "Address | None" = None
    """Where invoices go."""
    ship_to_address: "Address | None" = None
    """Where goods go."""
    type: "AccountGroup | None" = None
    """The one type group of the customer."""
    price_groups: "ListOf[AccountGroup] | None" = None
    """The pricing groups that the customer belongs to: at most 100, the others behind `next_page_url`."""
    parent_account: "Customer | None" = None
    """The customer whose child account this is; null if it is none."""
    child_accounts: "ListOf[Customer] | None" = None
    """The child accounts: at most 100, the others behind `next_page_url`; null if there are none."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""
    external_ids: "dict[str, str] | None" = None
    """The customer's ids in other systems, by their names. The key is there only where it is included."""


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """An exact amount."""

    id: str
    """The id, such as `qty_2t17adc000000`."""
    object: str
    """What kind of object this is."""
    value: str = ABSENT
    """The amount as an exact decimal, such as `1234.56`."""
    display_value: str = ABSENT
    """The amount as people read it, such as `$1,234.56`."""
    unit: "Unit | None" = None
    """What it counts."""


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """What a quantity counts: a currency."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    """What it is called, such as `US Dollar`."""
    abbreviation: str = ABSENT
    """The code of ISO 4217, such as `USD`."""
    type: str = ABSENT
    """What kind of unit it is."""
    ratio_numerator: str = ABSENT
    """Always `1`: no currency is turned into another."""
    ratio_denominator: str = ABSENT
    """Always `1`."""
    offset_numerator: str = ABSENT
    """Always `0`."""
    offset_denominator: str = ABSENT
    """Always `1`."""
    is_base_unit: bool = ABSENT
    """Always true: each currency is its own base."""
    owner: Any = None
    """Always null in this version."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""
    code: str = ABSENT
    """The code of ISO 4217, such as `USD`. An addition of this project."""
    symbol: str = ABSENT
    """How amounts are marked, such as `$`. An addition of this project."""


class CustomerContactInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Email, phone and web address of a customer."""

    object: str
    """What kind of object this is."""
    email: str | None = None
    """The email address, such as `orders@harbor-coffee.example`."""
    phone: str | None = None
    """The phone number as it was given, such as `+1 207 555 0142`."""
    url: str | None = None
    """The web address, such as `https://www.harbor-coffee.example`."""


class CustomerFreightPreferences(msgspec.Struct, frozen=True, kw_only=True):
    """How goods are sent to the customer, and who pays for it."""

    object: str
    """What kind of object this is."""
    status: "FreightPolicy" = ABSENT
    """The customer's own freight policy; what a group adds doesn't count."""
    carrier: "Carrier | None" = None
    """The default carrier."""
    service_level: "ServiceLevel | None" = None
    """The default service level, one of that carrier."""
    billing_type: "BillingType | None" = None
    """Whom the carrier bills."""
    billing_account: str | None = None
    """The account that the carrier bills, such as `00417733`."""


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """Who brings the goods."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    """What it is called; no two carriers share a name, in capitals or not."""
    code: "CarrierCode | None" = None
    """Which of the known carriers it is."""
    account_number: str | None = None
    """The account's own number with the carrier."""
    customer_portal_visibility: "CustomerPortalVisibility" = ABSENT
    """Whether customers see it."""
    owner: Any = None
    """Always null in this version."""
    service_levels: "ListOf[ServiceLevel] | None" = None
    """What it offers: at most 100, the others behind `next_page_url`."""
    deleted_at: datetime | None = None
    """When it was deleted; customers that have it keep it."""
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
    """What it is called; unique among the carrier's levels, in capitals or not."""
    service_level_token: str = ABSENT
    """What other systems call it."""
    customer_portal_visibility: "CustomerPortalVisibility" = ABSENT
    """Whether customers see it."""
    is_default: bool = ABSENT
    """Whether it is the carrier's default."""
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
    """When invoices fall due."""
    shipping_term: "ShippingTerm | None" = None
    """Who pays the freight."""
    priority: "Priority | None" = None
    """How urgent orders are."""
    sales_rep: "AccountUser | None" = None
    """The account user who looks after the customer."""


class PaymentTerm(msgspec.Struct, frozen=True, kw_only=True):
    """When an invoice falls due."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    """What it is called; no two terms share a name, in capitals or not."""
    status: "PaymentTermStatus" = ABSENT
    """Whether the term is offered."""
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
    """What it is called; no two terms share a name, in capitals or not."""
    type: "ShippingTermType" = ABSENT
    """Who pays the freight, and how it is calculated."""
    owner: Any = None
    """Always null in this version."""
    flat_rate: "Quantity | None" = None
    """What freight costs at a flat rate."""
    minimum_order_value: "Quantity | None" = None
    """The smallest order value for which the term holds."""
    free_shipping_service_levels: "ListOf[ServiceLevel] | None" = None
    """The service levels that are free: at most 100, the others behind `next_page_url`."""
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
    """How a customer names it."""
    name: str = ABSENT
    """What it is called, such as `Normal`."""
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
    """The person."""
    object: str
    """What kind of object this is."""
    status: "AccountUserStatus" = ABSENT
    """Whether the person can sign in."""
    role: Any = None
    """Always null in this version."""
    department: Any = None
    """Always null in this version."""
    last_used_at: datetime | None = None
    """When the person was last active."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """The person behind an account user. Both ids are made of the same key."""

    id: str
    """The id, such as `us_2t17adc000000`."""
    object: str
    """What kind of object this is."""
    email: str | None = None
    """Unique in the account, such as `elin.berg@tradebook.example`."""
    name: str | None = None
    """The person's name, such as `Elin Berg`."""
    username: str | None = None
    """What the person signs in with, such as `elin`."""
    email_verified_at: datetime | None = None
    """When the email address was verified."""
    image_url: str | None = None
    """A picture of the person, such as `https://www.tradebook.example/elin.png`."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class CustomerNotificationPreferences(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages the customer wants."""

    object: str
    """What kind of object this is."""
    accepts_invoice_emails: bool = ABSENT
    """Whether invoices go out by email."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    """The company or person at this address."""
    phone: str | None = None
    """The phone number, as it was given."""
    email: str | None = None
    """The email address."""
    type: "AddressType" = ABSENT
    """What kind of place it is."""
    geolocation: "Geolocation | None" = None
    """Where it is."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class Geolocation(msgspec.Struct, frozen=True, kw_only=True):
    """Where an address is. Its id is made of the same key as the address's."""

    id: str
    """The id, such as `geo_2t17adc000000`."""
    object: str
    """What kind of object this is."""
    street_line_1: str | None = None
    """Street and number, such as `12 Pier Road`."""
    street_line_2: str | None = None
    """A second line, such as `Suite 4`."""
    locality: str | None = None
    """The city, such as `Portland`."""
    state: str | None = None
    """The state as it is written on a letter, such as `ME`."""
    postal_code: str | None = None
    """The postal code, such as `04101`."""
    country: str = ABSENT
    """Two letters, such as `US`."""


class AccountGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of customers: a customer has one type group and any number of pricing groups."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    """What it is called; no two groups share a name, in capitals or not."""
    description: str | None = None
    """What the group is for."""
    commission_policy: "CommissionPolicy" = ABSENT
    """Whether commission is due on sales to its customers."""
    freight_policy: "FreightPolicy" = ABSENT
    """Whether freight is billed to its customers."""
    type: "AccountGroupType" = ABSENT
    """Whether it is a type of customers or sets prices."""
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
    """How a customer names it."""
    name: str = ABSENT
    """What it is called, such as `Hold shipment`."""
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
    name: str = ABSENT
    """What the key is for."""
    redacted_value: str = ABSENT
    """What can be told of the secret, such as `tb_sk_prod_****1a2b`."""
    role: Any = None
    """Always null in this version."""
    permissions: "list[str]" = ABSENT
    """What the key may do."""
    expires_at: datetime | None = None
    """When the key expires; null if it doesn't."""
    revoked_at: datetime | None = None
    """When the key was revoked, or will be, as it was rotated."""
    last_used_at: datetime | None = None
    """When the key was last used, to within five minutes."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is brought in: first planned, then applied."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    state: "State" = ABSENT
    """`planning` and `applying` go on by themselves. A plan waits seven days as `planned`."""
    file_name: str | None = None
    """What the file is called, such as `customers.csv`; null where that was not said."""
    options: "ImportOptions" = ABSENT
    """How the file was asked to be read and matched."""
    progress: "ImportProgress" = ABSENT
    """How far it has come."""
    summary: "ImportSummary | None" = None
    """What it would do, or did; null until it is planned."""
    error: str | None = None
    """Why it has failed, such as `The file is empty.`; null where it has not."""
    expires_at: datetime | None = None
    """When the plan ends if it is not applied, and its rows go, such as `2026-02-07T09:30:00Z`."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the file was asked to be read and matched."""

    encoding: str | None = None
    """How its text is encoded, such as `cp1252`; null where that is to be recognised."""
    match: "list[str] | None" = None
    """What says which customer a row is about; null for what the map says, or the number."""
    only: "Only | None" = None
    """Whether it may only create, or only update; null for both."""
    keep_empty: bool = ABSENT
    """Whether an empty cell leaves what a customer has."""
    sheet: str | None = None
    """Which sheet of a workbook, such as `Customers`; null for the first."""
    map: str | None = None
    """The map that ships with Tradebook, such as `shopify`; `own` for one that came with the file."""


class ImportProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far it has come."""

    rows: int = ABSENT
    """How many rows were read, or written since it is applied."""
    total: "int | None" = None
    """Of how many; null while that is not known."""


class ImportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would do, or did. `rows` is the sum of the six numbers behind it."""

    rows: int = ABSENT
    """The rows of the file, without empty lines."""
    created: int = ABSENT
    """How many are new customers."""
    updated: int = ABSENT
    """How many change a customer."""
    unchanged: int = ABSENT
    """How many change nothing."""
    skipped: int = ABSENT
    """Rows that a rule of the map leaves out."""
    joined: int = ABSENT
    """Further rows of one customer."""
    faulty: int = ABSENT
    """Rows with a problem."""
    is_kept: bool = ABSENT
    """Whether it was written."""
    problems: int = ABSENT
    """How many problems there are: a row may have several."""
    needs_yes: int = ABSENT
    """How many warnings ask for `yes=true`."""
    problem_list: "list[ImportProblem]" = ABSENT
    """The first 1,000 problems; the rows have all of them, and a note says so."""
    warnings: "list[ImportDoubt]" = ABSENT
    """The first 1,000 warnings; where there are more, a note says so."""
    cleared: Any = None
    """How many values become empty, by column."""
    skipped_by: "list[ImportSkipped]" = ABSENT
    """Which rules leave rows out."""
    made: Any = None
    """What the account lacks, by kind, such as `pricing_groups`: `name`, `line` and `nearest` of each."""
    recognised: "ImportRecognised" = ABSENT
    """What the file turned out to be."""


class ImportProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a row, and where."""

    line: int = ABSENT
    """The line of the file; of a sheet, its row."""
    column: str | None = None
    """The column, such as `email`; null where it is about the row, or a column that only the file has."""
    value: str | None = None
    """What stands there, such as `orders@`; null where nothing does."""
    reason: str = ABSENT
    """What is wrong, for people, such as `must be an e-mail address`."""
    heading: str | None = None
    """What the file calls the column, such as `E-Mail`, where that is another name."""


class ImportDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """What looks wrong with a row, and may be meant."""

    line: int = ABSENT
    """The line of the file; of a sheet, its row."""
    column: str | None = None
    """The column, such as `number`; null where it is about the row."""
    value: str | None = None
    """What stands there, such as `417`; null where nothing does."""
    reason: str = ABSENT
    """What looks wrong, for people, such as `differs from 00417 by leading zeros alone`."""
    customer: "ImportResembled | None" = None
    """The customer that it resembles."""
    needs_yes: bool = ABSENT
    """Whether the import is applied only with `yes=true`."""


class ImportResembled(msgspec.Struct, frozen=True, kw_only=True):
    """The customer that a row resembles."""

    id: str | None = None
    """Its id, such as `ac_2t17adc000000`; null where it stands in the file alone."""
    number: str | None = None
    """Its number, such as `00417`; null where it has none yet."""


class ImportSkipped(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows a rule of the map leaves out."""

    column: str = ABSENT
    """The heading of the file, such as `Type`."""
    is_: str = ABSENT
    """The word of the rule, such as `Supplier`."""
    rows: int = ABSENT
    """How many rows it leaves out."""


class ImportRecognised(msgspec.Struct, frozen=True, kw_only=True):
    """What the file turned out to be."""

    encoding: str | None = None
    """How its text is encoded, such as `UTF-8`."""
    separator: str | None = None
    """What stands between its cells, such as `;`."""
    header: "int | None" = None
    """The line of the headings."""
    left_out: "list[str]" = ABSENT
    """What is not read, such as columns without a name."""
    samples: "list[str]" = ABSENT
    """Some values with letters beyond ASCII, to see whether they are right."""
    notes: "list[str]" = ABSENT
    """What else was found, such as lines before the headings."""


class DeletedCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered where something was deleted."""

    id: str = ABSENT
    """The id that it had, such as `ac_2t17adc000000`."""
    object: str = ABSENT
    """What kind of object it was, such as `customer`."""
    deleted: bool = ABSENT
    """Always true."""
    kept_addresses: int = ABSENT
    """How many of its addresses stay in the account."""
    deleted_addresses: int = ABSENT
    """How many were deleted with it: those that serve nobody else, where that was asked for."""


class MergedCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """The customer that remains after a merge, and what was lost by it."""

    id: str
    """The id."""
    object: str
    """What kind of object this is."""
    name: str = ABSENT
    """What the customer is called."""
    number: str = ABSENT
    """The number that people know the customer by; unique in the account."""
    status: "CustomerStatus" = ABSENT
    """How the customer's orders are treated."""
    edi_status: "EdiStatus" = ABSENT
    """Whether the customer exchanges data (EDI)."""
    relationship_type: "RelationshipType" = ABSENT
    """Whether the customer has child accounts, is one, or neither."""
    commission_policy: "CommissionPolicy" = ABSENT
    """The customer's own commission policy; what a group adds doesn't count."""
    note: str | None = None
    """A note, in one or several lines."""
    credit_limit: "Quantity | None" = None
    """The most that the customer may owe."""
    contact_info: "CustomerContactInfo | None" = None
    """How to reach the customer."""
    freight_preferences: "CustomerFreightPreferences | None" = None
    """How goods are sent, and who pays for it."""
    defaults: "CustomerDefaults | None" = None
    """What an order of this customer starts with."""
    notification_preferences: "CustomerNotificationPreferences | None" = None
    """Which messages the customer wants."""
    bill_to_address: "Address | None" = None
    """Where invoices go."""
    ship_to_address: "Address | None" = None
    """Where goods go."""
    type: "AccountGroup | None" = None
    """The one type group of the customer."""
    price_groups: "ListOf[AccountGroup] | None" = None
    """The pricing groups that the customer belongs to: at most 100, the others behind `next_page_url`."""
    parent_account: "Customer | None" = None
    """The customer whose child account this is; null if it is none."""
    child_accounts: "ListOf[Customer] | None" = None
    """The child accounts: at most 100, the others behind `next_page_url`; null if there are none."""
    created_at: datetime = ABSENT
    """When it was created."""
    updated_at: datetime = ABSENT
    """When it was last changed."""
    external_ids: "dict[str, str] | None" = None
    """The customer's ids in other systems, by their names. The key is there only where it is included."""
    losses: "list[MergeLoss]" = ABSENT
    """The values of sources that were lost, because the customer has others."""
    left_out: "LossesLeftOut" = ABSENT
    """How many entries of the list had no room."""


class MergeLoss(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a source that is lost, because the customer that remains has another one."""

    customer_id: str = ABSENT
    """The source that has the value, such as `ac_2t17adc000002`."""
    field: str = ABSENT
    """The field as a body calls it, such as `note`."""
    lost: Any = None
    """The value that is lost."""
    kept: Any = None
    """The value that stays."""


class LossesLeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """How many losses of a merge are not told, because they had no room."""

    losses: int = ABSENT
    """How many losses are not listed."""


class CustomerMergePreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge would do; nothing was done."""

    object: str
    """What kind of object this is."""
    customer_id: str = ABSENT
    """The customer that would stay, such as `ac_2t17adc000000`."""
    source_customer_ids: "list[str]" = ABSENT
    """The customers that would be merged into it, such as `ac_2t17adc000002`."""
    moved_address_ids: "list[str]" = ABSENT
    """The addresses that it would get, such as `ad_2t17adc000000`."""
    moved_price_group_ids: "list[str]" = ABSENT
    """The price groups that it would get, such as `acgr_2t17adc000002`."""
    moved_child_account_ids: "list[str]" = ABSENT
    """The child accounts that it would get, such as `ac_2t17adc000003`."""
    losses: "list[MergeLoss]" = ABSENT
    """The values that would be lost."""
    left_out: "MergeLeftOut" = ABSENT
    """How many entries of each list had no room."""


class MergeLeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """How much of each list of a preview is not shown, because it had no room."""

    moved_address_ids: int = ABSENT
    """How many ids of addresses are not listed."""
    moved_price_group_ids: int = ABSENT
    """How many ids of price groups are not listed."""
    moved_child_account_ids: int = ABSENT
    """How many ids of child accounts are not listed."""
    losses: int = ABSENT
    """How many losses are not listed."""


class ImportRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one row of the file does."""

    line: int = ABSENT
    """The line of the file; of a sheet, its row."""
    outcome: "Outcome" = ABSENT
    """What becomes of it; `joined` is a further row of one customer."""
    customer: "ImportCustomer | None" = None
    """The customer that it is about; null where it is about none."""
    changes: Any = None
    """What changes, by column: the old value and the new one."""
    problems: "list[ImportProblem]" = ABSENT
    """What is wrong with it."""


class ImportCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """The customer that a row is about."""

    id: str | None = None
    """Its id, such as `ac_2t17adc000000`; null where it would be a new one."""
    number: str | None = None
    """Its number, such as `10001`; null where it would get the next one."""
    name: str | None = None
    """Its name, such as `Harbor Coffee`."""
