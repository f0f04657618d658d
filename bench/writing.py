"""What a change costs, and a refusal by the rate limit against a page; in process, without HTTP."""

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock
from uuid import uuid4

import msgspec

from bench.books import BenchBook
from bench.measuring import Result, side_by_side
from tradebook.app import create_app
from tradebook.settings import Settings

PATH = "/v1/sales/customers"
REFUSALS = 20


def measure_writing(book: BenchBook) -> Iterator[Result]:
    """Hold a refusal against a cold page, and a change with a key against one without."""
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


def _app(book: BenchBook, **settings: Any) -> Callable[..., Any]:
    return create_app(Settings(database=book.url, log_requests=False, **settings))


def _call(
    app: Callable[..., Any], book: BenchBook, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[str, bytes]:
    environment = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
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
