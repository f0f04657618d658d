"""What every engine offers: handles that read and write one account, and the way to get them.

A handle belongs to one account and supplies its number to every statement it runs. A read handle
can't write: it is another type. Nothing below `web` and the commands commits.
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
    """Another transaction was in the way. Nothing was done; done again, the same work may go well."""


class OutcomeUnknown(Unavailable):
    """The connection was lost in the commit: the work may be done or not. Look before doing it again."""


class NotDistributable(Exception):
    """The book can't be spread over machines."""


class Duplicate(Exception):
    """A row with this key or unique value exists already."""


class Reader(Protocol):
    """Reads one account, everything in the same snapshot."""

    account_id: int

    @property
    def revision(self) -> int:
        """A number that no two states of the account share."""

    @property
    def cache(self) -> dict[Any, Any]:
        """What was derived from the account at this revision; dropped as soon as it changes."""

    def rows(self, statement: Prepared, **values: Any) -> list[Row]:
        """Run a statement and return all its rows."""

    def keys(
        self, index: ListIndex, query: Query, *, above: int, below: int, descending: bool, limit: int
    ) -> list[int]:
        """Return the keys that match, `above <= key < below`, in list order or against it.

        Unavailable where the index was made from something else than the program would make it from.
        """


class Writer(Reader, Protocol):
    """Reads and writes one account in one transaction; everything is kept or nothing."""

    def run(self, statement: Prepared, **values: Any) -> int:
        """Run a statement that changes rows and return how many; Duplicate where one exists."""

    def insert(self, statement: Prepared, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run an insert for every row; the account is the handle's own."""

    def savepoint(self) -> AbstractContextManager[None]:
        """Mark a place in the transaction; an exception undoes what was done since, and goes on."""

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
        """Change what no page shows: the revision stays. Unavailable at once where another one writes."""

    def revision(self, account_id: int) -> int | None:
        """Tell the account's revision as cheaply as the engine can; None when there is no such account."""

    def rows_of_all_accounts(self, statement: Prepared, **values: Any) -> list[Row]:
        """Read outside any account: which accounts there are, what the deployment's secrets are."""

    def run_of_all_accounts(self, statement: Prepared, **values: Any) -> None:
        """Write outside any account, in a transaction of its own."""

    def create_account(self, account_id: int, **values: Any) -> AbstractContextManager[Writer]:
        """Add an account and open its first transaction."""

    def accounts_to_index(self) -> list[int]:
        """List the accounts of which an index was made from something else, or not to its end."""

    def remake_indexes(self, account_id: int) -> int:
        """Make the next rows of such an account anew, in one transaction; tells how many, 0 at the end."""

    def schema_version(self) -> str | None:
        """Tell which schema the database has; None where it has none yet."""

    def close(self) -> None:
        """Let go of files and connections."""
