"""The facts of a row, as the index of a list has them beside the pieces of its words: a number for each.

Two values can have the same number, so whoever is found by numbers is tested for the values themselves.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from tradebook.storage.index import Condition, Facet
from tradebook.storage.index_documents import Document

_KEPT = 20_000


def facts_of(document: Document, account_id: int) -> str:
    """Write the numbers of a row's facts, as the server writes an array."""
    found: set[int] = set()
    for facet, values in document.facts:
        found.update(_numbers(facet, values, account_id))
    return f"{{{','.join(map(str, sorted(found)))}}}"


def numbers_asked(conditions: Sequence[Condition], account_id: int) -> list[list[int]]:
    """List numbers of which a row that meets the conditions has one each."""
    asked = []
    for condition in conditions:
        for place, parts in enumerate(zip(*condition.values, strict=True)):
            # Where one alternative takes anything, the others narrow nothing.
            if None not in parts:
                asked.append(sorted({_number(condition.facet, place, part, account_id) for part in parts}))
    return asked


@lru_cache(_KEPT)
def _numbers(facet: Facet, values: tuple[Any, ...], account_id: int) -> tuple[int, ...]:
    return tuple(
        _number(facet, place, value, account_id) for place, value in enumerate(values) if value is not None
    )


def _number(facet: Facet, place: int, value: Any, account_id: int) -> int:
    # What is true is 1, as a row has it.
    written = f"{account_id} {facet.letter}{place}{int(value) if isinstance(value, int) else value}"
    return int.from_bytes(blake2b(written.encode(), digest_size=4).digest(), signed=True)
