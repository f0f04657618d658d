"""Section 4: every refusal and every fault is one envelope, and says nothing of the inside."""

import re
from pathlib import Path

import falcon.testing
import httpx
import pytest
import sqlalchemy as sa
from msgspec import structs

from tests.contract.checkers import CUSTOMERS, assert_error, header_claims
from tests.fixtures import plain_http
from tests.fixtures.book import Book
from tests.fixtures.server import start_server, stop_server
from tradebook.crud.cursor import load_cursors
from tradebook.crud.resource import ListRoute
from tradebook.errors import CATALOGUE
from tradebook.resources import ALL, api_keys
from tradebook.storage.database import Unavailable
from tradebook.storage.location import locate
from tradebook.storage.upload_files import UploadFolder
from tradebook.web.application import build_app
from tradebook.web.auth import Authenticator, KeyRules
from tradebook.web.bodies import Bodies
from tradebook.web.cors import Cors
from tradebook.web.page_cache import PageCache
from tradebook.web.reading import Service
from tradebook.web.twins import Twins
from tradebook.web.under_way import UnderWay
from tradebook.web.uploads import Uploads

UNKNOWN = "ac_0000000000000"
SECRET = "kaboom-31337 SELECT name FROM customers"


@pytest.fixture
def keyless(server):
    with plain_http.Client(base_url=server.url) as client:
        yield client


# One of each


@pytest.mark.parametrize(
    "path", ["/nix/docs", "/v1", "/v1/sales", "/v2/sales/customers", "/nix", "/V1/sales/customers"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_404(book, method, path):
    assert_error(book.client.request(method, path), 404, "resource_not_found")


@pytest.mark.parametrize("method", ["PUT", "TRACE", "PROPFIND", "BREW"])
@pytest.mark.parametrize("path", [CUSTOMERS, f"{CUSTOMERS}/{UNKNOWN}", f"{CUSTOMERS}/{UNKNOWN}/price_groups"])
def test_a_verb_that_a_path_does_not_have_is_405_and_told_which_it_has(book, method, path):
    answer = book.client.request(method, path)

    assert_error(answer, 405, "method_not_allowed")
    assert "GET" in re.split(r",\s*", answer.headers["allow"])
    assert method not in re.split(r",\s*", answer.headers["allow"])


def test_a_head_request_has_the_headers_of_get_and_no_body(book):
    got, head = book.client.get(CUSTOMERS), book.client.head(CUSTOMERS)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == got.headers["etag"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", [CUSTOMERS, "/nix", "/healthz"])
def test_a_body_over_the_limit_is_413(book, method, path):
    answer = book.client.request(method, path, content=b"x" * 1_048_577)

    assert_error(answer, 413, "payload_too_large")


def test_a_body_at_the_limit_is_no_reason_to_refuse(book):
    answer = book.client.request("GET", CUSTOMERS, content=b"x" * 1_048_576)

    assert answer.status_code == 200


def test_a_missing_key_is_401(keyless):
    answer = keyless.get(CUSTOMERS)

    assert_error(answer, 401, "invalid_credentials")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_missing_permission_is_403_and_named(book):
    _, weak = book.new_key(permissions=("addresses:read",))

    answer = book.client.get(CUSTOMERS, headers={"Authorization": f"Bearer {weak}"})

    assert_error(answer, 403, "insufficient_permissions")
    assert "customers:read" in answer.json()["error"]["message"]


def test_the_key_is_asked_for_before_anything_is_read(keyless):
    assert_error(keyless.get(f"{CUSTOMERS}?limit=0"), 401, "invalid_credentials")
    assert_error(keyless.get(f"{CUSTOMERS}/nonsense"), 401, "invalid_credentials")


# What every answer has


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", CUSTOMERS),
        ("HEAD", CUSTOMERS),
        ("OPTIONS", CUSTOMERS),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/openapi.json"),
        ("GET", "/errors"),
        ("GET", "/nix"),
        ("BREW", CUSTOMERS),
    ],
)
def test_every_answer_has_a_request_id_and_says_whether_to_retry(book, method, path):
    answer = book.client.request(method, path)

    assert [claim for claim, holds in header_claims(answer).items() if not holds] == []


def test_a_304_has_them_too(book):
    etag = book.client.get(CUSTOMERS).headers["etag"]
    answer = book.client.get(CUSTOMERS, headers={"If-None-Match": etag})

    assert answer.status_code == 304
    assert [claim for claim, holds in header_claims(answer).items() if not holds] == []


def test_every_request_has_an_id_of_its_own(book):
    ids = [book.client.get(path).headers["x-request-id"] for path in [CUSTOMERS, "/nix"] * 20]

    assert len(set(ids)) == 40


@pytest.mark.parametrize("name", ["X-Request-Id", "Request-Id"])
@pytest.mark.parametrize("given", ["mine-1", "A_b-9", "x" * 128])
def test_a_good_request_id_of_the_client_is_kept(book, given, name):
    answer = book.client.get("/nix", headers={name: given})

    assert [answer.headers[each] for each in ("request-id", "x-request-id")] == [given, given]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"X-Request-Id": "of-a-proxy", "Request-Id": "of-the-client"}, "of-a-proxy"),
        ({"X-Request-Id": "no id", "Request-Id": "of-the-client"}, "of-the-client"),
        ({"X-Request-Id": "of-a-proxy", "Request-Id": "no id"}, "of-a-proxy"),
    ],
)
def test_of_two_request_ids_the_proxys_counts(book, given, kept):
    answer = book.client.get(CUSTOMERS, headers=given)

    assert [answer.headers[each] for each in ("request-id", "x-request-id")] == [kept, kept]


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", "a;b", "<x>", "a\tb", "../x", "１"])
def test_another_request_id_is_replaced(book, given):
    answer = book.client.get("/nix", headers={"X-Request-Id": given.encode()})

    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["request-id"] == answer.headers["x-request-id"]


