"""What every engine offers: handles that read and write one account, and the way to get them.

A handle belongs to one account and gives the account's number to every statement that it runs. A read
handle has another type than a write handle, and can't write. Only `web` and the commands commit.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

import msgspec
import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.storage.derived import Values
from tradebook.storage.index import ListIndex, Query
from tradebook.storage.index_documents import Linked
from tradebook.storage.schema import Prepared

Row = tuple[Any, ...]
Finished = tuple[int, Sequence[str]]
"""The key of a row, and its finished JSON in parts."""

ROWS_AT_ONCE = 1_000
"""How many rows one statement, or one transaction of many, is about."""

MANY_ROWS = 1_000
"""After how many changed rows at once an engine looks at them anew: see `Database.tidy`."""


class Unavailable(Exception):
    """The engine can't be reached, or is busy for longer than the configured wait."""


ANOTHER_PROGRAMS = "The tables in it are another program's, and no book of Tradebook."


class Conflict(Unavailable):
    """Another transaction was in the way. Nothing was done; the same work may succeed at a second try."""


class OutcomeUnknown(Unavailable):
    """The commit was cut, or its disk failed: the work may be done or not. Look before doing it again."""


class NotDistributable(Exception):
    """The book can't be spread over machines."""


class Duplicate(Exception):
    """A row with this key or unique value exists already."""


class Commits:
    """Counts the transactions of accounts that were committed."""

    def __init__(self) -> None:
        self.number = self.last_ms = 0

    def note(self) -> None:
        """Count one more, now."""
        self.number += 1
        self.last_ms = now_ms()


class ReplicaFigures(msgspec.Struct):
    """What came of the reads that a replica was asked for, and how far behind it was at the last one."""

    answered: int = 0
    behind: int = 0
    failed: int = 0
    lag_ms: int = 0


class Figures(msgspec.Struct, frozen=True):
    """What a process has counted of its database since it has opened it."""

    commits: int = 0
    last_commit_ms: int = 0
    idle: int = 0
    in_use: int = 0
    """Connections to a server."""
    replicas: tuple[ReplicaFigures, ...] = ()


class Reader(Protocol):
    """Reads one account, everything in the same snapshot."""

    account_id: int

    @property
    def revision(self) -> int:
        """A number of the account that every commit changes; no two states share it."""

    @property
    def cache(self) -> Values:
        """Values derived from the account at this revision."""

    def foresee(self, statement: Prepared, **values: Any) -> None:
        """Say that `rows` will be asked for this after the next question, before anything is changed.

        An engine across a network asks both in one round trip; others have nothing to do.
        """

    def expect(self, statement: Prepared) -> None:
        """Say that `rows` will be asked for this with the `ids` that `keys` finds next, or some of them.

        An engine across a network answers both in one round trip; others have nothing to do.
        """

    def is_whole(self, name: str) -> bool:
        """Tell whether what is kept of all rows under a name is of this version of the program.

        Something must have been read before, so that it is settled which state of the book is meant.
        """

    def rows(self, statement: Prepared, **values: Any) -> list[Row]:
        """Run a statement and return all its rows."""

    def keys(
        self, index: ListIndex, query: Query, *, above: int, below: int, descending: bool, limit: int
    ) -> list[int]:
        """Return the keys that match, `above <= key < below`, in list order or against it.

        Unavailable where the index was made from something else than the program would make it from.
        """


