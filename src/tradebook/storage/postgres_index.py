"""The index of a list on PostgreSQL: a B-tree for each facet, trigrams for words (docs/decisions/0007).

One facet alone is one ordered walk of its B-tree. Anything more is asked in two ways. The first walks the
newest rows in list order and tests them, over a bounded number of rows: it fills a page where many rows
match. Where it doesn't, few rows match, and the second one collects all of them from their indexes.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from tradebook.ids import encode_body
from tradebook.storage.index import Condition, Index, Query
from tradebook.storage.index_documents import Document, forms_of

WALKED_ROWS = 10_000
"""How many rows the first question tests before the second one is asked."""

_ACCOUNT_LETTERS = 6
_SHORT = 2
"""Words up to this length have no trigram of their own: their pieces are written down one by one."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ \n")
_FIRST, _OTHERS = "KLMNOPQR", "STUVWXYZ"


class _Spelling(dict[int, str]):
    """Letters and digits for every character, so that the trigrams depend on no locale.

    What is no plain letter or digit is written as its number in octal, the first letter telling how many
    digits follow: no spelling begins inside another one, and none is the beginning of another.
    """

    def __missing__(self, code: int) -> str:
        digits = f"{code:o}"
        own = _FIRST[len(digits) - 1] + "".join(_OTHERS[int(digit)] for digit in digits)
        spelled = self[code] = chr(code) if chr(code) in _PLAIN else own
        return spelled


_spelling = _Spelling()


def spell(text: str) -> str:
    """Write folded text in the letters that the trigram index knows everywhere."""
    return text.translate(_spelling)


def searchable(document: Document, account_id: int) -> str:
    """Write what is searched of one row: whose it is, its fields, and its pieces of one or two characters."""
    folded = document.folded
    pieces = {folded[at : at + size] for size in (1, _SHORT) for at in range(len(folded) - size + 1)}
    short = sorted(piece for piece in pieces if not (" " in piece or "\n" in piece))
    return f"{_account_mark(account_id)}{spell(folded)}\n {' '.join(map(spell, short))} "


def _account_mark(account_id: int) -> str:
    # A part of the account's id, among the trigrams: rows of other accounts hardly get out of the index.
    return encode_body(account_id)[-_ACCOUNT_LETTERS:] + "\n"


def _patterns(word: str) -> list[str]:
    return [f"% {spell(form)} %" if len(form) <= _SHORT else f"%{spell(form)}%" for form in forms_of(word)]


class Question(NamedTuple):
    """A statement for the keys of a page; it takes account_id, above, below and limit besides its values.

    With `is_complete` its answer is the page, however short; without, only a full page is.
    """

    sql: str
    values: dict[str, Any]
    is_complete: bool


def questions(index: Index, query: Query, account_id: int, *, descending: bool) -> Iterator[Question]:
    """Yield the statements to ask, one after the other, until one has the whole page."""
    writing = _Writing(index, account_id, "DESC" if descending else "ASC")
    if not query.words and len(query.conditions) == 1:
        yield from writing.facet_alone(query.conditions[0])
    elif query.words or query.conditions:
        yield writing.newest(query)
    else:
        yield writing.all_rows()
        return
    if query.words or len(query.conditions) > 1 or _is_composed(query.conditions[0]):
        yield writing.collected(query)


def _is_composed(condition: Condition) -> bool:
    """Tell whether several columns must match together, of which an index has only one in front."""
    return any(len([part for part in value if part is not None]) > 1 for value in condition.values)