# The reference of errors


@pytest.fixture(scope="module")
def reference(server):
    return plain_http.get(f"{server.url}/errors")


def test_the_error_reference_is_served_without_a_key(reference):
    assert reference.status_code == 200
    assert reference.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("error", CATALOGUE, ids=lambda error: error.code)
def test_the_reference_has_an_anchor_for_every_code(reference, error):
    assert reference.text.count(f'id="{error.code}"') == 1
    assert str(error.status) in reference.text


@pytest.mark.parametrize(
    "path", ["/nix", CUSTOMERS, f"{CUSTOMERS}?limit=0", f"{CUSTOMERS}/{UNKNOWN}", f"{CUSTOMERS}/x"]
)
@pytest.mark.parametrize("with_key", [True, False])
def test_doc_url_leads_to_a_page_that_has_the_anchor(book, keyless, path, with_key):
    clients = {True: book.client, False: keyless}
    answers = [answer for answer in [clients[with_key].get(path)] if answer.status_code != 200]

    places = [answer.json()["error"]["doc_url"].partition("#") for answer in answers]

    assert [f'id="{code}"' in keyless.get(page).text for page, _, code in places] == [True] * len(places)


# Help


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("limt=5", "did you mean limit"),
        ("status_code=normal", "did you mean status_codes"),
        ("status_codes=preffered", "did you mean preferred"),
        ("include=default", "did you mean defaults"),
        ("include=defaults.sales_reps", "did you mean defaults.sales_rep"),
        ("limit=ten", "1 to 1000"),
        ("start_date=yesterday", "RFC 3339"),
        ("carrier_ids=crop_0000000000000", "cr_"),
        ("page=2", "cursor"),
    ],
)
def test_a_refusal_says_what_is_allowed_or_nearest(book, query, told):
    assert told in book.client.get(f"{CUSTOMERS}?{query}").json()["error"]["message"]


@pytest.mark.parametrize("name", ["limit", "q", "status_codes", "start_date", "cursor"])
def test_a_refusal_does_not_repeat_what_was_sent(book, name):
    sent = f"canary{'x' * 200}<script>"

    assert sent not in book.client.get(CUSTOMERS, params={name: sent}).text


def test_a_very_long_unknown_name_is_not_repeated_whole_in_the_message(book):
    answer = book.client.get(CUSTOMERS, params={"n" * 5000: "1"})

    assert answer.status_code == 400
    assert len(answer.json()["error"]["message"]) < 1000


