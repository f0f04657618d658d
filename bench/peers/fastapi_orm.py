"""FastAPI with SQLAlchemy's ORM and Pydantic's models, as their guides teach it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, load_only, selectinload

from bench.peers.models import PLAIN, Address, Customer, engine_from_environment, selected

engine = engine_from_environment()
app = FastAPI()


def get_session() -> Iterator[Session]:
    """One session a request."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


class Out(BaseModel):
    """Read from a row."""

    model_config = ConfigDict(from_attributes=True)
    id: int


class NamedOut(Out):
    """A thing with a name."""

    name: str


class UserOut(NamedOut):
    """A sales representative."""

    email: str | None


class AddressOut(NamedOut):
    """An address."""

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


class CustomerOut(NamedOut):
    """A customer."""

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
    sales_rep: UserOut | None
    parent: CustomerOut | None
    children: list[CustomerOut]
    price_groups: list[NamedOut]
    bill_to_address: AddressOut | None
    ship_to_address: AddressOut | None


class Page(BaseModel):
    """A page of customers."""

    data: list[CustomerOut]
    next: int | None


class WholePage(BaseModel):
    """A page of customers with everything."""

    data: list[WholeCustomerOut]
    next: int | None


class AddressIn(BaseModel):
    """An address to be made."""

    name: str
    country: str
    locality: str
    state: str


class CustomerIn(BaseModel):
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


def page_of(rows: list[Customer], limit: int) -> dict[str, object]:
    """Cut off the row that only tells whether there is more."""
    data = rows[:limit]
    return {"data": data, "next": data[-1].id if len(rows) > limit else None}


@app.get("/customers", response_model=Page)
def list_customers(
    session: SessionDep,
    before: int | None = None,
    status: str | None = None,
    state: str | None = None,
    q: str | None = None,
    limit: int = 100,
):
    """List customers, newest first."""
    statement = select(Customer).options(PLAIN_COLUMNS)
    statement = selected(statement, engine.dialect.name, before, status, state, q, limit)
    return page_of(list(session.scalars(statement)), limit)


@app.get("/whole", response_model=WholePage)
def list_whole_customers(session: SessionDep, before: int | None = None, limit: int = 100):
    """List customers with everything that belongs to them."""
    related = [
        selectinload(getattr(Customer, name))
        for name in ("type", "carrier", "service_level", "payment_term", "shipping_term", "sales_rep")
    ]
    statement = select(Customer).options(
        *related,
        selectinload(Customer.parent).options(PLAIN_COLUMNS),
        selectinload(Customer.children).options(PLAIN_COLUMNS),
        selectinload(Customer.price_groups),
        selectinload(Customer.bill_to_address),
        selectinload(Customer.ship_to_address),
    )
    statement = selected(statement, engine.dialect.name, before, None, None, None, limit)
    return page_of(list(session.scalars(statement)), limit)


@app.post("/customers", response_model=CustomerOut, status_code=201)
def create_customer(session: SessionDep, given: CustomerIn):
    """Make a customer with its two addresses."""
    now = datetime.now(UTC).replace(tzinfo=None)
    own = given.model_dump(exclude={"bill_to_address", "ship_to_address"})
    addresses = [given.bill_to_address, given.ship_to_address]
    words = [given.name, given.number, *(word for a in addresses for word in (a.name, a.locality, a.state))]
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
    customer.addresses = [Address(**a.model_dump(), created_at=now, updated_at=now) for a in addresses]
    session.add(customer)
    try:
        session.flush()
    except IntegrityError as error:
        raise HTTPException(409, "This number is taken.") from error
    customer.bill_to_address_id, customer.ship_to_address_id = (a.id for a in customer.addresses)
    session.commit()
    session.refresh(customer)
    return customer
