"""Books of earlier versions: made as today, then taken back to an earlier schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import apsw
import httpx
import psycopg

import tradebook.app
from tests.fixtures import plain_http
from tests.fixtures.lengths import length
from tradebook.migrations import HEAD, steps
from tradebook.resources import INDEXES
from tradebook.settings import Settings
from tradebook.storage.location import locate

_OLD_SCHEMAS = tuple(f"{number:04}" for number in range(1, int(HEAD)))
OLD_SCHEMAS = length(_OLD_SCHEMAS[::2], _OLD_SCHEMAS)
_INDEXED_SINCE = {"customers_index": "0001", "addresses_index": "0003", "account_groups_index": "0003"}


def take_back(url: str, schema: str) -> None:
    """Give a book the schema of an earlier version; its customers stay."""
    location = locate(url)
    with location.migrating() as connection:
        steps.downgrade(connection, schema)
    if location.is_embedded:
        # What an earlier version did not index had no table of an account's own.
        for index in INDEXES:
            if _INDEXED_SINCE[index.name] > schema:
                drop_tables(url, f"{index.name}_")


def drop_tables(url: str, beginning: str) -> None:
    """Drop the virtual tables whose names begin so."""
    connection = apsw.Connection(str(locate(url).path))
    names = connection.execute(
        "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%' AND substr(name, 1, ?) = ?",
        (len(beginning), beginning),
    ).fetchall()
    for (name,) in names:
        connection.execute(f"DROP TABLE {name}")
    connection.close()


@contextmanager
def asking(url: str, secret: str) -> Iterator[plain_http.Client]:
    """A client of a book, with a key of it."""
    settings = Settings(database=url, log_requests=False, rate_limit=0)
    database = tradebook.app.open_database(settings)
    # The service's own, so that it can be closed.
    with patch.object(tradebook.app, "open_database", lambda _: database):
        app = tradebook.app.create_app(settings)
    made = plain_http.Client(
        transport=httpx.WSGITransport(app=app),
        base_url="http://book",
        headers={"Authorization": f"Bearer {secret}"},
    )
    yield made
    made.close()
    database.close()


def run_sql(url: str, statement: str, values: tuple = ()) -> list[tuple]:
    """Run a statement past the product; `?` stands for a value on each engine."""
    location = locate(url)
    if location.is_embedded:
        connection = apsw.Connection(str(location.path))
        rows = connection.execute(statement, values).fetchall()
        connection.close()
        return rows
    with psycopg.connect(url) as connection:
        done = connection.execute(statement.replace("?", "%s"), values or None)
        return done.fetchall() if done.description else []
