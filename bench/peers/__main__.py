"""`make bench-peers`: the same work on Tradebook and on what is picked in its place, in one run.

Every system has one worker on one core, a copy of the same customers, and the same questions. First all must
answer the same customers in the same order. Prints a table for each engine and writes both as JSON.
"""

import argparse
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench.asking import PATH, Ask, Asked
from bench.books import BenchBook, book_of
from bench.load import Generator
from bench.machine import how_quiet, machine
from bench.peers.comparing import own_shown, peer_shown, require_agreement
from bench.peers.plain import fill
from bench.peers.systems import BIN, PEERS, Peer
from bench.postgres import copied, new_server
from bench.reading import PUBLISHED, Pages
from bench.servers import Entry, Measured, Server, in_rounds, tradebook
from bench.serving import copied_book
from tests.fixtures.postgres import PostgresServer

OURS = "Tradebook"
CONNECTIONS = 8
DISTINCT = 20_000
WHOLE = (*PUBLISHED, "bill_to_address.geolocation", "ship_to_address.geolocation")
"""What peers show of a customer: an address has its place, which Tradebook shows where it is asked to."""

COMPARED = 3
"""How many questions of each kind are compared before they are measured."""


class Row(msgspec.Struct):
    """What one system did of one kind of work; `ratio` and `cpu_ratio` are ours against its own."""

    engine: str
    work: str
    system: str
    measured: Measured | None
    memory: float
    ratio: float | None = None
    cpu_ratio: float | None = None
    bar: float | None = None
    met: bool | None = None


def main() -> None:
    """Measure all peers on both engines."""
    parser = argparse.ArgumentParser(prog="bench.peers")
    parser.add_argument("--customers", type=int, default=100_000, help="size of the book")
    parser.add_argument("--rounds", type=int, default=5, help="how often each takes its turn")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a round")
    parser.add_argument("--folder", type=Path, default=Path(".bench"), help="where books are kept")
    parser.add_argument("--output", type=Path, default=Path("bench-peers.json"))
    chosen = parser.parse_args()
    console = Console(width=200)
    load = os.getloadavg()[0]
    peers = [peer for peer in PEERS if (BIN / peer.command[0]).exists()]
    for peer in PEERS:
        if peer not in peers:
            console.print(
                f"{peer.name} is left out: {BIN / peer.command[0]} is not there. See `make bench-peers`."
            )
    book = book_of(chosen.folder, chosen.customers)
    rows: list[Row] = []
    for engine in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            run = Run(engine, book, stack, chosen)
            console.print(f"{engine}: copying {book.count:,} customers for each system …")
            run.start([peer for peer in peers if engine in peer.engines])
            if compared := run.compare():
                console.print(f"{engine}: {compared} answers are the same customers in the same order.")
            rows += (found := list(run.measure()))
            console.print(_table(engine, found))
    console.print(how_quiet(load))
    facts = {
        "customers": book.count,
        **machine(),
        "load before": load,
        "results": rows,
    }
    chosen.output.write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n")


