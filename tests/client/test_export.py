"""An exported file is whole or not there."""

import asyncio
import csv
import json
import os
import stat

import pytest

from tests.client.proxy import Cut, Proxy, Refuse, refusal
from tests.fixtures.book import walk
from tests.fixtures.server import wait_until
from tradebook_client import AsyncTradebook, Invalid, NoAnswer, UnexpectedAnswer
from tradebook_client.exports import Counted, form_of
from tradebook_client.files import NewFile

CUSTOMERS, GROUPS = 25, 110
SERVED = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
INCLUDE = ["price_groups", "bill_to_address.geolocation"]


@pytest.fixture
def filled(book):
    book.add(
        {"number": "0", "name": "Many", "price_groups": [f"Group {n}" for n in range(GROUPS)]},
        *({"number": f"{n}", "name": f"Zoë {n}"} for n in range(1, CUSTOMERS)),
    )
    return book


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@SERVED
def test_the_file_has_every_customer_as_in_the_list(filled, clients, tmp_path):
    path, told = tmp_path / "customers.ndjson", []
    client = clients.of(filled)

    count = client.customers.export(path, include=INCLUDE, progress=told.append)

    written, listed = lines(path), list(walk(filled.client, **{"include[]": INCLUDE}))
    many = next(row for row in written if row["number"] == "0")
    assert count == CUSTOMERS
    assert told[-1] == CUSTOMERS
    assert told == sorted(told)
    assert len({group["id"] for group in many["price_groups"]["data"]}) == GROUPS
    assert many["price_groups"]["page_info"]["has_next_page"] is False
    for row in (*written, *listed):
        row["price_groups"] = None
    assert written == listed
    assert list(written[0]) == list(listed[0])
    assert "Zoë" in path.read_text(encoding="utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@SERVED
def test_it_is_one_request_that_takes_filters_and_writes_an_empty_list_too(filled, clients, tmp_path):
    with Proxy(filled.server.url) as proxy:
        client = clients.of(filled, proxy.url)
        assert client.customers.export(str(tmp_path / "some"), q="zoe 1") == 12
        assert client.customers.export(tmp_path / "none", q="nobody") == 0

    assert (tmp_path / "none").read_bytes() == b""
    assert [each.headers["Accept"] for each in proxy.seen] == ["application/x-ndjson"] * 2


@SERVED
@pytest.mark.parametrize("named", [{"path": "all.csv"}, {"path": "all", "format": "csv"}], ids=str)
def test_a_csv_is_counted_by_its_customers_and_not_by_its_lines(filled, clients, tmp_path, named):
    filled.add({"number": "noted", "name": "Noted", "note": 'Two\nlines, "quoted"\n'})
    path = tmp_path / named["path"]

    count = clients.of(filled).customers.export(**{**named, "path": path})

    with path.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert count == len(found) == CUSTOMERS + 1
    assert next(row for row in found if row["number"] == "noted")["note"].startswith("Two\nlines")


def test_rows_are_counted_wherever_the_pieces_end(tmp_path):
    whole = b'a,b\n1,"x\n""y"\n2,"\n"\n' * 5
    for size in range(1, len(whole)):
        with NewFile(tmp_path / "all") as file:
            counted = Counted(file, "text/csv", None)
            for start in range(0, len(whole), size):
                counted.write(whole[start : start + size])
        assert (size, counted.rows) == (size, 14)


@SERVED
@pytest.mark.parametrize("kept", ["of before", None])
def test_an_export_that_is_cut_is_an_error_and_leaves_the_file_of_before(filled, clients, tmp_path, kept):
    path = tmp_path / "customers.ndjson"
    if kept is not None:
        path.write_text(kept)

    with Proxy(filled.server.url, [Cut()]) as proxy, pytest.raises(NoAnswer, match="cut"):
        clients.of(filled, proxy.url).customers.export(path)

    assert len(proxy.seen) == 1
    assert [each.read_text() for each in tmp_path.iterdir()] == [kept] * (kept is not None)


@SERVED
def test_what_is_refused_for_a_while_is_asked_for_again(filled, clients, tmp_path):
    busy = Refuse(429, {"Retry-After": "0", "x-should-retry": "true"}, refusal("rate_limit_exceeded"))

    with Proxy(filled.server.url, [busy, Cut(is_asked=False)]) as proxy:
        count = clients.of(filled, proxy.url).customers.export(tmp_path / "all")

    assert (count, len(proxy.seen)) == (CUSTOMERS, 3)
    assert [row["id"] for row in lines(tmp_path / "all")] == [row["id"] for row in walk(filled.client)]


@SERVED
def test_what_the_server_refuses_is_raised(filled, clients, tmp_path):
    with pytest.raises(Invalid) as refused:
        clients.of(filled).customers.export(tmp_path / "all.csv", include=["type"])

    assert refused.value.param == "include"
    assert list(tmp_path.iterdir()) == []


@SERVED
def test_a_server_that_does_not_export_is_told_so(filled, clients, tmp_path):
    page = Refuse(200, {"Content-Type": "application/json"}, b'{"object": "list", "data": []}')

    with Proxy(filled.server.url, [page]) as proxy, pytest.raises(UnexpectedAnswer, match="does not export"):
        clients.of(filled, proxy.url).customers.export(tmp_path / "all")

    assert list(tmp_path.iterdir()) == []


@SERVED
def test_what_progress_raises_ends_the_export(filled, clients, tmp_path):
    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clients.of(filled).customers.export(tmp_path / "all", progress=stop)

    assert list(tmp_path.iterdir()) == []


@SERVED
def test_a_cancelled_export_leaves_nothing(filled, tmp_path):
    slow = Refuse(503, {"Retry-After": "50"}, refusal("service_unavailable"))

    async def begin_and_cancel(url):
        async with AsyncTradebook(url, filled.key) as client:
            task = asyncio.create_task(client.customers.export(tmp_path / "all"))
            await asyncio.to_thread(wait_until, lambda: len(proxy.seen) == 1, "the request")
            assert [each.name for each in tmp_path.iterdir()] == ["all.part"]
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with Proxy(filled.server.url, [slow]) as proxy:
        asyncio.run(begin_and_cancel(proxy.url))

    assert list(tmp_path.iterdir()) == []


@SERVED
def test_a_folder_is_refused_before_anything_is_sent(book, clients, tmp_path):
    with Proxy(book.server.url) as proxy, pytest.raises(OSError):
        clients.of(book, proxy.url).customers.export(tmp_path)
    assert proxy.seen == []


def test_a_device_and_a_pipe_are_refused_and_stay(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    for path in (pipe, "/dev/null", "/dev/stdout", "/dev/new"):
        with pytest.raises(ValueError, match="name a file"):
            NewFile(path)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("name", ["all.xlsx", "all.JSON", "all.csv.gz"])
def test_an_export_is_not_named_like_something_else(name):
    with pytest.raises(ValueError, match=r"name all\.\S+ \.csv or \.ndjson"):
        form_of(name)


@pytest.mark.parametrize(("name", "form"), [("all.CSV", "csv"), ("all.jsonl", "ndjson"), ("all", "ndjson")])
def test_the_ending_says_what_is_written(name, form):
    assert form_of(name) == form


def test_what_a_killed_export_left_is_replaced_and_a_link_is_not_followed(tmp_path):
    path, secret = tmp_path / "all", tmp_path / "secret"
    secret.write_text("mine")
    (tmp_path / "all.part").symlink_to(secret)

    with NewFile(path) as file:
        file.write(b"whole")

    assert (path.read_bytes(), secret.read_text()) == (b"whole", "mine")
    assert not path.is_symlink()


def test_of_two_exports_to_one_file_the_first_fails_and_its_file_never_shows(tmp_path):
    path = tmp_path / "all"

    with pytest.raises(FileExistsError), NewFile(path) as first:
        first.write(b"of the first")
        second = NewFile(path).__enter__()
        second.write(b"of the second")
    assert not path.exists()
    second.__exit__(None, None, None)

    assert path.read_bytes() == b"of the second"
