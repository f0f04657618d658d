"""What of a customer its list can be asked for."""

import sqlalchemy as sa

from tradebook.resources.addresses import addresses
from tradebook.resources.customers.addresses import COPIED, customer_addresses
from tradebook.resources.customers.finished import FINISHED
from tradebook.resources.customers.tables import customer_price_groups, customer_search, customers
from tradebook.storage.index import Facet, ListIndex, Source
from tradebook.storage.schema import ACCOUNT, any_of, prepare

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
PLACE = Facet("w", tuple(_links[name] for name in COPIED))

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
    finished=FINISHED,
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
            codes=(_links.postal_code,),
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
