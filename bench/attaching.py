"""Attaches addresses to 1,000 customers: how long each transaction holds the book. Run as a module."""

import random
import string
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from bench.books import book_of
from tradebook.app import open_database
from tradebook.crud.change import Change
from tradebook.crud.grant import Grant
from tradebook.resources import address_routes
from tradebook.resources.customers import customers
from tradebook.settings import Settings
from tradebook.storage.schema import ACCOUNT, prepare

CUSTOMERS, ADDRESSES, TEXT_LENGTH = 1_000, 12, 190
TEXTS = ("name", "locality", "state", "postal_code", "street_line_1")
NOTHING = {field.name: None for field in address_routes.FIELDS}
_KEYS = prepare(sa.select(customers.c.id).where(customers.c.account_id == ACCOUNT))


def main() -> None:
    """Attach one address after the other, and tell how long each took."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        book = book_of(Path(folder), CUSTOMERS)
        database = open_database(Settings(database=book.url))
        with database.read(book.account_key) as reader:
            keys = [key for (key,) in reader.rows(_KEYS)]
        grant = Grant(book.account_key, 1, frozenset())
        for number in range(1, ADDRESSES + 1):
            texts = {name: "".join(chance.choices(string.ascii_lowercase, k=TEXT_LENGTH)) for name in TEXTS}
            values = {**NOTHING, **texts, "type": 0, "country": "DE", "customer_ids": keys}
            with database.write(book.account_key) as writer:
                # From here the book's lock is held.
                start = time.perf_counter()
                address_routes.create(Change(writer=writer, grant=grant, values=values))
            print(f"address {number}: {time.perf_counter() - start:.3f} s")
        database.close()


if __name__ == "__main__":
    main()
