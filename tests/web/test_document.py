"""The OpenAPI document names the server as each client has called it, and nobody else's name."""

import pytest
from falcon.testing import TestClient

from tests.fixtures.application import application


@pytest.fixture(scope="module")
def served(module_book):
    """The service, in this process."""
    return TestClient(application(module_book.database, module_book.server.database))


def server_of(served: TestClient, **headers: str) -> str:
    """Ask for the document, and return the server in it."""
    answer = served.simulate_get(
        "/openapi.json", headers={n.replace("_", "-"): v for n, v in headers.items()}
    )
    assert answer.headers["cache-control"] == "private, no-cache"
    (server,) = answer.json["servers"]
    return server["url"]


@pytest.mark.parametrize("host", ["book.example", "127.0.0.1:8000", "[::1]:8000", "my_book"])
def test_the_server_is_called_as_the_client_has_called_it(served, host):
    assert server_of(served, Host=host) == f"http://{host}"


def test_a_proxy_says_that_the_client_came_by_https(served):
    assert server_of(served, Host="book.example", X_Forwarded_Proto="https") == "https://book.example"
    assert server_of(served, Host="book.example", X_Forwarded_Proto="gopher") == "http://book.example"


def test_one_client_does_not_see_what_another_has_called(served):
    first, second, again = (server_of(served, Host=host) for host in ("a.example", "b.example", "a.example"))

    assert (first, second, again) == ("http://a.example", "http://b.example", "http://a.example")


@pytest.mark.parametrize("host", ['a"b', "a/b", "a b", "user@a", "a:b", "x" * 300, ""])
def test_a_name_that_is_none_is_not_repeated(served, host):
    assert server_of(served, Host=host) == "/"


def test_a_name_of_another_header_is_not_taken(served):
    """Whoever keeps answers on the way tells them apart by `Host` alone."""
    assert server_of(served, Host="a.example", X_Forwarded_Host="evil.example") == "http://a.example"
