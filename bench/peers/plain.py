"""Fills the plain schema from a book, with the indexes that its peers' guides would give it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import sqlalchemy as sa

from bench.books import BenchBook
from bench.peers.models import (
    Address,
    Base,
    Carrier,
    Customer,
    Group,
    PaymentTerm,
    ServiceLevel,
    ShippingTerm,
    User,
    customer_price_groups,
    engine_of,
)
from bench.raw import raw_connection
from tradebook.ids import milliseconds_of
from tradebook.resources.account_groups import COMMISSION_POLICIES
from tradebook.resources.account_statuses import CODES
from tradebook.resources.customers.shape import EDI_STATUSES

AT_ONCE = 5_000
SEARCH = {
    "sqlite": (
        "CREATE VIRTUAL TABLE customers_fts USING fts5"
        "(search_text, content='customers', content_rowid='id', tokenize='trigram')",
        "INSERT INTO customers_fts (rowid, search_text) SELECT id, search_text FROM customers",
        # As FTS5's guide has it after many rows: Tradebook's index is in few parts, too.
        "INSERT INTO customers_fts (customers_fts) VALUES ('optimize')",
        "CREATE TRIGGER customers_found AFTER INSERT ON customers BEGIN"
        " INSERT INTO customers_fts (rowid, search_text) VALUES (new.id, new.search_text); END",
        "ANALYZE",
    ),
    "postgresql": (
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        "CREATE INDEX customers_found ON customers USING gin (search_text gin_trgm_ops)",
        *(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            for table in ("customers", "addresses", "customer_price_groups")
        ),
    ),
}


def fill(book: BenchBook, url: str) -> None:
    """Make the plain tables and fill them from a book on SQLite."""
    engine = engine_of(url)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        dialect = engine.dialect.name
        if dialect == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
        for table, rows in _tables(book):
            while some := list(islice(rows, AT_ONCE)):
                connection.execute(table.insert(), some)
        for statement in SEARCH[dialect]:
            connection.exec_driver_sql(statement)
    if dialect == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE)")
    engine.dispose()


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).replace(tzinfo=None)


def _tables(book: BenchBook) -> Iterator[tuple[sa.Table, Iterator[dict]]]:
    raw = raw_connection(book.url)

    def rows(columns: str, table: str) -> Iterator[dict]:
        names = [column.rpartition(" ")[2] for column in columns.split(", ")]
        sql = f"SELECT {columns} FROM {table} WHERE account_id = ? ORDER BY 1"
        return (
            dict(zip(names, row, strict=True)) for row in raw.execute(sql, (book.account_key,)).fetchall()
        )

    for model, table in (
        (Group, "account_groups"),
        (Carrier, "carriers"),
        (ServiceLevel, "service_levels"),
        (PaymentTerm, "payment_terms"),
        (ShippingTerm, "shipping_terms"),
    ):
        yield model.__table__, rows("id, name", table)
    yield User.__table__, rows("id, name, email", "account_users")
    yield Customer.__table__, _customers(rows, raw, book)
    owners = dict(
        raw.execute(
            "SELECT address_id, customer_id FROM customer_addresses WHERE account_id = ?", (book.account_key,)
        ).fetchall()
    )
    columns = "id, name, phone, email, street_line_1, street_line_2, locality, state, postal_code, country"
    yield (
        Address.__table__,
        (
            {
                **row,
                "customer_id": owners[row["id"]],
                "created_at": _time(milliseconds_of(row["id"])),
                "updated_at": _time(row["updated_at"]),
            }
            for row in rows(f"{columns}, updated_at", "addresses")
            if row["id"] in owners
        ),
    )
    yield customer_price_groups, rows("customer_id, group_id", "customer_price_groups")


def _customers(rows, raw, book: BenchBook) -> Iterator[dict]:
    folded = dict(
        raw.execute(
            "SELECT customer_id, folded FROM customer_search WHERE account_id = ?", (book.account_key,)
        ).fetchall()
    )
    columns = (
        "id, name, number, status, edi_status, commission_policy, parent_id, is_parent, note, credit_limit,"
        " email, phone, url, type_id, carrier_id, service_level_id, payment_term_id, shipping_term_id,"
        " sales_rep_id, accepts_invoice_emails, bill_to_address_id, ship_to_address_id,"
        " carrier_billing_account AS billing_account, updated_at"
    )
    for row in rows(columns, "customers"):
        is_parent = row.pop("is_parent")
        kind = "child" if row["parent_id"] is not None else "parent" if is_parent else "standalone"
        yield {
            **row,
            "status": CODES[row["status"]],
            "edi_status": EDI_STATUSES[row["edi_status"]],
            "commission_policy": COMMISSION_POLICIES[row["commission_policy"]],
            "relationship_type": kind,
            "accepts_invoice_emails": bool(row["accepts_invoice_emails"]),
            "search_text": folded[row["id"]],
            "created_at": _time(milliseconds_of(row["id"])),
            "updated_at": _time(row["updated_at"]),
        }
