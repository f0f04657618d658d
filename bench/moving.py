"""Import, export and a whole walk: customers a second, and whether memory stays flat."""

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import msgspec
import psycopg

from bench.books import BenchBook, records
from bench.measuring import Result, at_least
from bench.postgres import empty_book
from bench.reading import Pages
from tests.fixtures.postgres import PostgresServer
from tradebook import migrations
from tradebook.app import open_database
from tradebook.resources import accounts
from tradebook.resources.addresses import INDEX as ADDRESS_INDEX
from tradebook.resources.customers import INDEX as CUSTOMER_INDEX
from tradebook.settings import Settings
from tradebook.storage.index import ListIndex
from tradebook.storage.index_documents import documents
from tradebook.storage.location import locate
from tradebook.storage.sqlite.index import tokens
from tradebook.transfer.exports.run import export_customers

TABLES = (
    "account_groups",
    "account_users",
    "addresses",
    "customers",
    "customer_addresses",
    "customer_price_groups",
    "customer_search",
    "address_search",
)
"""What a book of customers consists of. The finished JSON that the product keeps beside it is its affair."""

INDEXES = (("customers", CUSTOMER_INDEX), ("addresses", ADDRESS_INDEX))


def measure_moving(
    folder: Path, large: BenchBook, count: int, server: PostgresServer | None
) -> Iterator[Result]:
    """Import a file into a fresh book by the command, its finished rows into another; export; walk."""
    source = folder / f"customers-{count}.ndjson"
    if not source.exists():
        with source.open("wb") as file:
            for row in records(count):
                file.write(msgspec.json.encode(row.values) + b"\n")
    made = _fresh(folder, "import", server)
    command = [sys.executable, "-m", "tradebook", "--database", made.url]
    start = time.perf_counter()
    subprocess.run(
        [*command, "import", "customers", str(source), "--account", made.account],
        check=True,
        capture_output=True,
    )
    rate = count / (time.perf_counter() - start)
    seconds = _floor_seconds(folder, made) if server is None else _copy_seconds(server, made)
    yield _imported(rate, count / seconds, f"{count:,} customers", is_embedded=server is None)
    yield _exported(large)
    yield _walked(large)


def _imported(rate: float, floor: float, note: str, *, is_embedded: bool) -> Result:
    """On SQLite the bar is a share of the floor; on a server that is a copy, which checks no reference."""
    name = "import of NDJSON against finished rows"
    if is_embedded:
        return at_least(name, rate, floor, 0.29, "customers/s", f"{note}; 4,000 where the floor was 14,065")
    ratio = round(rate / floor, 2)
    return Result(name, round(rate, 1), "customers/s", round(floor, 1), ratio, "≥ 3,500", rate >= 3_500, note)


class _Made(msgspec.Struct):
    url: str
    database: object
    account: str
    account_key: int


def _fresh(folder: Path, name: str, server: PostgresServer | None) -> _Made:
    if server is None:
        for leftover in folder.glob(f"{name}.db*"):
            leftover.unlink()
        url = f"sqlite:///{(folder / f'{name}.db').absolute()}"
        locate(url).create()
        migrations.upgrade(url)
    else:
        url = empty_book(server, f"{name}_book")
    database = open_database(Settings(database=url, database_timeout_ms=60_000))
    account = accounts.create_account(database, "Bench", "test")
    key, _ = accounts.find_account(database, account)
    return _Made(url, database, account, key)


def _copy_seconds(server: PostgresServer, made: _Made) -> float:
    """Put the same rows into an empty book through COPY alone, with no reference checked."""
    target = empty_book(server, "floor_book")
    with psycopg.connect(made.url) as source, psycopg.connect(target) as connection:
        blocks = {}
        for table in TABLES:
            with source.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
                blocks[table] = b"".join(copy)
        connection.execute("SET session_replication_role = replica")
        start = time.perf_counter()
        for table, block in blocks.items():
            with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
                copy.write(block)
        connection.commit()
        return time.perf_counter() - start


def _floor_seconds(folder: Path, made: _Made) -> float:
    """Put the rows and index entries that the import made into an empty book, through executemany alone."""
    target = _fresh(folder, "floor", None)
    source = apsw.Connection(str(locate(made.url).path))
    connection = apsw.Connection(str(locate(target.url).path))
    for pragma, value in (("synchronous", "full"), ("mmap_size", 1 << 36), ("foreign_keys", 0)):
        connection.pragma(pragma, value)
    rows = {
        table: source.execute(f"SELECT * FROM {table} WHERE account_id = ?", (made.account_key,)).fetchall()
        for table in TABLES
    }
    tokens = {}
    for table, index in INDEXES:
        # An account's own table of an index is made with its first row, and this one has none.
        name, statement = _index_of(source, table)
        connection.execute(statement)
        tokens[name] = _tokens(made, table, index)
    start = time.perf_counter()
    with connection:
        for table, listed in rows.items():
            if listed:
                marks = ",".join("?" * len(listed[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", listed)
        for new, entries in tokens.items():
            connection.executemany(f"INSERT INTO {new} (rowid, tokens) VALUES (?, ?)", entries)
    return time.perf_counter() - start


def _index_of(connection: apsw.Connection, table: str) -> tuple[str, str]:
    return connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE name LIKE ? AND sql LIKE 'CREATE VIRTUAL%'",
        (f"{table}_index_%",),
    ).fetchone()


def _tokens(made: _Made, table: str, index: ListIndex) -> list[tuple[int, str]]:
    with made.database.read(made.account_key) as reader:
        keys = [
            key
            for (key,) in reader._connection.execute(
                f"SELECT id FROM {table} WHERE account_id = ?", (made.account_key,)
            )
        ]
        found = {}
        for at in range(0, len(keys), 1000):
            found.update(documents(index, reader.rows, keys[at : at + 1000]))
    return [(key, tokens(document)) for key, document in found.items()]


def _exported(book: BenchBook) -> Result:
    class Sink(io.RawIOBase):
        written = 0

        def write(self, chunk) -> int:
            self.written += len(chunk)
            return len(chunk)

    database = open_database(Settings(database=book.url))
    start = time.process_time()
    export_customers(database, book.account_key, format="ndjson", file=Sink())
    rate = book.count / (time.process_time() - start)
    return Result("export", round(rate), "customers/s/core", bar="≥ 30,000", met=rate >= 30_000)


def _walked(book: BenchBook) -> Result:
    pages = Pages(book)
    start, seen, url = time.process_time(), 0, "limit=1000"
    while url:
        page = msgspec.json.decode(pages.page(url))
        seen += len(page["data"])
        url = (page["page_info"]["next_page_url"] or "").partition("?")[2]
    rate = seen / (time.process_time() - start)
    assert seen == book.count
    return Result(
        "whole walk at limit 1000",
        round(rate),
        "customers/s/core",
        bar="≥ 100,000",
        met=rate >= 100_000,
        note="in process, reading each page included",
    )
