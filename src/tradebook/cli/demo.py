"""The command `demo`: serves a made-up book from a temporary folder, which is removed at the end."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from textwrap import shorten
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from tradebook.cli.listening import PortTaken, require_free
from tradebook.cli.opening import account_key, opened
from tradebook.cli.options import PortOption
from tradebook.cli.output import fail, print_whole, tell
from tradebook.cli.serving import serve_forever
from tradebook.crud.resource import View
from tradebook.demo.book import demo_customers
from tradebook.demo.examples import add_examples, attach_examples
from tradebook.ids import KEY_MAX
from tradebook.resources import accounts, api_keys, customers
from tradebook.settings import DATABASE_VARIABLE
from tradebook.storage.index import Query
from tradebook.storage.location import locate
from tradebook.storage.sqlite.location import SCHEME
from tradebook.transfer.imports.run import import_customers
from tradebook.transfer.rows import Row

ADDRESS = "127.0.0.1"
ROWS_SHOWN = 8
NAME_WIDTH = 30
INCLUDE = frozenset({"bill_to_address", "bill_to_address.geolocation", "credit_limit"})

app = typer.Typer()


@app.command()
def demo(
    port: PortOption = 8000,
    count: Annotated[
        int,
        typer.Option("--customers", min=1, max=1_000_000, help="How many customers to make up."),
    ] = 1000,
) -> None:
    """Serve a made-up book from a temporary folder, and show a first request. Ctrl-C removes it."""
    folder = Path(tempfile.mkdtemp(prefix="tradebook-demo-"))
    try:
        # Before a large book is made up.
        require_free(ADDRESS, port)
        secret = make_book(f"{SCHEME}{folder / 'demo.db'}", count)
        os.environ.setdefault("TRADEBOOK_LOG_REQUESTS", "false")
        # As a server answers, with a limit that no trial meets.
        for limit in ("TRADEBOOK_RATE_LIMIT", "TRADEBOOK_ACCOUNT_RATE_LIMIT"):
            os.environ.setdefault(limit, "1000000")
        # The files that workers share are temporary files too: they are removed with the book.
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        serve_forever(ADDRESS, port, 1, lambda: _introduce(port, secret))
    except PortTaken as error:
        fail(f"{error} Choose another with --port.")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        tell("The demo book is removed.")


def make_book(database: str, count: int) -> str:
    """Fill a new book, show its first rows, and return the key that opens it."""
    os.environ[DATABASE_VARIABLE] = database
    tell(f"Making up {count:,} customers …")
    # Here, as an empty book is nothing to be told of.
    locate(database).create()
    with opened(database, makes=True) as book:
        key, environment = account_key(book, accounts.create_account(book, "Demo", "test"))
        rows = (Row(line, record) for line, record in enumerate(demo_customers(count), 1))
        with book.write(key) as writer:
            add_examples(writer)
        summary = import_customers(book, key, rows, report=lambda p: tell(str(p)))
        assert summary.problems == 0, "the demo book is ours and has no problems"
        with book.write(key) as writer:
            attach_examples(writer)
            _, secret = api_keys.create_key(writer, environment, name="Demo")
        with book.read(key) as reader:
            _show_first_rows(View(reader, INCLUDE))
    return secret


def _show_first_rows(view: View) -> None:
    keys = view.reader.keys(
        customers.INDEX, Query(), above=0, below=KEY_MAX, descending=True, limit=ROWS_SHOWN
    )
    table = Table(title="The newest customers")
    for heading in ("number", "name", "city", "credit limit"):
        table.add_column(heading, justify="right" if heading == "credit limit" else "left", no_wrap=True)
    loaded = customers.load(view, keys)
    shown = msgspec.json.encode([loaded[key] for key in keys])
    for customer in msgspec.json.decode(shown, type=list[customers.Customer]):
        place = customer.bill_to_address and customer.bill_to_address.geolocation
        limit = customer.credit_limit
        table.add_row(
            customer.number,
            shorten(customer.name, NAME_WIDTH, placeholder="…"),
            f"{place.locality}, {place.country}" if place else "",
            limit.display_value if limit else "",
        )
    print_whole(table)


def _introduce(port: int, secret: str) -> None:
    url = f"http://{ADDRESS}:{port}"
    print(f"Key:   {secret}")
    print(f"Try:   curl -s -H 'Authorization: Bearer {secret}' '{url}/v1/sales/customers?limit=3'")
    print(f"Learn: {url}/docs and {url}/openapi.json")
    tell("Serving until Ctrl-C; the book is removed then.")
    sys.stdout.flush()
