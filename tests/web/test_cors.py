"""A page of another origin may call the API from a browser where a setting says so, and read why it was refused."""

import pytest

from tests.contract.checkers import CUSTOMERS
from tests.fixtures import raw_http
from tests.fixtures.book import Book
from tests.fixtures.engines import Sqlite
from tests.fixtures.server import start_server, stop_server
from tradebook.settings import load_settings
from tradebook.web.cors import SHOWN, TAKEN, Cors

APP = "https://app.example.com"
PREFLIGHT = {"Origin": APP, "Access-Control-Request-Method": "PATCH"}


class Scope:
    """The head of a request."""

    def __init__(self, method="GET", **headers):
        self.method = method
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def put_on(origins, scope, *headers):
    found = [*headers]
    Cors(origins).put_on(scope, found)
    return dict(found)


@pytest.fixture(scope="module")
def allowing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADEBOOK_CORS_ORIGINS", f"https://other.example {APP}")
        server = start_server(folder, database=Sqlite().new(folder))
    book = Book(server)
    book.add({"number": "1", "name": "A"})
    yield book
    book.close()
    stop_server(server)


def test_a_browser_asks_first_and_is_told_what_it_may_send(allowing):
    wanted = {"Access-Control-Request-Headers": "authorization,content-type,x-stainless-lang,b@d"}
    path = f"{CUSTOMERS}/ac_1"

    answer = allowing.client.options(path, headers={**PREFLIGHT, **wanted, "Authorization": ""})

    headers = answer.headers
    assert answer.status_code == 200
    assert headers["access-control-allow-origin"] == APP
    assert {"GET", "PATCH", "DELETE"} <= set(headers["access-control-allow-methods"].split(", "))
    allowed = headers["access-control-allow-headers"].split(", ")
    assert set(TAKEN) < set(allowed)
    assert "x-stainless-lang" in allowed
    assert "b@d" not in allowed
    assert int(headers["access-control-max-age"]) > 0
    assert "Origin" in headers["vary"]
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (CUSTOMERS, {}, 200),
        (CUSTOMERS, {"Accept": "text/csv"}, 200),
        (f"{CUSTOMERS}?limit=0", {}, 400),
        (CUSTOMERS, {"Authorization": "Bearer nobody"}, 401),
        ("/nowhere", {}, 404),
        ("/openapi.json", {}, 200),
    ],
)
def test_every_answer_may_be_read_by_a_page_of_an_allowed_origin(allowing, path, headers, status):
    answer = allowing.client.get(path, headers={"Origin": APP, **headers})

    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["access-control-expose-headers"] == ", ".join(SHOWN)
    assert "Origin" in answer.headers["vary"].split(", ")


@pytest.mark.parametrize("origin", ["https://app.example.com.evil", "http://app.example.com", "null", ""])
def test_other_origins_are_told_nothing(allowing, origin):
    for answer in (
        allowing.client.get(CUSTOMERS, headers={"Origin": origin}),
        allowing.client.options(CUSTOMERS, headers={**PREFLIGHT, "Origin": origin}),
        allowing.client.get(CUSTOMERS),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "Origin" in answer.headers["vary"]


def test_without_the_setting_nothing_of_it_is_sent(server):
    """The engine's own server, which has no such setting."""
    book = Book(server)
    answer = book.client.options(CUSTOMERS, headers=PREFLIGHT)
    listed = book.client.get(CUSTOMERS, headers={"Origin": APP})
    book.close()

    for each in (answer, listed):
        assert not [name for name in each.headers if name.startswith("access-control")]
        assert "Origin" not in each.headers.get("vary", "")


def test_what_is_refused_at_the_door_has_them_too(allowing):
    """A request that the application never sees: one without a Host."""
    head = f"GET {CUSTOMERS} HTTP/1.1\r\nOrigin: {APP}\r\nConnection: close\r\n\r\n".encode()

    answer = raw_http.exchange(allowing.server.url, head).decode().lower()

    assert answer.startswith("http/1.1 400")
    assert f"access-control-allow-origin: {APP}" in answer


def test_all_origins_are_one_answer_for_all():
    told = put_on("*", Scope(origin=APP), ("vary", "Authorization"))

    assert told["access-control-allow-origin"] == "*"
    assert told["vary"] == "Authorization"


def test_methods_of_a_path_that_is_not_there_are_those_of_any():
    told = put_on(APP, Scope("OPTIONS", origin=APP, access_control_request_method="GET"))

    assert "PATCH" in told["access-control-allow-methods"]
    assert told["vary"] == "Origin"


@pytest.mark.parametrize(
    "value",
    ["app.example.com", "https://a.example/path", "https://a.example, b", "* https://a.example", "null"],
)
def test_what_is_no_origin_is_refused_at_the_start(value):
    with pytest.raises(ValueError, match="TRADEBOOK_CORS_ORIGINS"):
        load_settings({"TRADEBOOK_CORS_ORIGINS": value})


@pytest.mark.parametrize("value", ["", "*", APP, f"{APP} http://localhost:3000", f"{APP}, https://b.example"])
def test_origins_stand_beside_each_other(value):
    assert load_settings({"TRADEBOOK_CORS_ORIGINS": value}).cors_origins == value
    assert Cors(value).is_on == bool(value)
