"""The books that are measured: made once, of the demo's customers, kept between runs."""

import time
from itertools import islice
from pathlib import Path

import msgspec

from tradebook import migrations
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.resources import accounts, api_keys
from tradebook.settings import Settings
from tradebook.storage.location import locate
from tradebook.transfer.imports.run import import_customers
from tradebook.transfer.rows import Row


class BenchBook(msgspec.Struct):
    """A filled book."""

    url: str
    account_key: int
    secret: str
    count: int
    import_seconds: float


def records(count: int):
    """The customers of a book, as import rows."""
    return (Row(line, record) for line, record in enumerate(islice(demo_customers(count), count), 1))


def book_of(folder: Path, count: int) -> BenchBook:
    """Return the book of this size, making it where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    described = folder / f"book-{count}.json"
    if described.exists():
        return msgspec.json.decode(described.read_bytes(), type=BenchBook)
    url = f"sqlite:///{(folder / f'book-{count}.db').absolute()}"
    for leftover in folder.glob(f"book-{count}.db*"):
        leftover.unlink()
    locate(url).create()
    migrations.upgrade(url)
    database = open_database(Settings(database=url))
    key, environment = accounts.find_account(database, accounts.create_account(database, "Bench", "test"))
    start = time.perf_counter()
    summary = import_customers(database, key, records(count), report=print)
    seconds = time.perf_counter() - start
    assert summary.problems == 0
    with database.write(key) as writer:
        _, secret = api_keys.create_key(writer, environment)
    database.close()
    book = BenchBook(url, key, secret, count, seconds)
    described.write_bytes(msgspec.json.encode(book))
    return book
