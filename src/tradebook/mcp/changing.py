"""The tools that change the book, and the preview of a merge."""

from collections.abc import Iterator
from typing import Any

from tradebook.mcp.answers import TOKENS_DEFAULT, TOKENS_MAX, Answer
from tradebook.mcp.arguments import invalid
from tradebook.mcp.asking import Book, Json
from tradebook.mcp.choices import NAMED, id_of, name_of
from tradebook.mcp.customers import customer_meant, customer_named
from tradebook.mcp.finding import answer_for, including
from tradebook.mcp.forms import HEADING, ROW_INCLUDES, in_row, row_of, short_row
from tradebook.mcp.routes import CREATE, MERGE, UPDATE
from tradebook.money import currency_number
from tradebook.resources.customers import PATH
from tradebook.resources.quantities import UnitId, unit_of

SOURCES_MAX = 100
"""How many customers are merged at once at most: each is looked up."""

UNIT = UnitId()

_CALLED = {"source_customer_ids": "sources", "id": "target"}
_MOVED = {
    "moved_address_ids": "addresses",
    "moved_price_group_ids": "pricing groups",
    "moved_child_account_ids": "child accounts",
}


def create_customer(book: Book, given: dict[str, Any]) -> str:
    """Create a customer."""
    body = _body(book, given)
    body.setdefault("ship_to_address", body.get("bill_to_address"))
    return _shown("Created", book.change(CREATE.method, PATH, including(ROW_INCLUDES), body))


def update_customer(book: Book, given: dict[str, Any]) -> str:
    """Change a customer. With `id`, `number` is a field like any other."""
    named = {"id" if given.get("id") is not None else "number"}
    fields = {name: value for name, value in given.items() if name not in {"id", "clear", *named}}
    for name in given.get("clear") or ():
        if fields.setdefault(name, None) is not None:
            raise invalid("clear", f"names {name}, which is given a value: leave out one of the two")
    if not fields:
        raise invalid("update_customer", "takes the fields to change, or clear, beside id or number")
    customer = customer_named(
        book, {name: given.get(name) for name in named}, including(("freight_preferences.carrier",))
    )
    carrier = customer["freight_preferences"]["carrier"]
    body = _body(book, fields, carrier=carrier and carrier["id"])
    path = f"{PATH}/{customer['id']}"
    return _shown("Updated", book.change(UPDATE.method, path, including(ROW_INCLUDES), body))


def preview_merge(book: Book, given: dict[str, Any]) -> str:
    """Show what a merge would do."""
    answer = answer_for(given)
    target, sources = _merged(book, given)
    preview = _merge(book, target, sources, dry_run=True)
    answer.add(
        f"This would merge into {short_row(target)}, and delete {', '.join(map(short_row, sources))}.",
        f"It would move {_moves(preview)}.",
    )
    rows = list(_losses(book, preview["losses"], sources))
    answer.add("These values would be lost:" if rows else "Nothing would be lost.")
    count = answer.room_for(rows)
    answer.add(*rows[:count])
    left_out = len(rows) - count + preview["left_out"]["losses"]
    # What the API itself leaves out comes with no number of tokens.
    is_cut = count < len(rows) and given.get("max_tokens", TOKENS_DEFAULT) < TOKENS_MAX
    more = "a larger max_tokens shows more" if is_cut else "fewer sources at a time show more"
    return answer.text(f"{left_out} more are left out; {more}." if left_out else "")


def merge_customers(book: Book, given: dict[str, Any]) -> str:
    """Merge customers into one."""
    target, sources = _merged(book, given)
    merged = _merge(book, target, sources, dry_run=False)
    answer = Answer()
    kept = book.get(f"{PATH}/{target['id']}", including(ROW_INCLUDES))
    answer.add(_shown("Merged", kept), f"Deleted: {', '.join(map(short_row, sources))}")
    rows = list(_losses(book, merged["losses"], sources))
    count = answer.room_for(rows)
    answer.add(*rows[:count])
    left_out = len(rows) - count + merged["left_out"]["losses"]
    return answer.text(f"Values lost that are not shown: {left_out}." if left_out else "")


def _merged(book: Book, given: dict[str, Any]) -> tuple[Json, list[Json]]:
    sources = given["sources"]
    if not 0 < len(sources) <= SOURCES_MAX:
        raise invalid("sources", f"takes 1 to {SOURCES_MAX} customers")
    return customer_meant(book, given["target"]), [customer_meant(book, text) for text in sources]


def _merge(book: Book, target: Json, sources: list[Json], *, dry_run: bool) -> Json:
    body = {"source_customer_ids": [source["id"] for source in sources], "dry_run": dry_run}
    path = MERGE.path.format(id=target["id"])
    return book.change(MERGE.method, path, (), body, _CALLED)


def _moves(preview: Json) -> str:
    counts = {noun: len(preview[name]) + preview["left_out"][name] for name, noun in _MOVED.items()}
    return ", ".join(f"{count} {noun}" for noun, count in counts.items())


def _losses(book: Book, losses: list[Json], sources: list[Json]) -> Iterator[str]:
    """Write what is lost, source by source, each in a row: a long value leaves room for those behind it."""
    named = {source["id"]: in_row(source["number"]) for source in sources}
    for loss in losses:
        lost, kept = (in_row(_said(book, loss[name])) for name in ("lost", "kept"))
        yield f"{named[loss['customer_id']]} {loss['field']}: {lost} lost, {kept} kept"


def _said(book: Book, value: Any) -> str:
    """Write a value of a body: what has a name by its name."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return f"{value['value']} {UNIT.read(value['unit_id'])}"
    return name_of(book, value) or str(value)


def _shown(done: str, customer: Json) -> str:
    return f"{done}. {HEADING}\n{row_of(customer)}"


def _body(book: Book, given: dict[str, Any], *, carrier: str | None = None) -> Json:
    """Write the fields of a customer as the API takes them: names become ids.

    A level is one of the carrier that is given, or else of this one.
    """
    body = dict(given)
    # The carrier stands before the level.
    for name in sorted(NAMED.keys() & body.keys()):
        value = body[name]
        if isinstance(value, list):
            body[name] = [id_of(book, name, text) for text in value]
        elif value is not None:
            body[name] = id_of(book, name, value, carrier=body.get("default_carrier_id") or carrier)
    if isinstance(parent := body.get("parent_account_id"), str):
        body["parent_account_id"] = customer_meant(book, parent)["id"]
    if isinstance(limit := body.get("credit_limit"), dict):
        body["credit_limit"] = limit | _unit(limit.get("unit_id"))
    return body


def _unit(given: Any) -> Json:
    """Take a currency's three letters for its unit."""
    code = given.upper() if isinstance(given, str) else ""
    return {} if currency_number(code) is None else {"unit_id": unit_of(code).id}
