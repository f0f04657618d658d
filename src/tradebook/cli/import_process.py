"""The process beside a server that works at imports: `python -m tradebook.cli.import_process PARENT`.

It ends when there was nothing to do for a minute, when it is told to, and when its parent is gone.
"""

import gc
import os
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread, get_native_id
from time import monotonic
from traceback import format_exception

from msgspec import structs

from tradebook.book import open_database, uploads_of
from tradebook.cli.opening import PATIENCE_MS
from tradebook.ids import encode_id
from tradebook.resources.imports import ID_PREFIX
from tradebook.settings import load_settings
from tradebook.storage.database import Unavailable
from tradebook.storage.location import locate
from tradebook.transfer.imports.background import Background, Told
from tradebook.web.log import log
from tradebook.web.service import ACCOUNT_PREFIX

NICENESS = 10
"""Of the thread that plans, so that requests come first where there is not enough of the processor for both.

What writes is not niced: whoever waits for its lock would wait for the processor too.
"""

OUT_OF_MEMORY_FIRST = "500"
"""Where a file takes more memory than the machine has, this process is ended and not the server."""

LOOK_SECONDS = 0.2
IDLE_SECONDS = 60.0
"""How long it stays without anything to do."""

GRACE_SECONDS = 5.0
"""How long it goes on at most when it is to end: a step of an import is shorter."""

COLLECT_AFTER = 200_000


def main() -> None:
    """Do what is due."""
    parent = int(sys.argv[1])
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OUT_OF_MEMORY_FIRST, encoding="ascii")
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    stopping = Event()
    # Ctrl-C in a terminal reaches this process too. It is the server that ends it then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    Thread(target=_end_with, args=(parent, stopping), daemon=True).start()
    settings = load_settings()
    folder = uploads_of(settings)
    with suppress(OSError):
        # What planning must remember is about as large as the file, and the usual place may be memory.
        folder.make()
        tempfile.tempdir = str(folder.path)
    patience = max(settings.database_timeout_ms, PATIENCE_MS)
    planner = ThreadPoolExecutor(1, initializer=_be_nice)
    try:
        with closing(open_database(structs.replace(settings, database_timeout_ms=patience))) as database:
            background = Background(
                database,
                folder,
                is_embedded=locate(settings.database).is_embedded,
                is_stopping=stopping.is_set,
                tell=_tell,
                reads=lambda work: planner.submit(work).result(),
            )
            _work_on(background, stopping)
    except Unavailable as error:
        log("imports wait for the database", reason=str(error))
        sys.exit(1)


def _be_nice() -> None:
    """Let others go before this thread; the system counts for each thread."""
    os.setpriority(os.PRIO_PROCESS, get_native_id(), NICENESS)


def _work_on(background: Background, stopping: Event) -> None:
    """Do what is due, and what becomes due soon: who has read a plan applies it, and a start takes time."""
    idle_since = monotonic()
    background.work()
    while monotonic() - idle_since < IDLE_SECONDS and not stopping.wait(LOOK_SECONDS):
        if background.has_work():
            background.work()
            idle_since = monotonic()


def _end_with(parent: int, stopping: Event) -> None:
    """Stop when the parent is gone; where that takes too long, end at once, which does no harm."""
    while not stopping.wait(LOOK_SECONDS):
        if os.getppid() != parent:
            stopping.set()
    Event().wait(GRACE_SECONDS)
    os._exit(1)


def _tell(told: Told) -> None:
    more = {}
    if told.fault is not None:
        more["exception"] = "".join(format_exception(told.fault)).rstrip()
    log(
        f"import {told.state}",
        account=encode_id(ACCOUNT_PREFIX, told.account_id),
        import_id=encode_id(ID_PREFIX, told.import_id),
        rows=told.rows,
        **more,
    )


if __name__ == "__main__":
    main()
