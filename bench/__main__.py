"""`make bench`: prints the table and writes it as JSON. `BENCH="--customers 100000"` for a shorter run."""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import msgspec
from rich.console import Console
from rich.table import Table

from bench.books import book_of
from bench.machine import how_quiet, machine
from bench.measuring import Result
from bench.moving import measure_moving
from bench.postgres import copied, new_server
from bench.reading import measure_pages
from bench.serving import SECONDS, copied_book, measure_serving
from bench.writing import measure_writing

SMALL = 10_000


def main() -> None:
    """Measure everything, then tell."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--customers", type=int, default=1_000_000, help="size of the large book")
    parser.add_argument("--moved", type=int, default=100_000, help="size of the imported file")
    parser.add_argument("--folder", type=Path, default=Path(".bench"), help="where books are kept")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of a round over HTTP")
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    chosen = parser.parse_args()
    console = Console(width=230)
    load = os.getloadavg()[0]
    small = book_of(chosen.folder, SMALL)
    large = book_of(chosen.folder, chosen.customers)
    results: list[Result] = []

    def take(engine: str, measured: Iterable[Result]) -> None:
        for result in measured:
            result.engine = engine
            results.append(result)
            console.print(f"{engine}: {result.name}: {result.value:,} {result.unit}", highlight=False)

    server = new_server()
    try:
        console.print("Copying the books to PostgreSQL …")
        copies = [copied(server, book) for book in (small, large)]
        # In turn, so that a slow hour of the machine hits both engines.
        for engine, books, place in (("SQLite", [small, large], None), ("PostgreSQL", copies, server)):
            take(engine, measure_pages(*books))
            take(engine, measure_serving(*books, place, chosen.seconds))
            # Of copies: what is made and deleted leaves its parts in the index, for the next run to read.
            with TemporaryDirectory(dir=chosen.folder) as folder:
                take(engine, measure_writing(*(copied_book(book, Path(folder), place) for book in books)))
            take(engine, measure_moving(chosen.folder, books[1], chosen.moved, place))
    finally:
        server.remove()
    console.print(_table(results, large.count))
    console.print(how_quiet(load))
    facts = {
        "customers": large.count,
        **machine(),
        "load before": load,
        "sqlite": apsw.sqlite_lib_version(),
        "results": results,
    }
    chosen.output.write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n")


def _table(results: list[Result], count: int) -> Table:
    table = Table(title=f"{count:,} customers against {SMALL:,}")
    for heading in ("what", "engine", "figure", "beside", "ratio", "bar", "met", "note"):
        table.add_column(heading, justify="left" if heading in ("what", "engine", "note") else "right")
    for name in dict.fromkeys(r.name for r in results):
        for r in results:
            if r.name == name:
                table.add_row(r.name if r.engine == "SQLite" else "", r.engine, *_shown(r), r.note)
    return table


def _shown(r: Result) -> tuple[str, str, str, str, str]:
    return (
        f"{r.value:,} {r.unit}",
        "" if r.floor is None else f"{r.floor:,}",
        "" if r.ratio is None else f"{r.ratio:g}",
        r.bar,
        {True: "yes", False: "NO", None: ""}[r.met],
    )


main()
