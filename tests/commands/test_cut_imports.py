"""An import that is cut, on the command line: its exit code, what it says, and who finishes it."""

import json
import re
from itertools import count
from unittest.mock import patch

import pytest

from tests.fixtures.command_line import CommandLine
from tests.transfer.steps import family, told
from tradebook.storage.database import Unavailable
from tradebook.transfer.imports import staging, stepping

SIZE = 40
pytestmark = pytest.mark.usefixtures("small_steps")


@pytest.fixture
def command(tmp_path, engine):
    made = CommandLine(tmp_path, engine.new(tmp_path))
    made.account = made.good("accounts", "create", "Acme")
    lines = [json.dumps(each) for each in family(SIZE)]
    (tmp_path / "customers.ndjson").write_text("\n".join(lines))
    return made


def bring_in(command):
    return command.run("import", "customers", "customers.ndjson", "--account", command.account)


def exported(command):
    text = command.good("export", "customers", "--account", command.account)
    return told(map(json.loads, text.splitlines()))


@pytest.fixture
def whole(command):
    """What the import makes when it is not cut."""
    own, command.account = command.account, command.good("accounts", "create", "Other")
    assert bring_in(command).returncode == 0
    made = exported(command)
    command.account = own
    return made


def cut_at(step, error):
    """Have the step of this number fail."""
    write, steps = stepping._Work._write, count(1)

    def failing(self, writer, **how_many):
        if next(steps) == step:
            raise error
        return write(self, writer, **how_many)

    return patch.object(stepping._Work, "_write", failing)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Unavailable("FullError: database or disk is full"), "database or disk is full. "),
        (KeyboardInterrupt(), "Stopped. "),
    ],
)
def test_a_cut_import_says_how_far_it_has_come_and_the_next_command_finishes_it(command, whole, error, why):
    with cut_at(4, error):
        done = bring_in(command)

    after = command.run("accounts", "list")

    assert (done.returncode, done.stdout) == (1, "")
    cut = re.search(
        rf"{why}The import was cut after (\d+) of 43 rows. The rest follows by itself", done.stderr
    )
    assert cut is not None
    assert 0 < int(cut[1]) < SIZE
    assert "serve" in done.stderr
    assert after.returncode == 0
    assert "Finishing the import of customers.ndjson, which was cut: " in after.stderr
    assert command.run("check").returncode == 0
    assert exported(command) == whole
    assert "Finishing" not in command.run("accounts", "list").stderr


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Unavailable("FullError: database or disk is full"), "is full: nothing was imported."),
        (KeyboardInterrupt(), "Stopped: nothing was imported."),
    ],
)
def test_one_that_is_cut_before_it_writes_says_so_and_leaves_nothing(command, error, told):
    with patch.object(staging, "packed", side_effect=error):
        done = bring_in(command)

    assert done.returncode == 1
    assert told in done.stderr
    assert exported(command) == []


def test_a_command_that_cannot_finish_an_import_does_its_own_work(command, whole):
    with cut_at(4, Unavailable("the disk is full")):
        bring_in(command)
    with cut_at(1, Unavailable("the disk is full")):
        done = command.run("accounts", "list", "--json")

    assert done.returncode == 0
    assert len(json.loads(done.stdout)) == 2
    assert "Warning: an import that was cut could not be finished now" in done.stderr
    assert exported(command) == whole


def test_a_disk_that_is_full_in_the_middle_of_a_step_leaves_none_of_it(command, whole):
    """By the file's own limit, so that SQLite finds it full where it really grows."""
    if not command.database.startswith("sqlite"):
        pytest.skip("a server's disk is its own affair")
    begin, begun = stepping._Work.step, []

    def limited(self):
        if len(begun) == 3:
            connection = self._database._own.writing
            connection.pragma("max_page_count", connection.pragma("page_count"))
        begun.append(1)
        begin(self)

    with patch.object(stepping._Work, "step", limited), patch.object(staging, "drop"):
        done = bring_in(command)

    assert done.returncode == 1
    assert "The rest follows by itself" in done.stderr
    assert command.run("check").returncode == 0
    assert exported(command) == whole
