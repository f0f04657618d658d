"""The whole list as one file: by whom it is asked for, what is in it, and that it is one snapshot, whole or cut."""

import copy
import csv
import http.client
import io
import json
import socket
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests.contract.checkers import CUSTOMERS
from tests.contract.checks import check_envelope
from tests.fixtures import plain_http, raw_http
from tests.fixtures.book import Book, walk
from tests.fixtures.engines import ENGINES
from tests.fixtures.lengths import length
from tests.fixtures.server import start_server, stop_server, wait_until
from tests.reliability.journal import kill_one
from tradebook.crud.whole import Block, Pace
from tradebook.resources.customers.load import INCLUDES
from tradebook.storage.database import Unavailable
from tradebook.transfer.columns import ATTACHED, COLUMNS
from tradebook.transfer.exports.run import export_customers
from tradebook.web.streams import Stream

JSON_LINES, CSV = "application/x-ndjson", "text/csv"
LARGE, NOTE = 600, "n" * 9_000
"""So many customers with such notes are more than is under way to one client, and what the system keeps."""

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
EXPORT_MS = 2_500
LAST_CHUNK = b"0\r\n\r\n"


def export(client, kind=JSON_LINES, **parameters):
    return client.get(CUSTOMERS, params=parameters or None, headers={"Accept": kind})


def lines(answer):
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def filled(module_book):
    """Some hundred customers: more than a step, with all that they can refer to."""
    module_book.add(
        *(
            {
                "number": f"{number}",
                "name": f"{'Acme' if number % 3 else 'Ärzte'} {number}",
                "status": "preferred" if number % 2 else "normal",
                "type": "Retail",
                "price_groups": ["Gold", "Silver"] if number % 5 else [],
                "parent_number": "1" if number in (7, 8) else None,
                "carrier": "FedEx",
                "payment_term": "Net 30",
                "credit_limit": "12.50",
                "sales_rep_email": "ann@example.com",
                "note": "=1+1" if number == 3 else None,
                "created_at": f"2020-01-{1 + number % 28:02}",
                "bill_to.name": "Dock",
                "bill_to.country": "US",
                "bill_to.locality": "Boston" if number % 4 else "Chicago",
            }
            for number in range(1, 351)
        )
    )
    return module_book


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"status_codes": "preferred"},
        {"q": "arzte"},
        {"city": "Chicago", "q": "acme"},
        {"start_date": "2020-01-10T00:00:00Z", "end_date": "2020-01-20T00:00:00Z"},
        {"q": "nobody is called so"},
        {"include": ",".join(INCLUDES)},
        {"include": "price_groups,child_accounts", "status_codes": "preferred", "limit": ""},
    ],
    ids=str,
)
def test_an_export_is_the_walk_in_one_answer(filled, asked):
    whole = list(walk(filled.client, **asked))

    answer = export(filled.client, **asked)

    assert lines(answer) == whole
    assert answer.headers["content-type"] == JSON_LINES
    assert answer.headers["vary"].startswith("Authorization, Accept")
    assert "etag" not in answer.headers
    # The server knows the length of nothing.
    assert answer.headers.get("content-length") in ((None,) if whole else (None, "0"))


@pytest.mark.parametrize("asked", [{}, {"status_codes": "preferred"}, {"q": "arzte"}], ids=str)
def test_a_csv_has_the_columns_of_the_command_for_the_customers_of_the_list(filled, asked, tmp_path):
    numbers = filled.numbers(**asked)
    with (tmp_path / "all.csv").open("wb") as file:
        export_customers(filled.database, filled.account_key, format="csv", file=file, plain=True)
    by_command = {row["number"]: row for row in rows((tmp_path / "all.csv").read_text())}

    answer = export(filled.client, CSV, **asked)

    found = rows(answer.text)
    assert list(found[0]) == list(COLUMNS)
    assert found == [by_command[number] for number in numbers]
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")


