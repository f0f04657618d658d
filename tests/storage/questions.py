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
from tradebook.storage.postgres.statements import Question, answer_of
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
        keys = answer_of(question, found, limit)
        if keys is not None:
            return keys
        question = asking.send(found)


def loading_statements() -> Iterator[Prepared]:
    """Every statement that fills a page."""
    shown = (_whole(*forms) for forms in product((None, False, True), repeat=2))
    for reads in (_PLAIN, _PLAIN_ROWS, _WHOLE_ROWS, *shown):
        yield from (reads.by_key, reads.falling, reads.rising)
    yield _OF_SPAN
    yield from (source.statement for source in INDEX.sources)
