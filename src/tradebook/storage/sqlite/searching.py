"""Finds the keys of a search whose words are checked against the text of what the index has found.

Nearly always most of that is right, and the page is full at once. But the pieces of a word can be everywhere
and the word nowhere. To look up the texts one after the other then costs ten times as much as to read all
texts in their order. So after so many candidates this looks how dense they are among the rows, and reads the
next rows themselves where they are dense. Both are walks in list order, and one goes on where the other ends.

Of long words, the index is asked for the middle at first: an address of mail has pieces that are in every
row, and to walk their lists takes four times as long. Where that does not end the search, all pieces rule
more out.
"""

from functools import cached_property
from typing import Any

import apsw

from tradebook.storage.index import ListIndex, Query
from tradebook.storage.sqlite.index import has_middle, index_name, keys_statement, match_expression, text_test

CANDIDATES_AT_ONCE = 500
"""How many rows of the index are checked before the next look, besides those that fill the page."""

ROWS_FOR_A_CANDIDATE = 20
"""So many rows can be read in the time that one candidate takes."""

ROWS_AT_ONCE = 200_000
"""How many rows are read before the index is asked again."""


class Search:
    """One search, in one direction from a place."""

    def __init__(
        self,
        connection: apsw.Connection,
        index: ListIndex,
        query: Query,
        account_id: int,
        *,
        descending: bool,
        has_more: bool,
    ) -> None:
        self._connection, self._account_id = connection, account_id
        self._index, self._query = index, query
        self._descending, self._has_more = descending, has_more
        self._found: list[int] = []
        self._candidates = CANDIDATES_AT_ONCE

    def keys(self, *, above: int, below: int, limit: int) -> list[int]:
        """Return the first keys that match, `above <= key < below`."""
        self._candidates = CANDIDATES_AT_ONCE + limit
        bounds: tuple[int, int] | None = (above, below)
        if has_middle(self._query):
            bounds = self._check_candidates((above, below), limit, by_middle=True)
        while bounds is not None:
            start, bounds = bounds, self._check_candidates(bounds, limit)
            if bounds is not None and self._is_dense(start, bounds):
                bounds = self._read_rows(bounds, limit)
        return self._found

    @cached_property
    def _facts(self) -> str:
        return match_expression(Query(self._query.conditions))

    def _rows(self, *conditions: str) -> str:
        index, order = self._index, "DESC" if self._descending else "ASC"
        key = index.folded_key
        tests = " AND ".join(("account_id = ?", f"{key} >= ?", f"{key} < ?", *conditions))
        return f"SELECT {key} FROM {index.folded.name} AS f WHERE {tests} ORDER BY {key} {order}"

    def _check_candidates(
        self, bounds: tuple[int, int], limit: int, *, by_middle: bool = False
    ) -> tuple[int, int] | None:
        """Check what the index finds next; returns where to go on, None at the end."""
        # Most searches end with their first statement, so no other one is written before.
        sql, values = keys_statement(
            self._index,
            self._query,
            self._account_id,
            descending=self._descending,
            has_more=self._has_more,
            by_middle=by_middle,
        )
        count = 0
        for key, is_match in self._connection.execute(sql, (*values, *bounds, self._candidates)):
            count += 1
            if is_match:
                self._found.append(key)
                if len(self._found) == limit:
                    return None
        return None if count < self._candidates else self._behind(key, bounds)

    def _is_dense(self, start: tuple[int, int], end: tuple[int, int]) -> bool:
        """Tell whether there are few rows between the candidates that were just checked."""
        passed = (end[1], start[1]) if self._descending else (start[0], end[0])
        return self._key_at(passed, self._candidates * ROWS_FOR_A_CANDIDATE) is None

    def _read_rows(self, bounds: tuple[int, int], limit: int) -> tuple[int, int] | None:
        """Read the next rows themselves; returns where to go on, None at the end."""
        last = self._key_at(bounds, ROWS_AT_ONCE)
        rest = None if last is None else self._behind(last, bounds)
        part = bounds
        if rest is not None:
            part = (rest[1], bounds[1]) if self._descending else (bounds[0], rest[0])
        test, words = text_test(self._query.words)
        misses = 0
        for (key,) in self._connection.execute(self._rows(test), (self._account_id, *part, *words)):
            if not self._has_facts(key):
                misses += 1
                if misses == CANDIDATES_AT_ONCE:
                    # Here it is the filters that rule rows out, which the index knows better.
                    return self._behind(key, bounds)
                continue
            self._found.append(key)
            if len(self._found) == limit:
                return None
        return rest

    def _has_facts(self, key: int) -> bool:
        if not self._facts:
            return True
        name = index_name(self._index, self._account_id)
        sql = f"SELECT 1 FROM {name} WHERE {name} MATCH ? AND rowid = -?"
        return self._connection.execute(sql, (self._facts, key)).get is not None

    def _key_at(self, bounds: tuple[int, int], place: int) -> int | None:
        sql = f"{self._rows()} LIMIT 1 OFFSET ?"
        found: Any = self._connection.execute(sql, (self._account_id, *bounds, place)).get
        return None if found is None else int(found)

    def _behind(self, key: int, bounds: tuple[int, int]) -> tuple[int, int]:
        return (bounds[0], key) if self._descending else (key + 1, bounds[1])