def test_a_csv_has_ids_in_other_systems_and_attached_addresses_where_there_are_any(book):
    book.add(
        {
            "number": "1",
            "name": "A",
            "external_ids.erp": "=7",
            "addresses": [{"country": "FR"}, {"country": "NL"}],
        },
        {"number": "2", "name": "B"},
    )

    answer = export(book.client, CSV)

    other, first, further = rows(answer.text)
    assert list(first) == [*COLUMNS, "external_ids.erp", *ATTACHED]
    assert [row["external_ids.erp"] for row in (other, first, further)] == ["", "'=7", ""]
    assert [row["address.country"] for row in (other, first, further)] == ["", "FR", "NL"]
    assert {name for name, value in further.items() if value} == {
        "number", "address.name", "address.country", "address.type",
    }  # fmt: skip


def test_an_empty_list_is_an_empty_file(book):
    assert export(book.client).content == b""
    assert rows(export(book.client, CSV).text) == []
    assert export(book.client, CSV).text.startswith("number,name,")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        (BROWSER, "application/json"),
        ("application/json", "application/json"),
        ("application/*", "application/json"),
        ("text/*", "application/json"),
        ("application/xml", "application/json"),
        ("nonsense", "application/json"),
        ("", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json, text/csv", "application/json"),
        ("text/csv;q=x", "application/json"),
        (CSV, CSV),
        ("TEXT/CSV", CSV),
        ("text/csv; charset=utf-8", CSV),
        ("text/csv, */*", CSV),
        ("text/csv, application/json;q=0.9", CSV),
        (f"{CSV};q=0.1, {JSON_LINES};q=0.2", JSON_LINES),
        (JSON_LINES, JSON_LINES),
        (f"{JSON_LINES}, application/json;q=0.1", JSON_LINES),
    ],
)
def test_only_who_names_a_file_gets_one(filled, accept, kind):
    client = filled.client
    request = client.build_request("GET", CUSTOMERS, params={"q": "Acme 1"})
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept

    answer = client.send(request)

    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert "accept" in answer.headers["vary"].lower()


def test_other_lists_are_pages_whatever_is_asked_for(filled):
    answer = filled.client.get("/v1/sales/account-groups", headers={"Accept": CSV})

    assert answer.headers["content-type"] == "application/json"
    assert "Accept" not in answer.headers["vary"].split(", ")


@pytest.mark.parametrize(
    ("kind", "asked", "param"),
    [
        (JSON_LINES, {"limit": "10"}, "limit"),
        (CSV, {"limit": "10"}, "limit"),
        (JSON_LINES, {"cursor": "x"}, "cursor"),
        (CSV, {"include": "type"}, "include"),
        (CSV, {"include[]": "type"}, "include[]"),
        (JSON_LINES, {"status_codes": "great"}, "status_codes"),
        (CSV, {"nonsense": "1"}, "nonsense"),
    ],
)
def test_what_makes_no_sense_of_a_whole_list_is_refused_as_ever(filled, kind, asked, param):
    answer = export(filled.client, kind, **asked)

    check_envelope(answer, 400, param, answer.json()["error"]["code"])
    assert answer.headers["content-type"] == "application/json"


def test_it_needs_the_permission_of_the_list(filled):
    _, secret = filled.new_key(permissions=("customers:create",))

    answer = filled.client.get(CUSTOMERS, headers={"Accept": CSV, "Authorization": f"Bearer {secret}"})

    check_envelope(answer, 403, None, answer.json()["error"]["code"])


def test_head_tells_what_get_would_be(filled):
    head = filled.client.head(CUSTOMERS, headers={"Accept": CSV})
    refused = filled.client.head(CUSTOMERS, headers={"Accept": CSV}, params={"limit": 1})

    assert (head.status_code, head.content, refused.status_code) == (200, b"", 400)
    got = export(filled.client, CSV)
    assert head.headers["content-type"] == got.headers["content-type"]
    # It would be a wrong one: the file comes in parts.
    assert "content-length" not in head.headers
    assert "content-length" not in got.headers


