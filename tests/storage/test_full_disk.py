"""A file that can't grow, or can't be written: the answer is 503, reading goes on, and nothing is half there."""

import apsw
import falcon.testing
import pytest

from tests.fixtures.application import application
from tests.fixtures.engines import Sqlite
from tests.fixtures.server import serving
from tradebook.app import open_database
from tradebook.settings import Settings
from tradebook.storage.database import Unavailable

GROUPS = "/v1/sales/account-groups"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server whose file has no room of before."""
    folder = tmp_path_factory.mktemp("disk")
    with serving(folder, database=Sqlite().new(folder)) as running:
        yield running


@pytest.fixture
def client(book):
    """The application in this process, on whose file limits can be set."""
    database = open_database(Settings(database=book.server.database))
    app = application(database, book.server.database)
    made = falcon.testing.TestClient(app, headers={"Authorization": f"Bearer {book.key}"})
    made.database = database
    yield made
    database.close()


def add(client, number):
    body = {"name": f"Group {number}", "type": "type_group", "description": f"{number} " * 2_000}
    return client.simulate_post(GROUPS, json=body, headers={"Idempotency-Key": f"key {number}"})


def test_a_full_disk_is_503_and_what_was_answered_is_there(client, book):
    assert add(client, 0).status_code == 201
    connection = client.database._own.writing
    pages = connection.pragma("page_count")
    connection.pragma("max_page_count", pages + 20)

    answers = [add(client, number) for number in range(1, 60)]

    made = [n for n, answer in enumerate(answers, 1) if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert made
    assert {(answer.status_code, answer.json["error"]["code"]) for answer in refused} == {
        (503, "service_unavailable")
    }
    listed = {group["name"] for group in book.get(GROUPS, limit=1000)["data"]}
    assert listed == {"Group 0", *(f"Group {number}" for number in made)}
    assert connection.execute("PRAGMA quick_check").get == "ok"
    connection.pragma("max_page_count", 2**30)
    assert {add(client, number).status_code for number in range(60)} == {201}
    assert len(book.get(GROUPS, limit=1000)["data"]) == 60


def test_a_transaction_that_the_engine_has_undone_is_told_by_its_own_reason(client, book):
    with (
        pytest.raises(Unavailable, match="full"),
        client.database.write(book.account_key) as writer,
        writer.savepoint(),
    ):
        writer._connection.execute("ROLLBACK")
        raise apsw.FullError("FullError: the disk is full")


def test_a_file_that_may_not_be_written_is_503(client, monkeypatch):
    """Reading goes on, though when the key was used can't be noted."""
    add(client, 0)
    monkeypatch.setattr("tradebook.storage.sqlite.connections._is_writable", lambda _: False)
    for connection in (client.database._own.writing, client.database._connections.touching()):
        connection.pragma("query_only", 1)

    assert client.simulate_get(GROUPS).status_code == 200
    assert add(client, 1).status_code == 503
