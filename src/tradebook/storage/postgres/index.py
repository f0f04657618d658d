"""The index of a list on PostgreSQL: one for every filter and word, and a B-tree for each facet (0007).

One facet alone is one ordered read of its B-tree. For more conditions, or words, the index of everything is
asked for a part of the list. How far that reaches is told by the page before, or by the first rows of the
list; where it turns out to be too little or too much, another part is asked for, in an uneven list by rows of
the rarest condition. Each statement is written so that it can be run in one way only: what the planner knows
or believes of the rows decides nothing.
"""

from collections.abc import Generator
from functools import cache
from math import isqrt

from tradebook.ids import KEY_MAX
from tradebook.storage.index import ListIndex, Query
from tradebook.storage.index_versions import digest_of
from tradebook.storage.postgres import bounds
from tradebook.storage.postgres.conditions import is_composed
from tradebook.storage.postgres.dialect import DIALECT
from tradebook.storage.postgres.pieces import Pieces
from tradebook.storage.postgres.searched_text import is_of_few
from tradebook.storage.postgres.statements import NO_BOUND, TOO_MANY, Question, Statements, most_found
from tradebook.storage.postgres.stretches import Reach, reach_from

FORM = 4
"""The number of how a document is written here. Raise it when its text or its facts are written otherwise."""


@cache
def version_of(index: ListIndex) -> str:
    """Sum up what the index is made from: the texts and the facets."""
    return digest_of(index, DIALECT, form=FORM)


def is_of_index(query: Query) -> bool:
    """Tell whether a query asks the index of everything, and not one that is always up to date."""
    conditions = query.conditions
    return bool(query.words) or len(conditions) > 1 or any(map(is_composed, conditions))


Questions = Generator[Question, list[int] | None, None]


def questions(
    index: ListIndex,
    query: Query,
    account_id: int,
    *,
    descending: bool,
    limit: int,
    reach: Reach | None = None,
    pieces: Pieces | None = None,
) -> Questions:
    """Yield the statements to run, until there is an `answer_of` one; takes what each has found.

    `reach` is how far a page of this query should reach, where that is known; `pieces` tells which parts of a
    word are rare.
    """
    statements = Statements(index, account_id, "DESC" if descending else "ASC", pieces)
    if not is_of_index(query):
        alone = query.conditions
        yield statements.facet_alone(alone[0]) if alone else statements.all_rows()
        return
    if reach is None and any(map(is_of_few, query.words)):
        yield statements.by_index(query, limit)
    first = yield from _by_parts(statements, query, limit, reach)
    yield from _by_rows(statements, query, limit, first)
    yield statements.newest(query, NO_BOUND)


def _by_parts(
    statements: Statements, query: Query, limit: int, reach: Reach | None
) -> Generator[Question, list[int] | None, int]:
    """Ask for a part of the list of such a length that it should fill the page, as if it were even.

    Where nothing tells how long that is, the first rows are tested. Returns the first row of the list.
    """
    # How much of the list from its first row on is too little.
    little = 0
    if reach is not None:
        matches, count, first, end = _told((yield statements.by_index(query, limit, reach)))
        if count <= most_found(limit):
            little = first - reach.lowest if statements.is_descending else reach.highest - first
    if little <= 0:
        matches, last, first, end = _told((yield statements.newest(query, bounds.WALKED_ROWS)))
        little = abs(first - last)
    whole, times = abs(first - end), _times(matches, limit)
    for _ in range(bounds.PARTS):
        reach = reach_from(first, min(whole, little * times), descending=statements.is_descending)
        reach = reach.to_the_end(descending=statements.is_descending)
        little = reach.highest - reach.lowest
        question = statements.by_index(query, limit, reach, is_whole=little >= whole)
        found, count, *_ = _told((yield question))
        if count > most_found(limit):
            break
        times = _times(found, limit) if found > matches else bounds.PART
        matches = found
    return first


def _by_rows(statements: Statements, query: Query, limit: int, first: int) -> Questions:
    """Ask for a part of the list with so many rows of the rarest condition that it should fill the page.

    However uneven the list is, where customers have come by the thousand and then none for months.
    """
    rows, little, much, matches = max(1, most_found(limit) // 2), 0, 0, 0
    for _ in range(bounds.PARTS):
        reached = yield statements.reach(query.conditions, rows)
        assert reached
        far = TOO_MANY - reached[0]
        reach = Reach(*sorted((first, far)))
        question = statements.by_index(query, limit, reach, is_whole=far in (0, KEY_MAX), is_exact=True)
        found, count, *_ = _told((yield question))
        if count <= most_found(limit):
            little, matches = rows, found
        elif reach.is_narrowest:
            return
        else:
            much = rows
        wanted = int(max(1, little) * _times(matches, limit))
        if much and wanted >= much:
            wanted = isqrt(max(1, little) * much)
        # Each number of rows is a statement of its own, which a server keeps: so there are few of them.
        rows = 1 << wanted.bit_length() >> 1
        if rows <= little:
            return


def _told(found: list[int] | None) -> list[int]:
    """Tell how many keys were found, and the three numbers that stand behind them."""
    assert found is not None
    return [len(found) - 3, *(TOO_MANY - each for each in found[-3:])]


def _times(matches: int, limit: int) -> float:
    """Tell how many times as long a part has to be to fill a page, by its matches."""
    # The fewer they are, the less they tell.
    wanted = limit / matches * (1.3 + 6 / matches) if matches else bounds.PART
    return max(2, min(bounds.PART, wanted))
