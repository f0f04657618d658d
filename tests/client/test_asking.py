"""What a client is made with, and what it refuses before anything is sent."""

import inspect
import pickle
from datetime import datetime

import pytest

import tradebook_client
from tests.client.proxy import Proxy
from tests.fixtures.server import free_port
from tradebook_client import AsyncTradebook, NotFound, Tradebook
from tradebook_client.requests import request

NOWHERE = "http://127.0.0.1:1"
BOTH = pytest.mark.parametrize("form", [Tradebook, AsyncTradebook])


@pytest.fixture
def silent():
    """A place where everything that arrives is seen."""
    with Proxy(f"http://127.0.0.1:{free_port()}") as proxy:
        yield proxy


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda c: c.customers.list(stauts_codes=["normal"]), "no stauts_codes; did you mean status_codes?"),
        (lambda c: c.customers.list(cursor="x"), "no cursor"),
        (lambda c: c.customers.create(nmae="Acme"), "no nmae; did you mean name?"),
        (lambda c: c.customers.update("ac_1", number_="7"), "did you mean number?"),
        (lambda c: c.customers.merge("ac_1", source_customer_ids=["ac_2"], dry_run=True), "no dry_run"),
        (lambda c: c.customers.get("ac_1", includes=["type"]), "includes"),
        (lambda c: c.customers.find(name="Acme"), "name"),
        (lambda c: c.customers.export("x.ndjson", qq="acme"), "no qq; did you mean q?"),
        (lambda c: c.api_keys.list(qqqqqq="x"), "no qqqqqq; there are limit"),
        (lambda c: c.customers.list(q=["a", b"b"]), "text or numbers"),
    ],
)
def test_a_keyword_that_there_is_not_is_refused_before_anything_is_sent(
    silent, tmp_path, monkeypatch, call, says
):
    monkeypatch.chdir(tmp_path)
    with Tradebook(silent.url, "key") as client, pytest.raises(TypeError) as refused:
        call(client)

    assert says in str(refused.value)
    assert silent.seen == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.customers.get(""),
        lambda c: c.customers.delete(""),
        lambda c: c.customers.list(status_codes=[]),
        lambda c: c.customers.list(start_date=datetime(2026, 1, 1)),
        lambda c: c.customers.find(number=""),
    ],
)
def test_a_value_that_means_nothing_is_refused_before_anything_is_sent(silent, call):
    with Tradebook(silent.url, "key") as client, pytest.raises(ValueError):
        call(client)

    assert silent.seen == []


def test_an_id_stays_one_part_of_the_path():
    for text in ("../addresses", "a/b", "..", "a?b=c", "a#b", "%2e%2e", "ü"):
        path = request("GET", "/v1/sales/customers/{id}", text).path
        assert path.startswith("/v1/sales/customers/")
        assert not set(path.removeprefix("/v1/sales/customers/")) & set("/?#.")


@BOTH
def test_where_and_with_which_key_is_read_from_the_environment(form, monkeypatch):
    for name in ("TRADEBOOK_URL", "TRADEBOOK_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="TRADEBOOK_URL"):
        form()
    monkeypatch.setenv("TRADEBOOK_URL", "http://book.example/")
    with pytest.raises(ValueError, match="TRADEBOOK_API_KEY"):
        form()
    monkeypatch.setenv("TRADEBOOK_API_KEY", "tb_sk_test_secret")

    assert repr(form()) == f"{form.__name__}('http://book.example')"
    assert repr(form("https://other.example/books")) == f"{form.__name__}('https://other.example/books')"


@BOTH
@pytest.mark.parametrize(
    "url",
    [
        "book.example",
        "ftp://book.example",
        "http://",
        "http://key@book.example",
        "http://book.example/?a=b",
        "",
    ],
)
def test_an_address_that_leads_nowhere_is_refused(form, url):
    with pytest.raises(ValueError):
        form(url, "key")


@BOTH
@pytest.mark.parametrize("key", ["", "a key", "key\n", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(form, key):
    with pytest.raises(ValueError) as refused:
        form(NOWHERE, key)

    assert not key or repr(key) not in str(refused.value)


def test_a_book_behind_a_path_is_asked_there(silent):
    with (
        Tradebook(f"{silent.url}/books/one/", "key", retries=0) as client,
        pytest.raises(tradebook_client.TradebookError),
    ):
        client.customers.get("ac_1")

    assert silent.seen[0].path == "/books/one/v1/sales/customers/ac_1"
    assert silent.seen[0].headers["Authorization"] == "Bearer key"
    assert silent.seen[0].headers["User-Agent"].startswith("tradebook-client/")


def test_both_forms_have_the_same_methods():
    def methods_of(book):
        return {
            f"{name}.{method}": list(inspect.signature(function).parameters)
            for name, resource in vars(book).items()
            if type(resource).__module__.endswith("resources")
            for method, function in inspect.getmembers(resource, inspect.ismethod)
            if method != "__init__"
        }

    with Tradebook("http://book.example", "key") as book:
        names = methods_of(book)

    assert names == methods_of(AsyncTradebook("http://book.example", "key"))
    assert len(names) > 50


def test_everything_that_is_exported_is_listed_in_order():
    names = tradebook_client.__all__

    assert names == sorted(names)
    assert all(hasattr(tradebook_client, name) for name in names)


def test_an_error_survives_a_process_pool():
    error = NotFound("There is none.", status=404, code="resource_not_found", param="id", request_id="r1")

    copy = pickle.loads(pickle.dumps(error))

    assert vars(copy) == vars(error)
    assert str(copy) == "There is none. (status 404, code resource_not_found, param id, request_id r1)"
