"""`make bench`: prints the table and writes it as JSON. `BENCH="--customers 100000"` for a shorter run."""

import argparse
import platform
from pathlib import Path

import apsw
import msgspec
from rich.console import Console
from rich.table import Table

from bench.books import book_of
from bench.measuring import Result
from bench.moving import measure_moving
from bench.reading import measure_pages
from bench.serving import measure_serving

SMALL = 10_000


def main() -> None:
    """Measure everything, then tell."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--customers", type=int, default=1_000_000, help="size of the large book")
    parser.add_argument("--moved", type=int, default=100_000, help="size of the imported file")
    parser.add_argument("--folder", type=Path, default=Path(".bench"), help="where books are kept")
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    chosen = parser.parse_args()
    console = Console(width=150)
    small = book_of(chosen.folder, SMALL)
    large = book_of(chosen.folder, chosen.customers)
    results: list[Result] = []
    for measure in (
        lambda: measure_pages(small, large),
        lambda: measure_serving(large),
        lambda: measure_moving(chosen.folder, large, chosen.moved),
    ):
        for result in measure():
            results.append(result)
            console.print(f"{result.name}: {result.value:,} {result.unit}", highlight=False)
    console.print(_table(results, large.count))
    facts = {
        "customers": large.count,
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "results": results,
    }
    chosen.output.write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n")


def _table(results: list[Result], count: int) -> Table:
    table = Table(title=f"SQLite, {count:,} customers against {SMALL:,}")
    for heading in ("what", "figure", "beside", "ratio", "bar", "met", "note"):
        table.add_column(heading, justify="left" if heading in ("what", "note") else "right")
    for r in results:
        table.add_row(
            r.name,
            f"{r.value:,} {r.unit}",
            "" if r.floor is None else f"{r.floor:,}",
            "" if r.ratio is None else f"{r.ratio:g}",
            r.bar,
            {True: "yes", False: "NO", None: ""}[r.met],
            r.note,
        )
    return table


main()
