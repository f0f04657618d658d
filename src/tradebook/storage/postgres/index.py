"""The index of a list on PostgreSQL: a B-tree for each facet, trigrams for words (docs/decisions/0007).

One facet alone is one ordered read of its B-tree. A query with more conditions is tried in several ways, one
after another. First what the newest rows of each have in common or, with words, the newest rows of the list,
which also tells how dense the matches are; then what the rarest condition leaves, or what contains the words.
Each statement is written so that it can be run in one way only: what the planner knows or believes of the
rows decides nothing.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import cache

from tradebook.storage.index import Condition, ListIndex, Query
from tradebook.storage.index_versions import digest_of
from tradebook.storage.postgres import bounds
from tradebook.storage.postgres.conditions import in_order, is_composed
from tradebook.storage.postgres.dialect import DIALECT
from tradebook.storage.postgres.pieces import Pieces
from tradebook.storage.postgres.searched_text import is_of_few
from tradebook.storage.postgres.statements import ENDLESS, NO_BOUND, TOO_MANY, Question, Statements
from tradebook.storage.postgres.stretches import FEW, Reach, reach_of_page, reach_of_part

FORM = 3
"""The number of how a document is written here. Raise it when `searchable` begins to write another text."""


@cache
def version_of(index: ListIndex) -> str:
    """Sum up what the searched text is made from; the facets have indexes of their own."""
    return digest_of(index, DIALECT, form=FORM, with_facets=False)


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

    `reach` is how far a page should reach that has these words, where that is known; `pieces` tells which
    parts of a word are rare.
    """
    statements = Statements(index, account_id, "DESC" if descending else "ASC", pieces)
    conditions, words = query.conditions, query.words
    if reach is not None:
        yield statements.what_words_leave_near(query, reach)
    if not words and not conditions:
        yield statements.all_rows()
    elif not words and len(conditions) == 1 and not is_composed(conditions[0]):
        yield statements.facet_alone(conditions[0])
    elif words:
        yield from _with_words(statements, query, limit)
    else:
        yield from _with_conditions(statements, query, limit)


def _with_conditions(statements: Statements, query: Query, limit: int) -> Questions:
    common = in_order(query.conditions)
    reached: Mapping[Condition, int] = {}
    if len(common) > 1:
        found = (yield statements.meeting(query, common, bounds.MET)) or []
        ends = [each for each in found if each < 0]
        reached = {condition: -end for condition, end in zip(common, ends, strict=False)}
    else:
        found = (yield statements.newest(query, bounds.WALKED_ROWS)) or []
    yield from _rarest_first(statements, query, reached, len(_matches(found)) / limit)


def _with_words(statements: Statements, query: Query, limit: int) -> Questions:
    are_few = any(map(is_of_few, query.words))
    if are_few:
        yield statements.what_words_leave(query)
    found = (yield statements.newest(query, bounds.WALKED_ROWS)) or ()
    if not (query.conditions and statements.are_common(query.words)):
        yield from _nearby(statements, query, found, limit)
    if len(_matches(found)) >= bounds.DENSE:
        yield statements.newest(query, bounds.WALKED_FAR)
    if query.conditions:
        yield from _rarest_first(statements, query, {}, len(_matches(found)) / limit)
    else:
        if not are_few:
            yield statements.what_words_leave(query)
        yield statements.newest(query, NO_BOUND)


def _rarest_first(
    statements: Statements, query: Query, reached: Mapping[Condition, int], share: float
) -> Questions:
    """Go along the rarest condition; where others are about as rare, read what they have in common.

    How far each reaches is asked for unless it is known. `share` is how much of the page was found so far.
    """
    conditions = query.conditions
    if all(condition in reached for condition in conditions):
        reach = [reached[condition] for condition in conditions]
    else:
        reach = (yield statements.reach(conditions)) or [ENDLESS] * len(conditions)
    # Several values are sorted before the first row is tested: only if they are few.
    known = [
        (far, place)
        for place, far in enumerate(reach)
        if far >= ENDLESS or len(conditions[place].values) == 1
    ]
    far, rarest = max(known, default=(0, None))
    if query.words and far < ENDLESS:
        if rarest is not None:
            found = yield statements.along(query, rarest, bounds.WALKED_ALONG)
            if found is not None and len(found) > bounds.ENOUGH:
                yield statements.along(query, rarest, bounds.WALKED_FAR)
        yield statements.what_words_leave(query)
    alike = [
        conditions[place]
        for each, place in known
        if each * bounds.ALIKE >= far and conditions[place] in reached
    ]
    level = [condition for condition in alike if reached[condition] * bounds.LEVEL >= far]
    if rarest is not None and far < ENDLESS and len(level) > 1:
        yield statements.meeting(query, level, _enough(share))
    if rarest is None:
        yield statements.newest(query, NO_BOUND)
    elif far < ENDLESS and len(alike) > 1 and share < bounds.MET_SHARE:
        yield statements.meeting(query, alike, NO_BOUND)
    else:
        yield statements.along(query, rarest, NO_BOUND)


def _nearby(statements: Statements, query: Query, found: Sequence[int], limit: int) -> Questions:
    """Ask for the words in a part of the list alone, by what was found among the newest rows.

    Where that was nothing, a larger part is asked first, which may tell how far the page should reach.
    """
    matches, ends = _matches(found), [TOO_MANY - each for each in found if each < 0]
    if len(ends) < 2:
        return
    end = ends[1]
    if matches and query.conditions:
        # Of these there may be so few among the rows with the words that it would be too many of those.
        return
    if not matches:
        part = reach_of_part(ends[0], end, bounds.PART_OF_FILTER if query.conditions else bounds.PART)
        *matches, mark = (yield statements.what_words_leave_near(query, part)) or (TOO_MANY,)
        end = part.lowest if statements.is_descending else part.highest
        if query.conditions and TOO_MANY - mark <= bounds.RARE:
            yield statements.what_words_leave(query)
        if len(matches) < FEW:
            return
    yield statements.what_words_leave_near(query, reach_of_page(matches, end, limit))


def _matches(found: Iterable[int]) -> list[int]:
    return [each for each in found if each >= 0]


def _enough(share: float) -> int:
    """Tell how many rows of each condition fill the page, where MET rows of each have filled this share."""
    bound = bounds.MET
    # Few different bounds: each is a statement of its own, which a server keeps.
    while bound * share < 1.5 * bounds.MET and 2 * bound <= bounds.MET_FAR:
        bound *= 2
    return bound