def test_a_connection_goes_on_after_the_head_of_an_export(filled):
    asking = {"Authorization": f"Bearer {filled.key}", "Accept": CSV}
    with closing(http.client.HTTPConnection(urlsplit(filled.server.url).netloc)) as connection:
        for method in ("HEAD", "HEAD", "GET"):
            connection.request(method, CUSTOMERS, headers=asking)
            answer = connection.getresponse()
            body = answer.read()

            assert (answer.status, bool(body)) == (200, method == "GET")


# What takes a large book, and a server that is cut short.


def started(folder, database, **limits):
    """A server of one worker that lets an account export once at a time."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"EXPORTS_PER_ACCOUNT_MAX": 1, **limits}.items():
            patch.setenv(f"TRADEBOOK_{name}", str(value))
        return start_server(folder, database=database)


@pytest.fixture(scope="module")
def patient(tmp_path_factory, engine):
    """A book of long notes, on a server that waits for whoever reads it."""
    folder = tmp_path_factory.mktemp("exports")
    server = started(folder, engine.new(folder))
    book = Book(server)
    book.add(*({"number": f"{number}", "name": f"C {number}", "note": NOTE} for number in range(LARGE)))
    yield book
    book.close()
    if server.process.poll() is None:
        stop_server(server)


@pytest.fixture(scope="module")
def hasty(patient, tmp_path_factory):
    """The same book on a server that soon cuts who does not read it."""
    folder = tmp_path_factory.mktemp("hasty")
    limits = {"EXPORT_TIMEOUT_MS": EXPORT_MS, "SEND_TIMEOUT_MS": 1_000}
    book = copy.copy(patient)
    book.server = started(folder, patient.server.database, **limits)
    book.client = plain_http.Client(base_url=book.server.url, headers=patient.client.headers, timeout=30)
    yield book
    book.client.close()
    stop_server(book.server)


@contextmanager
def begun(book, name="begun"):
    """Ask for an export, and read nothing of it but the head; `name` is its id in the log."""
    address = urlsplit(book.server.url)
    with socket.socket() as connection:
        # Little room on this side: so it is the server that has to wait.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(9)
        connection.connect((address.hostname, address.port))
        connection.sendall(
            raw_http.head(book.key, f"Accept: {JSON_LINES}", f"X-Request-Id: {name}", target=CUSTOMERS)
        )
        assert connection.recv(64).startswith(b"HTTP/1.1 200")
        yield connection


def rest_of(connection, until=lambda: True):
    """Read to the end, slowly for as long as something has not come true."""
    received = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(262_144):
            received += piece
            time.sleep(0 if until() else 0.05)
    return received


def lines_of_log(book, name):
    told = (json.loads(line) for line in book.server.log.read_text().splitlines() if line.startswith("{"))
    return [line for line in told if line.get("request_id") == name]


def line_of_export(book, name):
    """The line of the log about an export, once it has ended."""
    wait_until(lambda: lines_of_log(book, name), "a line about the export")
    return lines_of_log(book, name)[-1]


def test_it_is_one_snapshot_whatever_is_written_meanwhile(patient):
    before = patient.numbers(limit=1000)

    with begun(patient) as connection:
        made = patient.client.get(CUSTOMERS, params={"limit": 1}).json()["data"][0]
        renamed = patient.client.patch(f"{CUSTOMERS}/{made['id']}", json={"name": "Renamed"})
        last = patient.client.get(CUSTOMERS, params={"q": "C 0"}).json()["data"][-1]
        gone = patient.client.delete(f"{CUSTOMERS}/{last['id']}")
        received = rest_of(connection)

    assert renamed.status_code == 200
    assert gone.status_code < 300
    assert received.endswith(LAST_CHUNK)
    assert b"Renamed" not in received
    assert [number for number in before if f'"number":"{number}"'.encode() not in received] == []


def test_one_more_export_than_allowed_is_429_and_the_next_one_is_answered(patient):
    with begun(patient) as connection:
        refused = export(patient.client)
        page = patient.client.get(CUSTOMERS)
        rest_of(connection)

    check_envelope(refused, 429, None, "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["x-should-retry"] == "true"
    assert page.status_code == 200
    wait_until(lambda: export(patient.client).status_code == 200, "an export after the other one")


def test_the_log_tells_how_much_it_was(patient):
    headers = {"Accept": JSON_LINES, "X-Request-Id": "told"}

    answer = patient.client.get(CUSTOMERS, params={"q": "C 1"}, headers=headers)

    line = line_of_export(patient, "told")
    assert (line["rows"], line["is_whole"]) == (len(answer.text.splitlines()), True)
    assert line["bytes"] == len(answer.content)
    assert (line["path"], line["status"]) == (CUSTOMERS, 200)


def test_a_client_that_does_not_read_is_cut_and_holds_nothing(hasty):
    with begun(hasty, "unread") as connection:
        line = line_of_export(hasty, "unread")
        received = rest_of(connection)

    assert line["is_whole"] is False
    assert 0 < line["rows"] < LARGE - 1
    assert not received.endswith(LAST_CHUNK)
    assert export(hasty.client).status_code == 200


@pytest.mark.parametrize("engine", length(["sqlite"], ENGINES), indirect=True)
def test_a_client_that_reads_too_slowly_is_cut_when_the_time_is_over(hasty):
    with begun(hasty, "slow") as connection:
        received = rest_of(connection, until=lambda: lines_of_log(hasty, "slow"))

    assert not received.endswith(LAST_CHUNK)
    line = line_of_export(hasty, "slow")
    assert line["is_whole"] is False
    # Then, and not when it has read the part that is on its way: that takes a quarter of a minute here.
    assert line["ms"] < 4 * EXPORT_MS


def test_a_client_that_goes_away_ends_its_export(patient):
    """At whatever moment, which is no fault of the server."""
    for name in (f"gone-{number}" for number in range(4)):
        with begun(patient, name):
            pass
        assert line_of_export(patient, name)["is_whole"] is False

    assert "Traceback" not in patient.server.log.read_text()
    assert export(patient.client).status_code == 200


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_an_export_whose_session_is_ended_is_cut_and_holds_nothing(patient):
    with begun(patient, "ended") as connection, psycopg.connect(patient.server.database) as office:
        office.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        received = rest_of(connection)

    assert not received.endswith(LAST_CHUNK)
    assert line_of_export(patient, "ended")["is_whole"] is False
    assert "Traceback" not in patient.server.log.read_text()
    assert export(patient.client).status_code == 200


def test_an_export_whose_snapshot_was_none_is_not_whole():
    """As of a file on a disk that can't be written, where somebody has written meanwhile."""
    with pytest.raises(Unavailable), ExitStack() as held:
        held.callback(changed_meanwhile)
        stream = Stream(1, iter([Block(b"{}\n", 1)]), held, Pace(), None, seconds_max=60)
        assert list(stream) == []

    stream.close()
    assert (stream.rows, stream.is_whole) == (1, False)


def changed_meanwhile():
    raise Unavailable


def test_an_export_whose_worker_is_killed_is_seen_to_be_cut(patient):
    with begun(patient) as connection:
        kill_one(patient.server)
        received = rest_of(connection)

    assert received
    assert not received.endswith(LAST_CHUNK)
    wait_until(lambda: answers(patient), "an answer of the next worker")


def answers(book):
    with suppress(httpx.TransportError):
        return book.client.get(CUSTOMERS).status_code == 200
    return False


def test_an_export_that_the_server_ends_before_is_seen_to_be_cut(patient):
    """Last in this file: it ends the server, which does not wait for a client that may take minutes."""
    with begun(patient) as connection:
        stop_server(patient.server)
        received = rest_of(connection)

    assert received
    assert not received.endswith(LAST_CHUNK)
