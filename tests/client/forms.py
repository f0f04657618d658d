"""The two forms of the client, called alike: the tests of one are the tests of the other."""

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any, Self

import pytest

from tests.fixtures.book import Book
from tradebook_client import AsyncTradebook, Tradebook, tries


class Blocking:
    """An async book, or one of its resources, called without `await`: each call runs an event loop to its end."""

    def __init__(self, inner: Any, runner: asyncio.Runner) -> None:
        self._inner, self._runner = inner, runner

    def __enter__(self) -> Self:
        self._runner.run(self._inner.__aenter__())
        return self

    def __exit__(self, *how: object) -> None:
        self._runner.run(self._inner.__aexit__(*how))

    def __repr__(self) -> str:
        return repr(self._inner)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not inspect.ismethod(found):
            return self._wrapped(found)
        return lambda *given, **named: self._result(found(*given, **named))

    def _result(self, made: Any) -> Any:
        return self._iterate(made) if inspect.isasyncgen(made) else self._wrapped(self._runner.run(made))

    def _wrapped(self, found: Any) -> Any:
        is_one_of_ours = type(found).__module__ == AsyncTradebook.__module__
        return Blocking(found, self._runner) if is_one_of_ours else found

    def _iterate(self, made: Any) -> Iterator[Any]:
        while True:
            try:
                yield self._runner.run(anext(made))
            except StopAsyncIteration:
                return


class Clients:
    """Makes clients of one form, and closes them."""

    def __init__(self, form: str) -> None:
        self.form = form
        self._runner = asyncio.Runner()
        self._made: list[Any] = []

    def of(self, book: Book, url: str | None = None, key: str | None = None, **options: Any) -> Any:
        """Make a client with the book's key; another URL is that of somebody in between."""
        return self.new(url or book.server.url, key or book.key, **options)

    def new(self, *given: Any, **options: Any) -> Any:
        """Make a client."""
        if self.form == "sync":
            made: Any = Tradebook(*given, **options)
        else:
            made = Blocking(AsyncTradebook(*given, **options), self._runner)
        self._made.append(made.__enter__())
        return made

    def close(self) -> None:
        """Close them all."""
        for made in self._made:
            made.__exit__(None, None, None)
        self._runner.close()


@pytest.fixture(params=["sync", "async"])
def clients(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """Clients of each form in turn, which wait for no longer than they are told."""
    monkeypatch.setattr(tries, "BACKOFF_SECONDS", 0.01)
    made = Clients(request.param)
    yield made
    made.close()


def fields_of_a_customer(client: Any) -> dict[str, Any]:
    """Make what a customer refers to, and return the fields of a new one without its name."""
    group = next((g for g in client.account_groups.list(type="type_group")), None)
    group = group or client.account_groups.create(name="Retail", type="type_group")
    place = {"name": "Dock 4", "country": "US", "locality": "Chicago"}
    return {
        "customer_type_group_id": group.id,
        "default_carrier_id": next(client.carriers.list()).id,
        "default_payment_term_id": next(client.payment_terms.list()).id,
        "default_shipping_term_id": next(client.shipping_terms.list()).id,
        "bill_to_address": place,
        "ship_to_address": place,
    }


@pytest.fixture
def client(clients: Clients, book: Book) -> Any:
    """A client of an empty book."""
    return clients.of(book)
