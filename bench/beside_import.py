"""What others wait for beside an import: requests, and commands, while a file comes in. Run as a module.

`python -m bench.beside_import --customers 100000 [--database postgresql://…]`
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import chain
from itertools import count as counting_from
from pathlib import Path

import httpx
import msgspec

from bench.books import records
from tests.fixtures.plain_http import Client
from tests.fixtures.server import Server, start_server, stop_server
from tradebook import migrations
from tradebook.app import open_database
from tradebook.clock import now_ms
from tradebook.ids import encode_id
from tradebook.resources import accounts, api_keys, customers
from tradebook.settings import Settings
from tradebook.storage.database import Database, Unavailable, Writer
from tradebook.storage.location import locate
from tradebook.storage.transactions import writing
from tradebook.transfer.imports.run import import_customers
from tradebook.transfer.rows import Row

KNOWN = 50
"""How many customers are there before; the file changes half of them."""

CUSTOMERS, GROUPS = "/v1/sales/customers", "/v1/sales/account-groups"
PAUSE_SECONDS, KEY_MS = 0.05, 5_000
Work = Callable[[], str | None]
"""Does something once; returns what went wrong."""


class Waits(msgspec.Struct):
    """How long one kind of work took each time, and what went wrong with it."""

    seconds: list[float] = []
    failures: list[str] = []

    def __str__(self) -> str:
        """Write it as a line for a person."""
        if not self.seconds:
            return f"never came to its end, {len(self.failures)} failed"
        listed = sorted(self.seconds)
        middle, late = listed[len(listed) // 2], listed[int(len(listed) * 0.99)]
        return (
            f"{len(listed):,} times, median {middle * 1000:.0f} ms, 99 % {late * 1000:.0f} ms, "
            f"longest {listed[-1] * 1000:.0f} ms, {len(self.failures)} failed"
        )


class _Account:
    """An account with a key, and some customers whose ids are known."""

    def __init__(self, database: Database, name: str) -> None:
        self.id = accounts.create_account(database, name, "test")
        self.key, self.environment = accounts.find_account(database, self.id)
        _, self.secret = self.new_key(database)
        known = (Row(n, {"number": f"K{n}", "name": f"Known {n}"}) for n in range(KNOWN))
        import_customers(database, self.key, known, report=print)
        with database.read(self.key) as reader:
            found = customers.records.find_by(reader, "number", [f"K{n}" for n in range(KNOWN)])
        self.customers = {number: encode_id(customers.ID_PREFIX, row["id"]) for number, row in found.items()}

    def new_key(self, database: Database, *, ends_at: int | None = None) -> tuple[str, str]:
        """Make a key, as `keys create` does."""

        def create(writer: Writer) -> tuple[str, str]:
            return api_keys.create_key(writer, self.environment, expires_at=ends_at, name="One more")

        return writing(database, self.key, create)


def beside(
    folder: Path, url: str, count: int, *, with_commands: bool = True
) -> tuple[dict[str, Waits], float]:
    """Import so many customers by the command, and work beside it; returns the waits, and its seconds."""
    locate(url).create()
    migrations.upgrade(url)
    # With the patience that commands have.
    database = open_database(Settings(database=url))
    importing, other = (_Account(database, name) for name in ("Importing", "Other"))
    file = folder / "customers.ndjson"
    changed = ({"number": f"K{number}", "name": f"Changed {number}"} for number in range(KNOWN // 2))
    with file.open("wb") as lines:
        for values in chain(changed, (row.values for row in records(count))):
            lines.write(msgspec.json.encode(values) + b"\n")
    server = start_server(folder, database=url)
    clients = ExitStack()
    try:
        works = dict(_works(server, database, importing, other, clients))
        if with_commands:
            works["accounts create, with its start"] = _run(url, "accounts", "create", "One more")
            works["keys create, with its start"] = _run(url, "keys", "create", "--account", importing.id)
        waits = {name: Waits([], []) for name in works}
        process = _command(url, "import", "customers", str(file), "--account", importing.id)
        started = time.monotonic()
        threads = [
            threading.Thread(target=_again_and_again, args=(work, waits[name], process))
            for name, work in works.items()
        ]
        for thread in threads:
            thread.start()
        _, told = process.communicate()
        seconds = time.monotonic() - started
        for thread in threads:
            thread.join()
        assert process.returncode == 0, told.decode()
    finally:
        clients.close()
        stop_server(server)
        database.close()
    return waits, seconds


def _works(
    server: Server, database: Database, importing: _Account, other: _Account, clients: ExitStack
) -> Iterator[tuple[str, Work]]:
    numbers = counting_from(1)

    def group() -> Mapping[str, str]:
        return {"name": f"Group {next(numbers)}", "type": "pricing_group"}

    def note() -> Mapping[str, str]:
        return {"note": f"Note {next(numbers)}"}

    ask = partial(_request, server, clients)
    own, others = importing.customers, other.customers
    yield "POST of a group", ask(importing, "POST", GROUPS, group)
    yield "POST of a group in another account", ask(other, "POST", GROUPS, group)
    in_file, not_in_file = f"{CUSTOMERS}/{own['K1']}", f"{CUSTOMERS}/{own[f'K{KNOWN - 1}']}"
    yield "PATCH of a customer that is in the file", ask(importing, "PATCH", in_file, note)
    yield "PATCH of one that is not", ask(importing, "PATCH", not_in_file, note)
    elsewhere = f"{CUSTOMERS}/{others['K1']}"
    yield "PATCH in another account", ask(other, "PATCH", elsewhere, note)
    yield "GET of a page", ask(importing, "GET", CUSTOMERS, dict)
    yield "a new account", _tried(lambda: accounts.create_account(database, "One more", "test"))
    # It ends soon: an account can have so many that work.
    yield "a new key", _tried(lambda: importing.new_key(database, ends_at=now_ms() + KEY_MS))


def _request(
    server: Server,
    clients: ExitStack,
    account: _Account,
    method: str,
    path: str,
    body: Callable[[], Mapping[str, str]],
) -> Work:
    headers = {"Authorization": f"Bearer {account.secret}"}
    client = clients.enter_context(Client(base_url=server.url, headers=headers, timeout=30))

    def request() -> str | None:
        try:
            answer = client.request(method, path, json=body() or None)
        except httpx.HTTPError as error:
            return repr(error)
        return None if answer.is_success else f"{answer.status_code} {answer.text}"

    return request


def _tried(work: Callable[[], object]) -> Work:
    def attempt() -> str | None:
        try:
            work()
        except Unavailable as error:
            return str(error)
        return None

    return attempt


def _run(url: str, *arguments: str) -> Work:
    def command() -> str | None:
        process = _command(url, *arguments)
        _, told = process.communicate()
        return None if process.returncode == 0 else told.decode()

    return command


def _command(url: str, *arguments: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tradebook", "--database", url, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _again_and_again(work: Work, waits: Waits, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        started = time.monotonic()
        failure = work()
        waits.seconds.append(time.monotonic() - started)
        if failure is not None:
            waits.failures.append(failure)
        # A command takes the machine for half a second, and who waits would wait for that.
        time.sleep(max(PAUSE_SECONDS, time.monotonic() - started))


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(prog="bench.beside_import")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--database", help="An empty database. Default: a file.")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = chosen.database or f"sqlite:///{Path(folder) / 'book.db'}"
        waits, seconds = beside(Path(folder), url, chosen.customers)
    rate = chosen.customers / seconds
    print(f"{chosen.customers:,} customers in {seconds:.0f} s, {rate:,.0f} a second")
    for name, each in waits.items():
        print(f"{name}: {each}")


if __name__ == "__main__":
    main()
