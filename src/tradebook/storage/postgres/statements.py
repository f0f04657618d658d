"""Writes the statements for the keys of a list: each can be run in one way only."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from tradebook.storage.index import Condition, ListIndex, Query
from tradebook.storage.postgres import bounds
from tradebook.storage.postgres.conditions import is_composed, leading
from tradebook.storage.postgres.dialect import list_type
from tradebook.storage.postgres.pieces import Pieces
from tradebook.storage.postgres.searched_text import (
    FOLLOWING,
    account_mark,
    is_pair,
    middles_of,
    pieces_of,
    rarity,
)
from tradebook.storage.postgres.stretches import Reach, stretches_of

TOO_MANY = -1
"""A key that marks an answer as incomplete, as every one below nothing: there were more rows."""

NO_BOUND = 1 << 60
ENDLESS = 1 << 62
"""How far a condition reaches whose rows are all among those read."""

_ACCOUNT = "account_id = %(account_id)s"


class Question(NamedTuple):
    """A statement for the keys of a page; it takes account_id, above, below and limit besides its values."""

    sql: str
    values: dict[str, Any]
    is_of_reach: bool = False
    """Whether it tells how far each condition reaches, and is no answer yet."""
    is_kept: bool = True
    """Whether it has one plan for all values."""


def answer_of(question: Question, found: list[int], limit: int) -> list[int] | None:
    """Return the keys of a page that were found; None if there may be more than these."""
    page = found[:limit]
    return None if question.is_of_reach or (page and page[-1] < 0) else page


class Statements:
    """Writes statements for one index and one direction."""

    def __init__(self, index: ListIndex, account_id: int, order: str, pieces: Pieces | None = None) -> None:
        self._index, self._order = index, order
        self.is_descending = order == "DESC"
        self._pieces = pieces or Pieces()
        self._account_id = account_id
        self._table = index.table.name
        self._search = searched_view(index)
        self._search_key = index.folded_key
        self._values: dict[str, Any] = {}

    def all_rows(self) -> Question:
        """Read the list as it is."""
        return Question(
            f"SELECT id FROM {self._table} WHERE {_ACCOUNT} AND {_within('id')}"
            f" ORDER BY id {self._order} LIMIT %(limit)s",
            {},
        )

    def facet_alone(self, condition: Condition) -> Question:
        """Read the facet's own index in order, once for each value."""
        (place,) = {at for value in condition.values for at, part in enumerate(value) if part is not None}
        column = condition.facet.columns[place]
        key = key_of(self._index, column.table)
        # DISTINCT ON reads in the order of the index; a plain DISTINCT may first read all of it into a hash.
        is_own = column.table is self._index.table
        distinct, distinct_id = (
            ("", "") if is_own else (f"DISTINCT ON ({column.name}, {key}) ", "DISTINCT ON (id) ")
        )
        walk = (
            f"SELECT {distinct}{key} AS id FROM {column.table.name}"
            f" WHERE {_ACCOUNT} AND ({column.name}, {key}) >= (wanted.value, %(above)s)"
            f" AND ({column.name}, {key}) < (wanted.value, %(below)s)"
            # The facet is in the ORDER BY too, so that no other index can serve it.
            f" ORDER BY {column.name} {self._order}, {key} {self._order} LIMIT %(limit)s"
        )
        values = [value[place] for value in condition.values]
        if len(values) == 1:
            single = walk.replace("wanted.value", self._bind(values[0]))
            return Question(f"SELECT id FROM ({single}) AS found ORDER BY id {self._order}", self._values)
        wanted = f"unnest({self._bind(values)}::{list_type(column.type)}[]) AS wanted(value)"
        return Question(
            f"SELECT {distinct_id}id FROM {wanted}"
            f" CROSS JOIN LATERAL ({walk}) AS found ORDER BY id {self._order} LIMIT %(limit)s",
            self._values,
        )

    def reach(self, conditions: Sequence[Condition]) -> Question:
        """Tell how far the first rows of each condition reach into the list."""
        self._values = {}
        reaches = ", ".join(
            f"(SELECT {self._reach(bounds.REACHED)} FROM {self._entries(condition, bounds.REACHED)})"
            for condition in conditions
        )
        return Question(f"SELECT unnest(ARRAY[{reaches}])", self._values, is_of_reach=True)

    def _reach(self, bound: int) -> str:
        # From the first row of the list: a first page begins at the end of time.
        rows = f"FROM {self._table} WHERE {_ACCOUNT} AND {_within('id')} ORDER BY id {self._order}"
        first = f"(SELECT id {rows} LIMIT 1)"
        to_last = f"{first} - min(id)" if self.is_descending else f"max(id) - {first}"
        return f"CASE WHEN count(*) < {bound} THEN {ENDLESS} + {bound} - count(*) ELSE {to_last} END"

    def meeting(self, query: Query, met: Sequence[Condition], bound: int) -> Question:
        """Read the first rows of each of some conditions, and keep what they have in common.

        That is whole up to where the first of them ends. If that was not enough, the answer says behind the
        keys how far each reaches, as a number below nothing.
        """
        self._values = {}
        is_falling = self.is_descending
        end, farthest, nearest = (
            ("%(above)s", "min(id)", "GREATEST") if is_falling else ("%(below)s", "max(id)", "LEAST")
        )
        parts = [
            f"part{n} (id) AS MATERIALIZED (SELECT id FROM {self._entries(condition, bound)})"
            for n, condition in enumerate(met)
        ]
        ends = ", ".join(
            f"(SELECT CASE WHEN count(*) < {bound} THEN {end} ELSE {farthest} END FROM part{n})"
            for n in range(len(met))
        )
        common = " INTERSECT ".join(f"SELECT id FROM part{n}" for n in range(len(met)))
        tests = [f"id {'>=' if is_falling else '<='} (SELECT id FROM ending)"]
        tests += [self._has_condition(each) for each in query.conditions if each not in met]
        return Question(
            f"WITH {', '.join(parts)}, ending (id) AS MATERIALIZED (SELECT {nearest}({ends}))"
            f" SELECT id FROM ((SELECT id FROM ({common}) AS walked WHERE {' AND '.join(tests)}"
            f" ORDER BY id {self._order} LIMIT %(limit)s)"
            + "".join(
                f" UNION ALL (SELECT -1 - ({self._reach(bound)}) FROM part{n}"
                f" HAVING (SELECT id FROM ending) <> {end})"
                for n in range(len(met))
            )
            + f") AS answered LIMIT %(limit)s + {len(met)}",
            self._values,
        )

    def along(self, query: Query, place: int, bound: int) -> Question:
        """Read the rows of one condition in their order, and test each for everything else."""
        self._values = {}
        driving = query.conditions[place]
        column, _ = leading(driving)
        is_own = column.table is self._index.table
        own = [f"{key_of(self._index, column.table)} AS id", *(c.name for c in driving.facet.columns)]
        rows = self._entries(driving, bound, "*" if is_own else ", ".join(own))
        tests = [self._holds(driving, "walked")] if is_composed(driving) else []
        test = self._test if is_own else self._has_condition
        tests += [test(condition) for condition in query.conditions if condition is not driving]
        tests += [self._has_words(query.words)] if query.words else []
        # One value: in the order of its index, which is that of the list.
        distinct, order = "id", f"id {self._order}"
        if len(driving.values) == 1:
            distinct, order = f"walked.{column.name}, id", f"walked.{column.name} {self._order}, {order}"
        found = (
            f"SELECT DISTINCT ON ({distinct}) id FROM {rows} WHERE {' AND '.join(tests) or 'true'}"
            f" ORDER BY {order} LIMIT %(limit)s"
        )
        return self._bounded(found, self._entries(driving, bound + 1), bound)

    def _entries(self, condition: Condition, bound: int, columns: str = "") -> str:
        """Write the rows that have a value of a condition, as `walked`, read in order from its own index.

        With no other columns than its own, the index is enough.
        """
        column, values = leading(condition)
        table, key = column.table, key_of(self._index, column.table)
        columns = columns or f"{key} AS id, {column.name}"
        rows = (
            f"SELECT {columns} FROM {table.name} WHERE {_ACCOUNT}"
            f" AND ({column.name}, {key}) >= (wanted.value, %(above)s)"
            f" AND ({column.name}, {key}) < (wanted.value, %(below)s)"
            # The facet is in the ORDER BY too, so that no other index can serve it.
            f" ORDER BY {column.name} {self._order}, {key} {self._order} LIMIT {bound}"
        )
        if len(values) == 1:
            return f"({rows.replace('wanted.value', self._bind(values[0]))}) AS walked"
        wanted = f"unnest({self._bind(values)}::{list_type(column.type)}[]) AS wanted(value)"
        return f"{wanted} CROSS JOIN LATERAL ({rows}) AS walked"

    def newest(self, query: Query, bound: int) -> Question:
        """Read the list itself, over a limited number of rows, and test each."""
        self._values = {}
        if query.conditions:
            table, key = self._table, "id"
            tests = [self._test(condition) for condition in query.conditions]
            tests += [self._has_words(query.words)] if query.words else []
            columns = "*"
        else:
            table, key = self._search, self._search_key
            tests = [self._contains(query.words, "walked")]
            columns = f"{key} AS id, folded"
        rows = f"FROM {table} WHERE {_ACCOUNT} AND {_within(key)} ORDER BY {key} {self._order}"
        # The limit inside prevents the planner from choosing another order.
        found = (
            f"SELECT DISTINCT ON (id) id FROM (SELECT {columns} {rows} LIMIT {bound}) AS walked"
            f" WHERE {' AND '.join(tests)} ORDER BY id {self._order} LIMIT %(limit)s"
        )
        ends = f"min({key})", f"max({key})"
        first, last = reversed(ends) if self.is_descending else ends
        mark = f"unnest(ARRAY[{TOO_MANY} - {first}, {TOO_MANY} - {last}])"
        return self._bounded(found, f"(SELECT {key} {rows} LIMIT {bound + 1}) AS walked", bound, mark)

    def _bounded(self, found: str, rows: str, bound: int, mark: str = str(TOO_MANY)) -> Question:
        """Ask for what was found among the first rows, and whether there are more than these."""
        if bound == NO_BOUND:
            return Question(found, self._values)
        # The second part runs only if the first one has not filled the page. Two ends of few rows are told.
        limit = "GREATEST(%(limit)s, 2)" if bound <= bounds.WALKED_ROWS else "%(limit)s"
        more = f"SELECT {mark} FROM {rows} HAVING count(*) > {bound}"
        return Question(
            f"SELECT id FROM (({found}) UNION ALL ({more})) AS answered LIMIT {limit}", self._values
        )

    def what_words_leave(self, query: Query) -> Question:
        """Collect what contains the words, unless it is too much, and test it for the conditions."""
        self._values = {}
        keys, bound = self._containing(query.words), bounds.CANDIDATES_OF_WORDS
        if query.conditions:
            tests = [self._has_condition(each) for each in query.conditions]
            return self._of_words(query, self._tested(keys, bound, tests))
        return self._of_words(
            query,
            f"SELECT CASE WHEN total > {bound} THEN {TOO_MANY} ELSE id END FROM {self._counted(keys, bound)}"
            f" ORDER BY id {self._order} LIMIT %(limit)s",
        )

    def what_words_leave_near(self, query: Query, reach: Reach) -> Question:
        """Collect what contains the words in a part of the list: an answer if it fills the page.

        Else it says behind the keys how many rows have the words, as a number below nothing.
        """
        self._values = {}
        bound = bounds.CANDIDATES_NEAR
        asked = self._bind(reach.stretches(self._account_id))
        keys = (
            f"{self._containing(query.words, is_of_account=True)} AND {self._search_key} + 0"
            f" BETWEEN {self._bind(reach.lowest)} AND {self._bind(reach.highest)}"
            f" AND {stretches_of(self._search_key)} && {asked}::bigint[]"
        )
        tests = [f"(SELECT count(*) FROM candidates) <= {bound}"]
        tests += [self._has_condition(each) for each in query.conditions]
        return self._of_words(
            query,
            f"WITH candidates (id) AS MATERIALIZED ({keys} LIMIT {bound + 1})"
            f" SELECT id FROM ((SELECT id FROM candidates AS walked WHERE {' AND '.join(tests)}"
            f" ORDER BY id {self._order} LIMIT %(limit)s) UNION ALL"
            f" (SELECT {TOO_MANY} - count(*) FROM candidates)) AS answered LIMIT %(limit)s",
        )

    def _of_words(self, query: Query, sql: str) -> Question:
        return Question(sql, self._values, is_kept=len(query.words) <= bounds.WORDS_KEPT)

    def _containing(self, words: Sequence[str], *, is_of_account: bool = False) -> str:
        """Write what finds the keys of all rows that contain the words, by the index of trigrams.

        It is a query of its own: row-level security on another table of the same query would keep LIKE from
        its index. The key is compared in such a way that no other index serves it, as a plan for any words
        may be made for few rows of the account.
        """
        key = f"{self._search_key} + 0"
        return (
            f"SELECT {self._search_key} FROM {self._search} WHERE {_ACCOUNT} AND {_within(key)}"
            f" AND {self._words(words, is_of_account=is_of_account)}"
        )

    @staticmethod
    def _counted(keys: str, bound: int) -> str:
        candidates = f"({keys} LIMIT {bound + 1}) AS candidates (id)"
        return f"(SELECT id, count(*) OVER () AS total FROM {candidates}) AS counted"

    def _tested(self, keys: str, bound: int, tests: Iterable[str]) -> str:
        tests = [f"(SELECT count(*) FROM candidates) <= {bound}", *tests]
        return (
            f"WITH candidates (id) AS MATERIALIZED ({keys} LIMIT {bound + 1})"
            f" (SELECT {TOO_MANY} AS id WHERE (SELECT count(*) FROM candidates) > {bound}) UNION ALL"
            f" (SELECT DISTINCT ON (id) id FROM candidates AS walked WHERE {' AND '.join(tests)}"
            f" ORDER BY id {self._order} LIMIT %(limit)s)"
        )

    def _test(self, condition: Condition) -> str:
        in_row = condition.facet.columns[0].table is self._index.table
        return self._holds(condition, "walked") if in_row else self._has_condition(condition)

    def _has_condition(self, condition: Condition) -> str:
        column, values = leading(condition)
        if len(values) > 1 or is_composed(condition):
            return self._has_row(column.table, self._holds(condition, "linked"))
        # In the facet's own index, whose entry is all that is looked at: no row has to be read.
        entry = f"(linked.{column.name}, linked.{key_of(self._index, column.table)})"
        wanted = f"({self._bind(values[0])}, walked.id)"
        return (
            f"(SELECT true FROM {column.table.name} AS linked WHERE linked.account_id = %(account_id)s"
            f" AND {entry} >= {wanted} AND {entry} <= {wanted} ORDER BY {entry[1:-1]} LIMIT 1)"
        )

    def _has_row(self, table: sa.FromClause, test: str) -> str:
        return self._linked(_name_of(table), key_of(self._index, table), test)

    def _has_words(self, words: Sequence[str]) -> str:
        return self._linked(self._search, self._search_key, self._contains(words, "linked"))

    @staticmethod
    def _linked(table: str, key: str, test: str) -> str:
        # Not EXISTS: the planner may make a join of that, which reads all of the table first. And a range,
        # though of one key: where the key is equal, the order says nothing, and any index may be read for it.
        return (
            f"(SELECT true FROM {table} AS linked WHERE linked.account_id = %(account_id)s"
            f" AND linked.{key} BETWEEN walked.id AND walked.id AND {test} ORDER BY linked.{key} LIMIT 1)"
        )

    def _holds(self, condition: Condition, table: str) -> str:
        """Write the test that a row of the table has one of the condition's values."""
        columns = condition.facet.columns
        if len(columns) == 1:
            values = [value[0] for value in condition.values]
            return f"{table}.{columns[0].name} = ANY ({self._bind(values)}::{list_type(columns[0].type)}[])"
        alternatives = (
            " AND ".join(
                f"{table}.{column.name} = {self._bind(part)}"
                for column, part in zip(columns, value, strict=True)
                if part is not None
            )
            for value in condition.values
        )
        return f"({' OR '.join(alternatives)})"

    def _words(self, words: Sequence[str], *, is_of_account: bool) -> str:
        """Write the test for words in such a way that the index of trigrams serves it.

        With the account's mark, unless what else the index is asked for `is_of_account` alone. It comes last:
        the index looks for it in the rows that have the words before it, and most rows of a book may have it.
        """
        longest = sorted(words, key=rarity)
        asked, others = longest[: bounds.WORDS_ASKED], longest[bounds.WORDS_ASKED :]
        tests, pieces = [], []
        for word in asked:
            forms, middles = pieces_of(word), middles_of(word)
            if len(forms) > 1:
                # Mostly digits, whose pieces are all alike.
                tests.append(f"({' OR '.join(map(self._has_piece, middles))})")
            else:
                middles = self._pieces.of_word(forms[0], len(asked))
                pieces += middles
            others += [] if middles == forms else [word]
        tests += map(self._has_piece, sorted(pieces, key=self._pieces.commonness))
        tests += [] if is_of_account else [self._has_piece(account_mark(self._account_id))]
        return " AND ".join([*tests, self._contains(others, self._search)] if others else tests)

    def are_common(self, words: Sequence[str]) -> bool:
        """Tell whether so many rows have the words that it is no use to look for these."""
        return all(self._pieces.is_common(form) for word in words for form in pieces_of(word))

    def _has_piece(self, piece: str) -> str:
        """Write the test for a piece that the index of trigrams serves."""
        if is_pair(piece):
            return f"{self._search}.folded ~ {self._bind(f'{piece}{FOLLOWING}')}"
        return f"{self._search}.folded LIKE {self._bind(f'%{piece}%')}"

    def _contains(self, words: Sequence[str], table: str) -> str:
        """Write the test for words that is the fastest where no index is asked; the longest come first."""
        tests = []
        for word in sorted(words, key=rarity):
            forms = [f"strpos({table}.folded, {self._bind(piece)}) > 0" for piece in pieces_of(word)]
            tests.append(forms[0] if len(forms) == 1 else f"({' OR '.join(forms)})")
        return " AND ".join(tests)

    def _bind(self, value: Any) -> str:
        name = f"v{len(self._values)}"
        self._values[name] = value
        return f"%({name})s"


def _within(key: str) -> str:
    return f"{key} >= %(above)s AND {key} < %(below)s"


def searched_view(index: ListIndex) -> str:
    """Name the view through which the folded text is searched."""
    return f"{index.folded.name}_of_account"


def key_of(index: ListIndex, table: sa.FromClause) -> str:
    """Name the column that holds the indexed row's key."""
    return "id" if table is index.table else index.folded_key


def _name_of(table: sa.FromClause) -> str:
    assert isinstance(table, sa.Table)
    return table.name
