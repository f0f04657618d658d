"""Which customer is meant: by id or by number, as people write them."""

from typing import Any

from tradebook.crud.parameters import Pairs
from tradebook.errors import ResourceNotFound
from tradebook.ids import read_id
from tradebook.mcp.arguments import invalid, missing
from tradebook.mcp.asking import Book, Json, Refused
from tradebook.resources.customers import ID_PREFIX, PATH
from tradebook.text import shortened

AS_ID = f"takes an id, which begins with {ID_PREFIX}_; a customer's number goes into number"


def customer_named(book: Book, given: dict[str, Any], pairs: Pairs = ()) -> Json:
    """Return the customer that `id` or `number` names."""
    by_id, number = given.get("id"), given.get("number")
    if by_id is None:
        if number is None:
            raise missing("id or number")
        return _by_number(book, number, pairs)
    if number is not None:
        raise invalid("number", "is given beside id: give one of them")
    if read_id(ID_PREFIX, by_id) is None:
        raise invalid("id", AS_ID)
    return book.get(f"{PATH}/{by_id}", pairs)


def customer_meant(book: Book, text: str) -> Json:
    """Return the customer that a text names, which is an id or a number."""
    if read_id(ID_PREFIX, text) is None:
        return _by_number(book, text)
    try:
        return book.get(f"{PATH}/{text}")
    except Refused as refused:
        # A number may look like an id.
        found = book.find(f"{PATH}/by-number/{text}") if refused.code == ResourceNotFound.code else None
        if found is None:
            raise
        return found


def _by_number(book: Book, number: str, pairs: Pairs = ()) -> Json:
    found = book.find(f"{PATH}/by-number/{number}", pairs)
    if found is None:
        raise Refused(
            ResourceNotFound.code,
            f"There is no customer with the number {shortened(number)}. find_customers looks for words in "
            "names, numbers and addresses.",
        )
    return found
