"""Under which addresses customers are found: bill-to, ship-to, and what else is attached to them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from tradebook.resources.addresses import addresses, mark
from tradebook.resources.customers.tables import customers
from tradebook.storage.database import ROWS_AT_ONCE, Reader, Writer
from tradebook.storage.schema import ACCOUNT, Prepared, any_of, flag, prepare, reference, table, text

COPIED = ("locality", "state", "postal_code")
"""What a link repeats of its address, so that one row tells all that the address filters ask for."""

customer_addresses: sa.Table = table(
    "customer_addresses",
    reference("customer_id", "customers"),
    reference("address_id", "addresses"),
    *(text(name, nullable=True) for name in COPIED),
    # Whether it stays attached when it is bill-to and ship-to address no longer.
    flag("is_attached"),
    # As a rule they are few: an export asks whether there are any.
    sa.Index(
        "customer_addresses_attached",
        "account_id",
        "customer_id",
        "address_id",
        info={"where": "is_attached = 1"},
    ),
    key=("customer_id", "address_id"),
)

Pair = tuple[int, int]
"""The keys of a customer and of an address."""

_a, _c, _links = addresses.c, customers.c, customer_addresses.c
_PLACES = prepare(
    sa.select(_a.id, _a.is_unused, *(_a[name] for name in COPIED)).where(
        _a.account_id == ACCOUNT, any_of(_a.id, "ids")
    )
)
_LINKS_OF = prepare(
    sa.select(_links.customer_id, _links.address_id, _links.is_attached).where(
        _links.account_id == ACCOUNT, any_of(_links.customer_id, "ids")
    )
)
# In words, not as a value: so engines see that the index of what is attached serves.
_IS_ATTACHED = _links.is_attached == sa.literal_column("1")
_ANY_ATTACHED = prepare(
    sa.select(_links.address_id)
    .join_from(
        customer_addresses,
        customers,
        sa.and_(
            _c.account_id == ACCOUNT,
            _c.id == _links.customer_id,
            _c.bill_to_address_id.is_distinct_from(_links.address_id),
            _c.ship_to_address_id.is_distinct_from(_links.address_id),
        ),
    )
    .where(_links.account_id == ACCOUNT, _IS_ATTACHED)
    .limit(1)
)
_ATTACHED_TO = prepare(
    sa.select(_links.customer_id, _links.address_id)
    .where(_links.account_id == ACCOUNT, any_of(_links.customer_id, "ids"), _IS_ATTACHED)
    .order_by(_links.customer_id, _links.address_id)
)
_ADDRESSES_OF = prepare(
    sa.select(_links.address_id)
    .where(_links.account_id == ACCOUNT, any_of(_links.customer_id, "ids"))
    .distinct()
)
_IS_LINKED = prepare(
    sa.select(_links.address_id).where(
        _links.account_id == ACCOUNT,
        _links.customer_id == sa.bindparam("customer"),
        _links.address_id == sa.bindparam("address"),
    )
)
_LINK = prepare(sa.insert(customer_addresses))
_ATTACH = prepare(
    sa.update(customer_addresses)
    .where(
        _links.account_id == ACCOUNT,
        _links.customer_id == sa.bindparam("customer"),
        _links.address_id == sa.bindparam("address"),
    )
    .values(is_attached=1)
)
_SOME_OF_ADDRESS = (
    _links.account_id == ACCOUNT,
    _links.address_id == sa.bindparam("address"),
    any_of(_links.customer_id, "ids"),
)
_DETACH = prepare(sa.update(customer_addresses).where(*_SOME_OF_ADDRESS).values(is_attached=0))
# A link stands as long as anything holds it.
_UNLINK = prepare(
    sa.delete(customer_addresses).where(
        *_SOME_OF_ADDRESS,
        _links.is_attached == 0,
        ~sa.exists(_c.id)
        .where(
            _c.account_id == ACCOUNT,
            _c.id == _links.customer_id,
            sa.or_(_c.bill_to_address_id == _links.address_id, _c.ship_to_address_id == _links.address_id),
        )
        .correlate(customer_addresses),
    )
)
_SERVING_NOBODY = prepare(
    sa.select(_a.id).where(
        _a.account_id == ACCOUNT,
        any_of(_a.id, "ids"),
        ~sa.exists(_links.customer_id)
        .where(_links.account_id == ACCOUNT, _links.address_id == _a.id)
        .correlate(addresses),
    )
)
_OF_ADDRESS = (_links.account_id == ACCOUNT, _links.address_id == sa.bindparam("address"))
_CUSTOMERS_OF = prepare(sa.select(_links.customer_id, _links.is_attached).where(*_OF_ADDRESS))
_COPY = prepare(
    sa.update(customer_addresses).where(*_OF_ADDRESS).values(**{name: sa.bindparam(name) for name in COPIED})
)


def has_attached(reader: Reader) -> bool:
    """Tell whether any customer has an address that it is neither billed at nor shipped to."""
    return bool(reader.rows(_ANY_ATTACHED))


def attached_to(reader: Reader, keys: Sequence[int]) -> list[Pair]:
    """List what is attached to some customers, the oldest address of each first."""
    return [(customer, address) for customer, address in reader.rows(_ATTACHED_TO, ids=keys)]


def links_of(reader: Reader, keys: Iterable[int]) -> dict[Pair, bool]:
    """Return the addresses under which some customers are found, and whether each is attached."""
    rows = reader.rows(_LINKS_OF, ids=sorted(set(keys)))
    return {(customer, address): bool(is_attached) for customer, address, is_attached in rows}


def is_linked(reader: Reader, customer: int, address: int) -> bool:
    """Tell whether a customer is found under an address."""
    return bool(reader.rows(_IS_LINKED, customer=customer, address=address))


def addresses_of(reader: Reader, keys: Iterable[int]) -> list[int]:
    """List the addresses under which any of some customers is found, each once."""
    return sorted(address for (address,) in reader.rows(_ADDRESSES_OF, ids=list(keys)))


def customers_of(reader: Reader, address: int) -> dict[int, bool]:
    """Return the customers that an address serves, and whether it is attached to each."""
    return {customer: bool(attached) for customer, attached in reader.rows(_CUSTOMERS_OF, address=address)}


def link(
    writer: Writer,
    pairs: Collection[Pair],
    *,
    known: Mapping[Pair, bool] | None = None,
    places: Mapping[int, Mapping[str, Any]] | None = None,
    is_attached: bool = False,
) -> None:
    """Have customers be found under addresses; what is attached stays when nothing else holds it.

    `known` are the links of these customers so far, and `places` the columns of addresses, where the caller
    has them at hand; what it doesn't have is read.
    """
    if not pairs:
        return
    known = links_of(writer, {customer for customer, _ in pairs}) if known is None else known
    loose = [pair for pair in pairs if known.get(pair) is False] if is_attached else []
    if loose:
        writer.insert(_ATTACH, [{"customer": customer, "address": address} for customer, address in loose])
    missing = [pair for pair in dict.fromkeys(pairs) if pair not in known]
    if not missing:
        return
    places = dict(places or {})
    unknown = sorted({address for _, address in missing} - set(places))
    if unknown:
        read = writer.rows(_PLACES, ids=unknown)
        places |= {key: dict(zip(("is_unused", *COPIED), place, strict=True)) for key, *place in read}
    writer.insert(
        _LINK,
        [
            {
                "customer_id": customer,
                "address_id": address,
                "is_attached": int(is_attached),
                **{name: places[address][name] for name in COPIED},
            }
            for customer, address in missing
        ],
    )
    unused = {address for _, address in missing if places[address]["is_unused"]}
    mark(writer, sorted(unused), is_unused=False)


def unlink(writer: Writer, pairs: Iterable[Pair]) -> None:
    """Have customers no longer be found under addresses that nothing holds any more."""
    of_address: defaultdict[int, list[int]] = defaultdict(list)
    for customer, address in pairs:
        of_address[address].append(customer)
    for address, served in of_address.items():
        _run_on_some(writer, _UNLINK, address, served)
    mark(writer, serving_nobody(writer, of_address), is_unused=True)


def serving_nobody(reader: Reader, keys: Iterable[int]) -> list[int]:
    """List those of some addresses that serve no customer."""
    wanted = sorted(keys)
    return [key for (key,) in reader.rows(_SERVING_NOBODY, ids=wanted)] if wanted else []


def detach(writer: Writer, address: int, served: Sequence[int]) -> None:
    """Take an address from customers that it is attached to; those it bills or ships to keep it."""
    _run_on_some(writer, _DETACH, address, served)
    unlink(writer, [(customer, address) for customer in served])


def _run_on_some(writer: Writer, statement: Prepared, address: int, served: Sequence[int]) -> None:
    # A statement has its time, and an address may serve any number.
    for start in range(0, len(served), ROWS_AT_ONCE):
        writer.run(statement, address=address, ids=served[start : start + ROWS_AT_ONCE])


def copy_places(writer: Writer, places: Mapping[int, Mapping[str, Any]]) -> None:
    """Have the links of addresses that have changed say where these are now."""
    if places:
        rows = [{"address": key, **{name: place[name] for name in COPIED}} for key, place in places.items()]
        writer.insert(_COPY, rows)
