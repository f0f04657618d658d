"""Where customers are kept, and what of them is indexed."""

from typing import Literal, get_args

import sqlalchemy as sa

from tradebook.resources.account_groups import CommissionPolicy, FreightPolicy
from tradebook.resources.account_statuses import CODES, StatusCode
from tradebook.resources.addresses import addresses
from tradebook.resources.priorities import PriorityCode
from tradebook.storage.index import Facet, ListIndex, Source
from tradebook.storage.schema import (
    ACCOUNT,
    any_of,
    choice,
    flag,
    moment,
    prepare,
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

customer_addresses: sa.Table = table(
    "customer_addresses",
    reference("customer_id", "customers"),
    reference("address_id", "addresses"),
    # Copies, so that one link row tells all that the address filters ask for.
    text("locality", nullable=True),
    text("state", nullable=True),
    text("postal_code", nullable=True),
    # Whether it stays attached when it is bill-to and ship-to address no longer.
    flag("is_attached"),
    key=("customer_id", "address_id"),
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

_c, _links, _groups = customers.c, customer_addresses.c, customer_price_groups.c

TYPE = Facet("t", (_c.type_id,))
SALES_REP = Facet("r", (_c.sales_rep_id,))
STATUS = Facet("s", (_c.status,))
SHIPPING_TERM = Facet("h", (_c.shipping_term_id,))
PAYMENT_TERM = Facet("p", (_c.payment_term_id,))
COMMISSION_POLICY = Facet("m", (_c.commission_policy,))
FREIGHT_POLICY = Facet("g", (_c.freight_policy,))
CARRIER = Facet("i", (_c.carrier_id,))
SERVICE_LEVEL = Facet("l", (_c.service_level_id,))
IS_PARENT = Facet("o", (_c.is_parent,))
PRICE_GROUP = Facet("u", (_groups.group_id,))
PLACE = Facet("w", (_links.locality, _links.state, _links.postal_code))

_OWN_FACETS = (
    TYPE,
    SALES_REP,
    STATUS,
    SHIPPING_TERM,
    PAYMENT_TERM,
    COMMISSION_POLICY,
    FREIGHT_POLICY,
    CARRIER,
    SERVICE_LEVEL,
    IS_PARENT,
)
_OWN_TEXTS = (_c.name, _c.number, _c.email, _c.url)
_OWN = (*_OWN_TEXTS, _c.phone, *(facet.columns[0] for facet in _OWN_FACETS))
_OF_ADDRESS = (addresses.c.name, *PLACE.columns)

INDEX = ListIndex(
    table=customers,
    folded=customer_search,
    sources=(
        Source(
            prepare(sa.select(_c.id, *_OWN).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids"))),
            columns=_OWN,
            texts=_OWN_TEXTS,
            phones=(_c.phone,),
            facets=_OWN_FACETS,
        ),
        Source(
            prepare(
                sa.select(_links.customer_id, *_OF_ADDRESS)
                .join_from(
                    customer_addresses,
                    addresses,
                    sa.and_(addresses.c.account_id == ACCOUNT, addresses.c.id == _links.address_id),
                )
                .where(_links.account_id == ACCOUNT, any_of(_links.customer_id, "ids"))
            ),
            columns=_OF_ADDRESS,
            texts=_OF_ADDRESS,
            facets=(PLACE,),
        ),
        Source(
            prepare(
                sa.select(_groups.customer_id, _groups.group_id).where(
                    _groups.account_id == ACCOUNT, any_of(_groups.customer_id, "ids")
                )
            ),
            columns=(_groups.group_id,),
            facets=(PRICE_GROUP,),
        ),
    ),
)