# Faults of ours


NO_UPLOADS = Uploads(
    UploadFolder(Path("/nowhere")), bytes_max=1, text_bytes_max=1, seconds_max=1, of_account_max=1
)


def client_of(book, *, walk=None, load_span=None, load=None):
    """The application over this book, with one room of the customer list on fire."""
    listing, *rest = ALL[0].routes
    assert isinstance(listing, ListRoute)
    changed = {
        "walk": walk,
        "load": load,
        "load_span": load_span and structs.replace(listing.load_span, read=load_span),
    }
    changed = {name: function for name, function in changed.items() if function is not None}
    routes = (structs.replace(listing, **changed), *rest)
    database = book.database
    service = Service(
        database,
        load_cursors(database),
        Authenticator(
            database, KeyRules(api_keys.authenticate, api_keys.note_use, api_keys.require_standing), None
        ),
        PageCache(1_000_000),
        Twins(str(book.account_key)),
        Bodies(1_000_000, 10_000),
        NO_UPLOADS,
        UnderWay("exports", 2),
        600,
        8_388_608,
    )
    app = build_app(
        service,
        (structs.replace(ALL[0], routes=routes), *ALL[1:]),
        is_ready=lambda: True,
        load_agents=pytest.fail,
        cors=Cors(""),
        log_requests=False,
    )
    return falcon.testing.TestClient(app, headers={"Authorization": f"Bearer {book.key}"})


def httpx_answer(result):
    """The same answer in the words of the checkers."""
    return httpx.Response(result.status_code, headers=list(result.headers.items()), content=result.content)


def on_fire(error):
    def burn(*arguments, **named):
        raise error

    return burn


FAULTS = [
    RuntimeError(SECRET),
    KeyError(SECRET),
    RecursionError(SECRET),
    MemoryError(SECRET),
    UnicodeError(SECRET),
]


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(("room", "query"), [("load_span", ""), ("walk", "q=x"), ("load", "q=Somebody")])
def test_a_fault_is_500_with_the_request_id_and_nothing_of_the_inside(book, error, room, query):
    book.add({"name": "Somebody"})
    client = client_of(book, **{room: on_fire(error)})

    answer = httpx_answer(client.simulate_get(CUSTOMERS, query_string=query))

    assert_error(answer, 500, "internal_error")
    assert answer.json()["error"]["type"] == "api_error"
    assert answer.headers["x-request-id"] in answer.json()["error"]["message"]
    assert "kaboom" not in str(answer.headers) + answer.text
    assert type(error).__name__ not in answer.text


def test_a_fault_of_the_running_server_is_in_its_log_and_not_in_its_answer(tmp_path, engine):
    server = start_server(tmp_path, database=engine.new(tmp_path))
    book = Book(server)
    with locate(server.database).migrating() as connection:
        connection.execute(sa.text("ALTER TABLE finished_customers RENAME TO kaboom"))

    answer = book.client.get(CUSTOMERS)
    alive = book.client.get("/healthz")
    stop_server(server)

    assert_error(answer, 500, "internal_error")
    assert alive.status_code == 200
    logged = server.log.read_text()
    assert "no such table" in logged or "UndefinedTable" in logged
    assert answer.headers["x-request-id"] in logged
    assert book.key not in logged
    book.close()


def test_a_fault_is_not_kept(book):
    """The page that failed is made anew, and not remembered as a failure or half a page."""
    errors = iter([RuntimeError(SECRET)])
    whole = ALL[0].routes[0].load_span.read

    def burn_once(*arguments, **named):
        for error in errors:
            raise error
        return whole(*arguments, **named)

    client = client_of(book, load_span=burn_once)

    statuses = [client.simulate_get(CUSTOMERS).status_code for _ in range(3)]

    assert statuses == [500, 200, 200]


def test_a_database_that_is_away_is_503_and_worth_a_retry(book):
    client = client_of(book, load_span=on_fire(Unavailable(SECRET)))

    answer = httpx_answer(client.simulate_get(CUSTOMERS))

    assert_error(answer, 503, "service_unavailable")
    assert answer.headers["x-should-retry"] == "true"
    assert int(answer.headers["retry-after"]) >= 1
    assert "kaboom" not in answer.text
