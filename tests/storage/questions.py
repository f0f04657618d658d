"""Every filter, every pair of filters, and searches: what the plans of each engine are asked for."""

from collections.abc import Callable, Iterator
from itertools import combinations, product

from tradebook.crud.list_requests import RequestParser
from tradebook.resources import customers
from tradebook.resources.carriers import _LEVELS
from tradebook.resources.customers import INDEX
from tradebook.resources.customers.external_ids import _OF_SPAN
from tradebook.resources.customers.reads import _PLAIN, _PLAIN_ROWS, _WHOLE_ROWS, _whole
from tradebook.resources.customers.related import _CHILDREN, _PRICE_GROUPS
from tradebook.storage.database import Row
from tradebook.storage.index import ListIndex, Query
from tradebook.storage.postgres.index import questions
from tradebook.storage.postgres.statements import (
    TOO_MANY,
    Question,
    answer_of,
    searched_columns,
    searched_view,
)
from tradebook.storage.schema import Prepared

ROUTE = customers.resource.routes[0]
FILTERS = (
    ("customer_group_ids[]", "acgr_0000000000001"),
    ("pricing_group_ids[]", "acgr_0000000000001,acgr_0000000000002"),
    ("sales_rep_ids[]", "acus_0000000000001"),
    ("status_codes[]", "normal,preferred"),
    ("shipping_term_ids[]", "shtm_0000000000001"),
    ("payment_term_ids[]", "pytm_0000000000001"),
    ("commission_status_codes[]", "commission_exempt"),
    ("freight_status_codes[]", "free_freight"),
    ("carrier_ids[]", "cr_0000000000001"),
    ("service_level_ids[]", "crop_0000000000001"),
    ("parent_account_status", "parent"),
    ("city", "Nantes"),
    ("state", "NV"),
    ("postal_code", "44000"),
    ("start_date", "2024-01-01T00:00:00Z"),
    ("end_date", "2025-01-01T00:00:00Z"),
    ("q", "a"),
    ("q", "strasse gmbh"),
    ("q", "555-0100"),
)
QUESTIONS = (
    (),
    *((one,) for one in FILTERS),
    *(two for two in combinations(FILTERS, 2) if two[0][0] != two[1][0]),
    tuple(dict(FILTERS).items()),
)

NESTED = {"children": _CHILDREN, "groups": _PRICE_GROUPS, "levels": _LEVELS}


def queries() -> Iterator[tuple[tuple[tuple[str, str], ...], Query]]:
    """Each question as it is asked, and what the list makes of it."""
    parser = RequestParser(ROUTE)
    for question in QUESTIONS:
        yield question, parser.list_request(question, 1, None).query


def ask_all(
    index: ListIndex,
    query: Query,
    account: int,
    run: Callable[[Question], list[Row]],
    *,
    descending: bool,
    limit: int,
) -> list[int]:
    """Ask until there is an answer, as a reader does; `run` returns the rows of a statement."""
    asking = questions(index, query, account, descending=descending, limit=limit)
    question = next(asking)
    while True:
        found = [row[0] for row in run(question)]
        keys = answer_of(found, limit)
        if keys is not None:
            return keys
        question = asking.send(found)


def every_question(query: Query, account: int, *, descending: bool, limit: int) -> Iterator[Question]:
    """Every way in which a query is asked, once, as if none had an answer yet."""
    asking = questions(INDEX, query, account, descending=descending, limit=limit)
    asked = {}
    question: Question | None = next(asking)
    while question is not None:
        asked.setdefault(question.sql, question)
        try:
            # The last row that was looked at, or that few were found; and the ends of the list.
            question = asking.send([TOO_MANY - 60, TOO_MANY - 90, TOO_MANY - 30])
        except StopIteration:
            question = None
    yield from asked.values()


def as_spread(sql: str) -> str:
    """Write a statement as it is where tables are spread: a searched view is the table then."""
    view = searched_view(INDEX)
    columns = f"account_id, {searched_columns(INDEX)}"
    return sql.replace(f"FROM {view}", f"FROM (SELECT {columns} FROM {INDEX.folded.name}) AS {view}")


def loading_statements() -> Iterator[Prepared]:
    """Every statement that fills a page."""
    shown = (_whole(*forms) for forms in product((None, False, True), repeat=2))
    for reads in (_PLAIN, _PLAIN_ROWS, _WHOLE_ROWS, *shown):
        yield from (reads.by_key, reads.falling, reads.rising)
    yield _OF_SPAN
    yield from (source.statement for source in INDEX.sources)
