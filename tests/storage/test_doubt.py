"""A commit that is cut is told as doubt, whatever the server says of it; outside a commit nothing is done for certain."""

from collections.abc import Iterator
from contextlib import contextmanager

import falcon.testing
import pytest

from tests.fixtures.application import application
from tests.fixtures.book import Book, filled
from tests.fixtures.faulty_proxy import Fault, FaultyProxy
from tests.fixtures.lengths import length
from tests.fixtures.uploads import IMPORTS
from tradebook.app import open_database
from tradebook.settings import Settings
from tradebook.web.uploads import Received

GROUPS = "/v1/sales/account-groups"
BODY = b'{"name": "A", "type": "type_group"}'
HEADERS = {"Content-Type": "application/json"}
WRITES = b"INSERT INTO account_groups "

DOUBTFUL = {
    "nothing, and the connection is gone": (None, True),
    "XX000, as Citus of a machine that died": ("XX000", False),
    "XX000, and the connection is gone": ("XX000", True),
    "57P01 admin_shutdown": ("57P01", True),
    "57P02 crash_shutdown": ("57P02", True),
    "57014 query_canceled": ("57014", False),
    "08006 connection_failure of another machine": ("08006", False),
    "08006 connection_failure": ("08006", True),
    "58030 io_error": ("58030", False),
    "40003 statement_completion_unknown": ("40003", False),
}
SOME = [*DOUBTFUL][:4]
CERTAIN = {"40001": 201, "40P01": 201, "23505": 201, "25006": 503}
"""The errors after which nothing is done; with the answer, as a conflict is tried again."""


@pytest.fixture(scope="module")
def book(postgres, servers) -> Iterator[Book]:
    """A book on PostgreSQL."""
    with filled(servers.of(postgres)) as made:
        yield made


@contextmanager
def client_behind(book: Book, fault: Fault) -> Iterator[tuple[falcon.testing.TestClient, FaultyProxy]]:
    """The service in this process, whose database is behind the proxy."""
    address, _, name = book.server.database.rpartition("/")
    user, _, place = address.rpartition("@")
    proxy = FaultyProxy(int(place.rpartition(":")[2]), fault)
    url = f"{user}@127.0.0.1:{proxy.port}/{name}"
    database = open_database(Settings(database=url))
    headers = {"Authorization": f"Bearer {book.key}"}
    yield falcon.testing.TestClient(application(database, url), headers=headers), proxy
    database.close()
    proxy.close()


@pytest.fixture(autouse=True)
def _empty(book):
    yield
    for group in book.get(GROUPS)["data"]:
        assert book.client.delete(f"{GROUPS}/{group['id']}").status_code == 200


def count(book):
    return len(book.get(GROUPS)["data"])


@pytest.mark.parametrize("said", length(SOME, [*DOUBTFUL]))
@pytest.mark.parametrize("is_done", [True, False], ids=["done", "not done"])
def test_without_a_key_the_client_is_told_to_look(book, said, is_done):
    sqlstate, cuts = DOUBTFUL[said]
    with client_behind(book, Fault(is_done, sqlstate, cuts, after=WRITES)) as (client, proxy):
        answer = client.simulate_post(GROUPS, body=BODY, headers=HEADERS)

    assert proxy.faults == 1
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "outcome_in_doubt")
    assert (answer.json["error"]["is_transient"], answer.headers["x-should-retry"]) == (False, "false")
    assert "retry-after" not in answer.headers
    assert count(book) == int(is_done)


@pytest.mark.parametrize(
    ("method", "is_told"), [("POST", "outcome_in_doubt"), ("DELETE", "service_unavailable")]
)
def test_doubt_is_told_though_the_server_is_away_by_then(book, method, is_told):
    """One of which a process was killed begins anew. A deletion may be sent again in any case."""
    made = book.client.post(GROUPS, json={"name": "B", "type": "type_group"}).json()
    path, body = (GROUPS, BODY) if method == "POST" else (f"{GROUPS}/{made['id']}", b"")
    with client_behind(book, Fault(True, after=b" account_groups ", is_last=True)) as (client, proxy):
        answer = client.simulate_request(method, path, body=body, headers=HEADERS)

    assert (proxy.faults, answer.status_code, answer.json["error"]["code"]) == (1, 503, is_told)
    assert count(book) == (2 if method == "POST" else 0)


