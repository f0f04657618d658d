"""Entries of indexes that a helper makes while rows are written: they come in at the end of a transaction."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tradebook.storage.database import Finished, Row
from tradebook.storage.helping import Helper, Work
from tradebook.storage.index import ListIndex
from tradebook.storage.index_documents import RowsToIndex

HELPED_ROWS = 20
"""From how many rows on the helper is asked: less is done sooner than said."""

Make = Callable[[ListIndex, int, RowsToIndex], list[Any]]
"""Makes the entries of rows, of an index and an account."""


class Entries:
    """The entries of one transaction that are still to be written, in the order in which they were asked."""

    def __init__(self, account_id: int, helper: Helper) -> None:
        self._account_id, self._helper = account_id, helper
        self._asked: list[ListIndex] = []

    def ask(self, index: ListIndex, rows: RowsToIndex) -> bool:
        """Have the entries of rows made, unless these are too few."""
        # Before its answer comes that of what a later transaction is to take up, or of nobody's any more.
        is_behind = self._helper.waiting > len(self._asked)
        if is_behind or not self.ask_ahead(index, rows):
            return False
        self.expect(index)
        return True

    def ask_ahead(self, index: ListIndex, rows: RowsToIndex) -> bool:
        """Have entries made for the next transaction, which expects them in the order of asking."""
        if len(rows[0]) < HELPED_ROWS or not self._helper.is_there:
            return False
        self._helper.ask(msgspec.msgpack.encode((index.name, self._account_id, rows)))
        return True

    def finish_ahead(self, name: str, rows: Sequence[Row]) -> bool:
        """Have the finished JSON of rows made for the next transaction, which fetches it."""
        if len(rows) < HELPED_ROWS or not self._helper.is_there:
            return False
        self._helper.ask(msgspec.msgpack.encode((name, self._account_id, rows)))
        return True

    def finished(self) -> list[Finished]:
        """Fetch the finished JSON that the transaction before has asked for next."""
        found: list[Finished] = msgspec.msgpack.decode(self._helper.fetch())
        return found

    def expect(self, index: ListIndex) -> None:
        """Take up the next entries that the transaction before has asked for."""
        self._asked.append(index)

    def forget(self) -> None:
        """Drop what earlier transactions have asked for: they were undone, or somebody else has written."""
        self._helper.drop()

    def take(self) -> list[tuple[ListIndex, Sequence[Any]]]:
        """Return what was made of all that was asked since the last time."""
        asked, self._asked = self._asked, []
        return [(index, msgspec.msgpack.decode(self._helper.fetch())) for index in asked]

    def take_ready(self) -> list[tuple[ListIndex, Sequence[Any]]]:
        """Return of that what is there already."""
        found = []
        while self._asked and self._helper.has_answered:
            found.append((self._asked.pop(0), msgspec.msgpack.decode(self._helper.fetch())))
        return found


def making_entries(indexes: Sequence[ListIndex], make: Make) -> Work:
    """Return what makes entries, and finished JSON, in another process, where each is known by its name."""
    named = {index.name: index for index in indexes}
    finished = {index.finished.name: index.finished for index in indexes if index.finished is not None}

    def work(asked: bytes) -> bytes:
        name, account_id, rows = msgspec.msgpack.decode(asked)
        if name in finished:
            return msgspec.msgpack.encode(list(finished[name].make(rows).items()))
        return msgspec.msgpack.encode(make(named[name], account_id, rows))

    return work
