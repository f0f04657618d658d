"""How fast rows are planned, and whether memory stays flat, on this process and its helper. Run as a module.

`python -m bench.planning --rows 1000000`
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from bench.books import records
from tradebook import migrations
from tradebook.app import open_database
from tradebook.cli.importing import COLLECT_AFTER
from tradebook.resources import accounts
from tradebook.settings import Settings
from tradebook.storage.location import locate
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.imports.planning import plan_customers

TOLD = 10
"""How many times memory is told on the way."""

_OWN = Path("/proc/self")


def planned(folder: Path, count: int) -> Iterator[str]:
    """Plan an import of so many new customers into an empty book; yields what was seen on the way."""
    url = f"sqlite:///{folder / 'book.db'}"
    locate(url).create()
    migrations.upgrade(url)
    source = folder / "customers.ndjson"
    with source.open("wb") as lines:
        for row in records(count):
            lines.write(msgspec.json.encode(row.values) + b"\n")
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    told: list[str] = []

    def note(rows: int) -> None:
        if len(told) < rows * TOLD // count:
            own, helper = _mebibytes(_OWN), sum(map(_mebibytes, _children()))
            told.append(f"{rows:,} rows: {own:.0f} MiB, and {helper:.0f} in its helper")

    with closing(open_database(Settings(database=url))) as database, source.open("rb") as file:
        key, _ = accounts.find_account(database, accounts.create_account(database, "Bench", "test"))
        started, used = time.monotonic(), time.process_time()
        with (
            database.read(key) as reader,
            closing(plan_customers(reader, read_file(file, "ndjson", None), progress=note)) as plan,
        ):
            seconds, own = time.monotonic() - started, time.process_time() - used
            assert plan.summary.created == count, plan.summary
    yield from told
    yield f"{count / seconds:,.0f} rows a second; {own / count * 1e6:.0f} µs of this process a row"


def _children() -> Iterator[Path]:
    for listed in (_OWN / "task").glob("*/children"):
        yield from (Path("/proc") / number for number in listed.read_text().split())


def _mebibytes(process: Path) -> float:
    """Tell what a process has for itself: pages of files, and those it shares with its parent, left out."""
    lines = (process / "smaps_rollup").read_text().splitlines()
    private = [int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")]
    return sum(private) / 1024


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(prog="bench.planning")
    parser.add_argument("--rows", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for line in planned(Path(folder), chosen.rows):
            print(line)


if __name__ == "__main__":
    main()
