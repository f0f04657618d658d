"""Books that several of the contract's tests ask about."""

from typing import Any

import pytest

from tests.contract.checkers import ids_of
from tests.fixtures.book import Book, Record


def some(count: int, **common: Any) -> list[Record]:
    """Make that many customers with something in common."""
    return [{"number": f"n{n}", "name": f"Customer {n}", **common} for n in range(count)]


def newest_first(book: Book) -> list[str]:
    """All ids of a book, read in one page: the oracle of the walks."""
    return ids_of([book.get(limit=1000)])


@pytest.fixture(scope="module")
def ten(module_book: Book) -> Book:
    """A quiet book of ten, of which every third is preferred."""
    module_book.add(
        *(
            {"number": f"n{n}", "name": f"Ten {n}", "status": ("preferred", "normal", "normal")[n % 3]}
            for n in range(10)
        )
    )
    return module_book
