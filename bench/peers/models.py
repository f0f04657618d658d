"""The plain schema that peers have: one table for each thing, as SQLAlchemy's guide declares them.

It is the book's own data, so that each peer has the same customers, in the same order.
"""

import os
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# SQLite gives out numbers by itself for INTEGER alone.
Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Base(DeclarativeBase):
    """All tables."""


class Named:
    """A small table of names."""

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str]


class Group(Named, Base):
    """A type or price group."""

    __tablename__ = "groups"


class User(Named, Base):
    """A sales representative."""

    __tablename__ = "users"
    email: Mapped[str | None]


class Carrier(Named, Base):
    """A carrier."""

    __tablename__ = "carriers"


class ServiceLevel(Named, Base):
    """A service level of a carrier."""

    __tablename__ = "service_levels"


class PaymentTerm(Named, Base):
    """When invoices fall due."""

    __tablename__ = "payment_terms"


class ShippingTerm(Named, Base):
    """Who pays the freight."""

    __tablename__ = "shipping_terms"


class Address(Base):
    """An address of a customer."""

    __tablename__ = "addresses"
    __table_args__ = tuple(
        sa.Index(f"addresses_{name}", name, "customer_id") for name in ("state", "locality", "postal_code")
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    name: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    street_line_1: Mapped[str | None]
    street_line_2: Mapped[str | None]
    locality: Mapped[str | None]
    state: Mapped[str | None]
    postal_code: Mapped[str | None]
    country: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


customer_price_groups = sa.Table(
    "customer_price_groups",
    Base.metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("customer_id", sa.ForeignKey("customers.id"), index=True),
    sa.Column("group_id", sa.ForeignKey("groups.id"), index=True),
)


class Customer(Base):
    """A customer."""

    __tablename__ = "customers"
    __table_args__ = (
        sa.Index("customers_status", "status", "id"),
        sa.Index("customers_commission_policy", "commission_policy", "id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str]
    number: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]
    edi_status: Mapped[str]
    relationship_type: Mapped[str]
    commission_policy: Mapped[str]
    note: Mapped[str | None]
    credit_limit: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    url: Mapped[str | None]
    billing_account: Mapped[str | None]
    accepts_invoice_emails: Mapped[bool]
    type_id: Mapped[int | None] = mapped_column(sa.ForeignKey("groups.id"), index=True)
    carrier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("carriers.id"), index=True)
    service_level_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_levels.id"), index=True)
    payment_term_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payment_terms.id"), index=True)
    shipping_term_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shipping_terms.id"), index=True)
    sales_rep_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    # Without a foreign key: addresses refer to customers already.
    bill_to_address_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    ship_to_address_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    search_text: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    type: Mapped[Group | None] = relationship()
    carrier: Mapped[Carrier | None] = relationship()
    service_level: Mapped[ServiceLevel | None] = relationship()
    payment_term: Mapped[PaymentTerm | None] = relationship()
    shipping_term: Mapped[ShippingTerm | None] = relationship()
    sales_rep: Mapped[User | None] = relationship()
    parent: Mapped["Customer | None"] = relationship(remote_side=[id], back_populates="children")
    children: Mapped[list["Customer"]] = relationship(back_populates="parent", order_by=id.desc())
    price_groups: Mapped[list[Group]] = relationship(secondary=customer_price_groups)
    addresses: Mapped[list[Address]] = relationship(foreign_keys=[Address.customer_id])
    bill_to_address: Mapped[Address | None] = relationship(
        primaryjoin="foreign(Customer.bill_to_address_id) == Address.id", viewonly=True
    )
    ship_to_address: Mapped[Address | None] = relationship(
        primaryjoin="foreign(Customer.ship_to_address_id) == Address.id", viewonly=True
    )


PLAIN = (
    "id",
    "name",
    "number",
    "status",
    "edi_status",
    "relationship_type",
    "commission_policy",
    "note",
    "created_at",
    "updated_at",
)
"""The columns of a customer without what belongs to it."""

OWN = ("credit_limit", "email", "phone", "url", "billing_account", "accepts_invoice_emails")
RELATED = (
    "type",
    "carrier",
    "service_level",
    "payment_term",
    "shipping_term",
    "sales_rep",
    "parent",
    "children",
    "price_groups",
    "bill_to_address",
    "ship_to_address",
)
ADDRESS = (
    "id",
    "name",
    "phone",
    "email",
    "street_line_1",
    "street_line_2",
    "locality",
    "state",
    "postal_code",
    "country",
    "created_at",
    "updated_at",
)


def engine_of(url: str, **settings: object) -> sa.Engine:
    """Open the plain book as durably as Tradebook opens its own."""
    engine = sa.create_engine(url, **settings)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def durable(connection, _record) -> None:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "mmap_size=1073741824"):
                connection.execute(f"PRAGMA {pragma}")

    return engine


def engine_from_environment() -> sa.Engine:
    """Open what the bench has made for a peer."""
    return engine_of(os.environ["PEER_DATABASE"])


def found_by(q: str, before: int | None, dialect: str) -> sa.ColumnElement[bool]:
    """Narrow to customers that a text occurs in, by the index that each engine has for that."""
    if dialect != "sqlite":
        return Customer.search_text.contains(q.lower(), autoescape=True)
    rows = sa.text(
        "SELECT rowid FROM customers_fts WHERE customers_fts MATCH :q AND rowid < :before"
        " ORDER BY rowid DESC LIMIT 101"
    )
    quoted = '"' + q.replace('"', '""') + '"'
    return Customer.id.in_(rows.bindparams(q=quoted, before=before or 2**63 - 1))  # type: ignore[arg-type]


def selected(
    statement: sa.Select,
    dialect: str,
    before: int | None,
    status: str | None,
    state: str | None,
    q: str | None,
    limit: int,
) -> sa.Select:
    """Narrow, order and limit a list of customers."""
    if before is not None:
        statement = statement.where(Customer.id < before)
    if status is not None:
        statement = statement.where(Customer.status == status)
    if state is not None:
        statement = statement.where(Customer.addresses.any(Address.state == state))
    if q is not None:
        statement = statement.where(found_by(q, before, dialect))
    return statement.order_by(Customer.id.desc()).limit(limit + 1)
