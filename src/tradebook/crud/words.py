"""Words in lists that have no index: their rows are few, and their texts are read for each search."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.crud.resource import Asked, Walk
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, any_of, prepare
from tradebook.text import fold

AT_ONCE = 500
"""How many rows are looked through at once."""

Texts = Callable[[Reader, Sequence[int]], Iterable[tuple[int, Sequence[str | None]]]]
"""Reads the texts that the objects of some keys show."""


def walk_of_words(walk: Walk, texts: Texts) -> Walk:
    """Walk what a list has, and of that only what has all words of `q`, each anywhere in one of its texts."""

    def searching(reader: Reader, asked: Asked) -> list[int]:
        words, span = asked.query.words, asked.span
        if not words:
            return walk(reader, asked)
        found: list[int] = []
        while True:
            some = msgspec.structs.replace(span, limit=AT_ONCE)
            keys = walk(reader, msgspec.structs.replace(asked, span=some))
            matching = {key for key, shown in texts(reader, keys) if _has_all(words, shown)} if keys else ()
            found += [key for key in keys if key in matching]
            if len(found) >= span.limit or len(keys) < AT_ONCE:
                return found[: span.limit]
            beyond = {"below": keys[-1]} if span.descending else {"above": keys[-1] + 1}
            span = msgspec.structs.replace(span, **beyond)

    return searching


def _has_all(words: Sequence[str], texts: Sequence[str | None]) -> bool:
    # A word has no white space, so none is found across the line break between two texts.
    folded = fold("\n".join([text for text in texts if text]))
    return all(word in folded for word in words)


def texts_of_table(*columns: sa.Column[Any]) -> Texts:
    """Read columns of a table; what is kept as a place among words is read as the word."""
    table = columns[0].table
    statement = prepare(
        sa.select(table.c.id, *columns).where(table.c.account_id == ACCOUNT, any_of(table.c.id, "ids"))
    )
    words = [column.info.get("words") for column in columns]

    def texts(reader: Reader, keys: Sequence[int]) -> Iterable[tuple[int, Sequence[str | None]]]:
        for key, *values in reader.rows(statement, ids=list(keys)):
            yield key, [_shown(value, choices) for value, choices in zip(values, words, strict=True)]

    return texts


def _shown(value: Any, choices: Sequence[str] | None) -> str | None:
    shown: str | None = value if choices is None or value is None else choices[value]
    return shown
