"""Walks while others write: what stays is met exactly once, whatever is added, changed and deleted meanwhile."""

import copy
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import httpx
import pytest

from tests.contract.checkers import CUSTOMERS
from tests.fixtures import plain_http
from tests.fixtures.book import Book, delete
from tests.fixtures.lengths import length
from tradebook.app import open_database
from tradebook.cli.opening import PATIENCE_MS
from tradebook.settings import Settings

STAYING = length(700, 1_500)
WRITERS, WALKERS = 3, 4
WRITES = length(24, 200)
TIED = "2024-05-01T09:30:00.500Z"
FILTERS = {"": "ab", "status_codes=preferred": "a", "q=even": "b", "status_codes=normal,hold_all&q=walk": "b"}
"""Query, and the kinds of customers that match it."""


class Life(NamedTuple):
    """What a writer knows of a row: moments before sending and after the answer."""

    kind: str
    creation_sent: float
    created: float
    deletion_sent: float = float("inf")
    deleted: float = float("inf")


class Walk(NamedTuple):
    """What a walker saw: (id, number) in the order in which they came, first to last of the list."""

    kinds: str
    start: float
    end: float
    seen: list[tuple[str, str]]


def walk_faults(walk: Walk, lives: dict[str, Life]) -> set[str]:
    """Name what a walk did wrong, by the writers' journals alone."""
    faults = set()
    ids = [key for key, _ in walk.seen]
    numbers = {number for _, number in walk.seen}
    if len(set(ids)) != len(ids):
        faults.add("repeated")
    if ids != sorted(ids, reverse=True):
        faults.add("disordered")
    for number, life in lives.items():
        stayed = life.created < walk.start and life.deletion_sent > walk.end
        if life.kind in walk.kinds and stayed and number not in numbers:
            faults.add("skipped")
    for number in numbers:
        life = lives.get(number)
        if life is None or life.kind not in walk.kinds:
            faults.add("foreign")
        elif life.creation_sent > walk.end or life.deleted < walk.start:
            faults.add("dead")
    return faults


def record(number, kind):
    """A customer of a kind: a is preferred and odd, b is normal and even; many share one moment."""
    status, word = ("preferred", "odd") if kind == "a" else ("normal", "even")
    made = {"number": number, "name": f"Walk {word} {number}", "status": status}
    return {**made, "created_at": TIED} if sum(map(ord, number)) % 3 else made


