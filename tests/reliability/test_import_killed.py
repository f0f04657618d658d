"""An import that is killed at any statement: the next command makes it whole, or leaves nothing of it."""

import multiprocessing
import os
import random
import signal
from contextlib import ExitStack
from unittest.mock import patch

import pytest

from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import ENGINES, Sqlite
from tests.fixtures.ledgers import Ledger
from tests.fixtures.lengths import length
from tests.transfer.steps import family, in_small_steps, planned, told
from tradebook.app import open_database
from tradebook.ids import encode_id
from tradebook.resources.accounts import ID_PREFIX
from tradebook.settings import Settings
from tradebook.storage.postgres.handles import PostgresReader, PostgresWriter
from tradebook.storage.sqlite.engine import SqliteReader, SqliteWriter
from tradebook.transfer.imports.applying import apply_plan

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])
KILLS = length(4, 100)
"""How often an import is killed on each engine: at places drawn among all its statements."""

SIZE = 40
FEWEST_STATEMENTS = 200
STATEMENTS = (
    *((kind, "rows") for kind in (SqliteReader, PostgresReader)),
    *((kind, name) for kind in (SqliteWriter, PostgresWriter) for name in ("run", "insert", "reindex")),
)


def import_until(url, account, count, counted):
    """Import in small steps, and end for good at the statement of this number, before it or behind it."""
    done = 0

    def counting(whole):
        def statement(*arguments, **named):
            nonlocal done
            done += 1
            counted.value = done
            if done == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(*arguments, **named)

        return statement

    database = open_database(Settings(database=url))
    plan = planned(database, account, records())
    with ExitStack() as small:
        for each in in_small_steps():
            small.enter_context(each)
        for kind, name in STATEMENTS:
            small.enter_context(patch.object(kind, name, counting(getattr(kind, name))))
        apply_plan(database, account, plan, source="customers.ndjson")


def records():
    return [{"number": "OLD", "name": "New name", "phone": "12"}, *family(SIZE)]


def in_a_process(url, account, count=None):
    """Import in a process of its own; tells how it ended, and after how many statements."""
    counted = PROCESSES.Value("i", 0)
    process = PROCESSES.Process(target=import_until, args=(url, account, count, counted))
    process.start()
    process.join()
    return process.exitcode, counted.value


@pytest.fixture(params=ENGINES)
def command(request, tmp_path):
    engine = Sqlite() if request.param == "sqlite" else request.getfixturevalue("postgres")
    return CommandLine(tmp_path, engine.new(tmp_path))


def new_ledger(command):
    ledger = Ledger(open_database(Settings(database=command.database)))
    ledger.take({"number": "OLD", "name": "Old name"})
    return ledger


def test_an_import_killed_at_any_statement_is_there_as_a_whole_or_not_at_all(command, figures):
    ledger = new_ledger(command)
    nothing = told(ledger.records())
    ended, last = in_a_process(command.database, ledger.key)
    whole = told(ledger.records())
    ledger.database.close()
    assert (ended, len(whole)) == (0, SIZE + 4)
    assert last > FEWEST_STATEMENTS
    drawn, found, between = random.Random(1), [], 0

    for place in sorted(drawn.sample(range(1, last + 1), KILLS)):
        ledger = new_ledger(command)
        ended, _ = in_a_process(command.database, ledger.key, place)
        left = told(ledger.records())
        ledger.database.close()
        account = encode_id(ID_PREFIX, ledger.key)
        assert ended == -signal.SIGKILL
        assert command.run("check", "--account", account).returncode == 0, place

        command.good("accounts", "list")

        assert command.run("check", "--account", account).returncode == 0, place
        settled = told(ledger.records())
        ledger.database.close()
        assert settled in (nothing, whole), place
        found.append(settled == whole)
        between += left not in (nothing, whole)

    figures(KILLS, last, 0, left_between=between)
    assert found == sorted(found), "behind the switch it goes through, before it nothing is there"
    assert between
