"""The routes of addresses. An address knows whom it serves, so they stand above customers."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import sqlalchemy as sa

from tradebook.crud.edit import Edit
from tradebook.crud.fields import Field, Many, bodies
from tradebook.crud.parameters import Id, OneOf, Parameter, Q
from tradebook.crud.resource import ListRoute, Owner, Resource, Span, View
from tradebook.crud.rows import Values
from tradebook.crud.standard import Plain, Standard
from tradebook.crud.walks import select_span, walk_of_index, walk_of_owned
from tradebook.resources import addresses
from tradebook.resources.addresses import FIELDS, ID_PREFIX, INDEX, TYPE, TYPES, Address
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


def _create(edit: Edit) -> int:
    values, served = _taken_apart(edit)
    key = addresses.rows.add(edit, values)
    if served:
        _attach(edit, key, served)
        _reindex(edit, served)
    return key


def _change(edit: Edit) -> int:
    before = addresses.rows.current(edit)
    values, served = _taken_apart(edit)
    addresses.rows.change(edit, before, values)
    after = {**before, **values}
    touched: set[int] = set()
    # What else an address says is none of its customers' business, and they may be very many.
    if any(after[name] != before[name] for name in ("name", *COPIED)):
        edit.writer.run(_COPY, address=edit.key, **{name: after[name] for name in COPIED})
        touched |= _served(edit)
    if served is not None:
        touched |= _served(edit) | set(served)
        _serve(edit, served)
    _reindex(edit, touched)
    return edit.key


def _served(edit: Edit) -> set[int]:
    return {customer for (customer,) in edit.writer.rows(_SERVED, address=edit.key)}


def _taken_apart(edit: Edit) -> tuple[Values, list[int] | None]:
    """Tell what a body says of the address from whom it is to serve."""
    served = edit.values.get(PARAM)
    if served:
        require_customers(edit.writer, served, PARAM)
    return {name: value for name, value in edit.values.items() if name != PARAM}, served


def _serve(edit: Edit, served: list[int]) -> None:
    """Attach the address to these customers and no others; those it bills or ships to keep it."""
    others = _served(edit) - set(served)
    edit.writer.run(_DETACH, address=edit.key)
    needed = {key for (key,) in edit.writer.rows(_NEEDED, address=edit.key, ids=sorted(others))}
    edit.writer.run(_UNLINK, address=edit.key, ids=sorted(others - needed))
    _attach(edit, edit.key, served)


def _attach(edit: Edit, address: int, served: Iterable[int]) -> None:
    for customer in served:
        link(edit, customer, [address], is_attached=True)


def _reindex(edit: Edit, touched: Iterable[int]) -> None:
    keys = sorted(touched)
    for start in range(0, len(keys), REINDEXED_AT_ONCE):
        edit.writer.reindex(CUSTOMER_INDEX, keys[start : start + REINDEXED_AT_ONCE])


_create_body, _update_body = bodies(
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
_OWNER = Owner("id", ID_PREFIX, _load)
_standard = Standard(
    path=PATH,
    noun="address",
    nouns="addresses",
    permissions="addresses",
    item=Address,
    load=_load,
    walk=_walk,
    owner=_OWNER,
    parameters=(
        Q,
        Parameter("type", OneOf(TYPES), "Only addresses of this type.", TYPE),
        Parameter(
            "customer_ids[]",
            Id(CUSTOMER_PREFIX),
            "Only addresses of one of these customers: bill-to, ship-to or attached.",
            CUSTOMER,
        ),
    ),
    create=_create_body,
    update=_update_body,
    creating=_create,
    changing=_change,
    deleting=Plain(addresses.rows).delete,
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
            owners=(_OWNER,),
        ),
    ),
)
