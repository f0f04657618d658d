"""Finishes what processes have left that are gone: an import that goes through is written, others are swept.

Every command that opens a book calls `settle`, and a server every second. Nearly always it is one small read.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from tradebook.clock import now_ms
from tradebook.crud.records import Values
from tradebook.storage.accounts import IMPORTS_DUE
from tradebook.storage.database import Database, Writer
from tradebook.storage.transactions import reading, writing
from tradebook.transfer.imports import entries
from tradebook.transfer.imports.applying import withdraw
from tradebook.transfer.imports.owners import at_work, is_gone
from tradebook.transfer.imports.staging import sweep
from tradebook.transfer.imports.stepping import CutShort, finish

__all__ = ["CutShort", "settle"]

GoesOn = Callable[[str | None, int, int], None]
"""Is told what the file of an import is called that is finished, how many rows are there, and of how many."""


def settle(database: Database, told: GoesOn | None = None) -> int:
    """Do what is left to do, of all accounts; tells how many imports were finished.

    Unavailable or CutShort where that can't be now: it is done another time.
    """
    finished = 0
    for (account_id,) in database.rows_of_all_accounts(IMPORTS_DUE, now=now_ms()):
        for entry in reading(database, account_id, entries.open_ones):
            finished += _settle(database, account_id, entry, told)
        if not reading(database, account_id, entries.is_noted):
            writing(database, account_id, entries.note_due)
    return finished


def _settle(database: Database, account_id: int, entry: Values, told: GoesOn | None) -> bool:
    key, state = entry["id"], entries.STATES[entry["state"]]
    if state == "applying":
        return _go_on(database, account_id, entry, told)
    if state == "planning":
        # A file that was uploaded is planned again by a server, which has it.
        if not _is_upload(entry) and is_gone(key, entry["owner"], entry["lease_until"]):
            withdraw(database, account_id, key)
    elif entry["ends_at"] is None:
        if state != "planned":
            sweep(database, account_id, key)
    elif entry["ends_at"] <= now_ms():
        writing(database, account_id, partial(_end, key=key))
        sweep(database, account_id, key)
    return False


def _go_on(database: Database, account_id: int, entry: Values, told: GoesOn | None) -> bool:
    key = entry["id"]
    if not is_gone(key, entry["owner"], entry["lease_until"]):
        return False
    with at_work(key):
        if not writing(database, account_id, partial(entries.take, entry=entry)):
            return False
        finish(database, account_id, key, None if told is None else partial(told, entry["source"]))
    return True


def _is_upload(entry: Values) -> bool:
    options: dict[str, Any] = msgspec.json.decode(entry["options"])
    return options.get("upload") is not None


def _end(writer: Writer, *, key: int) -> None:
    entry = entries.find(writer, key)
    if entry is None:
        return
    ended: Values = {"ends_at": None}
    if entry["state"] == entries.PLACES["planned"]:
        error = "The plan was not applied in time. Upload the file again."
        ended |= {"state": entries.PLACES["discarded"], "error": error}
    entries.change(writer, entry, **ended)
