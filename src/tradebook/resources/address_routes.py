"""The routes of addresses. They show the customers of an address, so this module imports customers."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from heapq import merge
from itertools import groupby, islice
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import structs

from tradebook.clock import now_ms
from tradebook.crud.change import Change
from tradebook.crud.fields import Field, bodies
from tradebook.crud.five_routes import ColumnActs, FiveRoutes
from tradebook.crud.kinds import Id, Many, OneOf
from tradebook.crud.parameters import Parameter, Q
from tradebook.crud.records import Values, differ
from tradebook.crud.resource import (
    Action,
    Asked,
    Gone,
    ListRoute,
    Owner,
    PathObject,
    Resource,
    Route,
    Span,
    View,
    Walk,
)
from tradebook.crud.table_fields import required_first
from tradebook.crud.versions import next_version_of
from tradebook.crud.walks import select_span, walk_of_index, walk_of_owned
from tradebook.errors import CustomerMerged, ResourceNotFound
from tradebook.resources import addresses
from tradebook.resources.addresses import ID_PREFIX, INDEX, TYPE, UNUSED, Address, AddressType
from tradebook.resources.customers import (
    COPIED,
    Customer,
    Pair,
    addresses_of,
    copy_places,
    customer_addresses,
    customers,
    customers_of,
    detach,
    is_linked,
    link,
    links_of,
    load_plain,
    require_customers,
    survivor_of,
)
from tradebook.resources.customers import ID_PREFIX as CUSTOMER_PREFIX
from tradebook.resources.customers import INDEX as CUSTOMER_INDEX
from tradebook.resources.customers import records as customer_records
from tradebook.storage.database import Reader, Writer
from tradebook.storage.index import Facet, Query
from tradebook.storage.index_documents import FIELD_END, Document, documents, forms_of
from tradebook.storage.schema import ACCOUNT, any_of, prepare

Relation = Literal["attached", "bill_to", "ship_to"]

PATH = "/v1/sales/addresses"
PARAM, CUSTOMER_PARAM = "customer_ids", "customer_id"
CANDIDATES_AT_ONCE = 500
INDEXED_AT_ONCE = 100
"""How many customers one statement indexes again: a statement has its time, and they may have much text."""

_links = customer_addresses.c
CUSTOMER = Facet("u", (_links.customer_id,))
_OF_CUSTOMERS = {
    descending: prepare(
        select_span(_links.address_id, _links.address_id, descending=descending)
        .where(any_of(_links.customer_id, "ids"))
        .distinct()
    )
    for descending in (True, False)
}
_all = walk_of_index(INDEX)


def _walk(reader: Reader, asked: Asked) -> list[int]:
    """Walk the index, or the addresses of the given customers; a customer has only a few."""
    query, owner = asked.query, asked.owner_key
    wanted = [value for c in query.conditions if c.facet is CUSTOMER for (value,) in c.values]
    if not wanted and owner is None:
        return _all(reader, asked)
    rest = Query(tuple(c for c in query.conditions if c.facet is not CUSTOMER), query.words)
    candidates = _candidates(reader, wanted if owner is None else [owner], asked.span)
    if owner is not None and wanted and owner not in wanted:
        also = set(addresses_of(reader, wanted))
        candidates = ([key for key in keys if key in also] for keys in candidates)
    found = _matching(reader, rest, candidates)
    return list(islice(found, asked.span.limit))


def _candidates(reader: Reader, wanted: list[int], span: Span) -> Iterable[list[int]]:
    bounds = {**span.bounds, "limit": CANDIDATES_AT_ONCE}
    while True:
        rows = reader.rows(_OF_CUSTOMERS[span.descending], ids=wanted, **bounds)
        keys = [key for (key,) in rows]
        if keys:
            yield keys
        if len(keys) < CANDIDATES_AT_ONCE:
            return
        bounds.update({"below": keys[-1]} if span.descending else {"above": keys[-1] + 1})


def _matching(reader: Reader, query: Query, candidates: Iterable[list[int]]) -> Iterable[int]:
    for keys in candidates:
        if query == Query():
            yield from keys
            continue
        known = documents(INDEX, reader.rows, keys)
        yield from (key for key in keys if key in known and _matches(known[key], query))


def _matches(document: Document, query: Query) -> bool:
    facts = set(document.facts)
    has_facts = all(any((c.facet, value) in facts for value in c.values) for c in query.conditions)
    fields = document.folded.split(FIELD_END)
    return has_facts and all(
        any(form in field for field in fields for form in forms_of(word)) for word in query.words
    )


RELATION = Facet("v", (_links.is_attached,))
_served = walk_of_owned(_links.address_id, _links.customer_id)
_SERVED_AS: dict[Relation, Walk] = {
    # Where an address serves 100,000 and none is attached, this reads them all: 29 ms on SQLite, 12 ms on
    # PostgreSQL. An index of its own would make it 0.1 ms, and every link that is written dearer.
    "attached": walk_of_owned(_links.address_id, _links.customer_id, _links.is_attached == 1),
    "bill_to": walk_of_owned(customers.c.bill_to_address_id, customers.c.id),
    "ship_to": walk_of_owned(customers.c.ship_to_address_id, customers.c.id),
}


def _walk_served(reader: Reader, asked: Asked) -> list[int]:
    """Walk whom an address serves: all, or in some relations, each read no further than a page."""
    if not asked.places:
        return _served(reader, asked)
    walks = [walk for place, walk in enumerate(_SERVED_AS.values()) if place in asked.places]
    found = merge(*(walk(reader, asked) for walk in walks), reverse=asked.span.descending)
    return list(islice((key for key, _ in groupby(found)), asked.span.limit))


def load(view: View, keys: Sequence[int]) -> Mapping[int, Any]:
    """Return finished addresses by key."""
    loaded = addresses.load(view.reader, keys, geolocation=True)
    return {key: loaded[key] for key in keys if key in loaded}


FIELDS = (
    *required_first(addresses.FIELDS),
    Field(
        PARAM,
        Many(Id(CUSTOMER_PREFIX)),
        "The customers to attach it to, besides those that it bills or ships to. The list replaces all "
        "of them. An addition of this project.",
    ),
)
CREATE, UPDATE = bodies("Address", Address, FIELDS, shown=("phone",), shown_new=addresses.SHOWN)
acts = ColumnActs(addresses.records)

# Who replaces the set by an If-Match has seen it as it is, or is refused.
_NEW_VERSION = prepare(
    sa.update(addresses.addresses)
    .where(addresses.addresses.c.account_id == ACCOUNT, addresses.addresses.c.id == sa.bindparam("key"))
    .values(updated_at=next_version_of(addresses.addresses.c.updated_at))
)


def create(change: Change) -> int:
    """Add an address, attached to the customers it is to serve; the one that the request names is one."""
    values, served = _taken_apart(change)
    if change.owner_key is not None:
        served = list(dict.fromkeys([*(served or ()), change.owner_key]))
    row = addresses.new_row(values, is_unused=not served)
    key: int = row["id"]
    addresses.records.insert(change.writer, [row])
    if served:
        link(change.writer, _pairs(served, key), known={}, places={key: row}, is_attached=True)
        _reindex(change.writer, served)
    return key


def update(change: Change) -> int:
    """Change what is given of an address, and with it what its customers are found by."""
    values, served = _taken_apart(change)
    addresses.records.update(change.writer, change.row, values)
    after = {**change.row, **values}
    has_moved = differ(change.row, after, COPIED)
    # Customers don't show the other fields of an address, and there may be very many customers.
    is_found_otherwise = has_moved or after["name"] != change.row["name"]
    known = customers_of(change.writer, change.id) if is_found_otherwise or served is not None else {}
    touched = set(known) if is_found_otherwise else set()
    if has_moved:
        copy_places(change.writer, {change.id: after})
    if served is not None:
        touched |= _serve(change.writer, after, set(served), known)
    _reindex(change.writer, touched)
    return change.id


def _new_version(change: Change, address: int) -> None:
    change.writer.run(_NEW_VERSION, key=address, now=now_ms())
    addresses.FINISHED.renew(change.writer, [address])


def _attach(change: Change) -> int:
    """Attach the address to one customer, if it isn't yet."""
    address, customer = change.path_keys
    known = links_of(change.writer, [customer])
    if not known.get((customer, address)):
        link(change.writer, [(customer, address)], known=known, is_attached=True)
        _new_version(change, address)
        if (customer, address) not in known:
            _reindex(change.writer, [customer])
    return customer


