"""What a server does for imports beside its requests: it plans uploaded files, and finishes what is applied.

A process of its own does it, one import after the other, and may be ended at any moment: what it has not
finished is begun again, or goes on, when the next one comes.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic

import msgspec
import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.crud.records import Values
from tradebook.ids import milliseconds_of
from tradebook.resources.import_routes import PLAN_ENDS_AFTER_MS, KeptOptions
from tradebook.resources.imports import imports
from tradebook.storage.accounts import IMPORTS_DUE
from tradebook.storage.database import Database, Unavailable, Writer
from tradebook.storage.schema import ACCOUNT, prepare
from tradebook.storage.transactions import reading, writing
from tradebook.storage.upload_files import UploadFolder
from tradebook.transfer.imports import entries
from tradebook.transfer.imports.applying import keep_plan
from tradebook.transfer.imports.owners import at_work, is_gone, lease_until, this_process
from tradebook.transfer.imports.planned import KeptPlan
from tradebook.transfer.imports.settling import CutShort, settle
from tradebook.transfer.imports.staging import sweep
from tradebook.transfer.imports.uploaded import plan_of
from tradebook.transfer.maps.column_map import MapError

ELSEWHERE_MS = 86_400_000
"""How long a file may be on the disk of another machine, which is away, before its import has failed."""

TRIES_MAX = 3
"""How often planning is begun, as a process may die of a file."""

TOLD_SECONDS = 0.5
"""How often it is noted how far planning has come."""

FAULT = "The server has failed on this file. Its log says more."

_NOTE = prepare(
    sa.update(imports)
    .where(imports.c.account_id == ACCOUNT, imports.c.id == sa.bindparam("key"))
    .values(rows=sa.bindparam("rows"), lease_until=sa.bindparam("lease"), updated_at=sa.bindparam("now"))
)
_options = msgspec.json.Decoder(KeptOptions)


class Stopped(Exception):
    """The process is told to end, or the import was discarded meanwhile."""


class Told(msgspec.Struct, frozen=True):
    """What came of an import, for the log."""

    account_id: int
    import_id: int
    state: str
    rows: int
    fault: BaseException | None = None


class Tries(msgspec.Struct, frozen=True):
    """How often planning was begun."""

    tries: int = 0


class Background:
    """Does what is due, in one book."""

    def __init__(
        self,
        database: Database,
        folder: UploadFolder,
        *,
        is_embedded: bool,
        is_stopping: Callable[[], bool],
        tell: Callable[[Told], object] = lambda _: None,
        reads: Callable[[Callable[[], KeptPlan]], KeptPlan] = lambda work: work(),
    ) -> None:
        """Take what it works with; `reads` does what takes long and holds no lock."""
        self._database, self._folder, self._is_embedded = database, folder, is_embedded
        self._is_stopping, self._tell, self._reads = is_stopping, tell, reads

    def work(self) -> None:
        """Do all that is due; ends early where it is told to stop, or the database is away (Unavailable)."""
        try:
            while self._work_once() and not self._is_stopping():
                pass
        except (Stopped, CutShort):
            if not self._is_stopping():
                raise
        self._folder.sweep(self._is_wanted)

    def has_work(self) -> bool:
        """Tell whether there is something that this process could do."""
        return any(self._has_work(account_id) for account_id in self._due())

    def _has_work(self, account_id: int) -> bool:
        found = reading(self._database, account_id, entries.open_ones)
        return any(map(self._can_be_done, found)) or not reading(self._database, account_id, entries.is_noted)

    def _due(self) -> list[int]:
        return [
            account_id for (account_id,) in self._database.rows_of_all_accounts(IMPORTS_DUE, now=now_ms())
        ]

    def _can_be_done(self, entry: Values) -> bool:
        state = entries.STATES[entry["state"]]
        if state not in {"planning", "applying"}:
            return entry["ends_at"] is None or entry["ends_at"] <= now_ms()
        if not is_gone(entry["id"], entry["owner"], entry["lease_until"]):
            return False
        upload = _upload_of(entry)
        return upload is None or self._is_here(entry, upload)

    def _is_here(self, entry: Values, upload: str) -> bool:
        """Tell whether this process is the one to plan a file, or to say that it is lost."""
        age = now_ms() - milliseconds_of(entry["id"])
        return self._is_embedded or age > ELSEWHERE_MS or self._folder.find(upload) is not None

    def _work_once(self) -> bool:
        """Do what is due now; tells whether a file was planned, as more may have come meanwhile.

        Of each account one file, so that nobody waits for all that another one has sent.
        """
        settle(self._database, lambda *_: self._require_going_on())
        is_any = False
        for account_id in self._due():
            found = reading(self._database, account_id, entries.open_ones)
            entry = next((each for each in found if self._can_be_planned(each)), None)
            if entry is not None:
                self._plan(account_id, entry)
                is_any = True
        return is_any

    def _can_be_planned(self, entry: Values) -> bool:
        return _upload_of(entry) is not None and self._can_be_done(entry)

    def _require_going_on(self) -> None:
        if self._is_stopping():
            raise Stopped

    def _plan(self, account_id: int, found: Values) -> None:
        key = found["id"]
        with at_work(key):
            entry = writing(self._database, account_id, partial(_take, found=found))
            if entry is None:
                # Somebody was faster.
                return
            # What a process has left that died while it staged.
            sweep(self._database, account_id, key)
            options = _options.decode(entry["options"])
            assert options.upload is not None
            path = self._folder.find(options.upload)
            if path is None:
                self._fail(account_id, key, "The uploaded file is gone. Upload it again.")
            elif _tries(entry) > TRIES_MAX:
                self._fail(account_id, key, FAULT)
            else:
                self._plan_file(account_id, key, path, options)
            self._folder.remove(options.upload)

    def _plan_file(self, account_id: int, key: int, path: Path, options: KeptOptions) -> None:
        going = _Going(self._database, account_id, key, self._require_going_on)

        def read() -> KeptPlan:
            with self._database.hold(account_id) as reader:
                return plan_of(reader, path, options, going.note)

        try:
            plan = self._reads(read)
            try:
                self._keep(account_id, key, plan)
            finally:
                plan.close()
        except (Stopped, entries.NotMine):
            if self._is_stopping():
                # It was not the file's fault.
                writing(self._database, account_id, partial(_give_back, key=key))
                raise Stopped from None
        except MapError as error:
            self._fail(account_id, key, str(error))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a file does to the program, the import has an end
            self._fail(account_id, key, FAULT, error)

    def _keep(self, account_id: int, key: int, plan: KeptPlan) -> None:
        # What is read of it may be its beginning, and is no list to apply.
        if plan.file_problem is not None:
            self._fail(account_id, key, str(plan.file_problem))
            return
        keep_plan(self._database, account_id, key, plan, ends_at=now_ms() + PLAN_ENDS_AFTER_MS)
        self._tell(Told(account_id, key, "planned", plan.summary.rows))

    def _fail(self, account_id: int, key: int, error: str, fault: BaseException | None = None) -> None:
        writing(self._database, account_id, partial(_end, key=key, error=error))
        self._tell(Told(account_id, key, "failed", 0, fault))

    def _is_wanted(self, name: str) -> bool:
        return any(
            _upload_of(entry) == name
            for account_id in self._due()
            for entry in reading(self._database, account_id, entries.open_ones)
        )


class _Going:
    """Notes how far planning has come, and ends it where nobody wants it any more."""

    def __init__(
        self, database: Database, account_id: int, key: int, require_going_on: Callable[[], None]
    ) -> None:
        self._database, self._account_id, self._key = database, account_id, key
        self._require_going_on = require_going_on
        self._told_at = monotonic()

    def note(self, rows: int) -> None:
        """Take note that so many rows are read."""
        self._require_going_on()
        if monotonic() - self._told_at < TOLD_SECONDS:
            return
        self._told_at = monotonic()
        entry = reading(self._database, self._account_id, partial(entries.find, key=self._key))
        if entry is None or entry["owner"] != this_process():
            raise entries.NotMine
        # No page shows it, so nothing that is kept of the account is made anew for it.
        with suppress(Unavailable):
            self._database.touch(
                self._account_id, _NOTE, key=self._key, rows=rows, lease=lease_until(), now=now_ms()
            )


def _upload_of(entry: Values) -> str | None:
    """Name the file that is to be planned; None where there is none."""
    is_planning = entries.STATES[entry["state"]] == "planning"
    return _options.decode(entry["options"]).upload if is_planning else None


def _tries(entry: Values) -> int:
    return msgspec.json.decode(entry["counts"], type=Tries).tries


def _take(writer: Writer, *, found: Values) -> Values | None:
    """Take over a file that nobody plans, if it is as it was found; None otherwise."""
    if not entries.take(writer, found):
        return None
    taken = entries.find(writer, found["id"])
    assert taken is not None
    counts = msgspec.json.encode(Tries(_tries(taken) + 1)).decode()
    entries.change(writer, taken, counts=counts)
    return {**taken, "counts": counts}


def _give_back(writer: Writer, *, key: int) -> None:
    entry = entries.find(writer, key)
    if entry is not None and entry["state"] == entries.PLACES["planning"]:
        entries.change(writer, entry, counts="{}", owner=None, lease_until=None, rows=0)


def _end(writer: Writer, *, key: int, error: str) -> None:
    entry = entries.find(writer, key)
    if entry is not None and entry["state"] == entries.PLACES["planning"]:
        entries.change(
            writer, entry, state=entries.PLACES["failed"], error=error, owner=None, lease_until=None
        )
