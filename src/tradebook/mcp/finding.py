"""The tools that read: customers, the choices they refer to, and the book itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tradebook.clock import format_ms, now_ms
from tradebook.crud.parameters import CURSOR, LIMIT, LIMIT_MAX, Pairs
from tradebook.ids import KEY_MAX, encode_id
from tradebook.mcp.answers import TOKENS_DEFAULT, TOKENS_MAX, TOKENS_MIN, Answer, Shown, fitted
from tradebook.mcp.arguments import invalid
from tradebook.mcp.asking import Book, Json, Refused
from tradebook.mcp.choices import KINDS, NAMED, Choice, id_of
from tradebook.mcp.customers import customer_named
from tradebook.mcp.forms import HEADING, INCLUDES, LISTS, ROW_INCLUDES, group_row, lines_of, row_of, short_row
from tradebook.mcp.routes import FILTERS
from tradebook.resources import accounts
from tradebook.resources.customers import INDEX, PATH
from tradebook.storage.database import Reader
from tradebook.storage.index import Query
from tradebook.text import counted, shortened

LIMIT_DEFAULT = 20
INSIDE_MAX = 20
"""How many entries of a list inside a customer are shown with it; a cursor shows the others."""

COUNTED_MAX = 10_000
"""How far customers are counted."""

A_CUSTOMER = (
    "A customer has a type group, any number of pricing groups, a default carrier with a service level, a "
    "payment term, a shipping term, a sales rep, and a bill-to and a ship-to address. It may be the child of "
    "a parent customer, one level deep."
)

_ROWS: dict[str, Callable[[Json], str]] = {"price_groups": group_row, "child_accounts": short_row}


def find_customers(book: Book, given: dict[str, Any]) -> str:
    """Find customers: a row for each."""
    answer = answer_for(given)
    pairs = (*_filters(book, given), *including(ROW_INCLUDES))
    ask = _asking(book, PATH, pairs, given.get("cursor"))
    shown = fitted(answer, ask, row_of, heading=HEADING, limit=given.get("limit", LIMIT_DEFAULT))
    if not shown.rows:
        return "No customer matches. Fewer words in q, or fewer filters, find more."
    return answer.text(_so_many(shown))


def _so_many(shown: Shown) -> str:
    count = counted(len(shown.rows), "customer")
    if shown.cursor is None:
        return f"{count}; that is all."
    left_out = f"{shown.left_out} more asked for are left out by max_tokens. " if shown.left_out else ""
    return f"{count}. {left_out}More with cursor={shown.cursor} and the same arguments."


def get_customer(book: Book, given: dict[str, Any]) -> str:
    """Show one customer: a line for everything that is set, then the lists inside it."""
    answer = answer_for(given)
    name, _, cursor = given.get("cursor", "").partition(".")
    if name and name not in LISTS:
        raise invalid("cursor", "is taken from an answer of get_customer, unchanged")
    customer = customer_named(book, given, () if name else including(INCLUDES))
    if not name:
        answer.add(*lines_of(customer))
    for each in LISTS[LISTS.index(name) if name else 0 :]:
        if each == "child_accounts" and customer["relationship_type"] != "parent":
            continue
        ask = _asking(book, f"{PATH}/{customer['id']}/{each}", (), cursor or None)
        bounds = {"rows_min": 1} if name else {"rows_min": 0, "rows_max": INSIDE_MAX}
        shown = fitted(answer, ask, _ROWS[each], heading=f"{each}:", limit=LIMIT_MAX, **bounds)
        cursor = ""
        if shown.cursor is not None:
            left_out = f"{shown.left_out} more" if shown.left_out else "More"
            return answer.text(
                f"{left_out} of {each} with cursor={each}.{shown.cursor} and the same customer."
            )
    return answer.text()


def list_choices(book: Book, given: dict[str, Any]) -> str:
    """List what customers may refer to, kind by kind."""
    answer = answer_for(given)
    kinds = [given["kind"]] if "kind" in given else list(KINDS)
    kind, _, last = given.get("cursor", "").partition(".")
    if kind:
        if kind not in kinds:
            raise invalid("cursor", "is taken from an answer of list_choices, unchanged")
        kinds = kinds[kinds.index(kind) :]
    lines = []
    for name in kinds:
        lines += _choice_lines(book, name, last)
        last = ""
    texts = [text for _, text in lines]
    count = max(2, answer.room_for(texts))
    answer.add(*texts[:count])
    if count >= len(lines):
        return answer.text()
    left_out = sum(1 for at, _ in lines[count:] if not at.endswith("."))
    return answer.text(f"{left_out} more are left out. They come with cursor={lines[count - 1][0]}")


def _choice_lines(book: Book, kind: str, last: str) -> list[tuple[str, str]]:
    """Return the lines of a kind, each with the cursor behind it; without those up to the id `last`."""
    try:
        choices = list(KINDS[kind].listed(book))
    except Refused as refused:
        return [(f"{kind}.", f"{kind}: {refused}")]
    ids = [choice.id for choice in choices]
    if last and last not in ids:
        raise invalid("cursor", "goes on behind something that is gone: leave it out to begin anew")
    if last:
        choices = choices[ids.index(last) + 1 :]
    heading = (f"{kind}.", f"{kind}:" if choices or last else f"{kind}: none")
    names_shown = KINDS[kind].names_shown
    rows = [(f"{kind}.{choice.id}", _choice_row(choice, names_shown)) for choice in choices]
    return [heading, *rows] if rows or not last else []


def _choice_row(choice: Choice, names_shown: int) -> str:
    names = ", ".join((choice.shown, *choice.names[1:names_shown]))
    return f"{shortened(names)} = {choice.id}"


def describe_book(book: Book, given: dict[str, Any]) -> str:  # noqa: ARG001 - it takes no arguments
    """Say whose book it is, how large, and what the key may do."""
    grant = book.grant()
    grant.require("customers:read")

    def look(reader: Reader) -> tuple[tuple[str, str], list[int]]:
        keys = reader.keys(INDEX, Query(), above=0, below=KEY_MAX, descending=True, limit=COUNTED_MAX + 1)
        return accounts.describe(reader), keys

    (name, environment), keys = book.look(look)
    size = f"more than {COUNTED_MAX:,}" if len(keys) > COUNTED_MAX else f"{len(keys):,}"
    until = f", until {format_ms(grant.expires_at)}" if grant.expires_at else ""
    account = encode_id(accounts.ID_PREFIX, grant.account_id)
    return "\n".join(
        (
            f"The customer book of {name} (account {account}, environment {environment}).",
            f"Customers: {size}. The time is {format_ms(now_ms())}.",
            f"The key may: {_permitted(grant.permissions)}{until}.",
            A_CUSTOMER,
        )
    )


def _permitted(permissions: Iterable[str]) -> str:
    """Write permissions, the resources with the same actions together."""
    actions: dict[str, list[str]] = {}
    for permission in sorted(permissions):
        resource, _, action = permission.partition(":")
        actions.setdefault(resource, []).append(action)
    resources: dict[str, list[str]] = {}
    for resource, allowed in actions.items():
        resources.setdefault(", ".join(allowed), []).append(resource)
    return (
        "; ".join(f"{allowed} {', '.join(of_these)}" for allowed, of_these in resources.items()) or "nothing"
    )


def including(includes: Sequence[str]) -> Pairs:
    """Ask for sub-objects."""
    return [("include[]", value) for value in includes]


def answer_for(given: dict[str, Any]) -> Answer:
    """Begin an answer that is as long as the call allows."""
    tokens_max = given.get("max_tokens", TOKENS_DEFAULT)
    if not TOKENS_MIN <= tokens_max <= TOKENS_MAX:
        raise invalid("max_tokens", f"takes a whole number from {TOKENS_MIN} to {TOKENS_MAX}")
    return Answer(tokens_max)


def _asking(book: Book, path: str, pairs: Pairs, cursor: str | None) -> Callable[[int], Json]:
    """Return what asks for so many entries of a list, from a cursor on."""
    at = () if cursor is None else ((CURSOR.name, cursor),)
    return lambda count: book.get(path, (*pairs, (LIMIT.name, str(count)), *at))


def _filters(book: Book, given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Write filters as the list takes them: names become ids."""
    carriers = [id_of(book, "carrier_ids", text) for text in given.get("carrier_ids", ())]
    of_carrier = carriers[0] if len(carriers) == 1 else None
    for parameter in FILTERS:
        name = parameter.name.removesuffix(parameter.MANY)
        if name not in given:
            continue
        for text in given[name] if parameter.is_array else [given[name]]:
            found = id_of(book, name, text, carrier=of_carrier) if name in NAMED else text
            yield parameter.name, found