def _detach(change: Change) -> None:
    """Take the address from one customer that it is attached to."""
    address, customer = change.path_keys
    is_attached = links_of(change.writer, [customer]).get((customer, address))
    if not is_attached:
        message = "The address is not attached to this customer."
        if is_attached is not None:
            message += " The customer is billed or shipped to there, which is changed at the customer."
        raise ResourceNotFound(message, param=CUSTOMER_PARAM)
    detach(change.writer, address, [customer])
    _new_version(change, address)
    if address not in (change.row["bill_to_address_id"], change.row["ship_to_address_id"]):
        _reindex(change.writer, [customer])


def _taken_apart(change: Change) -> tuple[Values, list[int] | None]:
    """Separate the address's own fields in a body from the customers to attach it to."""
    served = change.values.get(PARAM)
    if served:
        require_customers(change.writer, served, PARAM)
    return {name: value for name, value in change.values.items() if name != PARAM}, served


def _serve(writer: Writer, address: Values, served: set[int], known: Mapping[int, bool]) -> set[int]:
    """Attach an address to these customers and no others; returns those of whom that changes anything."""
    key: int = address["id"]
    attached = {customer for customer, is_attached in known.items() if is_attached}
    gone, new = attached - served, served - attached
    if new:
        links = {(customer, key): is_attached for customer, is_attached in known.items()}
        link(writer, _pairs(new, key), known=links, places={key: address}, is_attached=True)
    # Behind them: an address that goes from some to others serves somebody all the while.
    if gone:
        detach(writer, key, sorted(gone))
    return gone | new


