"""FastAPI tuned: rows of SQLAlchemy's Core, written by orjson, with no model between."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from bench.peers.models import PLAIN, Address, Customer, engine_from_environment, selected

engine = engine_from_environment()
app = FastAPI()
COLUMNS = [Customer.__table__.c[name] for name in PLAIN]


class AddressIn(msgspec.Struct):
    """An address to be made."""

    name: str
    country: str
    locality: str
    state: str


class CustomerIn(msgspec.Struct):
    """A customer to be made. However tuned: whatever a client sends is not written as it is."""

    name: str
    number: str
    type_id: int
    carrier_id: int
    payment_term_id: int
    shipping_term_id: int
    bill_to_address: AddressIn
    ship_to_address: AddressIn


read = msgspec.json.Decoder(CustomerIn).decode


def answer(content: Any, status: int = 200) -> Response:
    """Write JSON."""
    return Response(orjson.dumps(content), status, media_type="application/json")


@app.get("/customers")
def list_customers(
    before: int | None = None,
    status: str | None = None,
    state: str | None = None,
    q: str | None = None,
    limit: int = 100,
) -> Response:
    """List customers, newest first."""
    statement = selected(sa.select(*COLUMNS), engine.dialect.name, before, status, state, q, limit)
    with engine.connect() as connection:
        rows = connection.execute(statement).all()
    data = [dict(zip(PLAIN, row, strict=True)) for row in rows[:limit]]
    return answer({"data": data, "next": data[-1]["id"] if len(rows) > limit else None})


def made(body: CustomerIn) -> dict[str, Any]:
    """Make a customer with its two addresses."""
    now = datetime.now(UTC).replace(tzinfo=None)
    given = msgspec.structs.asdict(body)
    addresses = [msgspec.structs.asdict(given.pop(f"{part}_to_address")) for part in ("bill", "ship")]
    words = [given["name"], given["number"]]
    words += [word for a in addresses for word in (a["name"], a["locality"], a["state"])]
    row = {
        **given,
        "status": "normal",
        "edi_status": "disabled",
        "relationship_type": "standalone",
        "commission_policy": "commissionable",
        "accepts_invoice_emails": True,
        "search_text": "\n".join(words).lower(),
        "created_at": now,
        "updated_at": now,
    }
    with engine.begin() as connection:
        (key,) = connection.execute(sa.insert(Customer.__table__), row).inserted_primary_key
        keys = [
            connection.execute(
                sa.insert(Address.__table__),
                {**address, "customer_id": key, "created_at": now, "updated_at": now},
            ).inserted_primary_key[0]
            for address in addresses
        ]
        table = Customer.__table__
        connection.execute(
            sa.update(table)
            .where(table.c.id == key)
            .values(bill_to_address_id=keys[0], ship_to_address_id=keys[1])
        )
    row["id"] = key
    return {name: row.get(name) for name in PLAIN}


@app.post("/customers")
async def create_customer(request: Request) -> Response:
    """Make a customer, in a thread: the driver waits for the disk."""
    try:
        given = read(await request.body())
    except msgspec.ValidationError as error:
        return answer({"detail": str(error)}, 422)
    try:
        return answer(await run_in_threadpool(made, given), 201)
    except sa.exc.IntegrityError:
        return answer({"detail": "This number is taken."}, 409)
