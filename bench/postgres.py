"""The same books on a PostgreSQL server of the bench's own: durable as a server is by default."""

import psycopg

from bench.books import BenchBook
from tests.fixtures.postgres import PostgresServer
from tradebook import migrations
from tradebook.app import open_database
from tradebook.settings import Settings
from tradebook.transfer.copying import copy_book

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
MEMORY = {"shared_buffers": "1GB", "maintenance_work_mem": "256MB", "max_wal_size": "4GB"}


def new_server() -> PostgresServer:
    """Start a server."""
    return PostgresServer.new(**DURABLE, **MEMORY)


def empty_book(server: PostgresServer, name: str) -> str:
    """Make a migrated database and return its URL."""
    server.execute(f"CREATE DATABASE {name}")
    url = server.url(name)
    migrations.upgrade(url)
    return url


def copied(server: PostgresServer, book: BenchBook) -> BenchBook:
    """Copy a book to the server."""
    url = empty_book(server, f"book_{book.count}")
    source, target = (
        open_database(Settings(database=place, database_timeout_ms=60_000)) for place in (book.url, url)
    )
    copy_book(source, target)
    for database in (source, target):
        database.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return BenchBook(url, book.account_key, book.secret, book.count, book.import_seconds)