def _pairs(served: Iterable[int], address: int) -> list[Pair]:
    return [(customer, address) for customer in served]


def _reindex(writer: Writer, touched: Iterable[int]) -> None:
    keys = sorted(touched)
    for start in range(0, len(keys), INDEXED_AT_ONCE):
        writer.reindex(CUSTOMER_INDEX, keys[start : start + INDEXED_AT_ONCE])


_PATH_OBJECT = PathObject("id", ID_PREFIX, addresses.records)
_CUSTOMER = PathObject(
    CUSTOMER_PARAM,
    CUSTOMER_PREFIX,
    customer_records,
    gone=Gone(CustomerMerged, partial(survivor_of, param=CUSTOMER_PARAM)),
)
_OWNER = Owner(
    _CUSTOMER,
    is_linked,
    "The id of a customer. Then only addresses of this customer are there, and a new one is attached to it.",
)
_ROUTES: tuple[Route, ...] = (
    *FiveRoutes(
        path=PATH,
        noun="address",
        nouns="addresses",
        permissions_of="addresses",
        item=Address,
        load=load,
        walk=_walk,
        path_object=_PATH_OBJECT,
        parameters=(
            Q,
            Parameter("type", OneOf(AddressType), "Only addresses of this type.", TYPE),
            Parameter(
                "customer_ids[]",
                Id(CUSTOMER_PREFIX),
                "Only addresses of one of these customers: bill-to, ship-to or attached.",
                CUSTOMER,
            ),
            # The order of the words is that of the flag: 0 serves somebody, 1 serves nobody.
            Parameter(
                "customers",
                OneOf(Literal["some", "none"]),
                "`none`: only addresses that serve no customer, as bill-to, as ship-to or attached; `some`: "
                "only the others.",
                UNUSED,
                example="none",
            ),
        ),
        bodies=(CREATE, UPDATE),
        create=create,
        update=update,
        delete=acts.delete,
    ).routes(),
    ListRoute(
        path=f"{PATH}/{{id}}/customers",
        summary="List the customers that use an address",
        permissions=("customers:read",),
        item=Customer,
        walk=_walk_served,
        load=load_plain,
        parameters=(
            Parameter(
                "relations[]",
                OneOf(Relation),
                "Only customers that it is attached to, bills or ships to; default: all of them.",
                RELATION,
            ),
        ),
        path_objects=(_PATH_OBJECT,),
    ),
    Action(
        method="PUT",
        path=f"{PATH}/{{id}}/customers/{{{CUSTOMER_PARAM}}}",
        summary="Attach an address to a customer, and leave it attached to the others",
        permissions=("addresses:update", "customers:read"),
        act=_attach,
        item=Customer,
        load=load_plain,
        path_objects=(_PATH_OBJECT, _CUSTOMER),
    ),
    Action(
        method="DELETE",
        path=f"{PATH}/{{id}}/customers/{{{CUSTOMER_PARAM}}}",
        summary="Detach an address from a customer; whom it bills or ships to it goes on serving",
        permissions=("addresses:update",),
        act=_detach,
        path_objects=(_PATH_OBJECT, _CUSTOMER),
        # The link is deleted, which is no object with an id: neither the customer nor the address is.
        deletes="customer_address",
    ),
)
resource = Resource(
    name="address",
    id_prefix=ID_PREFIX,
    shape=Address,
    routes=tuple(structs.replace(route, owner=_OWNER) for route in _ROUTES),
)