class Writer(Reader, Protocol):
    """Reads and writes one account in one transaction: all changes are kept, or none."""

    def run(self, statement: Prepared, **values: Any) -> None:
        """Run a statement that changes rows; Duplicate if a unique value exists.

        An engine across a network sends it with the next question, or with the commit: then that fails.
        `insert` and `reindex` do the same.
        """

    def changed(self, statement: Prepared, **values: Any) -> int:
        """Run a statement that changes rows now, and return how many."""

    def insert(self, statement: Prepared, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run an insert for every row, into the handle's own account."""

    def tell(self, statement: Prepared, rows: list[Row], **values: Any) -> None:
        """Say what `rows` would answer to the next question, by what was written just now: none is asked."""

    def is_awaited(self) -> bool:
        """Tell whether somebody has been waiting for the end of this transaction for some time."""

    def savepoint(self) -> AbstractContextManager[None]:
        """Mark a place in the transaction. An exception undoes everything since then, and is raised on."""

    def reindex(
        self,
        index: ListIndex,
        keys: Sequence[int],
        at_hand: Sequence[Linked] = (),
    ) -> None:
        """Bring the index up to date for these rows, also for those that are gone.

        `at_hand` are rows of its sources, in their order, each by the key of the indexed row: they are not
        read again.
        """

    @property
    def follows(self) -> bool:
        """Whether nobody else has written in the account since the last transaction of this thread.

        It may be told of somebody who has not. Only a thread that is `helped` knows it.
        """

    def index_ahead(self, index: ListIndex, at_hand: Sequence[Linked]) -> bool:
        """Have a helper make the entries of rows that the next transaction adds; False where none does.

        `at_hand` are the rows of each source of the index, by key.
        """

    def take_indexed(self, index: ListIndex) -> None:
        """Take up the entries that `index_ahead` was asked for next, in the order of asking."""

    def finish_ahead(self, name: str, rows: Sequence[Row]) -> bool:
        """Have a helper make the finished JSON of rows that the next transaction adds; False where none does.

        It is asked for before the entries of indexes, and fetched before them.
        """

    def take_finished(self) -> list[Finished]:
        """Return what `finish_ahead` was asked for next, in the order of asking."""

    def forget_ahead(self) -> None:
        """Drop what was asked for ahead and not taken up."""


FaultKind = Literal["missing", "stale", "left over"]


class IndexFault(msgspec.Struct, frozen=True):
    """What an index holds wrong of a row; without a key, the whole index is missing."""

    index: ListIndex
    key: int | None
    kind: FaultKind


class Inspector(Reader, Protocol):
    """Reads one account, and what the engine keeps beside its rows."""

    def index_faults(self, index: ListIndex) -> Iterator[IndexFault]:
        """Compare an index with the rows that it is made from, both ways."""

    def strange_values(self, table: sa.Table) -> Iterator[tuple[int, str]]:
        """Name values of another kind than their column: the second key of the row, and the column."""


class Gathering(Protocol):
    """The changes of a thread that share a commit."""

    asked_at: float | None
    """When the change was asked for that is done next, by `monotonic`."""

    @property
    def is_open(self) -> bool:
        """Whether something was done that is not committed yet."""

    def settle(self) -> BaseException | None:
        """Commit what is left open; tells why nothing is done of what was done since the last time, if so.

        Then every part fails for that reason, until `forget`.
        """

    def forget(self) -> None:
        """Begin anew: whoever has had a part in what failed has heard of it."""


class Database(Protocol):
    """A book: the accounts of one deployment, on one engine."""

    @property
    def timeout_ms(self) -> int:
        """How long the engine may keep a statement waiting."""

    def read(self, account_id: int) -> AbstractContextManager[Reader]:
        """Open a snapshot of one account."""

    def hold(self, account_id: int) -> AbstractContextManager[Reader]:
        """Open a snapshot that lasts: others are opened and ended meanwhile, also in its own thread.

        It may be used in any thread, in one at a time.
        """

    def write(self, account_id: int) -> AbstractContextManager[Writer]:
        """Open a transaction on one account; leaving it normally commits, an exception undoes it.

        Unavailable where an index of the account is of another version.
        """

    def gather(self, goes_on: Callable[[], bool]) -> Gathering | None:
        """Have this thread's transactions share a commit: each leaves it to a next one if `goes_on`.

        What was done may be told once `settle` has had nothing to tell. None where threads that write at once
        share a commit by themselves.
        """

    def helped(self, account_id: int) -> AbstractContextManager[None]:
        """Have a second process share in what this thread writes meanwhile, where one has a processor.

        For transactions of many rows of one account, without savepoints.
        """

    def touch(self, account_id: int, statement: Prepared, **values: Any) -> None:
        """Change what no page shows, without a new revision; Unavailable at once if somebody writes."""

    def revision(self, account_id: int) -> int | None:
        """Return the account's revision as cheaply as the engine can; None if there is no such account."""

    def rows_of_all_accounts(self, statement: Prepared, **values: Any) -> list[Row]:
        """Read outside any account: the table of accounts, the secrets of the deployment."""

    def run_of_all_accounts(self, statement: Prepared, **values: Any) -> None:
        """Write outside any account, in a transaction of its own."""

    def create_account(self, account_id: int, **values: Any) -> AbstractContextManager[Writer]:
        """Add an account and open its first transaction."""

    def accounts_to_index(self) -> list[int]:
        """List the accounts of which an index was made from something else, or not to its end."""

    def remake_indexes(self, account_id: int) -> int:
        """Make the next rows of such an account anew, in one transaction; tells how many, 0 at the end."""

    def inspect(self, account_id: int) -> AbstractContextManager[Inspector]:
        """Open a snapshot of one account, to look for faults in it."""

    def faults(self) -> Iterator[str]:
        """Name what is wrong with the database as a whole, a sentence each; the rows are looked at apart."""

    def tidy(self, account_ids: Sequence[int]) -> None:
        """Bring in order what many changed rows of accounts have left, as far as the engine needs that.

        So that later questions are answered fast; a user who may not do that does nothing.
        """

    def figures(self) -> Figures:
        """Tell what was counted, without asking the database."""

    def schema_version(self) -> str | None:
        """Return the version of the database's schema; None if it has none yet."""

    def missing_parts(self) -> list[str]:
        """Name the tables, columns and indexes that the declaration has and the database has not."""

    def why_not_written(self) -> str | None:
        """Say what keeps the book from being written, after its name; None where nothing is known of."""

    def close(self) -> None:
        """Close files and connections, those of other threads too. Whoever needs them opens them again."""
