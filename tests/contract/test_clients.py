"""Generated client libraries work unchanged: their spelling of arrays, their paging, their retries."""

import uuid

import pytest

from tests.contract.checkers import CUSTOMERS, cursor_in, fetch, walk_faults
from tests.fixtures import plain_http


class GeneratedClient:
    """What a generated client does: one spelling of arrays, headers of its own, a cursor taken from the URL."""

    def __init__(self, book):
        self._http = plain_http.Client(
            base_url=book.server.url,
            headers={
                "Authorization": f"Bearer {book.key}",
                "Accept": "application/json",
                "Content-Type": "application/json",
                "User-Agent": "Client/Python 1.0.0",
                "Vendor-Version": "1.0.2026-01-01",
                "X-Stainless-Lang": "python",
                "X-Stainless-Retry-Count": "0",
                "Idempotency-Key": str(uuid.uuid4()),
            },
        )
        self.sent = []

    def page(self, **parameters):
        """GET a page; a list is joined by commas, which are percent-encoded."""
        joined = {
            name: ",".join(value) if isinstance(value, list) else value for name, value in parameters.items()
        }
        request = self._http.build_request("GET", CUSTOMERS, params=joined)
        self.sent.append(request.url.query.decode())
        answer = self._http.send(request)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pages_by_cursor(self, **parameters):
        """Walk as the libraries do that take the cursor out of next_page_url."""
        pages = [self.page(**parameters)]
        while pages[-1]["page_info"]["has_next_page"]:
            cursor = cursor_in(pages[-1]["page_info"]["next_page_url"])
            pages.append(self.page(**parameters, cursor=cursor))
        return pages

    def pages_by_url(self, **parameters):
        """Walk as the libraries do that join next_page_url to the host."""
        pages = [self.page(**parameters)]
        while pages[-1]["page_info"]["next_page_url"]:
            url = str(self._http.base_url.join(pages[-1]["page_info"]["next_page_url"]))
            pages.append(fetch(self._http, url))
        return pages

    def close(self):
        self._http.close()


@pytest.fixture
def generated(book):
    book.add(
        *(
            {
                "number": f"n{n}",
                "name": f"Customer {n}",
                "type": "Retail",
                "sales_rep_email": "ann@reps.example",
                "sales_rep_name": "Ann",
                "status": ("normal", "preferred", "hold_all", "hold_shipment")[n % 4],
            }
            for n in range(40)
        )
    )
    client = GeneratedClient(book)
    yield client
    client.close()


@pytest.fixture
def wanted(book, generated):
    """The ids of the normal and preferred customers, newest first."""
    return [c["id"] for c in book.get()["data"] if c["status"] in ("normal", "preferred")]


NORMAL_OR_PREFERRED = {"status_codes": ["normal", "preferred"], "limit": 3}


def test_the_spelling_is_the_one_that_the_libraries_send(generated):
    generated.page(**NORMAL_OR_PREFERRED)

    assert generated.sent == ["status_codes=normal%2Cpreferred&limit=3"]


@pytest.mark.parametrize("walk", [GeneratedClient.pages_by_cursor, GeneratedClient.pages_by_url])
def test_a_generated_client_walks_every_page(generated, wanted, walk):
    pages = walk(generated, **NORMAL_OR_PREFERRED)

    assert walk_faults(pages, wanted, 3) == []
    assert len(wanted) == 20


@pytest.mark.parametrize("walk", [GeneratedClient.pages_by_cursor, GeneratedClient.pages_by_url])
def test_a_generated_client_keeps_its_includes_on_every_page(generated, wanted, walk):
    pages = walk(generated, **NORMAL_OR_PREFERRED, include=["type", "defaults.sales_rep.user"])

    names = [c["defaults"]["sales_rep"]["user"]["name"] for page in pages for c in page["data"]]
    assert walk_faults(pages, wanted, 3) == []
    assert names == ["Ann"] * 20


def test_every_array_in_one_request(generated, book):
    whole = book.get(limit=1, include="type,defaults.sales_rep")["data"][0]

    page = generated.page(
        customer_group_ids=[whole["type"]["id"], "acgr_0000000000000"],
        sales_rep_ids=[whole["defaults"]["sales_rep"]["id"]],
        status_codes=["hold_all", "hold_shipment"],
        commission_status_codes=["commission_applied", "commission_exempt"],
        freight_status_codes=["billed_freight"],
        include=["type", "credit_limit", "freight_preferences.carrier.service_levels"],
        limit=1000,
    )

    assert {customer["status"] for customer in page["data"]} == {"hold_all", "hold_shipment"}
    assert len(page["data"]) == 20


def test_headers_that_a_client_adds_are_ignored(generated, book):
    assert generated.page(limit=5) == book.get(limit=5)


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "text/html", "application/xml", "nonsense", ""]
)
def test_the_answer_is_json_whatever_is_accepted(book, accept):
    answer = book.client.get(CUSTOMERS, headers={"Accept": accept})

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")


def test_a_library_that_retries_by_the_header_does_not_retry_what_cannot_succeed(book):
    answers = [
        book.client.get(path)
        for path in (f"{CUSTOMERS}?limit=0", f"{CUSTOMERS}/ac_0000000000000", "/nix", f"{CUSTOMERS}?cursor=x")
    ]

    assert [answer.headers["x-should-retry"] for answer in answers] == ["false"] * 4
    assert [answer.json()["error"]["is_transient"] for answer in answers] == [False] * 4


def test_an_idempotency_key_means_nothing_to_a_get(book):
    headers = {"Idempotency-Key": "same"}
    before = book.client.get(CUSTOMERS, headers=headers).json()
    book.add({"name": "New"})

    after = book.client.get(CUSTOMERS, headers=headers).json()
    other = book.client.get(f"{CUSTOMERS}?limit=1", headers=headers)

    assert (len(before["data"]), len(after["data"]), other.status_code) == (0, 1, 200)
    assert "idempotent-replayed" not in other.headers
