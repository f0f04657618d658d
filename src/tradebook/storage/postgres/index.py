"""The index of a list on PostgreSQL: a B-tree for each facet, trigrams for words (docs/decisions/0007).

One facet alone is one ordered read of its B-tree. A query with more conditions is tried in several ways, one
after another. First what the newest rows of each have in common or, with words, the newest rows of the list,
which also tells how dense the matches are; then what the rarest condition leaves, or what contains the words.
"""

from collections.abc import Generator, Mapping, Sequence
from functools import cache

from tradebook.storage.index import Condition, ListIndex, Query
from tradebook.storage.index_versions import digest_of
from tradebook.storage.postgres.dialect import DIALECT
from tradebook.storage.postgres.index_statements import (
    ENDLESS,
    NO_BOUND,
    TOO_MANY,
    IndexStatements,
    Question,
    is_composed,
)
from tradebook.storage.postgres.pieces import Pieces
from tradebook.storage.postgres.searched_text import is_of_few
from tradebook.storage.postgres.stretches import Reach, reach_of_page

FORM = 2
"""The number of how a document is written here. Raise it when `searchable` begins to write another text."""

WALKED_ROWS, WALKED_FAR = 500, 20_000
"""How many rows in list order are tested: at first, and again if some of the first were among the matches."""

DENSE = 5
"""How many matches among the first rows make it cheaper to walk on than to ask an index."""

MET = 300
"""How many rows of each of several conditions are read at first, to see which they have in common."""

MET_FAR, MET_SHARE = 20_000, 0.02
"""How many rows of each are read then at most; and of how little of a page all rows of them are read."""

ALIKE = 6
"""How many times as many rows another condition may have for all rows of both to be read.

That takes a sixth of the time of a look at another table for each row.
"""

LEVEL = 2
"""The same for as many rows of both as should fill a page: of the rarest alone that takes fewer rows."""

WALKED_ALONG = 2_000
"""How many rows of the rarest condition are searched for the words, before the index is asked for them."""

ENOUGH = 30
"""How many of these must have the words for more of them to be searched, before the index is asked."""


@cache
def version_of(index: ListIndex) -> str:
    """Sum up what the searched text is made from; the facets have indexes of their own."""
    return digest_of(index, DIALECT, form=FORM, with_facets=False)


def answer_of(question: Question, found: list[int], limit: int) -> list[int] | None:
    """Return the keys of a page that were found; None if there may be more than these."""
    page = found[:limit]
    return None if question.is_of_reach or (page and page[-1] < 0) else page


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
    writing = IndexStatements(index, account_id, "DESC" if descending else "ASC", pieces)
    conditions, words = query.conditions, query.words
    if reach is not None:
        yield writing.what_words_leave_near(query, reach)
    if not words and not conditions:
        yield writing.all_rows()
    elif not words and len(conditions) == 1 and not is_composed(conditions[0]):
        yield writing.facet_alone(conditions[0])
    else:
        are_few = not conditions and any(map(is_of_few, words))
        if are_few:
            yield writing.what_words_leave(query)
        common = [] if words else _in_order(conditions)
        reached: Mapping[Condition, int] = {}
        found: list[int] | None
        if len(common) > 1:
            answer = (yield writing.meeting(query, common, MET)) or []
            ends = [each for each in answer if each < 0]
            found = [each for each in answer if each >= 0]
            reached = {condition: -end for condition, end in zip(common, ends, strict=False)}
        else:
            found = yield writing.newest(query, WALKED_ROWS)
        if words and not conditions and reach is None and (near := _near(found or (), limit)) is not None:
            yield writing.what_words_leave_near(query, near)
        if words and found is not None and len(found) > DENSE:
            yield writing.newest(query, WALKED_FAR)
        if conditions:
            yield from _rarest_first(writing, query, reached, len(found or ()) / limit)
        else:
            if not are_few:
                yield writing.what_words_leave(query)
            yield writing.newest(query, NO_BOUND)


def _rarest_first(
    writing: IndexStatements, query: Query, reached: Mapping[Condition, int], share: float
) -> Questions:
    """Go along the rarest condition; where others are about as rare, read what they have in common.

    How far each reaches is asked for unless it is known. `share` is how much of the page was found so far.
    """
    conditions = query.conditions
    if all(condition in reached for condition in conditions):
        reach = [reached[condition] for condition in conditions]
    else:
        reach = (yield writing.reach(conditions)) or [ENDLESS] * len(conditions)
    # Several values are sorted before the first row is tested: only if they are few.
    known = [
        (far, place)
        for place, far in enumerate(reach)
        if far >= ENDLESS or len(conditions[place].values) == 1
    ]
    far, rarest = max(known, default=(0, None))
    if query.words and far < ENDLESS:
        if rarest is not None:
            found = yield writing.along(query, rarest, WALKED_ALONG)
            if found is not None and len(found) > ENOUGH:
                yield writing.along(query, rarest, WALKED_FAR)
        yield writing.what_words_leave(query)
    alike = [
        conditions[place] for each, place in known if each * ALIKE >= far and conditions[place] in reached
    ]
    level = [condition for condition in alike if reached[condition] * LEVEL >= far]
    if rarest is not None and far < ENDLESS and len(level) > 1:
        yield writing.meeting(query, level, _enough(share))
    if rarest is None:
        yield writing.newest(query, NO_BOUND)
    elif far < ENDLESS and len(alike) > 1 and share < MET_SHARE:
        yield writing.meeting(query, alike, NO_BOUND)
    else:
        yield writing.along(query, rarest, NO_BOUND)


def _near(found: Sequence[int], limit: int) -> Reach | None:
    """Tell how far the page should reach, by what was found among the newest rows, and where these end."""
    *matches, end = found or (0,)
    if not matches or end >= 0:
        return None
    return reach_of_page(matches, TOO_MANY - end, limit)


def _enough(share: float) -> int:
    """Tell how many rows of each condition fill the page, where MET rows of each have filled this share."""
    bound = MET
    # Few different bounds: each is a statement of its own, which a server keeps.
    while bound * share < 1.5 * MET and 2 * bound <= MET_FAR:
        bound *= 2
    return bound


def _in_order(conditions: Sequence[Condition]) -> list[Condition]:
    """Choose the conditions whose index has all their rows in the order of the list."""
    return [each for each in conditions if len(each.values) == 1 and not is_composed(each)]
