"""Writes the statements for the keys of a list: each can be run in one way only."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from tradebook.ids import KEY_MAX
from tradebook.storage.index import Condition, ListIndex, Query
from tradebook.storage.postgres import bounds
from tradebook.storage.postgres.conditions import is_composed, leading
from tradebook.storage.postgres.dialect import list_type
from tradebook.storage.postgres.facts import numbers_asked
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
_ACCOUNT = "account_id = %(account_id)s"


def most_found(limit: int) -> int:
    """Tell how many rows that the index finds are tested at most."""
    return max(bounds.CANDIDATES, bounds.CANDIDATES_OF_A_PAGE * limit)


class Question(NamedTuple):
    """A statement for the keys of a page; it takes account_id, above, below and limit besides its values."""

    sql: str
    values: dict[str, Any]
    is_kept: bool = True
    """Whether it has one plan for all values."""


def answer_of(found: list[int], limit: int) -> list[int] | None:
    """Return the keys of a page that were found; None if there may be more than these."""
    page = found[:limit]
    return None if page and page[-1] < 0 else page


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

    def newest(self, query: Query, bound: int) -> Question:
        """Read the first rows of the list, and test each.

        If that is not enough, the answer says behind the keys which row is the last of these, and which ones
        are the first and the last of the list, as numbers below nothing.
        """
        self._values = {}
        key, rows = self._search_key, f"{self._listed()} {self._order}"
        # Each number of a row is compared with each of the list.
        few = [each for each in query.conditions if len(each.values) <= bounds.VALUES_COMPARED]
        tests = [*self._facts(few, "walked"), *self._contains(query.words, "walked")]
        tests += map(self._has_condition, query.conditions)
        # The limit inside prevents the planner from choosing another order.
        page = (
            f"SELECT id FROM (SELECT {key} AS id, folded, facts {rows} LIMIT {bound}) AS walked"
            f" WHERE {' AND '.join(tests)} ORDER BY id {self._order} LIMIT %(limit)s"
        )
        if bound == NO_BOUND:
            return Question(page, self._values)
        last = f"{'min' if self.is_descending else 'max'}({key})"
        walked = f"(SELECT {key} {rows} LIMIT {bound + 1}) AS walked"
        return Question(self._answer("", page, last, walked, bound), self._values)

    def reach(self, conditions: Sequence[Condition], bound: int) -> Question:
        """Tell how far so many rows of the rarest condition reach, as a number below nothing.

        Without a condition of one value it is so many rows of the list. Whatever matches up to there is among
        these rows. If there are no more of them, that is to the end of all lists.
        """
        self._values = {}
        far, end, farther = ("min", 0, "LEAST") if self.is_descending else ("max", KEY_MAX, "GREATEST")
        walks = [self._entries(each, bound) for each in conditions if len(each.values) == 1]
        walks = walks or [f"SELECT {self._search_key} AS id {self._listed()} {self._order} LIMIT {bound}"]
        reached = ", ".join(
            f"(SELECT CASE WHEN count(*) < {bound} THEN {end} ELSE {far}(id) END FROM ({walk}) AS walked)"
            for walk in walks
        )
        return Question(f"SELECT {TOO_MANY} - {farther}({reached})", self._values)

    def _entries(self, condition: Condition, bound: int) -> str:
        """Write the first rows that have the one value of a condition, as its own index has them."""
        column, (value,) = leading(condition)
        key, wanted = key_of(self._index, column.table), self._bind(value)
        return (
            f"SELECT {key} AS id, {column.name} FROM {column.table.name} WHERE {_ACCOUNT}"
            f" AND ({column.name}, {key}) >= ({wanted}, %(above)s)"
            f" AND ({column.name}, {key}) < ({wanted}, %(below)s)"
            f" ORDER BY {column.name} {self._order}, {key} {self._order} LIMIT {bound}"
        )

    def _listed(self) -> str:
        key = self._search_key
        return f"FROM {self._index.folded.name} WHERE {_ACCOUNT} AND {_within(key)} ORDER BY {key}"

    def _answer(self, before: str, page: str, told: str, rows: str, bound: int) -> str:
        """Write a page and, where it is not full, what is told behind it, with both ends of the list.

        Nothing is told either where `bound` rows are all that there is, or the list is empty: it is whole.
        """
        opposite = "ASC" if self.is_descending else "DESC"
        ends = (
            f"(SELECT {self._search_key} {self._listed()} {order} LIMIT 1)"
            for order in (self._order, opposite)
        )
        first, end = ends
        marks = ", ".join(f"{TOO_MANY} - {each}" for each in (told, first, end))
        is_short = "(SELECT count(*) FROM page) < %(limit)s"
        return (
            f"WITH {before}page (id) AS MATERIALIZED ({page})"
            f" SELECT id FROM ((SELECT id FROM page) UNION ALL (SELECT unnest(ARRAY[{marks}]) FROM {rows}"
            f" WHERE {is_short} HAVING {is_short} AND count(*) > {bound} AND {first} IS NOT NULL))"
            " AS answered LIMIT %(limit)s + 3"
        )

    def by_index(
        self,
        query: Query,
        limit: int,
        reach: Reach | None = None,
        *,
        is_whole: bool = False,
        is_exact: bool = False,
    ) -> Question:
        """Collect what the index finds in a part of the list, or in all of it, and test it.

        If there are too many rows to be tested, or a part does not fill the page, the answer says behind the
        keys how many were found, and which rows are the first and the last of the list, as numbers below
        nothing. `is_whole`: nothing lies behind the part. `is_exact`: hardly anything beside it is read.
        """
        self._values = {}
        key, bound = self._search_key, most_found(limit)
        facts = self._facts(query.conditions, self._search)
        tests = [_ACCOUNT, *facts, *self._words(query.words, is_of_account=bool(reach or facts))]
        checks = [f"(SELECT count(*) FROM candidates) <= {bound}", _within("walked.id")]
        if reach is not None:
            stretches = reach.exact_stretches if is_exact else reach.stretches
            tests.append(f"stretches && {self._bind(stretches(self._account_id))}::bigint[]")
            checks.append(f"walked.id BETWEEN {self._bind(reach.lowest)} AND {self._bind(reach.highest)}")
        checks += map(self._has_condition, query.conditions)
        # A query of its own: row-level security on another table of the same query would keep LIKE from its
        # index.
        keys = f"SELECT {key} FROM {self._search} WHERE {' AND '.join(tests)} LIMIT {bound + 1}"
        # In order first: so no more of them are tested than the page takes.
        page = (
            f"SELECT id FROM (SELECT id FROM candidates ORDER BY id {self._order}) AS walked"
            f" WHERE {' AND '.join(checks)} ORDER BY id {self._order} LIMIT %(limit)s"
        )
        before = f"candidates (id) AS MATERIALIZED ({keys}), "
        is_all = reach is None or is_whole
        return Question(
            self._answer(before, page, "count(*)", "candidates", bound if is_all else -1),
            self._values,
            is_kept=len(query.words) <= bounds.WORDS_KEPT,
        )

    def _facts(self, conditions: Sequence[Condition], table: str) -> list[str]:
        """Write the tests for the facts that conditions ask for, which the index serves."""
        asked = numbers_asked(conditions, self._account_id)
        # The server's own operators, whatever extensions it has.
        tests = [
            f"{table}.facts OPERATOR(pg_catalog.&&) {self._bind(numbers)}::integer[]"
            for numbers in asked
            if len(numbers) > 1
        ]
        if single := [number for numbers in asked if len(numbers) == 1 for number in numbers]:
            tests.append(f"{table}.facts OPERATOR(pg_catalog.@>) {self._bind(single)}::integer[]")
        return tests

    def _has_condition(self, condition: Condition) -> str:
        column, values = leading(condition)
        if len(values) > 1 or is_composed(condition):
            return self._has_row(column.table, self._holds(condition))
        # In the facet's own index, whose entry is all that is looked at: no row has to be read.
        entry = f"(linked.{column.name}, linked.{key_of(self._index, column.table)})"
        wanted = f"({self._bind(values[0])}, walked.id)"
        return (
            f"(SELECT true FROM {column.table.name} AS linked WHERE linked.account_id = %(account_id)s"
            f" AND {entry} >= {wanted} AND {entry} <= {wanted} ORDER BY {entry[1:-1]} LIMIT 1)"
        )

    def _has_row(self, table: sa.FromClause, test: str) -> str:
        # Not EXISTS: the planner may make a join of that, which reads all of the table first. And a range,
        # though of one key: where the key is equal, the order says nothing, and any index may be read for it.
        key = f"linked.{key_of(self._index, table)}"
        return (
            f"(SELECT true FROM {_name_of(table)} AS linked WHERE linked.account_id = %(account_id)s"
            f" AND {key} BETWEEN walked.id AND walked.id AND {test} ORDER BY {key} LIMIT 1)"
        )

    def _holds(self, condition: Condition) -> str:
        """Write the test that a linked row has one of the condition's values."""
        columns = condition.facet.columns
        if len(columns) == 1:
            values = [value[0] for value in condition.values]
            return f"linked.{columns[0].name} = ANY ({self._bind(values)}::{list_type(columns[0].type)}[])"
        alternatives = (
            " AND ".join(
                f"linked.{column.name} = {self._bind(part)}"
                for column, part in zip(columns, value, strict=True)
                if part is not None
            )
            for value in condition.values
        )
        return f"({' OR '.join(alternatives)})"

    def _words(self, words: Sequence[str], *, is_of_account: bool) -> list[str]:
        """Write the tests for words in such a way that the index of everything serves them.

        With the account's mark, unless what else the index is asked for `is_of_account` alone. It comes last:
        the index looks for it in the rows that have the words before it, and most rows of a book may have it.
        """
        longest = sorted(words, key=rarity)
        asked, others = longest[: bounds.WORDS_ASKED], longest[bounds.WORDS_ASKED :]
        tests: list[str] = []
        pieces: list[str] = []
        for word in asked:
            forms, middles = pieces_of(word), middles_of(word)
            if len(forms) > 1:
                # Mostly digits, whose pieces are all alike.
                is_alone = len(asked) == 1 and not is_of_account
                tests.append(self._has_any(middles) if is_alone else self._has_one_of(middles))
            else:
                middles = self._pieces.of_word(forms[0], len(asked))
                pieces += middles
            others += [] if middles == forms else [word]
        tests += map(self._has_piece, sorted(pieces, key=self._pieces.commonness))
        tests += [] if is_of_account else [self._has_piece(account_mark(self._account_id))]
        return [*tests, *self._contains(others, self._search)]

    def _has_any(self, pieces: Sequence[str]) -> str:
        """Write the test for one of some pieces, of which each is looked for alone: that is the fastest."""
        return f"({' OR '.join(map(self._has_piece, pieces))})"

    def _has_one_of(self, pieces: Sequence[str]) -> str:
        """Write it so that the planner can't leave it out, where it asks the index for something else too."""
        forms = (f"{piece}{FOLLOWING if is_pair(piece) else ''}" for piece in pieces)
        return f"{self._search}.folded ~ {self._bind('|'.join(forms))}"

    def _has_piece(self, piece: str) -> str:
        """Write the test for a piece that the index of everything serves."""
        if is_pair(piece):
            return self._has_one_of([piece])
        return f"{self._search}.folded LIKE {self._bind(f'%{piece}%')}"

    def _contains(self, words: Sequence[str], table: str) -> list[str]:
        """Write the tests for words that are the fastest where no index is asked; the longest come first."""
        tests = []
        for word in sorted(words, key=rarity):
            forms = [f"strpos({table}.folded, {self._bind(piece)}) > 0" for piece in pieces_of(word)]
            tests.append(forms[0] if len(forms) == 1 else f"({' OR '.join(forms)})")
        return tests

    def _bind(self, value: Any) -> str:
        name = f"v{len(self._values)}"
        self._values[name] = value
        return f"%({name})s"


def _within(key: str) -> str:
    return f"{key} >= %(above)s AND {key} < %(below)s"


def searched_view(index: ListIndex) -> str:
    """Name the view through which the folded text is searched."""
    return f"{index.folded.name}_of_account"


def searched_columns(index: ListIndex) -> str:
    """List what this view has besides the account."""
    key = index.folded_key
    return f"{key}, folded, facts, {stretches_of(key)} AS stretches"


def key_of(index: ListIndex, table: sa.FromClause) -> str:
    """Name the column that holds the indexed row's key."""
    return "id" if table is index.table else index.folded_key


def _name_of(table: sa.FromClause) -> str:
    assert isinstance(table, sa.Table)
    return table.name