class Run:
    """All systems on one engine: started, compared, measured."""

    def __init__(self, engine: str, book: BenchBook, stack: ExitStack, chosen: argparse.Namespace) -> None:
        self._engine, self._book, self._stack, self._chosen = engine, book, stack, chosen
        self._place: PostgresServer | None = None
        if engine == "PostgreSQL":
            self._place = new_server()
            stack.callback(self._place.remove)
        self._folder = Path(stack.enter_context(TemporaryDirectory(dir=chosen.folder))).absolute()

    def start(self, peers: Sequence[Peer]) -> None:
        """Copy the customers for each system, and start them all."""
        book, place = self._book, self._place
        own = copied_book(copied(place, book) if place else book, self._folder, place)
        self._asked = Asked(self._stack.enter_context(closing(Pages(own))), WHOLE)
        self._kinds = self._asked.kinds(DISTINCT)
        self._ours = self._stack.enter_context(tradebook(own, name=OURS))
        self._peers = [
            (peer, self._stack.enter_context(peer.server(url)))
            for peer, url in zip(peers, self._plain_books(len(peers)), strict=True)
        ]

    def _plain_books(self, count: int) -> Iterator[str]:
        """Fill one plain book, and copy it for each peer: what one makes, no other finds."""
        place = self._place
        if place:
            place.execute("CREATE DATABASE plain")
            fill(self._book, _with_driver(place.url("plain")))
            for number in range(count):
                place.execute(f"CREATE DATABASE plain_{number} TEMPLATE plain")
                yield _with_driver(place.url(f"plain_{number}"))
            return
        # Datasette calls a database by the name of its file.
        first = self._folder / "plain.db"
        fill(self._book, f"sqlite:///{first}")
        for number in range(count):
            (self._folder / str(number)).mkdir()
            shutil.copy(first, target := self._folder / str(number) / "plain.db")
            yield f"sqlite:///{target}"

    def compare(self) -> int:
        """End the run if a peer answers other customers, or in another order, than Tradebook."""
        return self._agreed(
            [(kind, ask) for kind, asks in self._kinds.items() for ask in asks[:COMPARED] if ask.made is None]
        )

    def _agreed(self, questions: Sequence[tuple[str, Ask]], *, all_make: bool = False) -> int:
        peers = {
            peer.name: partial(_answer, peer, server)
            for peer, server in self._peers
            if peer.makes or not all_make
        }
        return require_agreement(questions, self._own_answer, peers)

    def _own_answer(self, ask: Ask) -> list[Any]:
        page = msgspec.json.decode(self._ours.get(self._asked.path(ask)))
        return own_shown(page, is_whole=ask.is_whole)

    def measure(self) -> Iterator[Row]:
        """Let all systems take turns at each kind of work."""
        chosen, place = self._chosen, self._place
        with Generator() as generate:
            for kind, asks in self._kinds.items():
                figures = in_rounds(
                    generate,
                    [Entry(server, requests) for server, requests in self._spelled(asks)],
                    rounds=chosen.rounds,
                    seconds=chosen.seconds,
                    connections=CONNECTIONS,
                    database=place._process.pid if place else None,
                )
                if made := asks[0].made:
                    # Each was asked to make this one first: it has to be found.
                    self._agreed([(kind, Ask(q=str(made)))], all_make=True)
                ours = figures[0]
                assert ours is not None
                yield Row(self._engine, kind, OURS, ours, self._ours.memory_mib())
                for (peer, server), theirs in zip(self._peers, figures[1:], strict=True):
                    yield _row(self._engine, kind, peer, server, ours, theirs)

    def _spelled(self, asks: Sequence[Ask]) -> Iterator[tuple[Server, list[bytes]]]:
        asked, ours = self._asked, self._ours
        paths = [(PATH, asked.body(ask)) if ask.made else (asked.path(ask), None) for ask in asks]
        yield ours, [ours.request(path, body) for path, body in paths]
        for peer, server in self._peers:
            requests = (peer.request(server, ask, asked.like) for ask in asks)
            yield server, [request for request in requests if request is not None]


def _answer(peer: Peer, server: Server, ask: Ask) -> list[Any] | None:
    path = peer.path(ask)
    return None if path is None else peer_shown(msgspec.json.decode(server.get(path)), is_whole=ask.is_whole)


def _with_driver(url: str) -> str:
    return url.replace("postgresql:", "postgresql+psycopg:")


def _row(engine: str, kind: str, peer: Peer, server: Server, ours: Measured, theirs: Measured | None) -> Row:
    row = Row(engine, kind, peer.name, theirs, server.memory_mib())
    if theirs is not None:
        row.ratio, row.cpu_ratio = round(ours.rate / theirs.rate, 2), round(theirs.cpu / ours.cpu, 2)
        row.bar = peer.bar(engine, kind)
        # A rate of the fastest answers is held down by what asks for them.
        reached = row.cpu_ratio if kind == "repeated page" else row.ratio
        row.met = None if row.bar is None else reached >= row.bar
    return row


def _table(engine: str, rows: Sequence[Row]) -> Table:
    table = Table(title=f"{engine}: ours/theirs is how many times as fast Tradebook is")
    headings = (
        "work",
        "system",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU µs",
        "database µs",
        "ours/theirs",
        "bar",
        "met",
        "MiB",
    )
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("work", "system") else "right")
    for row in rows:
        found = row.measured
        if found is None:
            table.add_row("", row.system, *["–"] * 6)
            continue
        database = "" if found.database_cpu is None else f"{found.database_cpu:,.0f}"
        against = "" if row.ratio is None else f"({row.ratio:g} ×, CPU {row.cpu_ratio:g} ×)"
        table.add_row(
            row.work if row.system == OURS else "", row.system, f"{found.rate:,.0f}", f"{found.p50:g}",
            f"{found.p99:g}", f"{found.cpu:,.0f}", database, against,
            f"≥ {row.bar:g} ×" if row.bar else "", {True: "yes", False: "NO", None: ""}[row.met],
            f"{row.memory:g}",
        )  # fmt: skip
    return table


main()
