"""An import that is killed at any statement: the next command makes it whole, or leaves nothing of it."""

import multiprocessing
import os
import random
import signal
from contextlib import ExitStack
from typing import NamedTuple
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
from tradebook.storage.sqlite.handles import SqliteReader, SqliteWriter
from tradebook.transfer.imports import stepping
from tradebook.transfer.imports.applying import apply_plan
from tradebook.transfer.imports.writing import Step

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


def import_until(url, account, count, counted, fault):
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
        for each in (*in_small_steps(), *fault()):
            small.enter_context(each)
        for kind, name in STATEMENTS:
            small.enter_context(patch.object(kind, name, counting(getattr(kind, name))))
        apply_plan(database, account, plan, source="customers.ndjson")


def no_fault():
    return ()


def notes_first_what_it_writes_then():
    """The planted fault: how far a step comes is one transaction, and its rows are another."""
    together, write_rows = stepping.writing, stepping.write_rows

    def apart(database, account, act):
        put_off = []
        with patch.object(stepping, "write_rows", lambda *given, is_last: put_off.append((given, is_last))):
            noted = together(database, account, act)

        def write(writer):
            for (step, rows, counts), is_last in put_off:
                write_rows(Step(writer, step._match), rows, counts, is_last=is_last)

        together(database, account, write)
        return noted

    return (patch.object(stepping, "writing", apart),)


def records():
    return [{"number": "OLD", "name": "New name", "phone": "12"}, *family(SIZE)]


def in_a_process(url, account, count=None, fault=no_fault):
    """Import in a process of its own; tells how it ended, and after how many statements."""
    counted = PROCESSES.Value("i", 0)
    process = PROCESSES.Process(target=import_until, args=(url, account, count, counted, fault))
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


class Outcomes(NamedTuple):
    """What kills have left: whether each import went through, how many stood in the middle, what is wrong."""

    went_through: list[bool]
    between: int
    violations: list[str]


def kill_at(command, places, *, nothing, whole, fault=no_fault):
    """Have imports killed, each at its statement and in an account of its own; look before and after."""
    went_through, between, violations = [], 0, []
    for place in places:
        ledger = new_ledger(command)
        ended, _ = in_a_process(command.database, ledger.key, place, fault)
        assert ended == -signal.SIGKILL
        left = told(ledger.records())
        ledger.database.close()
        check = ("check", "--account", encode_id(ID_PREFIX, ledger.key))
        at_once = command.run(*check)

        command.good("accounts", "list")

        settled, then = told(ledger.records()), command.run(*check)
        ledger.database.close()
        if (at_once.returncode, then.returncode) != (0, 0):
            violations.append(f"killed at {place}, it has faults: {at_once.stdout or then.stdout}")
        if settled not in (nothing, whole):
            violations.append(f"killed at {place}, it is neither as before nor as after")
        went_through.append(settled == whole)
        between += left not in (nothing, whole)
    return Outcomes(went_through, between, violations)


def whole_import(command, fault=no_fault):
    """Import without a kill; tells what is there before and after, and after how many statements."""
    ledger = new_ledger(command)
    nothing = told(ledger.records())
    ended, last = in_a_process(command.database, ledger.key, fault=fault)
    whole = told(ledger.records())
    ledger.database.close()
    assert (ended, len(whole)) == (0, SIZE + 4)
    assert last > FEWEST_STATEMENTS
    return nothing, whole, last


def test_an_import_killed_at_any_statement_is_there_as_a_whole_or_not_at_all(command, figures):
    nothing, whole, last = whole_import(command)
    places = sorted(random.Random(1).sample(range(1, last + 1), KILLS))

    found = kill_at(command, places, nothing=nothing, whole=whole)

    figures(KILLS, last, len(found.violations), left_between=found.between)
    assert found.violations == []
    assert found.went_through == sorted(found.went_through), "behind the switch it goes through"
    assert found.between


@pytest.mark.parametrize("command", length(["sqlite"], ENGINES), indirect=True)
def test_a_step_that_is_noted_apart_from_its_rows_is_found(command):
    nothing, whole, last = whole_import(command, notes_first_what_it_writes_then)

    found = kill_at(
        command, [last * 2 // 3], nothing=nothing, whole=whole, fault=notes_first_what_it_writes_then
    )

    assert len(found.violations) == 1
    assert "neither as before nor as after" in found.violations[0]
