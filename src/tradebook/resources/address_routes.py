"""The routes of addresses. An address knows whom it serves, so they stand above customers."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa

from tradebook.crud.change import Change
from tradebook.crud.fields import Field, Many, bodies
from tradebook.crud.five_routes import ColumnActs, FiveRoutes
from tradebook.crud.parameters import Id, OneOf, Parameter, Q
from tradebook.crud.records import Values
from tradebook.crud.resource import ListRoute, PathObject, Resource, Span, View
from tradebook.crud.walks import select_span, walk_of_index, walk_of_owned
from tradebook.resources import addresses
from tradebook.resources.addresses import FIELDS, ID_PREFIX, INDEX, TYPE, Address, AddressType
from tradebook.resources.customers.changes import require_customers
from tradebook.resources.customers.links import COPIED, link
from tradebook.resources.customers.load import load_plain
from tradebook.resources.customers.shape import ID_PREFIX as CUSTOMER_PREFIX
from tradebook.resources.customers.shape import Customer
from tradebook.resources.customers.tables import INDEX as CUSTOMER_INDEX
from tradebook.resources.customers.tables import customer_addresses, customers
from tradebook.storage.database import Reader
from tradebook.storage.index import Facet, Query
from tradebook.storage.index_documents import FIELD_END, Document, documents, forms_of
from tradebook.storage.schema import ACCOUNT, any_of, prepare

PARAM = "customer_ids"
CANDIDATES_AT_ONCE = 500
REINDEXED_AT_ONCE = 1_000

_links, _c = customer_addresses.c, customers.c
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


def _walk(reader: Reader, owner: int | None, query: Query, span: Span) -> list[int]:
    """Walk the index, or the addresses of some customers, of which none has many."""
    wanted = [value for c in query.conditions if c.facet is CUSTOMER for (value,) in c.values]
    if not wanted:
        return _all(reader, owner, query, span)
    rest = Query(tuple(c for c in query.conditions if c.facet is not CUSTOMER), query.words)
    found = _matching(reader, rest, _candidates(reader, wanted, span))
    return list(islice(found, span.limit))


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


def _load(view: View, keys: Sequence[int]) -> Mapping[int, Any]:
    loaded = addresses.load(view.reader, keys, geolocation=True)
    return {key: loaded[key] for key in keys if key in loaded}


_COPY = prepare(
    sa.update(customer_addresses)
    .where(_links.account_id == ACCOUNT, _links.address_id == sa.bindparam("address"))
    .values(**{name: sa.bindparam(name) for name in COPIED})
)
_SERVED = prepare(
    sa.select(_links.customer_id).where(
        _links.account_id == ACCOUNT, _links.address_id == sa.bindparam("address")
    )
)
_DETACH = prepare(
    sa.update(customer_addresses)
    .where(_links.account_id == ACCOUNT, _links.address_id == sa.bindparam("address"))
    .values(is_attached=0)
)
_NEEDED = prepare(
    sa.select(_c.id).where(
        _c.account_id == ACCOUNT,
        any_of(_c.id, "ids"),
        sa.or_(
            _c.bill_to_address_id == sa.bindparam("address"), _c.ship_to_address_id == sa.bindparam("address")
        ),
    )
)
_UNLINK = prepare(
    sa.delete(customer_addresses).where(
        _links.account_id == ACCOUNT,
        _links.address_id == sa.bindparam("address"),
        any_of(_links.customer_id, "ids"),
    )
)


def _create(change: Change) -> int:
    values, served = _taken_apart(change)
    key = addresses.records.add(change, values)
    if served:
        _attach(change, key, served)
        _reindex(change, served)
    return key


def _update(change: Change) -> int:
    before = change.row
    values, served = _taken_apart(change)
    addresses.records.update(change, before, values)
    after = {**before, **values}
    touched: set[int] = set()
    # What else an address says is none of its customers' business, and they may be very many.
    if any(after[name] != before[name] for name in ("name", *COPIED)):
        change.writer.run(_COPY, address=change.id, **{name: after[name] for name in COPIED})
        touched |= _served(change)
    if served is not None:
        touched |= _served(change) | set(served)
        _serve(change, served)
    _reindex(change, touched)
    return change.id


def _served(change: Change) -> set[int]:
    return {customer for (customer,) in change.writer.rows(_SERVED, address=change.id)}


def _taken_apart(change: Change) -> tuple[Values, list[int] | None]:
    """Tell what a body says of the address from whom it is to serve."""
    served = change.values.get(PARAM)
    if served:
        require_customers(change.writer, served, PARAM)
    return {name: value for name, value in change.values.items() if name != PARAM}, served


def _serve(change: Change, served: list[int]) -> None:
    """Attach the address to these customers and no others; those it bills or ships to keep it."""
    others = _served(change) - set(served)
    change.writer.run(_DETACH, address=change.id)
    needed = {key for (key,) in change.writer.rows(_NEEDED, address=change.id, ids=sorted(others))}
    change.writer.run(_UNLINK, address=change.id, ids=sorted(others - needed))
    _attach(change, change.id, served)


def _attach(change: Change, address: int, served: Iterable[int]) -> None:
    for customer in served:
        link(change, customer, [address], is_attached=True)


def _reindex(change: Change, touched: Iterable[int]) -> None:
    keys = sorted(touched)
    for start in range(0, len(keys), REINDEXED_AT_ONCE):
        change.writer.reindex(CUSTOMER_INDEX, keys[start : start + REINDEXED_AT_ONCE])


CREATE, UPDATE = bodies(
    "Address",
    Address,
    (
        *FIELDS,
        Field(
            PARAM,
            Many(Id(CUSTOMER_PREFIX)),
            "The customers it is attached to, besides those it bills or ships to; replaced as a set. An "
            "addition of this project.",
        ),
    ),
)

PATH = "/v1/sales/addresses"
_PATH_OBJECT = PathObject("id", ID_PREFIX, addresses.records)
_standard = FiveRoutes(
    path=PATH,
    noun="address",
    nouns="addresses",
    permissions="addresses",
    item=Address,
    load=_load,
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
    ),
    create=CREATE,
    update=UPDATE,
    creating=_create,
    changing=_update,
    deleting=ColumnActs(addresses.records).delete,
)

resource = Resource(
    name="address",
    id_prefix=ID_PREFIX,
    shape=Address,
    routes=(
        *_standard.routes(),
        ListRoute(
            path=f"{PATH}/{{id}}/customers",
            summary="List the customers that an address serves",
            permission="customers:read",
            item=Customer,
            walk=walk_of_owned(_links.address_id, _links.customer_id),
            load=load_plain,
            path_objects=(_PATH_OBJECT,),
        ),
    ),
)
