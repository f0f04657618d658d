"""Over HTTP, by several connections: pages that repeat nowhere and one that repeats, and the worker's memory.

Beside each rate stands the processor time of a request in the server's whole process tree: a rate is held
down by whatever else the machine does, the generator included.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw

from bench.asking import PATH, Asked
from bench.books import BenchBook
from bench.load import Generator
from bench.measuring import Result
from bench.reading import Pages
from bench.servers import Entry, Measured, in_rounds, tradebook
from tests.fixtures.postgres import PostgresServer
from tradebook.storage.location import locate

CONNECTIONS = 8
ROUNDS = 5
SECONDS = 1.0
DISTINCT = 50_000
LARGE_QUERIES = ("limit=1000", "limit=1000&include=child_accounts,price_groups,bill_to_address", "q=a")


def measure_serving(
    small: BenchBook, large: BenchBook, place: PostgresServer | None, seconds: float = SECONDS
) -> Iterator[Result]:
    """Serve both books and constant bytes, and let them take turns. What makes customers goes into a copy."""
    database = place._process.pid if place else None
    with closing(Pages(large)) as pages, Generator() as generate, tradebook(large) as ours:
        asked = Asked(pages)
        kinds = dict(asked.kinds(DISTINCT))
        made = kinds.pop("create")
        os.environ["BENCH_BYTES"] = str(len(ours.get(PATH)))
        with tradebook(large, "bench.constant", "constant bytes") as constant:
            for name, asks in kinds.items():
                entries = [
                    Entry(ours, [ours.request(asked.path(ask)) for ask in asks]),
                    Entry(constant, [constant.request(PATH)]),
                ]
                figures = in_rounds(
                    generate,
                    entries,
                    rounds=ROUNDS,
                    seconds=seconds,
                    connections=CONNECTIONS,
                    database=database,
                )
                at_most = 1 / 0.9 if name == "repeated page" and not place else None
                yield _told(name, *figures, at_most=at_most)
        for query in LARGE_QUERIES:
            for _ in range(20):
                ours.get(f"{PATH}?{query}")
        own = ours.memory_mib()
    yield Result("memory of a worker of its own", own, "MiB", bar="≤ 120 MiB", met=own <= 120)
    with TemporaryDirectory() as folder, Generator() as generate:
        copy = copied_book(small, Path(folder), place)
        with closing(Pages(copy)) as pages, tradebook(copy) as ours:
            asked = Asked(pages)
            entry = Entry(ours, [ours.request(PATH, asked.body(ask)) for ask in made])
            figures = in_rounds(
                generate, [entry], rounds=ROUNDS, seconds=seconds, connections=CONNECTIONS, database=database
            )
            yield _told("create", *figures)


def copied_book(book: BenchBook, folder: Path, place: PostgresServer | None) -> BenchBook:
    """Copy a book on its engine, so that what is made there does not stay in the measured one."""
    if place:
        name = f"copy_{book.count}"
        place.execute(f"DROP DATABASE IF EXISTS {name}")
        place.execute(f"CREATE DATABASE {name} TEMPLATE {book.url.rpartition('/')[2]}")
        url = place.url(name)
    else:
        target = folder / f"copy-{book.count}.db"
        for leftover in folder.glob(f"{target.name}*"):
            leftover.unlink()
        apsw.Connection(str(locate(book.url).path)).execute("VACUUM INTO ?", (str(target),))
        url = f"sqlite:///{target.absolute()}"
    return BenchBook(url, book.account_key, book.secret, book.count, book.import_seconds)


def _told(
    name: str, ours: Measured | None, base: Measured | None = None, *, at_most: float | None = None
) -> Result:
    assert ours is not None
    ratio = round(ours.cpu / base.cpu, 2) if base else None
    database = f", {ours.database_cpu:,.0f} in the database" if ours.database_cpu is not None else ""
    return Result(
        f"HTTP: {name}, CPU a request",
        ours.cpu,
        "µs",
        base.cpu if base else None,
        ratio,
        f"≤ {at_most:.2f} ×" if at_most else "",
        ratio <= at_most if at_most else None,
        f"{ours.rate:,.0f}/s, p50 {ours.p50:g} ms, p99 {ours.p99:g} ms{database}",
        figures=ours,
    )
