"""Idempotency keys (contract, section 4): a request that is sent again is answered again and not done again."""

import json
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from tests.contract.checks import check_envelope
from tests.fixtures import plain_http
from tests.fixtures.book import Book, walk
from tests.fixtures.samples import Maker
from tests.fixtures.server import start_server, stop_server, wait_until
from tests.fixtures.statements import TEST_MARK
from tradebook.clock import now_ms
from tradebook.crud import idempotency
from tradebook.errors import IdempotencyInProgress
from tradebook.storage.schema import ACCOUNT, prepare
from tradebook.web.twins import Twins

GROUPS, CUSTOMERS = "/v1/sales/account-groups", "/v1/sales/customers"


def post(book, body, key, path=GROUPS, **headers):
    return book.client.post(path, json=body, headers={"Idempotency-Key": key, **headers})


def group(name, **more):
    return {"name": name, "type": "type_group", **more}


def test_a_repeated_create_is_replayed_byte_for_byte_and_makes_one_row(book):
    first, second = (post(book, group("A"), "key") for _ in range(2))

    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len(book.get(GROUPS)["data"]) == 1


def test_a_repeated_change_is_not_done_again(book):
    made = post(book, group("A"), "make").json()
    path = f"{GROUPS}/{made['id']}"
    first = book.client.patch(path, json={"name": "B"}, headers={"Idempotency-Key": "change"})
    book.client.patch(path, json={"name": "C"})

    again = book.client.patch(path, json={"name": "B"}, headers={"Idempotency-Key": "change"})

    assert again.content == first.content
    assert book.get(path)["name"] == "C"


def test_a_replay_comes_before_the_tag_is_compared(book):
    made = post(book, group("A"), "make")
    path = f"{GROUPS}/{made.json()['id']}"
    headers = {"Idempotency-Key": "change", "If-Match": made.headers["etag"]}
    first = book.client.patch(path, json={"name": "B"}, headers=headers)

    again = book.client.patch(path, json={"name": "B"}, headers=headers)

    assert (first.status_code, again.status_code) == (200, 200)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "A"}, 400),
        ({"name": "A", "type": "nonsense"}, 400),
        ({"name": "taken", "type": "type_group"}, 409),
    ],
)
def test_a_failure_that_stands_is_replayed(book, body, status):
    post(book, group("taken"), "make")
    first, second = (post(book, body, "fails") for _ in range(2))

    check_envelope(first, status, first.json()["error"]["param"])
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("name", ["If-Match", "Content-Type", "Content-Encoding"])
def test_what_a_header_was_refused_for_is_not_replayed_to_another_header(book, name):
    """A corrected request is told to take a new key, not that it is still wrong."""
    path = f"{GROUPS}/{post(book, group('A'), 'make').json()['id']}"
    wrong = {"If-Match": '"0-0"', "Content-Type": "text/plain", "Content-Encoding": "gzip"}[name]

    def change(key, **headers):
        content = json.dumps({"description": "b"})
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"} | headers
        return book.client.patch(path, content=content, headers=headers)

    refused, again = (change("key", **{name: wrong}) for _ in "ab")

    assert refused.status_code in (412, 415)
    assert again.content == refused.content
    check_envelope(change("key"), 422, "Idempotency-Key", "idempotency_key_reused")
    assert change("new").status_code == 200


def test_a_failure_stays_what_it_was_also_when_its_reason_is_gone(book):
    taken = post(book, group("taken"), "make").json()
    first = post(book, group("taken"), "late")
    book.client.delete(f"{GROUPS}/{taken['id']}")

    assert post(book, group("taken"), "late").content == first.content
    assert post(book, group("taken"), "new").status_code == 201


def test_another_body_or_route_under_the_key_is_an_idempotency_error(book):
    made = post(book, group("A"), "key").json()
    term = {"name": "A"}
    others = [
        post(book, group("B"), "key"),
        post(book, term, "key", "/v1/finance/payment-terms"),
        post(book, group("A"), "key", f"{GROUPS}?x=1"),
        book.client.patch(f"{GROUPS}/{made['id']}", json=group("A"), headers={"Idempotency-Key": "key"}),
    ]

    for answer in others:
        error = check_envelope(answer, 422, "Idempotency-Key", "idempotency_key_reused")
        assert error["type"] == "idempotency_error"
    assert len(book.get(GROUPS)["data"]) == 1