@pytest.mark.parametrize("key", ["", "an upload"], ids=["no key", "key"])
def test_the_file_of_an_upload_is_kept_as_long_as_nobody_can_tell(book, monkeypatch, key):
    kept, keep = [], Received.keep
    monkeypatch.setattr(Received, "keep", lambda received: kept.append(keep(received)))
    headers = {"Content-Type": "text/csv", **({"Idempotency-Key": key} if key else {})}
    with client_behind(book, Fault(True, after=b" imports ", is_last=True)) as (client, proxy):
        answer = client.simulate_post(IMPORTS, body=b"number,name\n1,A\n", headers=headers)

    assert (proxy.faults, answer.status_code, len(kept)) == (1, 503, 1)


@pytest.mark.parametrize("said", length(SOME, [*DOUBTFUL]))
@pytest.mark.parametrize("is_done", [True, False], ids=["done", "not done"])
def test_with_a_key_it_is_answered_or_can_be_repeated(book, said, is_done):
    sqlstate, cuts = DOUBTFUL[said]
    headers = HEADERS | {"Idempotency-Key": f"{said} {is_done}"}
    with client_behind(book, Fault(is_done, sqlstate, cuts, after=WRITES)) as (client, proxy):
        cut = client.simulate_post(GROUPS, body=BODY, headers=headers)
    again = book.client.post(GROUPS, content=BODY, headers=headers)

    assert proxy.faults == 1
    assert count(book) == 1
    assert again.status_code == 201
    if is_done:
        assert (cut.status_code, cut.json) == (201, again.json())
        assert again.headers["idempotent-replayed"] == "true"
    else:
        assert (cut.status_code, cut.json["error"]["code"]) == (503, "service_unavailable")
        assert cut.headers["x-should-retry"] == "true"


@pytest.mark.parametrize("sqlstate", CERTAIN)
def test_where_nothing_is_done_for_certain_there_is_no_doubt(book, sqlstate):
    with client_behind(book, Fault(False, sqlstate, cuts=False, after=WRITES)) as (client, proxy):
        answer = client.simulate_post(GROUPS, body=BODY, headers=HEADERS)

    assert proxy.faults == 1
    assert answer.status_code == CERTAIN[sqlstate], answer.text
    assert count(book) == int(answer.status_code == 201)


@pytest.mark.parametrize("said", length(SOME[:2], [*DOUBTFUL]))
def test_before_the_commit_nothing_is_done_and_a_client_may_repeat_it(book, said):
    sqlstate, cuts = DOUBTFUL[said]
    with client_behind(book, Fault(False, sqlstate, cuts, at=WRITES)) as (client, proxy):
        answer = client.simulate_post(GROUPS, body=BODY, headers=HEADERS)

    assert proxy.faults == 1
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "service_unavailable")
    assert answer.headers["x-should-retry"] == "true"
    assert count(book) == 0


@pytest.mark.parametrize("said", length(SOME[:2], [*DOUBTFUL]))
def test_a_read_is_never_in_doubt(book, said):
    sqlstate, cuts = DOUBTFUL[said]
    with client_behind(book, Fault(True, sqlstate, cuts, after=b"FROM account_groups")) as (client, proxy):
        # What was read is of one snapshot, however its transaction ends. Who comes next hears of it.
        answers = [client.simulate_get(GROUPS) for _ in range(2)]

    assert proxy.faults == 1
    assert [answer.status_code for answer in answers] == [200, 200]


def test_a_proxy_without_a_fault_is_not_noticed(book):
    """The tooth: what the tests above see comes of the fault."""
    with client_behind(book, Fault(False, at=b"nobody says this")) as (client, proxy):
        answer = client.simulate_post(GROUPS, body=BODY, headers=HEADERS)

    assert (answer.status_code, proxy.faults) == (201, 0)
