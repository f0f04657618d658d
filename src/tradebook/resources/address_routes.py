"""The routes of addresses. An address knows whom it serves, so they stand above customers."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from tradebook.crud.change import Change
from tradebook.crud.fields import Field, Many, bodies
from tradebook.crud.five_routes import ColumnActs, FiveRoutes
from tradebook.crud.parameters import Id, OneOf, Parameter, Q
from tradebook.crud.records import Values, differ
from tradebook.crud.resource import ListRoute, PathObject, Resource, Span, View
from tradebook.crud.walks import select_span, walk_of_index, walk_of_owned
from tradebook.resources import addresses
from tradebook.resources.addresses import FIELDS, ID_PREFIX, INDEX, TYPE, Address, AddressType
from tradebook.resources.customers import (
    COPIED,
    Customer,
    Pair,
    copy_places,
    customer_addresses,
    customers_of,
    detach,
    link,
    load_plain,
    require_customers,
)
from tradebook.resources.customers import ID_PREFIX as CUSTOMER_PREFIX
from tradebook.resources.customers import INDEX as CUSTOMER_INDEX
from tradebook.storage.database import Reader, Writer
from tradebook.storage.index import Facet, Query
from tradebook.storage.index_documents import FIELD_END, Document, documents, forms_of
from tradebook.storage.schema import any_of, prepare

PARAM = "customer_ids"
CANDIDATES_AT_ONCE = 500
REINDEXED_AT_ONCE = 1_000

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


def _create(change: Change) -> int:
    values, served = _taken_apart(change)
    row = addresses.records.new_row(values)
    key: int = row["id"]
    addresses.records.insert(change.writer, [row])
    if served:
        link(change.writer, _pairs(served, key), known={}, places={key: row}, is_attached=True)
        _reindex(change.writer, served)
    return key


def _update(change: Change) -> int:
    values, served = _taken_apart(change)
    addresses.records.update(change.writer, change.row, values)
    after = {**change.row, **values}
    has_moved = differ(change.row, after, COPIED)
    # What else an address says is none of its customers' business, and they may be very many.
    is_found_otherwise = has_moved or after["name"] != change.row["name"]
    known = customers_of(change.writer, change.id) if is_found_otherwise or served is not None else {}
    touched = set(known) if is_found_otherwise else set()
    if has_moved:
        copy_places(change.writer, {change.id: after})
    if served is not None:
        touched |= _serve(change.writer, after, set(served), known)
    _reindex(change.writer, touched)
    return change.id


def _taken_apart(change: Change) -> tuple[Values, list[int] | None]:
    """Tell what a body says of the address from whom it is to serve."""
    served = change.values.get(PARAM)
    if served:
        require_customers(change.writer, served, PARAM)
    return {name: value for name, value in change.values.items() if name != PARAM}, served


def _serve(writer: Writer, address: Values, served: set[int], known: Mapping[int, bool]) -> set[int]:
    """Attach an address to these customers and no others; returns those of whom that changes anything."""
    key: int = address["id"]
    attached = {customer for customer, is_attached in known.items() if is_attached}
    gone, new = attached - served, served - attached
    if gone:
        detach(writer, key, sorted(gone))
    if new:
        links = {(customer, key): is_attached for customer, is_attached in known.items()}
        link(writer, _pairs(new, key), known=links, places={key: address}, is_attached=True)
    return gone | new


def _pairs(served: Iterable[int], address: int) -> list[Pair]:
    return [(customer, address) for customer in served]


def _reindex(writer: Writer, touched: Iterable[int]) -> None:
    keys = sorted(touched)
    for start in range(0, len(keys), REINDEXED_AT_ONCE):
        writer.reindex(CUSTOMER_INDEX, keys[start : start + REINDEXED_AT_ONCE])


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
