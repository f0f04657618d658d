"""The server's look at its imports: where there is something to do, a process is started that does it."""

import os
import subprocess
import sys
from time import monotonic

from tradebook.book import open_database, uploads_of
from tradebook.clock import now_ms
from tradebook.settings import Settings
from tradebook.storage.accounts import IMPORTS_DUE
from tradebook.storage.database import Database, Unavailable
from tradebook.storage.location import locate
from tradebook.web.log import log

LOOK_SECONDS = 0.5
"""How often it is looked."""

PAUSE_SECONDS_MAX = 30.0
"""How long to wait at most before another process is started, where one has failed after the other."""

END_SECONDS_MAX = 8.0


class ImportWatch:
    """Looks for imports that wait, and keeps one process at work at them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database: Database | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._failed = 0
        self._next_at = 0.0
        self._looked_for_files = False
        self._ends_at = 0.0

    def look(self) -> None:
        """Start a process where there is something to do and none is at it. It never waits for one."""
        if self._is_busy() or monotonic() < self._next_at:
            return
        try:
            if self._has_work():
                self.let_go()
                command = (sys.executable, "-P", "-m", "tradebook.cli.import_process", str(os.getpid()))
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - our own
        except Unavailable:
            pass
        except Exception as error:
            log("imports can't be looked for", reason=str(error))
            self._wait_longer()

    def let_go(self) -> None:
        """Close the database: a process that is forked must not find it open."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def begin_to_end(self) -> None:
        """Tell the process to end."""
        self._ends_at = monotonic() + END_SECONDS_MAX
        self.let_go()
        if self._process is not None:
            self._process.terminate()

    def end(self) -> None:
        """Wait until the process has ended, which was told to."""
        if self._process is None:
            return
        try:
            # The workers were waited for meanwhile.
            self._process.wait(max(0.0, self._ends_at - monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _is_busy(self) -> bool:
        if self._process is None:
            return False
        code = self._process.poll()
        if code is None:
            return True
        self._process = None
        if code:
            self._wait_longer()
        else:
            self._failed = 0
        return False

    def _wait_longer(self) -> None:
        self._failed += 1
        self._next_at = monotonic() + min(PAUSE_SECONDS_MAX, LOOK_SECONDS * 2**self._failed)

    def _has_work(self) -> bool:
        folder = uploads_of(self._settings)
        if not self._looked_for_files:
            # What a process has left that was killed while a file came.
            self._looked_for_files = True
            if not folder.is_empty():
                return True
        if self._database is None:
            self._database = open_database(self._settings)
        if not self._database.rows_of_all_accounts(IMPORTS_DUE, now=now_ms()):
            return False
        # Late: most servers never need it.
        from tradebook.transfer.imports.background import Background  # noqa: PLC0415

        is_embedded = locate(self._settings.database).is_embedded
        return Background(
            self._database, folder, is_embedded=is_embedded, is_stopping=lambda: False
        ).has_work()
