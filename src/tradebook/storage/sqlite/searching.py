"""Finds the keys of a search whose words are checked against the text of what the index has found.

Nearly always most of that is right, and the page is full at once. But the pieces of a word can be everywhere
and the word nowhere. To look up the texts one after the other then costs ten times as much as to read all
texts in their order. So after so many candidates this looks how dense they are among the rows, and reads the
next rows themselves where they are dense. Both are walks in list order, and one goes on where the other ends.

Of long words, the index is asked for the middle at first: an address of mail has pieces that are in every
row, and to walk their lists takes four times as long. Where that does not end the search, all pieces rule
more out.
"""

from typing import Any

import apsw

from tradebook.storage.index import ListIndex, Query
from tradebook.storage.sqlite.index import index_name, keys_statement, match_expression, text_test

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
        self._connection = connection
        self._account_id = account_id
        self._descending = descending
        self._by_middle, self._by_index = (
            keys_statement(
                index, query, account_id, descending=descending, has_more=has_more, by_middle=by_middle
            )
            for by_middle in (True, False)
        )
        self._facts = match_expression(Query(query.conditions))
        self._name = index_name(index, account_id)
        test, words = text_test(query.words)
        order = "DESC" if descending else "ASC"
        key, of_account = index.folded_key, f"FROM {index.folded.name} AS f WHERE account_id = ?"
        within = f"{of_account} AND {key} >= ? AND {key} < ?"
        self._by_text = (f"SELECT {key} {within} AND {test} ORDER BY {key} {order}", words)
        self._row = f"SELECT {key} {within} ORDER BY {key} {order} LIMIT 1 OFFSET ?"
        self._found: list[int] = []
        self._candidates = CANDIDATES_AT_ONCE

    def keys(self, *, above: int, below: int, limit: int) -> list[int]:
        """Return the first keys that match, `above <= key < below`."""
        self._candidates = CANDIDATES_AT_ONCE + limit
        bounds: tuple[int, int] | None = (above, below)
        if self._by_middle != self._by_index:
            bounds = self._check_candidates(self._by_middle, (above, below), limit)
        while bounds is not None:
            start, bounds = bounds, self._check_candidates(self._by_index, bounds, limit)
            if bounds is not None and self._is_dense(start, bounds):
                bounds = self._read_rows(bounds, limit)
        return self._found

    def _check_candidates(
        self, statement: tuple[str, tuple[Any, ...]], bounds: tuple[int, int], limit: int
    ) -> tuple[int, int] | None:
        """Check what the index finds next; returns where to go on, None at the end."""
        sql, values = statement
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
        sql, words = self._by_text
        misses = 0
        for (key,) in self._connection.execute(sql, (self._account_id, *part, *words)):
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
        sql = f"SELECT 1 FROM {self._name} WHERE {self._name} MATCH ? AND rowid = ?"
        return self._connection.execute(sql, (self._facts, key)).get is not None

    def _key_at(self, bounds: tuple[int, int], place: int) -> int | None:
        found: Any = self._connection.execute(self._row, (self._account_id, *bounds, place)).get
        return None if found is None else int(found)

    def _behind(self, key: int, bounds: tuple[int, int]) -> tuple[int, int]:
        return (bounds[0], key) if self._descending else (key + 1, bounds[1])
