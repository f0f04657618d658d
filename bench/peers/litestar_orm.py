"""Litestar with SQLAlchemy's ORM; msgspec writes its answers."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar import Litestar, get, post
from litestar.exceptions import HTTPException
from litestar.params import Parameter
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, load_only, selectinload

from bench.peers.models import (
    ADDRESS,
    OWN,
    PLAIN,
    Address,
    Customer,
    engine_from_environment,
    selected,
)

engine = engine_from_environment()


class NamedOut(msgspec.Struct):
    """A thing with a name."""

    id: int
    name: str


class AddressOut(msgspec.Struct):
    """An address."""

    id: int
    name: str
    phone: str | None
    email: str | None
    street_line_1: str | None
    street_line_2: str | None
    locality: str | None
    state: str | None
    postal_code: str | None
    country: str
    created_at: datetime
    updated_at: datetime


class CustomerOut(msgspec.Struct):
    """A customer."""

    id: int
    name: str
    number: str
    status: str
    edi_status: str
    relationship_type: str
    commission_policy: str
    note: str | None
    created_at: datetime
    updated_at: datetime


class WholeCustomerOut(CustomerOut):
    """A customer with everything that belongs to it."""

    credit_limit: str | None
    email: str | None
    phone: str | None
    url: str | None
    billing_account: str | None
    accepts_invoice_emails: bool
    type: NamedOut | None
    carrier: NamedOut | None
    service_level: NamedOut | None
    payment_term: NamedOut | None
    shipping_term: NamedOut | None
    sales_rep: NamedOut | None
    parent: CustomerOut | None
    children: list[CustomerOut]
    price_groups: list[NamedOut]
    bill_to_address: AddressOut | None
    ship_to_address: AddressOut | None


class Page(msgspec.Struct):
    """A page of customers."""

    data: list[CustomerOut]
    next: int | None


class WholePage(msgspec.Struct):
    """A page of customers with everything."""

    data: list[WholeCustomerOut]
    next: int | None


class AddressIn(msgspec.Struct):
    """An address to be made."""

    name: str
    country: str
    locality: str
    state: str


class CustomerIn(msgspec.Struct):
    """A customer to be made."""

    name: str
    number: str
    type_id: int
    carrier_id: int
    payment_term_id: int
    shipping_term_id: int
    bill_to_address: AddressIn
    ship_to_address: AddressIn


PLAIN_COLUMNS = load_only(*(getattr(Customer, name) for name in PLAIN))
NAMED = ("type", "carrier", "service_level", "payment_term", "shipping_term", "sales_rep")


def plain(row: Customer) -> CustomerOut:
    """Show a customer."""
    return CustomerOut(*(getattr(row, name) for name in PLAIN))


def address_of(row: Address | None) -> AddressOut | None:
    """Show an address."""
    return None if row is None else AddressOut(*(getattr(row, name) for name in ADDRESS))


def whole(row: Customer) -> WholeCustomerOut:
    """Show a customer with everything."""
    named = [getattr(row, name) for name in NAMED]
    return WholeCustomerOut(
        *(getattr(row, name) for name in PLAIN),
        *(getattr(row, name) for name in OWN),
        *(None if thing is None else NamedOut(thing.id, thing.name) for thing in named),
        parent=None if row.parent is None else plain(row.parent),
        children=[plain(child) for child in row.children],
        price_groups=[NamedOut(group.id, group.name) for group in row.price_groups],
        bill_to_address=address_of(row.bill_to_address),
        ship_to_address=address_of(row.ship_to_address),
    )


@get("/customers", sync_to_thread=True)
def list_customers(
    before: int | None = None,
    status: str | None = None,
    region: Annotated[str | None, Parameter(query="state")] = None,
    q: str | None = None,
    limit: int = 100,
) -> Page:
    """List customers, newest first."""
    statement = select(Customer).options(PLAIN_COLUMNS)
    statement = selected(statement, engine.dialect.name, before, status, region, q, limit)
    with Session(engine) as session:
        rows = [plain(row) for row in session.scalars(statement)]
    data = rows[:limit]
    return Page(data, data[-1].id if len(rows) > limit else None)


@get("/whole", sync_to_thread=True)
def list_whole_customers(before: int | None = None, limit: int = 100) -> WholePage:
    """List customers with everything that belongs to them."""
    statement = select(Customer).options(
        *(selectinload(getattr(Customer, name)) for name in NAMED),
        selectinload(Customer.parent).options(PLAIN_COLUMNS),
        selectinload(Customer.children).options(PLAIN_COLUMNS),
        selectinload(Customer.price_groups),
        selectinload(Customer.bill_to_address),
        selectinload(Customer.ship_to_address),
    )
    statement = selected(statement, engine.dialect.name, before, None, None, None, limit)
    with Session(engine) as session:
        rows = [whole(row) for row in session.scalars(statement)]
    data = rows[:limit]
    return WholePage(data, data[-1].id if len(rows) > limit else None)


@post("/customers", sync_to_thread=True)
def create_customer(data: CustomerIn) -> CustomerOut:
    """Make a customer with its two addresses."""
    now = datetime.now(UTC).replace(tzinfo=None)
    own = msgspec.structs.asdict(data)
    addresses = [own.pop("bill_to_address"), own.pop("ship_to_address")]
    words = [data.name, data.number, *(word for a in addresses for word in (a.name, a.locality, a.state))]
    customer = Customer(
        **own,
        status="normal",
        edi_status="disabled",
        relationship_type="standalone",
        commission_policy="commissionable",
        accepts_invoice_emails=True,
        search_text="\n".join(words).lower(),
        created_at=now,
        updated_at=now,
    )
    customer.addresses = [
        Address(**msgspec.structs.asdict(a), created_at=now, updated_at=now) for a in addresses
    ]
    with Session(engine) as session:
        session.add(customer)
        try:
            session.flush()
        except IntegrityError as error:
            raise HTTPException(status_code=409, detail="This number is taken.") from error
        customer.bill_to_address_id, customer.ship_to_address_id = (a.id for a in customer.addresses)
        session.commit()
        return plain(customer)


app = Litestar([list_customers, list_whole_customers, create_customer], openapi_config=None)
