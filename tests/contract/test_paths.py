"""A path that is not exactly a route is 404, by every method, and URLs in answers are always the route's own."""

import json
from itertools import product

import pytest

from tests.contract.checkers import CUSTOMERS
from tests.fixtures import raw_http

# No engine sees a path.
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")
PAGES = ("/healthz", "/readyz", "/openapi.json", "/errors")
SPELLINGS = {
    "two slashes in front": lambda path: f"/{path}",
    "three slashes in front": lambda path: f"//{path}",
    "an encoded slash in front": lambda path: f"/%2F{path[1:]}",
    "two slashes after v1": lambda path: path.replace("/v1", "/v1/") if "/v1" in path else f"/v1//{path}",
    "two slashes before the last": lambda path: "//".join(path.rsplit("/", 1)),
    "a slash at the end": lambda path: f"{path}/",
    "two slashes at the end": lambda path: f"{path}//",
    "an encoded slash at the end": lambda path: f"{path}%2f",
    "a dot in front": lambda path: f"/.{path}",
    "an encoded dot in front": lambda path: f"/%2E{path}",
    "a dot at the end": lambda path: f"{path}/.",
    "two dots in front": lambda path: f"/..{path}",
    "there and back": lambda path: f"/v1/..{path}",
    "two dots at the end": lambda path: f"{path}/x/..",
    "an encoded way back": lambda path: f"/v1/%2e%2e{path}",
    "a parameter in front": lambda path: f"/;a=b{path}",
    "capitals": str.upper,
    "twice encoded": lambda path: path.replace("e", "%2565"),
}
AT_THE_END = (";a=b", "%3Ba=b", "%20", "%00", "\\", "%5C", "%0A", "x", "%C3%A9", "%FF", "%", "%zz")
EQUAL = {
    "as it is": lambda path: path,
    "letters encoded": lambda path: path.replace("v", "%76").replace("s", "%73"),
    "a slash encoded": lambda path: path.replace("/sales", "%2Fsales"),
    "with a host": lambda path: f"http://elsewhere.example{path}",
}


@pytest.fixture(scope="module")
def three(module_book):
    module_book.add(*({"name": f"Customer {number}"} for number in range(3)))
    return module_book


def ask(book, target, method="GET"):
    """Send a target as it is; return the status, the headers' lines and the body."""
    request = raw_http.head(book.key, target=target, method=method)
    head, _, body = raw_http.exchange(book.server.url, request).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), lines, body


def assert_no_route(book, target, method):
    status, _, body = ask(book, target, method)

    assert (method, target, status) == (method, target, 404)
    assert method == "HEAD" or json.loads(body)["error"]["code"] == "resource_not_found"


def paths(book):
    """One path of every kind of route."""
    customer = f"{CUSTOMERS}/{book.get(CUSTOMERS)['data'][0]['id']}"
    return (CUSTOMERS, customer, f"{customer}/price_groups", f"{customer}/actions/merge", *PAGES)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_path_spelled_otherwise_is_404(three, spelling):
    before = three.get(CUSTOMERS)

    for method, path in product(METHODS, paths(three)):
        assert_no_route(three, SPELLINGS[spelling](path), method)

    assert three.get(CUSTOMERS) == before


@pytest.mark.parametrize("target", ["//", "*", "/.", "/%2F"])
def test_a_target_that_is_no_path_is_404(three, target):
    for method in METHODS:
        assert_no_route(three, target, method)


@pytest.mark.parametrize("target", ["/", "/?a=b", "http://elsewhere.example", "elsewhere.example:80"])
def test_the_root_is_a_path_like_others(three, target):
    """A target without a path is the root, as RFC 9112 has it."""
    status, _, body = ask(three, target)

    assert (status, json.loads(body)["name"]) == (200, "Tradebook")
    assert [ask(three, target, method)[0] for method in METHODS] == [200, 200, *[405] * 4, 200, 405]


@pytest.mark.parametrize("end", AT_THE_END)
def test_a_path_with_something_behind_it_is_404(three, end):
    for method, path in product(METHODS, (CUSTOMERS, *PAGES)):
        assert_no_route(three, path + end, method)


def test_the_slash_is_what_makes_the_404(three):
    """The tooth of the tests above: without it the same paths are served, by what the route has."""
    assert [ask(three, path)[0] for path in paths(three)] == [200, 200, 200, 405, 200, 200, 200, 200]


@pytest.mark.parametrize("spelling", EQUAL)
def test_urls_in_answers_have_the_routes_own_path(three, spelling):
    """Percent signs are decoded before the application sees a path: letters so spelt are the same path."""
    status, _, body = ask(three, f"{EQUAL[spelling](CUSTOMERS)}?limit=1")
    url = json.loads(body)["page_info"]["next_page_url"]
    _, _, after = ask(three, url)

    assert status == 200
    assert url.startswith(f"{CUSTOMERS}?")
    assert json.loads(after)["page_info"]["previous_page_url"].startswith(f"{CUSTOMERS}?")


def test_a_path_below_an_object_is_written_with_its_id(three):
    parent, child, _ = (customer["id"] for customer in three.get(CUSTOMERS)["data"])
    for key in (child, three.get(CUSTOMERS)["data"][2]["id"]):
        three.client.patch(f"{CUSTOMERS}/{key}", json={"parent_account_id": parent})

    _, _, body = ask(three, f"/v%31/sales/customers/{parent}/child%5Faccounts?limit=1")

    url = json.loads(body)["page_info"]["next_page_url"]
    assert url.startswith(f"{CUSTOMERS}/{parent}/child_accounts?")
    assert ask(three, url)[0] == 200


def test_a_doubled_slash_deletes_nothing(book):
    book.add({"name": "Somebody"})
    path = f"{CUSTOMERS}/{book.get(CUSTOMERS)['data'][0]['id']}"

    assert_no_route(book, f"/{path}", "DELETE")

    assert [ask(book, path, method)[0] for method in ("GET", "DELETE", "GET")] == [200, 200, 404]
