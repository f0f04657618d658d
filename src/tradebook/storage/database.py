"""What every engine offers: handles that read and write one account, and the way to get them.

A handle belongs to one account and gives the account's number to every statement that it runs. A read
handle has another type than a write handle, and can't write. Only `web` and the commands commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from tradebook.storage.index import ListIndex, Query
from tradebook.storage.schema import Prepared

Row = tuple[Any, ...]

ROWS_AT_ONCE = 1_000
"""How many rows one statement, or one transaction of many, is about."""


class Unavailable(Exception):
    """The engine can't be reached, or is busy for longer than the configured wait."""


class Conflict(Unavailable):
    """Another transaction was in the way. Nothing was done; the same work may succeed at a second try."""


class OutcomeUnknown(Unavailable):
    """The commit was cut: the work may be done or not. Look before doing it again."""


class NotDistributable(Exception):
    """The book can't be spread over machines."""


class Duplicate(Exception):
    """A row with this key or unique value exists already."""


class Reader(Protocol):
    """Reads one account, everything in the same snapshot."""

    account_id: int

    @property
    def revision(self) -> int:
        """A number of the account that every commit changes; no two states share it."""

    @property
    def cache(self) -> dict[Any, Any]:
        """Values derived from the account at this revision; emptied when it changes."""

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

    def run(self, statement: Prepared, **values: Any) -> int:
        """Run a statement that changes rows and return how many; Duplicate if a unique value exists."""

    def insert(self, statement: Prepared, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run an insert for every row, into the handle's own account."""

    def savepoint(self) -> AbstractContextManager[None]:
        """Mark a place in the transaction. An exception undoes everything since then, and is raised on."""

    def reindex(
        self, index: ListIndex, keys: Sequence[int], known: Mapping[int, Mapping[str, Any]] | None = None
    ) -> None:
        """Bring the index up to date for these rows, also for those that are gone.

        `known` are whole rows that are at hand, by key, and are not read again.
        """


class Database(Protocol):
    """A book: the accounts of one deployment, on one engine."""

    @property
    def timeout_ms(self) -> int:
        """How long the engine may keep a statement waiting."""

    def read(self, account_id: int) -> AbstractContextManager[Reader]:
        """Open a snapshot of one account."""

    def write(self, account_id: int) -> AbstractContextManager[Writer]:
        """Open a transaction on one account; leaving it normally commits, an exception undoes it.

        Unavailable where an index of the account is of another version.
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

    def schema_version(self) -> str | None:
        """Return the version of the database's schema; None if it has none yet."""

    def missing_parts(self) -> list[str]:
        """Name the tables, columns and indexes that the declaration has and the database has not."""

    def why_not_written(self) -> str | None:
        """Say what keeps the book from being written, after its name; None where nothing is known of."""

    def close(self) -> None:
        """Close files and connections, those of other threads too. Whoever needs them opens them again."""
