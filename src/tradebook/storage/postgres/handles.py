"""What reads and writes one account on a server."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from tradebook.storage.database import FaultKind, Finished, IndexFault, Row
from tradebook.storage.derived import Derived, Values
from tradebook.storage.helping import Helper
from tradebook.storage.index import ListIndex, Query
from tradebook.storage.index_documents import (
    Document,
    Linked,
    RowsToIndex,
    documents_of,
    rows_at_hand,
    rows_to_index,
)
from tradebook.storage.index_entries import Entries
from tradebook.storage.index_faults import compare_texts, steps, told
from tradebook.storage.index_versions import (
    KEEP_VERSIONS,
    NO_VERSIONS,
    IndexVersions,
    Versions,
    read_versions,
    write_versions,
)
from tradebook.storage.postgres.beginning import Beginning
from tradebook.storage.postgres.connections import Connection
from tradebook.storage.postgres.dialect import DIALECT, insert_of_lists, insert_of_rows, is_plain_insert
from tradebook.storage.postgres.facts import facts_of
from tradebook.storage.postgres.index import is_of_index, questions
from tradebook.storage.postgres.literals import Statement
from tradebook.storage.postgres.pieces import Learned, newest_texts
from tradebook.storage.postgres.row_security import of_many_rows
from tradebook.storage.postgres.searched_text import searchable
from tradebook.storage.postgres.statements import Question, answer_of
from tradebook.storage.schema import Prepared

WRITTEN_OUT_MAX = 2
"""Up to how many rows are inserted by a statement for that number: to take lists apart takes longer."""

FEW = 20
"""Up to how many rows a change has that is sent with the next statement. More are sent at once."""


class PostgresReader:
    """Reads one account inside one transaction of a connection, which begins with the first question."""

    def __init__(
        self,
        transaction: Beginning,
        account_id: int,
        indexes: IndexVersions,
        derived: Derived,
        learned: Learned,
    ) -> None:
        self.account_id = account_id
        self._indexes, self._derived, self._learned = indexes, derived, learned
        self._transaction = transaction
        self.account: Row = (0, NO_VERSIONS)
        """Its revision, and the versions of its indexes."""
        self._foreseen: list[Statement] = []
        self._known: list[tuple[Statement, list[Row]]] = []
        self._expected: Prepared | None = None
        self._loaded: Mapping[int, Row] = {}
        """The rows of what is expected, by key."""

    @property
    def revision(self) -> int:
        """A number of the account that every commit changes."""
        self._begun()
        return int(self.account[0])

    @cached_property
    def versions(self) -> Versions:
        """What the account's indexes were made from."""
        self._begun()
        return read_versions(self.account[1])

    @property
    def _connection(self) -> Connection:
        self._begun()
        return self._transaction.connection

    @cached_property
    def cache(self) -> Values:
        """Values derived from the account at this revision."""
        return self._derived.of(self.account_id, self.revision)

    def rows(self, statement: Prepared, **values: Any) -> list[Row]:
        """Run a statement and return all its rows."""
        if statement is self._expected and self._loaded.keys() >= set(values["ids"]):
            return [row for key in values["ids"] if (row := self._loaded[key])[0] is not None]
        return self._ask(self._bound(statement, values))

    def foresee(self, statement: Prepared, **values: Any) -> None:
        """Ask for these rows together with the next statement."""
        self._foreseen.append(self._bound(statement, values))

    def expect(self, statement: Prepared) -> None:
        """Ask for the rows of the keys that are found next together with these."""
        self._expected, self._loaded = statement, {}

    def is_whole(self, name: str) -> bool:
        """Tell whether what is kept of all rows under a name is of this version of the program."""
        return self._indexes.is_whole(self.versions, name)

    def keys(
        self, index: ListIndex, query: Query, *, above: int, below: int, descending: bool, limit: int
    ) -> list[int]:
        """Return the keys that match, `above <= key < below`: newest first if `descending`, else oldest."""
        bounds = {"account_id": self.account_id, "above": above, "below": below, "limit": limit}
        distances, pieces = self._learned
        # Not the query itself, which may have thousands of values. Two with one hash only cost some time.
        search = (index.name, self.account_id, hash(query)) if is_of_index(query) else None
        reach = search and distances.reach(search, above, below, limit, descending=descending)
        asking = questions(
            index, query, self.account_id, descending=descending, limit=limit, reach=reach, pieces=pieces
        )
        texts = self._texts_wanted(index, query)
        question = next(asking)
        while True:
            rows = self._ask(self._loading(question, bounds))
            found = [row[0] for row in rows]
            keys = answer_of(found, limit)
            if keys is not None:
                break
            question = asking.send(found)
        if self._expected is not None and not self._loaded:
            self._loaded = {row[0]: row[1:] for row in rows}
        if search:
            self._indexes.require_whole(self.versions, index)
            if len(keys) == limit:
                distances.note(search, keys)
        if texts is not None:
            pieces.learn((index.name, self.account_id), [text for (text,) in self._ask(texts)])
        return keys

    def _texts_wanted(self, index: ListIndex, query: Query) -> Statement | None:
        """Ask for the texts that are to be learned from together with the next statement."""
        if not query.words or not self._learned.pieces.wants((index.name, self.account_id)):
            return None
        texts = Statement(newest_texts(index.folded.name, index.folded_key), {"account_id": self.account_id})
        self._foreseen.append(texts)
        return texts

    def index_faults(self, index: ListIndex) -> Iterator[IndexFault]:
        """Compare the searched texts and the facts with the rows that they are made from."""

        def write(document: Document) -> str:
            return searchable(document, self.account_id)

        kept = Statement(
            f"SELECT {index.folded_key}, facts::text FROM {index.folded.name}"
            f" WHERE account_id = %(account_id)s"
            f" AND {index.folded_key} > %(after)s AND {index.folded_key} <= %(last)s"
        )
        for step in steps(self, index):
            span = {"account_id": self.account_id, "after": step.after, "last": step.last}
            facts: dict[int, str] = dict(self._ask(kept._replace(values=span)))
            stale: dict[int, FaultKind] = {
                key: "stale"
                for key, document in step.documents.items()
                if facts.get(key) != facts_of(document, self.account_id)
            }
            yield from told(index, stale | compare_texts(step, write))

    def strange_values(self, _table: sa.Table) -> Iterator[tuple[int, str]]:
        """Name none: the server keeps no such values."""
        return iter(())

    def _loading(self, question: Question, bounds: Mapping[str, int]) -> Statement:
        """Write a question so that it brings the rows of the keys that it finds, where these are expected."""
        sql, values = question.sql, {**bounds, **question.values}
        if self._expected is not None and not self._loaded:
            load, fixed = self._expected.text(DIALECT)
            load = load.replace("%(ids)s", "ARRAY[found.id]")
            sql = (
                f"SELECT found.id, loaded.* FROM ({sql}) AS found (id)"
                f" LEFT JOIN LATERAL ({load}) AS loaded ON true"
            )
            return Statement(sql, values | fixed, question.is_kept, ("limit", *fixed))
        return Statement(sql, values, question.is_kept)

    def _bound(self, statement: Prepared, values: Mapping[str, Any]) -> Statement:
        sql, fixed = statement.text(DIALECT)
        whole = {**fixed, **values, "account_id": self.account_id}
        return Statement(sql, whole, not statement.depends_on_values, ("limit", *fixed))

    def _ask(self, statement: Statement) -> list[Row]:
        """Run a statement, together with what is foreseen, and with the beginning of the transaction."""
        for place, (known, rows) in enumerate(self._known):
            if known == statement:
                del self._known[place]
                return rows
        foreseen = [each for each in self._foreseen if each != statement]
        self._foreseen = []
        ask = self._transaction.ask if self._transaction.has_begun else self._begin
        rows, *others = ask(statement, *foreseen)
        self._known += zip(foreseen, others, strict=True)
        return rows

    def _begun(self) -> None:
        """Begin, unless that was done with a question."""
        if not self._transaction.has_begun:
            self._begin()

    def _begin(self, *statements: Statement) -> Sequence[list[Row]]:
        account, *found = self._transaction.begin(*statements)
        self.account = account[0] if account else self.account
        return found


