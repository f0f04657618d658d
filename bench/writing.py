"""What changes cost, in small books and large ones, and what a refusal costs; in process, without HTTP."""

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock
from uuid import uuid4

import msgspec

from bench.books import BenchBook
from bench.measuring import Result, compared, side_by_side
from tradebook.app import create_app
from tradebook.settings import Settings

PATH = "/v1/sales/customers"
REFUSALS = 20


def measure_writing(book: BenchBook, large: BenchBook) -> Iterator[Result]:
    """Hold a refusal against a page, a change with a key against one without, and large against small."""
    with tempfile.TemporaryDirectory() as folder, mock.patch("tempfile.tempdir", folder):
        plain = _app(book, page_cache_bytes=0, rate_limit=0)
        limited = _app(book, rate_limit=1, rate_limit_seconds=86_400)
        _call(limited, book, "GET", PATH)

        def refuse() -> None:
            assert _call(limited, book, "GET", PATH)[0] == "429 Too Many Requests"

        def page() -> None:
            assert _call(plain, book, "GET", PATH)[0] == "200 OK"

        def refuse_some() -> None:
            # As they come: who is refused goes on asking.
            for _ in range(REFUSALS):
                refuse()

        some, whole = side_by_side(refuse_some, page)
        ratio = some / REFUSALS / whole
        yield Result(
            "a refusal by the rate limit against a page", round(some / REFUSALS, 1), "µs", round(whole, 1),
            round(ratio, 3), "≤ 0.1 ×", ratio <= 0.1, f"{REFUSALS} in a row",
        )  # fmt: skip
        newest = msgspec.json.decode(_call(plain, book, "GET", PATH)[1])["data"][0]["id"]

        def change(**headers: str) -> None:
            status, body = _call(plain, book, "PATCH", f"{PATH}/{newest}", b'{"note": "x"}', **headers)
            assert status == "200 OK", body

        keyed, without = side_by_side(lambda: change(HTTP_IDEMPOTENCY_KEY=str(uuid4())), change, rounds=100)
        yield Result(
            "a change under an idempotency key against one without", round(keyed, 1), "µs", round(without, 1),
            round(keyed / without, 2), note="committed to disk",
        )  # fmt: skip
        yield compared(
            "a customer made and deleted, large book against small",
            _made_and_deleted(_app(large, rate_limit=0), large), _made_and_deleted(plain, book), 1.3,
            rounds=100, note="two commits; an address each for bill-to and ship-to stays",
        )  # fmt: skip


def _made_and_deleted(app: Callable[..., Any], book: BenchBook) -> Callable[[], None]:
    """Return what makes a customer like the newest one, and deletes it."""
    include = "type,freight_preferences.carrier,defaults.payment_term,defaults.shipping_term"
    answer = _call(app, book, "GET", PATH, query=f"limit=1&include={include}")[1]
    like = msgspec.json.decode(answer)["data"][0]
    address = {"name": "Bench", "country": "DE", "locality": "Ulm"}
    body = msgspec.json.encode(
        {
            "name": "Bench",
            "customer_type_group_id": like["type"]["id"],
            "default_carrier_id": like["freight_preferences"]["carrier"]["id"],
            "default_payment_term_id": like["defaults"]["payment_term"]["id"],
            "default_shipping_term_id": like["defaults"]["shipping_term"]["id"],
            "bill_to_address": address,
            "ship_to_address": address,
        }
    )

    def make_and_delete() -> None:
        status, made = _call(app, book, "POST", PATH, body)
        assert status == "201 Created", made
        path = f"{PATH}/{msgspec.json.decode(made)['id']}"
        assert _call(app, book, "DELETE", path)[0] == "200 OK"

    return make_and_delete


def _app(book: BenchBook, **settings: Any) -> Callable[..., Any]:
    return create_app(Settings(database=book.url, log_requests=False, **settings))


def _call(
    app: Callable[..., Any],
    book: BenchBook,
    method: str,
    path: str,
    body: bytes = b"",
    query: str = "",
    **headers: str,
) -> tuple[str, bytes]:
    environment = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "bench",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {book.secret}",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        **headers,
    }
    told: list[str] = []
    answer = b"".join(app(environment, lambda status, _headers, _error=None: told.append(status)))
    return told[0], answer
