"""A backup and a migration that come in the middle of an import on a file: none of the three spoils another.

A migration is a process: Alembic brings another SQLite along, and two of them in one process break each other's
locks on a file that both have open.
"""

import json
import os
import subprocess
import sys
from contextlib import ExitStack, closing
from unittest.mock import patch

import apsw
import pytest

from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tests.fixtures.server import DEADLINE_SECONDS, wait_until
from tests.transfer.steps import family, told
from tradebook.ids import decode_id
from tradebook.resources.accounts import ID_PREFIX
from tradebook.transfer.imports import applying, stepping

SIZE = 40
pytestmark = pytest.mark.usefixtures("small_steps")


@pytest.fixture
def command(tmp_path):
    made = CommandLine(tmp_path, Sqlite().new(tmp_path))
    made.account = made.good("accounts", "create", "Acme")
    (tmp_path / "customers.ndjson").write_text("\n".join(map(json.dumps, family(SIZE))))
    return made


def bring_in(command, account=None):
    command.good("import", "customers", "customers.ndjson", "--account", account or command.account)


def exported(command, account=None):
    text = command.good("export", "customers", "--account", account or command.account)
    return told(map(json.loads, text.splitlines()))


@pytest.fixture
def other(command):
    """An account with what the import makes when nothing comes between."""
    made = command.good("accounts", "create", "Other")
    bring_in(command, made)
    return made


@pytest.fixture
def whole(command, other):
    return exported(command, other)


def between_steps(act):
    """Have something done before the switch, and before each step behind it."""
    step, stage = stepping._Work.step, applying.stage

    def stepping_after(self):
        act()
        step(self)

    def staging_before(*arguments):
        staged = stage(*arguments)
        act()
        return staged

    together = ExitStack()
    together.enter_context(patch.object(stepping._Work, "step", stepping_after))
    together.enter_context(patch.object(applying, "stage", staging_before))
    return together


def in_the_middle_of_a_step(act):
    """Have something done while a step holds its transaction open."""
    write = stepping._Work._write

    def writing(self, writer, **how_many):
        written = write(self, writer, **how_many)
        act()
        return written

    return patch.object(stepping._Work, "_write", writing)


@pytest.mark.parametrize("moment", [between_steps, in_the_middle_of_a_step])
def test_a_backup_in_the_middle_restores_to_a_book_from_before_or_after(command, whole, moment):
    """Opened, it goes on with the import where it had come; from before the switch nothing is left of it."""
    copies = []

    def back_up():
        copies.append(command.folder / f"copy{len(copies)}.db")
        command.good("backup", str(copies[-1]))

    with moment(back_up):
        bring_in(command)

    assert len(copies) > SIZE // 8
    restored = [CommandLine(command.folder, f"sqlite:///{copy}") for copy in copies]
    found = [exported(copy, command.account) for copy in restored]
    # The first of those between the steps, and the first in a step, do not have the switch.
    expected = [[], *[whole] * (len(copies) - 1)] if moment is between_steps else [whole] * len(copies)
    assert found == expected
    assert all(copy.run("check").returncode == 0 for copy in restored)
    assert exported(command) == whole


def lose_the_index(command, account):
    """Have an account wait for `migrate`, as a new version of the program does."""
    path = command.database.removeprefix("sqlite:///")
    with closing(apsw.Connection(path)) as connection:
        connection.execute(
            "UPDATE accounts SET indexes = '{}' WHERE account_id = ?", (decode_id(ID_PREFIX, account),)
        )


def assert_all_is_well(command, *accounts, whole):
    assert command.run("migrate", "--check").returncode == 0
    assert command.run("check").returncode == 0
    assert [exported(command, account) for account in accounts] == [whole] * len(accounts)


WATCHED = """
import sys
from pathlib import Path
from tradebook.cli.root import app
from tradebook.storage.sqlite.location import SqliteLocation
from tradebook.storage.sqlite.turns import Turns
taken, finish = Turns.taken, SqliteLocation.finish_migration
def coming(self, seconds):
    Path("comes").touch()
    return taken(self, seconds)
def finishing(self, *arguments):
    Path("overlaps" if Path("step").exists() else "alone").touch()
    finish(self, *arguments)
Turns.taken, SqliteLocation.finish_migration = coming, finishing
app(["migrate"])
"""


def test_a_migration_in_the_middle_of_a_step_waits_for_its_end(command, other, whole):
    step, migrations = command.folder / "step", []

    def lose():
        if not migrations:
            lose_the_index(command, other)

    def migrate():
        if not migrations:
            step.touch()
            environment = os.environ | {"TRADEBOOK_DATABASE": command.database}
            migrations.append(
                subprocess.Popen([sys.executable, "-c", WATCHED], env=environment, cwd=command.folder)
            )
            wait_until((command.folder / "comes").exists, "the migration's turn")
            step.unlink()

    with between_steps(lose), in_the_middle_of_a_step(migrate):
        bring_in(command)

    assert migrations[0].wait(DEADLINE_SECONDS) == 0
    assert {path.name for path in command.folder.iterdir()} >= {"comes", "alone"}
    assert not (command.folder / "overlaps").exists()
    assert_all_is_well(command, command.account, other, whole=whole)


def test_an_import_of_an_account_that_waits_for_migrate_goes_on_behind_it(command, other, whole):
    steps = iter(range(4))

    def lose():
        if next(steps, None) is None:
            lose_the_index(command, command.account)

    with between_steps(lose):
        cut = command.run("import", "customers", "customers.ndjson", "--account", command.account)

    command.good("migrate")

    assert (cut.returncode, "The rest follows by itself" in cut.stderr) == (1, True)
    assert_all_is_well(command, command.account, other, whole=whole)