Entry = tuple[int, str, str]
"""The key of a row, its searched text, and its facts."""

_IS_AWAITED = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
    " AND transactionid = pg_current_xact_id_if_assigned()::xid)"
)


class PostgresWriter(PostgresReader):
    """Reads and writes one account inside one transaction."""

    _entries: Entries | None = None
    _writes_many = False
    last_revision: int | None = None
    """The revision that the last transaction of this thread has left, where nobody shared it."""
    is_followed: Callable[[], bool] = staticmethod(lambda: False)
    """Whether somebody in this process waits until this one is done."""

    def take_help(self, helper: Helper | None) -> None:
        """Have a helper make the entries of rows; they come in at the end of the transaction, by `settle`."""
        self._entries = None if helper is None else Entries(self.account_id, helper)

    @cached_property
    def cache(self) -> Values:
        """Values derived inside this transaction; nobody else may see them before the commit."""
        return Values()

    def run(self, statement: Prepared, **values: Any) -> None:
        """Run a statement that changes rows, together with the next one whose answer is wanted."""
        self._change(self._bound(statement, values))

    def changed(self, statement: Prepared, **values: Any) -> int:
        """Run a statement that changes rows and return how many."""
        self._flush()
        bound = self._bound(statement, values)
        return self._connection.execute(bound.sql, bound.values).rowcount

    def insert(self, statement: Prepared, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run an insert for every row; few are sent with the next statement whose answer is wanted."""
        listed = list(rows)
        if not listed:
            return
        if len(listed) > FEW:
            self._prepare_for_many()
        if not is_plain_insert(statement):
            for row in listed:
                self._change(self._bound(statement, row))
            return
        values: dict[str, Any] = {"account_id": self.account_id}
        if len(listed) <= WRITTEN_OUT_MAX:
            sql, places = insert_of_rows(statement, len(listed))
            for row, columns in zip(listed, places, strict=True):
                values.update({place: row.get(name) for place, name in columns.items()})
        else:
            # A list for each column: one statement to parse and plan, not a thousand.
            sql, names = insert_of_lists(statement)
            values.update({name: [row.get(name) for row in listed] for name in names})
        self._change(Statement(sql, values, is_kept=True), len(listed))

    def tell(self, statement: Prepared, rows: list[Row], **values: Any) -> None:
        """Say what `rows` would answer to the next question, before anything else is changed."""
        self._known.append((self._bound(statement, values), rows))

    def _prepare_for_many(self) -> None:
        """Have the server plan anew how it checks references, and put off more of its index.

        It keeps them for a session. Those from when the tables were empty read all rows of the account for
        each reference: the more rows, the longer, until the server happens to count them.
        """
        if not self._writes_many:
            self._writes_many = True
            self._begun()
            self._transaction.later(Statement("DISCARD PLANS"))
            self._transaction.later(of_many_rows())

    def _change(self, statement: Statement, rows: int = 1) -> None:
        """Leave a change for later; one of many rows is done while this process goes on."""
        self._known.clear()
        self._begun()
        self._transaction.later(statement)
        if rows > FEW:
            self._transaction.send_ahead()

    def _flush(self) -> None:
        """Have everything done that was left for later."""
        self._known.clear()
        self._begun()
        self._transaction.flush()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Mark a place in the transaction. An exception undoes everything since then, and is raised on."""
        assert self._entries is None, "what a helper makes comes at the end of the transaction"
        self._begun()
        try:
            with self._transaction.savepoint():
                yield
        finally:
            self._known.clear()

    def empty_index(self, index: ListIndex) -> None:
        """Do nothing: the tables' own indexes serve every account, and a text replaces that of before."""

    def keep_versions(self, versions: Versions) -> None:
        """Write down what the account's indexes are made from."""
        self.run(KEEP_VERSIONS, kept=write_versions(versions))
        self.versions = versions

    def reindex(
        self,
        index: ListIndex,
        keys: Sequence[int],
        at_hand: Sequence[Linked] = (),
    ) -> None:
        """Bring the index up to date for these rows; those that no longer exist are removed from it."""
        rows = rows_to_index(index, self.rows, list(keys), at_hand)
        found = {row[0] for row in rows[0]}
        gone = [key for key in keys if key not in found]
        if gone or self._entries is None or not self._entries.ask(index, rows):
            self.settle()
            self._write_entries(index, entries_of(index, self.account_id, rows))
        self._write_ready()
        if gone:
            drop = (
                f"DELETE FROM {index.folded.name} WHERE account_id = %(account_id)s"
                f" AND {index.folded_key} = ANY (%(keys)s::bigint[])"
            )
            values = {"account_id": self.account_id, "keys": gone}
            self._change(Statement(drop, values, is_kept=True))

    @property
    def follows(self) -> bool:
        """Whether the account is as the last transaction of this thread has left it."""
        return self.revision == self.last_revision

    def index_ahead(self, index: ListIndex, at_hand: Sequence[Linked]) -> bool:
        """Have a helper write the entries of rows that the next transaction adds."""
        rows = rows_at_hand(index, at_hand)
        return self._entries is not None and self._entries.ask_ahead(index, rows)

    def take_indexed(self, index: ListIndex) -> None:
        """Take up entries that were written ahead."""
        assert self._entries is not None
        self._entries.expect(index)
        self._write_ready()

    def finish_ahead(self, name: str, rows: Sequence[Row]) -> bool:
        """Have a helper make the finished JSON of rows that the next transaction adds."""
        return self._entries is not None and self._entries.finish_ahead(name, rows)

    def take_finished(self) -> list[Finished]:
        """Return finished JSON that was made ahead."""
        assert self._entries is not None
        return self._entries.finished()

    def forget_ahead(self) -> None:
        """Drop entries that were written ahead."""
        if self._entries is not None:
            self._entries.forget()

    def _write_ready(self) -> None:
        """Write what the helper has made so far: who waits for the end is not to wait for all of it."""
        for index, entries in () if self._entries is None else self._entries.take_ready():
            self._write_entries(index, entries)

    def settle(self) -> None:
        """Write the entries that a helper has made."""
        for index, entries in () if self._entries is None else self._entries.take():
            self._write_entries(index, entries)

    def _write_entries(self, index: ListIndex, entries: Sequence[Entry]) -> None:
        table, key = index.folded.name, index.folded_key
        put = (
            f"INSERT INTO {table} (account_id, {key}, folded, facts)"
            f" SELECT %(account_id)s::bigint, given.{key}, given.folded, given.facts::integer[]"
            f" FROM unnest(%(keys)s::bigint[], %(texts)s::text[], %(facts)s::text[])"
            f" AS given ({key}, folded, facts) ON CONFLICT (account_id, {key})"
            f" DO UPDATE SET folded = excluded.folded, facts = excluded.facts"
            f" WHERE {table}.folded <> excluded.folded OR {table}.facts <> excluded.facts"
        )
        names = ("keys", "texts", "facts")
        values: dict[str, Any] = {name: [entry[at] for entry in entries] for at, name in enumerate(names)}
        values["account_id"] = self.account_id
        self._change(Statement(put, values, is_kept=True), len(entries))

    def is_awaited(self) -> bool:
        """Tell whether somebody waits for the end of this transaction."""
        return self.is_followed() or bool(self._ask(Statement(_IS_AWAITED))[0][0])


def entries_of(index: ListIndex, account_id: int, rows: RowsToIndex) -> list[Entry]:
    """Write the searched texts and the facts of rows."""
    return [
        (key, searchable(document, account_id), facts_of(document, account_id))
        for key, document in documents_of(index, rows).items()
    ]