def test_a_key_goes_with_requests_that_are_refused_before_the_book_is_asked(book):
    """Without permission nothing is kept under the key: with it the request is done."""
    _, secret = book.new_key(permissions=("customer_groups:read",))
    refused = plain_http.post(
        book.server.url + GROUPS,
        json=group("A"),
        headers={"Idempotency-Key": "key", "Authorization": f"Bearer {secret}"},
    )

    assert refused.status_code == 403
    assert post(book, group("A"), "key").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "k\u00e9y"])
def test_a_key_that_is_none_is_refused(book, key):
    answer = book.client.post(GROUPS, json=group("A"), headers=[(b"Idempotency-Key", key.encode("latin-1"))])

    check_envelope(answer, 400, "Idempotency-Key", "parameter_invalid")
    assert book.get(GROUPS)["data"] == []


def test_a_key_may_have_255_characters(book):
    key = "k" * 255
    assert post(book, group("A"), key).content == post(book, group("A"), key).content


def test_delete_and_put_ignore_the_header(book):
    maker = Maker(book)
    user = maker.of_prefix("acus")
    path = f"/v1/identity/account-users/{user}/actions"
    headers = {"Idempotency-Key": "same"}

    put = [book.client.put(f"{path}/{verb}", headers=headers).status_code for verb in ("disable", "activate")]
    gone = [
        book.client.delete(f"{GROUPS}/{maker.of_prefix('acgr', type='type_group')}", headers=headers)
        for _ in "ab"
    ]

    assert put == [200, 200]
    assert [answer.status_code for answer in gone] == [200, 200]


def test_fifty_at_once_make_one_row(book):
    def send(_):
        with plain_http.Client(base_url=book.server.url, headers=book.client.headers, timeout=60) as client:
            while True:
                answer = client.post(GROUPS, json=group("A"), headers={"Idempotency-Key": "fifty"})
                if answer.status_code != 409:
                    return answer
                error = check_envelope(answer, 409, "Idempotency-Key", "idempotency_in_progress")
                assert error["is_transient"]
                assert int(answer.headers["retry-after"]) >= 1

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(50)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len([a for a in answers if "idempotent-replayed" not in a.headers]) == 1
    assert len(book.get(GROUPS)["data"]) == 1


KEY = {"name": "k", "permissions": ["customers:read"]}


def test_the_secret_of_a_key_is_replayed_and_not_kept_readable(book):
    made, again = (post(book, KEY, "secret", "/v1/auth/api-keys") for _ in range(2))

    assert made.content == again.content
    secret = made.json()["api_key_secret"]
    with book.database.read(book.account_key) as reader:
        kept = reader._connection.execute(f"{TEST_MARK} SELECT * FROM idempotency_records").fetchall()
    assert kept
    assert secret not in str(kept)
    assert "secret" not in str(kept)


def test_what_has_a_secret_is_replayed_to_nobody_else(book):
    _, other = book.new_key()
    post(book, KEY, "secret", "/v1/auth/api-keys")

    answer = post(book, KEY, "secret", "/v1/auth/api-keys", Authorization=f"Bearer {other}")

    check_envelope(answer, 422, "Idempotency-Key", "idempotency_key_reused")


def plant(book, statement):
    with book.database.write(book.account_key) as writer:
        writer._connection.execute(f"{TEST_MARK} {statement}")


def records(book):
    with book.database.read(book.account_key) as reader:
        rows = reader._connection.execute(
            f"{TEST_MARK} SELECT account_id, created_at FROM idempotency_records"
        ).fetchall()
    return [created_at for account, created_at in rows if account == book.account_key]


def test_after_a_day_a_key_is_new_and_old_records_are_swept(book):
    for number in range(30):
        post(book, group(f"A{number}"), f"key{number}")
    long_ago = now_ms() - idempotency.KEPT_MS
    plant(
        book, f"UPDATE idempotency_records SET created_at = {long_ago} WHERE account_id = {book.account_key}"
    )

    answer = post(book, group("B"), "key0")

    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers
    assert len(records(book)) <= 30 - idempotency.SWEPT_AT_ONCE + 1
    post(book, group("C"), "last")
    assert [created for created in records(book) if created <= long_ago] == []


