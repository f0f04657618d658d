"""The index of a list on PostgreSQL: a B-tree for each facet, trigrams for words (docs/decisions/0007).

One facet alone is one ordered read of its B-tree. A query with more conditions is tried in several ways,
one after another, each over a limited number of rows: first the newest rows of the list, then the rows that
match the conditions, then the rows that contain the words. One of these finds the whole page, unless all
parts of the query are common and hardly ever occur together; then the list is read to its end.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from tradebook.storage.index import Condition, ListIndex, Query
from tradebook.storage.index_documents import FIELD_END, Document, forms_of
from tradebook.storage.index_versions import digest_of
from tradebook.storage.postgres.dialect import DIALECT, list_type

FORM = 1
"""The number of how a document is written here. Raise it when `searchable` begins to write another text."""

WALKED_ROWS = 10_000
"""How many rows in list order are tested, before the indexes are asked for what matches."""

CANDIDATES_OF_CONDITIONS, CANDIDATES_OF_WORDS = 20_000, 50_000
"""How many rows that match one part of a query are tested for the other part."""

TOO_MANY = -1
"""A key that marks an answer as incomplete: there were more rows than its limit."""

_NO_BOUND = 1 << 60

_MARK_DIGITS = 8
_SHORT = 2
"""Words up to this length have no trigram, so the text also contains all pieces of this length."""

_FIELDS_KEPT, _PIECES_KEPT = 500, 20_000

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ \n")
_FIRST, _OTHERS = "KLMNOPQR", "STUVWXYZ"


@cache
def version_of(index: ListIndex) -> str:
    """Sum up what the searched text is made from; the facets have indexes of their own."""
    return digest_of(index, DIALECT, form=FORM, with_facets=False)


class _Spelling(dict[int, str]):
    """Writes every character in letters and digits, so that the trigrams do not depend on a locale.

    A character that is not a plain letter or digit is written as its number in octal, after a letter that
    says how many digits follow. So no spelling begins inside another one, and none is the beginning of
    another.
    """

    def __missing__(self, code: int) -> str:
        digits = f"{code:o}"
        own = _FIRST[len(digits) - 1] + "".join(_OTHERS[int(digit)] for digit in digits)
        spelled = self[code] = chr(code) if chr(code) in _PLAIN else own
        return spelled


_spelling = _Spelling()


def spell(text: str) -> str:
    """Write folded text in letters and digits that every locale treats alike."""
    return text.translate(_spelling)


def searchable(document: Document, account_id: int) -> str:
    """Write the searched text of a row: a mark of its account, its fields, and its short pieces."""
    fields = [_spelled(field) for field in document.fields]
    short = sorted(set().union(*(pieces for _, pieces in fields)))
    spelled = FIELD_END.join([text for text, _ in fields])
    return f"{_account_mark(account_id)}{spelled}\n {' '.join(map(_spelled_piece, short))} "


# Kept, because an address that serves many customers stands in the text of each.
@lru_cache(_FIELDS_KEPT)
def _spelled(field: str) -> tuple[str, frozenset[str]]:
    """Spell a field, and list its short pieces, in which no field ends and no word."""
    pieces = {field[at : at + size] for size in (1, _SHORT) for at in range(len(field) - size + 1)}
    return spell(field), frozenset(piece for piece in pieces if " " not in piece and FIELD_END not in piece)


@lru_cache(_PIECES_KEPT)
def _spelled_piece(piece: str) -> str:
    return spell(piece)


def _account_mark(account_id: int) -> str:
    # A part of the account's key, among the trigrams: rows of other accounts hardly get out of the index. In
    # letters that stand only behind others in the spelling of a character, so no spelled word is found in it.
    digits = f"{account_id % 8**_MARK_DIGITS:0{_MARK_DIGITS}o}"
    return "".join(_OTHERS[int(digit)] for digit in digits) + "\n"


def _patterns(word: str) -> list[str]:
    return [f"% {spell(form)} %" if len(form) <= _SHORT else f"%{spell(form)}%" for form in forms_of(word)]


class Question(NamedTuple):
    """A statement for the keys of a page; it takes account_id, above, below and limit besides its values."""

    sql: str
    values: dict[str, Any]


def questions(index: ListIndex, query: Query, account_id: int, *, descending: bool) -> Iterator[Question]:
    """Yield the statements to run, one after the other, until an answer does not contain TOO_MANY."""
    writing = _Writing(index, account_id, "DESC" if descending else "ASC")
    conditions, words = query.conditions, query.words
    if not words and not conditions:
        yield writing.all_rows()
    elif not words and len(conditions) == 1 and not _is_composed(conditions[0]):
        yield writing.facet_alone(conditions[0])
    elif not words:
        is_one = len(conditions) == 1 and len(conditions[0].values) == 1
        yield writing.composed(conditions[0]) if is_one else writing.newest(query, WALKED_ROWS)
        yield writing.collected(conditions)
    else:
        yield writing.newest(query, WALKED_ROWS)
        if conditions:
            yield writing.what_conditions_leave(query)
        yield writing.what_words_leave(query)
        yield writing.newest(query, _NO_BOUND)


def _is_composed(condition: Condition) -> bool:
    """Tell whether several columns must match together; an index begins with only one of them."""
    return any(len([part for part in value if part is not None]) > 1 for value in condition.values)


class _Writing:
    """Writes statements for one index and one direction."""

    def __init__(self, index: ListIndex, account_id: int, order: str) -> None:
        self._index, self._order = index, order
        self._account_id = account_id
        self._table = index.table.name
        self._search = searched_view(index)
        self._search_key = index.folded_key
        self._values: dict[str, Any] = {}

    def all_rows(self) -> Question:
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

    def composed(self, condition: Condition) -> Question:
        """Read the index of the first column in order, and test the other columns of the same row."""
        (value,) = condition.values
        place = next(at for at, part in enumerate(value) if part is not None)
        column = condition.facet.columns[place]
        key, leading = key_of(self._index, column.table), self._bind(value[place])
        rows = (
            f"SELECT {key} AS id, {', '.join(c.name for c in condition.facet.columns)}"
            f" FROM {column.table.name} WHERE {_ACCOUNT}"
            f" AND ({column.name}, {key}) >= ({leading}, %(above)s)"
            f" AND ({column.name}, {key}) < ({leading}, %(below)s)"
            f" ORDER BY {column.name} {self._order}, {key} {self._order}"
        )
        return self._walked(rows, [self._holds(condition, "walked")], WALKED_ROWS)

    def newest(self, query: Query, bound: int) -> Question:
        """Read the list itself, over a limited number of rows, and test each."""
        self._values = {}
        if query.conditions:
            rows = (
                f"SELECT * FROM {self._table} WHERE {_ACCOUNT} AND {_within('id')} ORDER BY id {self._order}"
            )
            tests = [self._test(condition) for condition in query.conditions]
            tests += [self._has_words(query.words)] if query.words else []
        else:
            rows = (
                f"SELECT {self._search_key} AS id, folded FROM {self._search}"
                f" WHERE {_ACCOUNT} AND {_within(self._search_key)} ORDER BY {self._search_key} {self._order}"
            )
            tests = [self._words(query.words, "walked")]
        return self._walked(rows, tests, bound)

    def _walked(self, rows: str, tests: Iterable[str], bound: int) -> Question:
        # The second part runs only if the first one has not filled the page. The limit inside prevents the
        # planner from choosing another order.
        return Question(
            f"SELECT id FROM ((SELECT DISTINCT ON (id) id FROM ({rows} LIMIT {bound}) AS walked"
            f" WHERE {' AND '.join(tests)} ORDER BY id {self._order} LIMIT %(limit)s)"
            f" UNION ALL (SELECT {TOO_MANY} FROM ({rows} LIMIT {bound + 1}) AS walked"
            f" HAVING count(*) > {bound})) AS answered LIMIT %(limit)s",
            self._values,
        )

    def collected(self, conditions: Sequence[Condition]) -> Question:
        """Collect all keys that match, from the indexes that the planner chooses, and sort them."""
        self._values = {}
        # MATERIALIZED: otherwise the limit would lead the planner to read the whole list in its order.
        return Question(
            f"WITH matching (id) AS MATERIALIZED ({self._matching(conditions)})"
            f" SELECT DISTINCT ON (id) id FROM matching ORDER BY id {self._order} LIMIT %(limit)s",
            self._values,
        )

    def what_conditions_leave(self, query: Query) -> Question:
        """Collect what matches the conditions, unless it is too much, and search it for the words."""
        self._values = {}
        keys = self._matching(query.conditions)
        return self._tested(keys, CANDIDATES_OF_CONDITIONS, [self._has_words(query.words)])

    def what_words_leave(self, query: Query) -> Question:
        """Collect what contains the words, unless it is too much, and test it for the conditions.

        It is a query of its own: row-level security on another table of the same query would keep LIKE from
        its index.
        """
        self._values = {}
        keys = (
            f"SELECT {self._search_key} FROM {self._search} WHERE {_ACCOUNT}"
            f" AND {_within(self._search_key)} AND {self._words(query.words, self._search)}"
        )
        tests = [self._has_row(c.facet.columns[0].table, self._holds(c, "linked")) for c in query.conditions]
        return self._tested(keys, CANDIDATES_OF_WORDS, tests)

    def _tested(self, keys: str, bound: int, tests: Iterable[str]) -> Question:
        tests = [f"(SELECT count(*) FROM candidates) <= {bound}", *tests]
        return Question(
            f"WITH candidates (id) AS MATERIALIZED ({keys} LIMIT {bound + 1})"
            f" (SELECT {TOO_MANY} AS id WHERE (SELECT count(*) FROM candidates) > {bound}) UNION ALL"
            f" (SELECT DISTINCT ON (id) id FROM candidates AS walked WHERE {' AND '.join(tests)}"
            f" ORDER BY id {self._order} LIMIT %(limit)s)",
            self._values,
        )

    def _matching(self, conditions: Sequence[Condition]) -> str:
        """Write the query for the keys that match all conditions; a key may come more than once."""
        table = self._index.table
        own = [condition for condition in conditions if condition.facet.columns[0].table is table]
        selects = [self._select(table, own)] if own else []
        for condition in conditions:
            linked = condition.facet.columns[0].table
            if linked is not table:
                selects.append(self._select(linked, [condition]))
        key = "id" if own else self._search_key
        return " AND ".join([selects[0], *(f"{key} IN ({keys})" for keys in selects[1:])])

    def _select(self, table: sa.FromClause, conditions: Iterable[Condition]) -> str:
        key, name = key_of(self._index, table), _name_of(table)
        tests = [_ACCOUNT, _within(key), *(self._holds(condition, name) for condition in conditions)]
        return f"SELECT {key} FROM {name} WHERE {' AND '.join(tests)}"

    def _test(self, condition: Condition) -> str:
        table = condition.facet.columns[0].table
        if table is self._index.table:
            return self._holds(condition, "walked")
        return self._has_row(table, self._holds(condition, "linked"))

    def _has_row(self, table: sa.FromClause, test: str) -> str:
        return self._linked(_name_of(table), key_of(self._index, table), test)

    def _has_words(self, words: Iterable[str]) -> str:
        return self._linked(self._search, self._search_key, self._words(words, "linked"))

    @staticmethod
    def _linked(table: str, key: str, test: str) -> str:
        # Not EXISTS: the planner may turn that into a join that reads all rows of the table first.
        return (
            f"(SELECT true FROM {table} AS linked WHERE linked.account_id = %(account_id)s"
            f" AND linked.{key} = walked.id AND {test} ORDER BY linked.{key} LIMIT 1)"
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

    def _words(self, words: Iterable[str], table: str) -> str:
        tests = [f"{table}.folded LIKE {self._bind(_account_mark(self._account_id) + '%')}"]
        for word in words:
            forms = [f"{table}.folded LIKE {self._bind(pattern)}" for pattern in _patterns(word)]
            tests.append(forms[0] if len(forms) == 1 else f"({' OR '.join(forms)})")
        return " AND ".join(tests)

    def _bind(self, value: Any) -> str:
        name = f"v{len(self._values)}"
        self._values[name] = value
        return f"%({name})s"


_ACCOUNT = "account_id = %(account_id)s"


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
