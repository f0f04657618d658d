"""A clock beyond what keys can hold: writes are refused, reads go on, and all is well when the clock is."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fixtures.application import application, client_of
from tests.fixtures.book import Book
from tests.fixtures.command_line import CommandLine
from tests.fixtures.lengths import length
from tradebook.clock import now_ms
from tradebook.ids import MILLISECONDS_MAX, ClockOutOfRange, KeyMaker, milliseconds_of

GROUPS = "/v1/sales/account-groups"
WRONG = {
    "2109": MILLISECONDS_MAX,
    "2200": int(datetime(2200, 1, 1, tzinfo=UTC).timestamp() * 1000),
    "1969": -1,
}
BACK = 1_000_000_000_000
"""2001: wrong too, and no reason to refuse anything."""


@pytest.fixture
def set_clock(monkeypatch):
    """Set the clock that keys are made by."""

    def set_it(milliseconds):
        monkeypatch.setattr("tradebook.ids.now_ms", lambda: milliseconds)

    return set_it


def add(client, name):
    return client.post(GROUPS, json={"name": name, "type": "type_group"})


@pytest.mark.parametrize("time", length(["2109"], [*WRONG]))
def test_writes_are_refused_until_the_clock_is_right_and_reads_go_on(book: Book, set_clock, time):
    client = client_of(application(book.database, book.server.database), book.key)
    assert add(client, "before").status_code == 201
    set_clock(WRONG[time])

    refused = add(client, "refused")

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "service_unavailable")
    assert refused.headers["x-should-retry"] == "true"
    assert [group["name"] for group in client.get(GROUPS).json()["data"]] == ["before"]
    assert client.get("/readyz").status_code == 503
    for right in (BACK, now_ms()):
        set_clock(right)
        assert add(client, f"after {right}").status_code == 201
        assert client.get("/readyz").status_code == 200
    assert len(client.get(GROUPS).json()["data"]) == 3


def test_a_command_says_what_is_wrong(engine, tmp_path, set_clock):
    url = engine.new(tmp_path)
    set_clock(WRONG["2109"])

    done = CommandLine(Path.cwd(), url).run("accounts", "create", "A")

    assert (done.returncode, "clock of this machine is wrong" in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize("time", WRONG)
def test_no_key_is_made_out_of_range_and_none_is_skipped(time):
    maker = KeyMaker()
    last = maker.next(MILLISECONDS_MAX - 1)

    with pytest.raises(ClockOutOfRange):
        maker.next(WRONG[time])

    assert milliseconds_of(last) == MILLISECONDS_MAX - 1
    assert maker.next(now_ms()) == last + 1