class Held:
    """The account, held by a writer that takes its time."""

    def __init__(self, book):
        self.book, self.may_go = book, threading.Event()
        self.has_it = threading.Event()
        self.thread = threading.Thread(target=self._hold)

    def _hold(self):
        with self.book.database.write(self.book.account_key) as writer:
            # With the first question it has the lock.
            assert writer.revision
            self.has_it.set()
            self.may_go.wait(20)

    def __enter__(self):
        self.thread.start()
        assert self.has_it.wait(10)
        return self

    def __exit__(self, *_):
        self.may_go.set()
        self.thread.join()


def test_a_twin_under_way_is_sent_away_with_advice(tmp_path, engine, monkeypatch):
    """Two servers on one book: the twin comes to the second while the first one still waits for its turn."""
    monkeypatch.setenv("TRADEBOOK_DATABASE_TIMEOUT_MS", "15000")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    url = engine.new(tmp_path)
    first, second = (start_server(tmp_path, database=url) for _ in "ab")
    book, twins = Book(first), Twins(url)

    def is_under_way():
        try:
            with twins.alone(book.account_key, "twin"):
                return False
        except IdempotencyInProgress:
            return True

    try:
        headers = {"Idempotency-Key": "twin", **book.client.headers}
        with ThreadPoolExecutor(1) as pool, Held(book):
            waiting = pool.submit(
                plain_http.post, first.url + GROUPS, json=group("A"), headers=headers, timeout=30
            )
            wait_until(is_under_way, "the first request's turn to wait")

            answer = plain_http.post(second.url + GROUPS, json=group("A"), headers=headers, timeout=5)

            check_envelope(answer, 409, "Idempotency-Key", "idempotency_in_progress")
            assert answer.headers["retry-after"] == "1"
            assert not waiting.done()
        assert waiting.result().status_code == 201
        again = plain_http.post(second.url + GROUPS, json=group("A"), headers=headers)
        assert again.content == waiting.result().content
        assert [entry["name"] for entry in walk(book.client, GROUPS)] == ["A"]
    finally:
        book.close()
        stop_server(first)
        stop_server(second)


KEPT = prepare(
    sa.select(idempotency.idempotency_records.c.answer).where(
        idempotency.idempotency_records.c.account_id == ACCOUNT
    )
)


@pytest.fixture
def popular(book):
    """A customer in groups whose descriptions are long together; its path with them included."""
    maker = Maker(book)
    groups = [
        maker.of_prefix("acgr", type="pricing_group", description="d" * 9_000, name=f"Group {n}")
        for n in range(10)
    ]
    customer = maker.of_prefix("ac", customer_price_group_ids=groups)
    return f"{CUSTOMERS}/{customer}"


def kept_answers(book):
    with book.database.read(book.account_key) as reader:
        return [answer for (answer,) in reader.rows(KEPT)]


def test_an_answer_that_is_large_is_read_anew_instead_of_kept(book, popular):
    path, headers = f"{popular}?include=price_groups", {"Idempotency-Key": "large"}

    first = book.client.patch(path, json={"note": "First"}, headers=headers)
    kept = kept_answers(book)
    again = book.client.patch(path, json={"note": "First"}, headers=headers)
    book.client.patch(popular, json={"note": "Later"})
    later = book.client.patch(path, json={"note": "First"}, headers=headers)

    assert len(first.content) > 65_536 > 10_000 > max(map(len, kept))
    assert again.content == first.content
    assert (again.headers["etag"], again.headers["idempotent-replayed"]) == (first.headers["etag"], "true")
    assert (later.status_code, later.json()["note"]) == (200, "Later")
    assert later.json()["price_groups"] == first.json()["price_groups"]
    assert later.headers["etag"] == book.client.get(path).headers["etag"]
    assert book.get(popular)["note"] == "Later"


def test_what_was_large_and_is_gone_is_answered_without_what_was_included(book, popular):
    path, headers = f"{popular}?include=price_groups", {"Idempotency-Key": "large"}
    first = book.client.patch(path, json={"note": "First"}, headers=headers)
    assert book.client.delete(popular).status_code == 200

    again = book.client.patch(path, json={"note": "First"}, headers=headers)

    assert again.status_code == first.status_code
    assert again.json() == {**first.json(), "price_groups": None}