class _Writing:
    """Writes statements for one index and one direction."""

    def __init__(self, index: Index, account_id: int, order: str) -> None:
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
            is_complete=True,
        )

    def facet_alone(self, condition: Condition) -> Iterator[Question]:
        """Walk the facet's own index, once for each value."""
        facet = condition.facet
        column, other_columns = _leading(condition)
        key = _key_of(self._index, column.table)
        # DISTINCT ON keeps to the order of the index; a plain DISTINCT may read all of it into a hash first.
        is_own = column.table is self._index.table
        distinct, distinct_id = (
            ("", "") if is_own else (f"DISTINCT ON ({column.name}, {key}) ", "DISTINCT ON (id) ")
        )
        walk = (
            f"SELECT {distinct}{key} AS id FROM {column.table.name}"
            f" WHERE {_ACCOUNT} AND ({column.name}, {key}) >= ({{value}}, %(above)s)"
            f" AND ({column.name}, {key}) < ({{value}}, %(below)s)"
            # The facet stands in the order too: no other index can offer that.
            f" ORDER BY {column.name} {self._order}, {key} {self._order}"
        )
        place = facet.columns.index(column)
        if other_columns:
            yield self._composed_walk(condition, column, key)
        elif len(condition.values) == 1:
            value = condition.values[0][place]
            sql = f"SELECT id FROM ({walk.format(value='%(value)s')} LIMIT %(limit)s) AS found"
            sql += f" ORDER BY id {self._order}"
            yield Question(sql, {"value": value}, is_complete=True)
        else:
            kind = "text" if isinstance(column.type, sa.Text) else "bigint"
            sql = (
                f"SELECT {distinct_id}id FROM unnest(%(values)s::{kind}[]) AS wanted(value)"
                f" CROSS JOIN LATERAL ({walk.format(value='wanted.value')} LIMIT %(limit)s) AS found"
                f" ORDER BY id {self._order} LIMIT %(limit)s"
            )
            values = [value[place] for value in condition.values]
            yield Question(sql, {"values": values}, is_complete=True)

    def _composed_walk(self, condition: Condition, column: sa.Column[Any], key: str) -> Question:
        """Walk the most telling column's index over a bounded number of rows, and test the others."""
        (value,) = condition.values
        leading = self._bind(value[condition.facet.columns.index(column)])
        rows = (
            f"SELECT {key} AS id, {', '.join(c.name for c in condition.facet.columns)}"
            f" FROM {column.table.name} WHERE {_ACCOUNT}"
            f" AND ({column.name}, {key}) >= ({leading}, %(above)s)"
            f" AND ({column.name}, {key}) < ({leading}, %(below)s)"
            f" ORDER BY {column.name} {self._order}, {key} {self._order} LIMIT {WALKED_ROWS}"
        )
        sql = (
            f"SELECT DISTINCT ON (id) id FROM ({rows}) AS walked WHERE {self._holds(condition, 'walked')}"
            f" ORDER BY id {self._order} LIMIT %(limit)s"
        )
        return Question(sql, self._values, is_complete=False)

    def newest(self, query: Query) -> Question:
        """Walk the list itself over a bounded number of rows, and test each."""
        if query.conditions:
            rows = (
                f"SELECT * FROM {self._table} WHERE {_ACCOUNT} AND {_within('id')}"
                f" ORDER BY id {self._order} LIMIT {WALKED_ROWS}"
            )
            tests = [self._test(condition) for condition in query.conditions]
            if query.words:
                tests.append(
                    self._has_row(self._search, self._search_key, self._words(query.words, "linked"))
                )
        else:
            rows = (
                f"SELECT {self._search_key} AS id, folded FROM {self._search}"
                f" WHERE {_ACCOUNT} AND {_within(self._search_key)}"
                f" ORDER BY {self._search_key} {self._order} LIMIT {WALKED_ROWS}"
            )
            tests = [self._words(query.words, "walked")]
        sql = (
            f"SELECT id FROM ({rows}) AS walked WHERE {' AND '.join(tests)}"
            f" ORDER BY id {self._order} LIMIT %(limit)s"
        )
        return Question(sql, self._values, is_complete=False)

    def collected(self, query: Query) -> Question:
        """Collect all keys that match, from whichever indexes the planner likes, and sort them."""
        self._values = {}
        table = self._index.table
        own = [c for c in query.conditions if c.facet.columns[0].table is table]
        selects = [self._select(self._table, "id", own)] if own else []
        for condition in query.conditions:
            linked = condition.facet.columns[0].table
            if linked is not table:
                selects.append(self._select(linked.name, _key_of(self._index, linked), [condition]))
        # MATERIALIZED, here because row-level security on another table of the query would keep LIKE from its
        # index, and below because a limit would be the planner's reason to walk the list in its order.
        found = ""
        if query.words:
            words = self._words(query.words, self._search)
            found = (
                f"found (id) AS MATERIALIZED (SELECT {self._search_key} FROM {self._search}"
                f" WHERE {_ACCOUNT} AND {_within(self._search_key)} AND {words}), "
            )
            selects.append("SELECT id FROM found")
        key = "id" if own or (len(selects) == 1 and query.words) else self._search_key
        rows = " AND ".join([selects[0], *(f"{key} IN ({keys})" for keys in selects[1:])])
        sql = (
            f"WITH {found}matching (id) AS MATERIALIZED ({rows})"
            f" SELECT DISTINCT ON (id) id FROM matching ORDER BY id {self._order} LIMIT %(limit)s"
        )
        return Question(sql, self._values, is_complete=True)

    def _select(self, table: str, key: str, conditions: Iterable[Condition]) -> str:
        tests = [_ACCOUNT, _within(key), *(self._holds(condition, table) for condition in conditions)]
        return f"SELECT {key} FROM {table} WHERE {' AND '.join(tests)}"

    def _test(self, condition: Condition) -> str:
        table = condition.facet.columns[0].table
        if table is self._index.table:
            return self._holds(condition, "walked")
        return self._has_row(table.name, _key_of(self._index, table), self._holds(condition, "linked"))

    @staticmethod
    def _has_row(table: str, key: str, test: str) -> str:
        # Not EXISTS, which the planner may turn into a join that reads all rows of the table first.
        return (
            f"(SELECT true FROM {table} AS linked WHERE linked.account_id = %(account_id)s"
            f" AND linked.{key} = walked.id AND {test} ORDER BY linked.{key} LIMIT 1)"
        )

    def _holds(self, condition: Condition, table: str) -> str:
        """Write that a row of the table has one of the condition's values."""
        columns = condition.facet.columns
        if len(columns) == 1:
            values = [value[0] for value in condition.values]
            kind = "text" if isinstance(columns[0].type, sa.Text) else "bigint"
            return f"{table}.{columns[0].name} = ANY ({self._bind(values)}::{kind}[])"
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


def searched_view(index: Index) -> str:
    """Name the view through which the folded text is searched."""
    return f"{index.folded.name}_of_account"


def _key_of(index: Index, table: sa.FromClause) -> str:
    """Name the column that holds the indexed row's key."""
    return "id" if table is index.table else index.folded_key


def _leading(condition: Condition) -> tuple[sa.Column[Any], list[sa.Column[Any]]]:
    """Choose the column to walk by, the first one asked for, and the others to test."""
    asked = [
        column
        for place, column in enumerate(condition.facet.columns)
        if condition.values[0][place] is not None
    ]
    return asked[0], asked[1:]