class Shared:
    """A book, its rows' lives, and ids by number."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.lives: dict[str, Life] = {}
        self.writing = WRITERS
        self.lock = threading.Lock()


def write(shared: Shared, place: int) -> None:
    """Insert, change and delete for a while, with a journal."""
    chance = random.Random(place)
    own = copy.copy(shared.book)
    own.database = open_database(Settings(database=own.server.database, database_timeout_ms=PATIENCE_MS))
    living: list[str] = []
    try:
        for turn in range(WRITES):
            if turn % 3 == 2 and living:
                number = living.pop(chance.randrange(len(living)))
                (found,) = own.client.get(CUSTOMERS, params={"q": number}).json()["data"]
                sent = time.monotonic()
                shared.lives[number] = shared.lives[number]._replace(deletion_sent=sent)
                delete(own, [found["id"]])
                shared.lives[number] = shared.lives[number]._replace(deleted=time.monotonic())
                continue
            fresh = {f"w{place}x{turn}x{n}": chance.choice("ab") for n in range(chance.randrange(1, 6))}
            sent = time.monotonic()
            for number, kind in fresh.items():
                shared.lives[number] = Life(kind, sent, float("inf"))
            changed = f"s{chance.randrange(STAYING)}"
            word = "odd" if shared.lives[changed].kind == "a" else "even"
            rows = [record(number, kind) for number, kind in fresh.items()]
            own.add(*rows, {"number": changed, "name": f"Walk {word} {changed} again {turn}"})
            now = time.monotonic()
            for number in fresh:
                shared.lives[number] = shared.lives[number]._replace(created=now)
            living += fresh
    finally:
        own.database.close()
        with shared.lock:
            shared.writing -= 1


def follow(client: httpx.Client, url: str, step: str) -> list[dict]:
    """Take every page from here on."""
    pages = []
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        url = pages[-1]["page_info"][f"{step}_page_url"]
    return pages


def walk(shared: Shared, place: int) -> list[Walk]:
    """Walk forwards, or there and back, until the writers have ended."""
    chance = random.Random(1000 + place)
    walks = []
    with plain_http.Client(
        base_url=shared.book.server.url, headers=shared.book.client.headers, timeout=30
    ) as client:
        while shared.writing or len(walks) < 4:
            query, kinds = chance.choice(list(FILTERS.items()))
            url = f"{CUSTOMERS}?limit={chance.choice((11, 50, 333, 1000))}&{query}".rstrip("&")
            start = time.monotonic()
            pages = follow(client, url, "next")
            back = pages[-1]["page_info"]["previous_page_url"]
            last = pages[-1]
            walks.append(Walk(kinds, start, time.monotonic(), seen_in(pages)))
            if back:
                # What stood on the last page when the way back began belongs to that way.
                start = time.monotonic()
                behind = follow(client, back, "previous")
                walks.append(Walk(kinds, start, time.monotonic(), seen_in([*reversed(behind), last])))
    return walks


def seen_in(pages):
    return [(customer["id"], customer["number"]) for page in pages for customer in page["data"]]


def test_walks_meet_what_stays_exactly_once_while_others_write(book):
    shared = Shared(book)
    before = time.monotonic()
    kinds = {f"s{n}": "ab"[n % 2] for n in range(STAYING)}
    book.add(*(record(number, kind) for number, kind in kinds.items()))
    now = time.monotonic()
    shared.lives.update({number: Life(kind, before, now) for number, kind in kinds.items()})

    with ThreadPoolExecutor(WRITERS + WALKERS) as pool:
        writers = [pool.submit(write, shared, place) for place in range(WRITERS)]
        walkers = [pool.submit(walk, shared, place) for place in range(WALKERS)]
        for writer in writers:
            writer.result(300)
        walks = [each for walker in walkers for each in walker.result(300)]

    assert len(walks) >= 4 * WALKERS
    assert any(life.deleted < float("inf") for life in shared.lives.values())
    assert [faults for faults in (back_is_lenient(each, shared.lives) for each in walks) if faults] == []


def back_is_lenient(each: Walk, lives: dict[str, Life]) -> set[str]:
    """A last page may be older than the way back: rows of it that died in between are no fault."""
    faults = walk_faults(each, lives)
    if "dead" in faults:
        earlier = each._replace(start=min(life.created for life in lives.values()))
        faults = (faults - {"dead"}) | (walk_faults(earlier, lives) & {"dead"})
    return faults


def rows_between(numbers):
    """Some (id, number) as a walk over them would see them."""
    return [(f"ac_{number:05}", str(number)) for number in numbers]


LIVES = {str(n): Life("a", 0, 1) for n in range(10)}


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        ([9, 8, 7, 6, 5, 4, 3, 2, 1, 0], None),
        ([9, 8, 7, 6, 5, 4, 3, 2, 1], "skipped"),
        ([9, 8, 7, 7, 6, 5, 4, 3, 2, 1, 0], "repeated"),
        ([8, 9, 7, 6, 5, 4, 3, 2, 1, 0], "disordered"),
        ([11, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], "foreign"),
        ([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], "dead"),
    ],
)
def test_the_checker_names_each_fault(seen, fault):
    lives = {**LIVES, "10": Life("a", 0, 1, 2, 3)}

    assert walk_faults(Walk("a", 5, 6, rows_between(seen)), lives) == ({fault} if fault else set())


@pytest.mark.parametrize(("inserted", "deleted", "fault"), [((20,), (), "repeated"), ((), (9,), "skipped")])
def test_the_checker_catches_paging_by_offset(inserted, deleted, fault):
    """The planted fault: pages counted from the top of a list that changes meanwhile."""
    rows, seen = sorted(range(10), reverse=True), []
    for offset in range(0, 12, 4):
        seen += rows[offset : offset + 4]
        if offset == 0:
            rows = sorted({*rows, *inserted} - {*deleted}, reverse=True)
    lives = {**LIVES, "20": Life("a", 5, 5), **({"9": Life("a", 0, 1, 5.5, 5.6)} if deleted else {})}

    assert walk_faults(Walk("a", 4, 6, rows_between(seen)), lives) == {fault}
